"""What only real SDKs over a real socket show: attempts as child spans, one span beside the SDK's own, what we cost."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx
import openai
import pytest
from opentelemetry import trace as otel
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import spanward
from spanward.collector.demo.provider import Provider

from .conftest import NOWHERE, Spooled

Start = Callable[..., None]
SAID: Any = [{"role": "user", "content": "hi"}]


@pytest.fixture
def start(spooled: Spooled) -> Start:
    def started(**settings: Any) -> None:
        spanward.instrument(**{"guards": "off", "endpoint": NOWHERE, "spool": spooled.folder, **settings})

    return started


@pytest.fixture
def client(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{provider.address}/v1", default_query={"key": "hunter2"}, api_key="demo", max_retries=1
    ) as made:
        yield made


@pytest.fixture
def claude(provider: Provider) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=provider.address, api_key="demo", max_retries=0) as made:
        yield made


def test_attempts_are_children_of_the_call(start: Start, spooled: Spooled, client: openai.OpenAI) -> None:
    start()
    client.chat.completions.create(model="gpt-4o-err-500-once", messages=SAID)
    (frame,) = spooled.frames
    first, second, call = frame
    assert [span.name for span in frame] == ["POST", "POST", "chat gpt-4o-err-500-once"]
    assert first.parent_id == second.parent_id == call.span_id
    assert [span.attributes["http.response.status_code"] for span in (first, second)] == [500, 200]
    assert b"hunter2" not in spooled.bytes


def test_attempts_of_async_calls_too(start: Start, spooled: Spooled, provider: Provider) -> None:
    start()

    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=f"{provider.address}/v1", api_key="demo", max_retries=1) as made:
            await made.chat.completions.create(model="gpt-4o-err-500-once", messages=SAID)

    asyncio.run(main())
    assert [[span.name for span in frame] for frame in spooled.frames] == [["POST", "POST", "chat gpt-4o-err-500-once"]]


def test_no_other_request_is_a_span_and_none_carries_our_trace(
    start: Start, spooled: Spooled, provider: Provider, client: openai.OpenAI
) -> None:
    start()
    with httpx.Client() as plain:
        plain.post(f"{provider.address}/v1/embeddings", json={"input": "x"}, headers={"api-key": "k"})
    assert spooled.all == []
    with TracerProvider().get_tracer("theirs").start_as_current_span("theirs"):
        client.chat.completions.create(model="gpt-4o", messages=SAID)
    assert "traceparent" not in provider.record[-1].headers


def test_httpx_is_as_it_was_afterwards(start: Start) -> None:
    before = {cls: dict(vars(cls)) for cls in (httpx.HTTPTransport, httpx.AsyncHTTPTransport)}
    start()
    assert vars(httpx.HTTPTransport)["handle_request"] is not before[httpx.HTTPTransport]["handle_request"]
    spanward.uninstrument()
    assert all(vars(cls)[name] is value for cls, names in before.items() for name, value in names.items())


def test_the_application_may_instrument_httpx_itself(start: Start, spooled: Spooled, provider: Provider) -> None:
    theirs, exporter = TracerProvider(), InMemorySpanExporter()
    theirs.add_span_processor(SimpleSpanProcessor(exporter))
    start()
    HTTPXClientInstrumentor().instrument(tracer_provider=theirs, skip_dep_check=True)
    try:
        with httpx.Client() as plain:
            plain.post(f"{provider.address}/v1/embeddings", json={"input": "x"}, headers={"api-key": "k"})
        assert [span.name for span in exporter.get_finished_spans()] == ["POST"]
        spanward.uninstrument()
        with httpx.Client() as plain:
            plain.post(f"{provider.address}/v1/embeddings", json={"input": "x"}, headers={"api-key": "k"})
        assert len(exporter.get_finished_spans()) == 2
        assert spooled.all == []
    finally:
        HTTPXClientInstrumentor().uninstrument()
        spanward.uninstrument()


def test_the_span_of_the_sdk_itself_is_not_made_where_ours_goes(
    start: Start, spooled: Spooled, claude: anthropic.Anthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, exporter = TracerProvider(), InMemorySpanExporter()
    theirs.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(otel, "get_tracer_provider", lambda: theirs)
    start(tracer_provider=theirs)
    claude.messages.create(model="claude-sonnet", max_tokens=9, messages=SAID)
    with claude.messages.stream(model="claude-sonnet", max_tokens=9, messages=SAID) as stream:
        stream.get_final_message()
    scopes = [span.instrumentation_scope and span.instrumentation_scope.name for span in exporter.get_finished_spans()]
    assert scopes == ["spanward"] * 4
    assert len(spooled.calls) == 2


def test_the_span_of_the_sdk_itself_is_left_where_ours_is_not_seen(
    start: Start, spooled: Spooled, provider: Provider
) -> None:
    theirs, exporter = TracerProvider(), InMemorySpanExporter()
    theirs.add_span_processor(SimpleSpanProcessor(exporter))
    start()
    with anthropic.Anthropic(
        base_url=provider.address, api_key="demo", max_retries=0, open_telemetry={"tracer_provider": theirs}
    ) as claude:
        claude.messages.create(model="claude-sonnet", max_tokens=9, messages=SAID)
    assert len(exporter.get_finished_spans()) == 1
    assert len(spooled.calls) == 1


def test_the_manager_of_a_stream_is_the_librarys_own(
    start: Start, spooled: Spooled, claude: anthropic.Anthropic
) -> None:
    start()
    manager = claude.messages.stream(model="claude-sonnet", max_tokens=9, messages=iter(SAID))
    assert isinstance(manager, anthropic.MessageStreamManager)
    assert spooled.calls == [], "nothing is asked before entering"
    for _ in range(2):
        with manager as stream:
            assert isinstance(stream, anthropic.MessageStream)
            assert stream.get_final_text()
    assert [call.attributes["spanward.stream.end"] for call in spooled.calls] == ["complete", "complete"]


def calls_of(run: Callable[[], object]) -> int:
    """How many functions `run` calls, Python's and C's."""
    count = 0

    def profile(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def least(run: Callable[[], object]) -> int:
    run()
    return min(calls_of(run) for _ in range(3))


def test_a_call_costs_at_most_900_function_calls_and_a_chunk_16(start: Start, client: openai.OpenAI) -> None:
    long: Any = [{"role": "user", "content": "word " * 800}]

    def chat() -> None:
        client.chat.completions.create(model="gpt-4o", messages=long)

    def stream(chunks: int) -> Callable[[], None]:
        def run() -> None:
            # who asks for usage itself has the SDK read as much of each chunk as when we ask for it
            for _ in client.chat.completions.create(
                model=f"gpt-4o-chunks{chunks}", messages=SAID, stream=True, **({} if traced else asks)
            ):
                pass

        return run

    asks: Any = {"stream_options": {"include_usage": True}}
    traced: list[int] = []
    plain = [least(chat), least(stream(20)), least(stream(220))]
    start(usage_hosts=["127.0.0.1"])
    traced = [least(chat)]
    traced += [least(stream(20)), least(stream(220))]
    added = [ours - theirs for ours, theirs in zip(traced, plain, strict=True)]
    assert added[0] <= 900, added
    assert (added[2] - added[1]) / 200 <= 16, added
