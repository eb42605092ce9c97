"""What is special to the `mistralai` package: typed objects, chunks, helpers above the methods, spans of its own."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import spanward
from spanward.tracer import semconv

from ..conformance.serving import Fake, served
from ..conformance.subject import Json, Route
from ..conformance.subjects import mistral as subject
from ..conftest import NOWHERE
from ..inmemory import Spans

pytest.importorskip("mistralai.client.chat", reason="mistralai 3 is not installed; its classes are used here")
from mistralai.client import Mistral, models
from pydantic import BaseModel

MAIL = "ada.lovelace@example.org"
MASKED = "<EMAIL_ADDRESS_1>"
USAGE = {"prompt_tokens": 12, "completion_tokens": 0, "total_tokens": 12}


def counted(body: Json, how: Any) -> Json:
    return {"id": "e1", "object": "list", "model": how.model, "usage": USAGE, "data": [], "results": []}


def pages(body: Json, how: Any) -> Json:
    page = {"index": 0, "markdown": f"# For {MASKED}", "images": [], "dimensions": None}
    return {"model": how.model, "pages": [page], "usage_info": {"pages_processed": 1}}


def middle(body: Json, how: Any) -> Json:
    return subject.whole({"messages": [{"role": "user", "content": body["prompt"]}], "model": "m"}, how)


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    routes = (
        *subject.SUBJECT.routes,
        Route("/v1/agents/completions", subject.whole),
        Route("/v1/fim/completions", middle),
        Route("/v1/embeddings", counted),
        Route("/v1/moderations", counted),
        Route("/v1/ocr", pages),
    )
    with served(routes, "mistral-small-latest") as serving:
        yield serving


@pytest.fixture
def client(fake: Fake) -> Iterator[Mistral]:
    fake.clear()
    with Mistral(api_key="demo", server_url=fake.address) as made:
        yield made


class Order(BaseModel):
    buyer: str


def recorded(spans: Spans) -> str:
    return repr([dict(span.attributes or {}) for span in spans.all()])


def test_objects_go_out_as_the_library_sends_them(spans: Spans, client: Mistral, fake: Fake) -> None:
    thought = models.ThinkChunk(thinking=[models.TextChunk(text=f"{MAIL} asks")])
    call = models.ToolCall(id="t1", function=models.FunctionCall(name="find", arguments={"to": MAIL}))
    document = models.DocumentURLChunk(document_url="https://example.org/a.pdf", document_name=f"of {MAIL}")
    turns: list[Any] = [
        models.SystemMessage(content=f"You serve {MAIL}."),
        models.UserMessage(content=[models.TextChunk(text=f"I am {MAIL}"), document]),
        models.AssistantMessage(content=[thought, models.TextChunk(text="Yes.")], tool_calls=[call]),
        models.ToolMessage(content=f"found {MAIL}", tool_call_id="t1", name="find"),
        {"role": "user", "content": [{"type": "reference", "reference_ids": [1]}, {"type": "text", "text": "And?"}]},
    ]  # fmt: skip
    client.chat.complete(model="mistral-small-latest", messages=iter(turns), stop=[MAIL], metadata={"for": MAIL})
    body = fake.last().body
    assert not fake.last().has(MAIL)
    assert [turn["role"] for turn in body["messages"]] == ["system", "user", "assistant", "tool", "user"]
    assert body["messages"][1]["content"] == [
        {"type": "text", "text": f"I am {MASKED}"},
        {"type": "document_url", "document_url": "https://example.org/a.pdf", "document_name": f"of {MASKED}"},
    ]
    assert body["messages"][2]["tool_calls"][0]["function"] == {"name": "find", "arguments": {"to": MASKED}}
    assert body["messages"][4]["content"][0] == {"type": "reference", "reference_ids": [1]}
    assert (body["stop"], body["metadata"]) == ([MASKED], {"for": MASKED})
    assert MAIL not in recorded(spans)
    assert thought.thinking[0].text == f"{MAIL} asks"  # type: ignore[union-attr]  # what the caller owns is untouched


@pytest.mark.parametrize("way", ["sync", "async"])
def test_parse_is_one_call_and_gives_the_original(spans: Spans, client: Mistral, fake: Fake, way: str) -> None:
    asked: Any = {"model": "mistral-small-latest-echo", "messages": [{"role": "user", "content": MAIL}]}

    async def main() -> Any:
        async with Mistral(api_key="demo", server_url=fake.address) as its:
            return await its.chat.parse_async(Order, **asked)

    answer: Any = asyncio.run(main()) if way == "async" else client.chat.parse(Order, **asked)
    assert answer.choices[0].message.parsed == Order(buyer=MAIL)
    assert json.loads(answer.choices[0].message.content) == {"buyer": MAIL}
    assert not fake.last().has(MAIL)
    assert json.loads(spans.said(spans.one())) == {"buyer": MASKED}


def test_thinking_is_reasoning(spans: Spans, client: Mistral) -> None:
    asked: Any = {"messages": [{"role": "user", "content": f"to {MAIL}"}]}
    client.chat.complete(model="mistral-small-latest-echo-thinking", **asked)
    with client.chat.stream(model="mistral-small-latest-echo-thinking-chunks30", **asked) as stream:
        heard = [event.data.choices[0].delta.content for event in stream]
    assert "".join(said for said in heard if isinstance(said, str)) == f"to {MAIL}"
    for span in spans.calls():
        (message,) = json.loads(str((span.attributes or {})[semconv.OUTPUT_MESSAGES]))
        assert [part["type"] for part in message["parts"]] == ["reasoning", "text"]
        assert message["parts"][1]["content"] == f"to {MASKED}"


def test_cached_tokens_are_told_apart(spans: Spans, client: Mistral) -> None:
    asked: Any = [{"role": "user", "content": "a" * 400}]
    client.chat.complete(model="mistral-small-latest-cached", messages=asked)
    told = dict(spans.one().attributes or {})
    assert (told[semconv.INPUT_TOKENS], told[semconv.CACHE_READ_TOKENS]) == (100, 50)
    assert json.loads(str(told[semconv.USAGE_RAW]))["prompt_tokens_details"] == {"cached_tokens": 50}


OTHERS: dict[str, tuple[str, Any]] = {
    "embeddings": ("embeddings", lambda c: c.embeddings.create(model="mistral-embed", inputs=["hi", f"I am {MAIL}"])),
    "one embedding": ("embeddings", lambda c: c.embeddings.create(model="mistral-embed", inputs=f"I am {MAIL}")),
    "fim": ("text_completion", lambda c: c.fim.complete(model="codestral", prompt=f"# {MAIL}", suffix=f"# by {MAIL}")),
    "agents": ("chat", lambda c: c.agents.complete(agent_id="ag:1", messages=[{"role": "user", "content": MAIL}])),
    "moderation": ("moderation", lambda c: c.classifiers.moderate(model="mistral-moderation", inputs=[MAIL])),
    "ocr": (
        "generate_content",
        lambda c: c.ocr.process(
            model="mistral-ocr-latest",
            document={"type": "document_url", "document_url": "https://a.example", "document_name": f"of {MAIL}"},
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_the_other_methods(spans: Spans, client: Mistral, fake: Fake, name: str) -> None:
    operation, ask = OTHERS[name]
    answer = ask(client)
    assert not fake.last().has(MAIL)
    assert fake.last().has(MASKED)
    told = dict(spans.one().attributes or {})
    assert (told[semconv.OPERATION], told[semconv.PROVIDER]) == (operation, "mistral_ai")
    assert MAIL not in recorded(spans)
    if name == "ocr":
        assert answer.pages[0].markdown == f"# For {MAIL}"
    elif operation == "embeddings":
        assert told[semconv.INPUT_TOKENS] == 12


def test_its_own_span_is_not_made_where_ours_goes(
    fake: Fake, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, spans: Spans
) -> None:
    spanward.uninstrument()  # of the module: here the provider is the application's global one
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setenv("MISTRAL_SDK_TELEMETRY", "global")
    asked: Any = {"model": "mistral-small-latest", "messages": [{"role": "user", "content": "hi"}]}
    with Mistral(api_key="demo", server_url=fake.address) as client:
        client.chat.complete(**asked)
        native = [
            span.instrumentation_scope.name for span in exporter.get_finished_spans() if span.instrumentation_scope
        ]
        assert native == ["mistralai_sdk_tracer"]
        exporter.clear()
        spanward.instrument(endpoint=NOWHERE, guards="off", spool=tmp_path, tracer_provider=provider)
        client.chat.complete(**asked)
    spanward.uninstrument()
    scopes = [s.instrumentation_scope.name for s in exporter.get_finished_spans() if s.instrumentation_scope]
    assert scopes.count("mistralai_sdk_tracer") == 0
    assert [s.name for s in exporter.get_finished_spans()].count("chat mistral-small-latest") == 1
