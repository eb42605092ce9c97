"""What is special to the `google-genai` package: functions it calls itself, what it parses, contents of any form."""

import asyncio
import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from spanward.collector.demo.provider_answers import Behaviour
from spanward.tracer import semconv

from ..conformance.serving import Fake, served
from ..conformance.subject import Json, Route
from ..conformance.subjects import google_genai as subject
from ..conformance.subjects import vertex
from ..inmemory import Spans
from ..versions import at_least

genai = pytest.importorskip("google.genai")
from google.genai import types  # noqa: E402  once we know that it is there
from pydantic import BaseModel, field_validator  # noqa: E402  as above

MAIL = "ada.lovelace@example.org"
MASKED = "<EMAIL_ADDRESS_1>"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)


def answered(body: Json, how: Behaviour) -> Json:
    """Odd answers that a name asks for, else those of the conformance suite."""
    if "refusal" in how.words:
        feedback = {"blockReason": "PROHIBITED_CONTENT"}
        return {"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 7}, "modelVersion": how.model}
    whole = subject.whole(body, how)
    if "rude" in how.words:
        support = {"segment": {"endIndex": 9, "text": f"to {MASKED}"}, "groundingChunkIndices": [0]}
        chunks = [{"web": {"uri": "https://example.org", "title": f"About {MASKED}"}}]
        whole["candidates"][0]["groundingMetadata"] = {"groundingSupports": [support], "groundingChunks": chunks}
    return whole


def embedded(body: Json, how: Behaviour) -> Json:
    return {"embeddings": [{"values": [0.5]} for _ in body["requests"]], "usageMetadata": {"promptTokenCount": 7}}


def drawn(body: Json, how: Behaviour) -> Json:
    return {"predictions": [{"mimeType": "image/png", "bytesBase64Encoded": base64.b64encode(PNG).decode()}]}


STEPS: list[Json] = [
    {"type": "thought", "signature": "c2ln", "summary": [{"type": "text", "text": f"{MASKED} asks"}]},
    {"type": "model_output", "content": [{"type": "text", "text": f"to {MASKED}"}]},
    {"type": "function_call", "id": "f1", "name": "find", "arguments": {"to": MASKED}},
]


def interaction(body: Json, how: Behaviour) -> Json:
    counts = {"total_input_tokens": 9, "total_cached_tokens": 4, "total_output_tokens": 3, "total_thought_tokens": 2}
    head = {"id": "v1_1", "status": "completed", "object": "interaction", "model": how.model}
    return {**head, "usage": {**counts, "total_tokens": 14}, "steps": STEPS}


def interaction_events(body: Json, how: Behaviour) -> Iterator[str]:
    whole = interaction(body, how)
    deltas: list[list[Json]] = [
        [{"type": "thought_summary", "content": {"type": "text", "text": f"{MASKED} asks"}}],
        [{"type": "text", "text": "to <EMAIL"}, {"type": "text", "text": "_ADDRESS_1>"}],
        [{"type": "arguments_delta", "arguments": json.dumps({"to": MASKED})}],
    ]
    events: list[Json] = [{"event_type": "interaction.created", "interaction": {**whole, "steps": [], "usage": None}}]
    for i, said in enumerate(deltas):
        hollow = {**STEPS[i], "summary": [], "content": [], "arguments": {}}
        step = {name: value for name, value in hollow.items() if name in STEPS[i]}
        events.append({"event_type": "step.start", "index": i, "step": step})
        events += [{"event_type": "step.delta", "index": i, "delta": delta} for delta in said]
        events.append({"event_type": "step.stop", "index": i})
    for event in (*events, {"event_type": "interaction.completed", "interaction": whole}):
        yield f"event: {event['event_type']}\ndata: {json.dumps(event)}\n\n"


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    at = "/v1/models/{model}"
    routes = (
        Route("/v1/interactions", interaction, interaction_events),
        Route(f"{at}:generateContent", answered, error=subject.error),
        Route(f"{at}:streamGenerateContent", answered, subject.frames, lambda body: True),
        Route(f"{at}:batchEmbedContents", embedded),
        Route("/v1beta1/projects/demo/locations/europe-west4/publishers/google/models/{model}:predict", drawn),
    )
    with served(routes, "gemini-2.5-flash") as serving:
        yield serving


@pytest.fixture
def client(fake: Fake) -> Iterator[Any]:
    fake.clear()
    with subject.client(fake.address, 0, 30) as made:
        yield made


def clean(spans: Spans, fake: Fake) -> None:
    assert not any(asked.has(MAIL) for asked in fake.received)
    assert fake.last().has(MASKED)
    assert MAIL not in repr([dict(span.attributes or {}) for span in spans.all()])


class Buyer(BaseModel):
    mail: str

    @field_validator("mail")
    @classmethod
    def is_mail(cls, value: str) -> str:
        if "@" not in value:
            raise ValueError("no address")
        return value


SCHEMAS: dict[str, tuple[Any, Any]] = {
    "class": (Buyer, Buyer(mail=MAIL)),
    "list of classes": (list[Buyer], [Buyer(mail=MAIL)]),
    "dict": ({"type": "OBJECT", "properties": {"mail": {"type": "STRING"}}}, {"mail": MAIL}),
    "schema": (
        types.Schema(type=types.Type.OBJECT, properties={"mail": types.Schema(type=types.Type.STRING)}),
        {"mail": MAIL},
    ),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_parsed_agrees_with_the_text(spans: Spans, client: Any, fake: Fake, name: str) -> None:
    schema, expected = SCHEMAS[name]
    config = {"response_mime_type": "application/json", "response_schema": schema}
    answer = client.models.generate_content(model="gemini-2.5-flash-echo", contents=MAIL, config=config)
    assert answer.parsed == expected
    assert MAIL in answer.text
    clean(spans, fake)
    assert MASKED in spans.said(spans.one())


def found(order: str) -> str:
    """Finds an order.

    Args:
        order: like the one of ada.lovelace@example.org
    """
    CALLED.append(order)
    return f"{order} is in Leeds"


CALLED: list[str] = []


@pytest.mark.filterwarnings("ignore:.*automatic function calling.*")
@pytest.mark.parametrize("way", ["whole", "stream", "chat", "async"])
def test_each_request_of_automatic_function_calling_is_a_call(spans: Spans, client: Any, fake: Fake, way: str) -> None:
    CALLED.clear()
    config = types.GenerateContentConfig(tools=[found])
    asked: Any = {"model": "gemini-2.5-flash-echo-tool", "contents": MAIL, "config": config}

    async def main() -> Any:
        answer = await client.aio.models.generate_content(**asked)
        await client.aio.aclose()
        return answer

    if way == "stream":
        text = "".join(chunk.text or "" for chunk in client.models.generate_content_stream(**asked))
    elif way == "chat":
        text = client.chats.create(model=asked["model"], config=config).send_message(MAIL).text
    else:
        text = (asyncio.run(main()) if way == "async" else client.models.generate_content(**asked)).text
    assert CALLED == [MAIL]  # the function got the original
    assert text == MAIL
    assert len(spans.calls()) == len(fake.received) == 2
    clean(spans, fake)
    declared = fake.received[0].body["tools"][0]["functionDeclarations"][0]
    assert (declared["name"], MASKED in json.dumps(declared)) == ("found", True)
    told = str((spans.calls()[1].attributes or {})[semconv.INPUT_MESSAGES])
    assert f"{MASKED} is in Leeds" in told
    assert config.tools == [found]  # what the caller owns is untouched


def test_contents_of_every_form(spans: Spans, client: Any, fake: Fake) -> None:
    blob = types.Blob(data=b"RIFF1234", mime_type="audio/wav")
    contents: list[Any] = [
        types.UserContent(parts=[types.Part(text=f"I am {MAIL}"), types.Part(inline_data=blob)]),
        types.Content(role="model", parts=[
            types.Part(text=f"{MAIL} asks", thought=True),
            types.Part.from_function_call(name="find", args={"to": MAIL}),
            types.Part(executable_code=types.ExecutableCode(code=f"print('{MAIL}')", language=types.Language.PYTHON)),
            types.Part(code_execution_result=types.CodeExecutionResult(output=MAIL, outcome=types.Outcome.OUTCOME_OK)),
        ]),
        {"role": "user", "parts": [
            {"functionResponse": {"name": "find", "response": {"found": MAIL}}},
            {"file_data": {"file_uri": "https://example.org/a.pdf", "mime_type": "application/pdf"}},
            {"text": f"and {MAIL}?"},
        ]},
    ]  # fmt: skip
    config = {
        "system_instruction": types.Content(parts=[types.Part(text=f"You serve {MAIL}.")]),
        "stop_sequences": [MAIL],
        "max_output_tokens": 99,
    }
    client.models.generate_content(model="models/gemini-2.5-flash", contents=contents, config=config)
    clean(spans, fake)
    body = fake.last().body
    assert [[next(iter(part)) for part in turn["parts"]] for turn in body["contents"]] == [
        ["text", "inlineData"],
        ["text", "functionCall", "executableCode", "codeExecutionResult"],
        ["functionResponse", "fileData", "text"],
    ]
    assert contents[0].parts[0].text == f"I am {MAIL}"
    told = dict(spans.one().attributes or {})
    kinds = [part["type"] for message in json.loads(str(told[semconv.INPUT_MESSAGES])) for part in message["parts"]]
    assert kinds == [
        "text", "uri", "reasoning", "tool_call", "tool_call", "tool_call_response", "tool_call_response", "uri", "text",
    ]  # fmt: skip
    assert told[semconv.REQUEST_MODEL] == "gemini-2.5-flash"
    assert told[f"{semconv.REQUEST_PREFIX}max_tokens"] == 99


def test_a_picture_of_pillow(spans: Spans, client: Any, fake: Fake) -> None:
    image = pytest.importorskip("PIL.Image")
    client.models.generate_content(model="gemini-2.5-flash", contents=[image.open(io.BytesIO(PNG)), f"of {MAIL}"])
    clean(spans, fake)
    sent = fake.last().body["contents"]
    assert "inlineData" in json.dumps(sent)
    (told,) = json.loads(str((spans.one().attributes or {})[semconv.INPUT_MESSAGES]))[:1]
    assert told["parts"][0]["modality"] == "image"


def test_grounding_repeats_and_is_not_recorded(spans: Spans, client: Any, fake: Fake) -> None:
    answer = client.models.generate_content(model="gemini-2.5-flash-echo-rude", contents=f"to {MAIL}")
    grounding = answer.candidates[0].grounding_metadata
    assert grounding.grounding_supports[0].segment.text == f"to {MAIL}"
    assert grounding.grounding_chunks[0].web.title == f"About {MAIL}"
    clean(spans, fake)
    assert spans.said(spans.one()) == f"to {MASKED}"


def test_a_blocked_prompt_says_why(spans: Spans, client: Any) -> None:
    assert client.models.generate_content(model="gemini-2.5-flash-refusal", contents="hi").text is None
    told = dict(spans.one().attributes or {})
    assert told[semconv.FINISH_REASONS] == ("PROHIBITED_CONTENT",)
    assert told[semconv.INPUT_TOKENS] == 7


def test_thoughts_and_cached_tokens(spans: Spans, client: Any) -> None:
    client.models.generate_content(model="gemini-2.5-flash-thinking-cached", contents="a" * 400)
    list(client.models.generate_content_stream(model="gemini-2.5-flash-thinking-cached", contents="a" * 400))
    for span in spans.calls():
        told = dict(span.attributes or {})
        assert (told[semconv.INPUT_TOKENS], told[semconv.CACHE_READ_TOKENS]) == (100, 50)
        raw = json.loads(str(told[semconv.USAGE_RAW]))
        assert told[semconv.REASONING_TOKENS] == raw["thoughts_token_count"] > 0
        assert told[semconv.OUTPUT_TOKENS] == raw["candidates_token_count"] + raw["thoughts_token_count"]
        (message,) = json.loads(str(told[semconv.OUTPUT_MESSAGES]))
        assert [part["type"] for part in message["parts"]] == ["reasoning", "text"]


def test_embeddings(spans: Spans, client: Any, fake: Fake) -> None:
    texts: list[Any] = [f"I am {MAIL}", types.Content(parts=[types.Part(text=MAIL)])]
    client.models.embed_content(model="gemini-embedding-001", contents=texts, config={"title": f"of {MAIL}"})
    clean(spans, fake)
    told = dict(spans.one().attributes or {})
    assert told[semconv.OPERATION] == "embeddings"
    if at_least("google-genai", "3.1"):  # 3.0 drops what the provider counted
        assert told[semconv.INPUT_TOKENS] == 7


@pytest.mark.filterwarnings("ignore:.*generate_images.*")
def test_images(spans: Spans, fake: Fake) -> None:
    fake.clear()
    with vertex.client(fake.address, 0, 30) as client:
        made = client.models.generate_images(model="imagen-4.0", prompt=f"A picture of {MAIL}")
    assert made.generated_images[0].image.image_bytes == PNG
    clean(spans, fake)
    (message,) = json.loads(str((spans.one().attributes or {})[semconv.OUTPUT_MESSAGES]))
    assert (message["parts"][0]["type"], message["parts"][0]["mime_type"]) == ("uri", "image/png")


def test_mistakes_fail_as_ever(client: Any, fake: Fake) -> None:
    wrong: list[tuple[type[Exception], Json]] = [
        (ValueError, {"model": "gemini-2.5-flash", "contents": object()}),
        (ValueError, {"model": "gemini-2.5-flash", "contents": "hi", "config": {"no_such_field": MAIL}}),
        (TypeError, {"contents": "hi"}),
    ]
    for expected, asked in wrong:
        with pytest.raises(expected):
            client.models.generate_content(**asked)
    assert not fake.received


ASKED: Json = {
    "model": "gemini-2.5-flash",
    "input": [
        {"type": "text", "text": f"I am {MAIL}"},
        {"type": "image", "data": base64.b64encode(PNG).decode(), "mime_type": "image/png"},
    ],
    "system_instruction": f"You serve {MAIL}.",
    "tools": [{"type": "function", "name": "find", "description": f"of {MAIL}", "parameters": {"type": "object"}}],
}


@pytest.mark.parametrize("way", ["whole", "async", "stream"])
def test_interactions(spans: Spans, client: Any, fake: Fake, way: str) -> None:
    async def main() -> Any:
        answer = await client.aio.interactions.create(**ASKED)
        await client.aio.aclose()
        return answer

    if way == "stream":
        events = list(client.interactions.create(**ASKED, stream=True))
        deltas = [event.delta for event in events if event.event_type == "step.delta"]
        assert "".join(delta.text for delta in deltas if delta.type == "text") == f"to {MAIL}"
        assert deltas[0].content.text == f"{MAIL} asks"
        answer = events[-1].interaction
    else:
        answer = asyncio.run(main()) if way == "async" else client.interactions.create(**ASKED)
        assert answer.output_text == f"to {MAIL}"
    assert answer.steps[1].content[0].text == f"to {MAIL}"
    assert answer.steps[2].arguments == {"to": MAIL}
    clean(spans, fake)
    told = dict(spans.one().attributes or {})
    assert (told[semconv.REQUEST_MODEL], told[semconv.FINISH_REASONS]) == ("gemini-2.5-flash", ("completed",))
    assert [told[name] for name in (semconv.INPUT_TOKENS, semconv.CACHE_READ_TOKENS, semconv.OUTPUT_TOKENS)] == [
        9,
        4,
        5,
    ]
    (message,) = json.loads(str(told[semconv.OUTPUT_MESSAGES]))
    assert [part["type"] for part in message["parts"]] == ["reasoning", "text", "tool_call"]
    assert (message["parts"][1]["content"], message["parts"][2]["arguments"]) == (f"to {MASKED}", {"to": MASKED})
