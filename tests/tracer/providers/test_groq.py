"""What Groq adds to OpenAI's protocol: tools that run there, documents, usage in `x_groq`, and its audio."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from spanward.collector.demo.provider_answers import Behaviour
from spanward.tracer import semconv

from ..conformance.serving import Fake, served
from ..conformance.subject import Json, Route
from .driving import WAYS, drive

groq = pytest.importorskip("groq")

MAIL = "ada@example.com"
WAV = b"RIFF a recording"
USAGE = {"queue_time": 0.05, "prompt_tokens": 40, "prompt_time": 0.01, "completion_tokens": 12,
         "completion_time": 0.02, "total_tokens": 52, "total_time": 0.03,
         "prompt_tokens_details": {"cached_tokens": 8},
         "completion_tokens_details": {"reasoning_tokens": 5}}  # fmt: skip


def executed(body: Json) -> list[Json]:
    asked = body["messages"][-1]["content"]
    result = {"title": "A page", "url": "https://example.org", "content": f"About {asked}", "score": 0.9}
    return [{"index": 0, "type": "search", "arguments": json.dumps({"query": asked}), "output": f"Found {asked}",
             "search_results": {"results": [result], "images": []}}]  # fmt: skip


def chat(body: Json, how: Behaviour) -> Json:
    asked = body["messages"][-1]["content"]
    message = {"role": "assistant", "content": f"It is {asked}", "reasoning": f"They want {asked}"}
    choice = {"index": 0, "message": {**message, "executed_tools": executed(body)}, "finish_reason": "stop"}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "groq/compound",
            "choices": [choice], "usage": USAGE, "x_groq": {"id": "req_1"}}  # fmt: skip


def chunks(body: Json, how: Behaviour) -> Iterator[str]:
    asked = body["messages"][-1]["content"]
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "groq/compound"}
    deltas: tuple[Json, ...] = (
        {"role": "assistant", "content": "", "reasoning": f"They want {asked[:7]}"},
        {"reasoning": asked[7:]},
        {"executed_tools": executed(body)},
        {"content": f"It is {asked[:9]}"},
        {"content": asked[9:]},
    )
    for i, delta in enumerate(deltas):
        own = {"x_groq": {"id": "req_1"}} if i == 0 else {}
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        yield f"data: {json.dumps({**head, 'choices': [choice], **own})}\n\n"
    last = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield f"data: {json.dumps({**last, 'x_groq': {'id': 'req_1', 'usage': USAGE}})}\n\n"
    yield "data: [DONE]\n\n"


def transcript(body: Json, how: Behaviour) -> Json | bytes:
    text = f"Call {body['prompt']} now."
    if body.get("response_format") == "verbose_json":
        return {"text": text, "segments": [{"id": 0, "text": text}], "x_groq": {"id": "req_1"}}
    return text.encode() if body.get("response_format") == "text" else {"text": text}


ROUTES = (
    Route("/openai/v1/chat/completions", chat, chunks),
    Route("/openai/v1/audio/transcriptions", transcript),
    Route("/text/openai/v1/audio/transcriptions", transcript, headers=lambda _: {"content-type": "text/plain"}),
    Route("/openai/v1/audio/translations", transcript),
    Route("/openai/v1/audio/speech", lambda body, how: WAV, headers=lambda status: {"content-type": "audio/wav"}),
    Route("/openai/v1/embeddings", lambda body, how: {
        "object": "list", "model": "nomic-embed-text-v1_5", "data": [], "usage": {"prompt_tokens": 3}}),
)  # fmt: skip


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with served(ROUTES, "m") as serving:
        yield serving


@pytest.fixture
def ask(fake: Fake) -> Any:
    fake.clear()

    def call(way: str, method: str, prefix: str = "", **kwargs: Any) -> Any:
        def make(way: str) -> Any:
            kind = groq.Groq if way == "sync" else groq.AsyncGroq
            return kind(base_url=fake.address + prefix, api_key="k", max_retries=0)

        return drive(make, way, method, **kwargs)

    return call


def check(fake: Fake, span: Any) -> None:
    """What every call here says, whole or streamed."""
    assert not fake.last().has(MAIL)
    assert MAIL not in span.to_json()
    told = span.attributes
    assert told[semconv.PROVIDER] == "groq"
    assert told[semconv.RESPONSE_MODEL] == "groq/compound"
    assert told[semconv.FINISH_REASONS] == ("stop",)
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (40, 12)
    assert (told[semconv.CACHE_READ_TOKENS], told[semconv.REASONING_TOKENS]) == (8, 5)
    assert json.loads(told[semconv.USAGE_RAW]) == USAGE
    (message,) = json.loads(told[semconv.OUTPUT_MESSAGES])
    found = [
        (part["type"], part.get("content", part.get("arguments", part.get("response")))) for part in message["parts"]
    ]
    masked = "<EMAIL_ADDRESS_1>"
    assert sorted(map(str, found)) == sorted(map(str, [
        ("text", f"It is {masked}"),
        ("reasoning", f"They want {masked}"),
        ("tool_call", {"query": masked}),
        ("tool_call_response", f"Found {masked}"),
        ("tool_call_response", "A page"),
        ("tool_call_response", "https://example.org"),
        ("tool_call_response", f"About {masked}"),
    ]))  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_tools_that_ran_there(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(way, "chat.completions.create", model="groq/compound", messages=[{"role": "user", "content": MAIL}])
    message = answer.choices[0].message
    assert message.content == f"It is {MAIL}"
    assert message.executed_tools[0].output == f"Found {MAIL}"
    assert json.loads(message.executed_tools[0].arguments) == {"query": MAIL}
    assert message.executed_tools[0].search_results.results[0].content == f"About {MAIL}"
    check(fake, spans.one())


@pytest.mark.parametrize("way", WAYS)
def test_tools_that_ran_there_streamed(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    asked: list[Any] = [{"role": "user", "content": MAIL}]
    heard = ask(way, "chat.completions.create", model="groq/compound", messages=asked, stream=True)
    deltas = [chunk.choices[0].delta for chunk in heard if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == f"It is {MAIL}"
    assert "".join(delta.reasoning or "" for delta in deltas) == f"They want {MAIL}"
    (tool,) = [tool for delta in deltas for tool in delta.executed_tools or []]
    assert tool.output == f"Found {MAIL}"
    assert tool.search_results.results[0].content == f"About {MAIL}"
    check(fake, spans.one())


def test_documents_and_settings(ask: Any, fake: Fake, spans: Any) -> None:
    ask(
        "sync",
        "chat.completions.create",
        model="m",
        messages=[{"role": "user", "content": "Who?"}],
        documents=({"id": "d", "source": {"type": "text", "text": f"By {MAIL}"}} for _ in range(1)),
        search_settings={"include_domains": [MAIL]},
        user=MAIL,
    )
    assert fake.last().body["documents"][0]["source"]["text"] == "By <EMAIL_ADDRESS_1>"
    assert not fake.last().has(MAIL)
    assert "By <EMAIL_ADDRESS_1>" in spans.one().attributes[semconv.INPUT_MESSAGES]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["audio.transcriptions.create", "audio.translations.create"])
@pytest.mark.parametrize("kind", ["json", "verbose_json"])
def test_transcripts(way: str, method: str, kind: str, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(way, method, model="whisper-large-v3", file=("a.wav", WAV), prompt=MAIL, response_format=kind)
    assert answer.text == f"Call {MAIL} now."
    if kind == "verbose_json":
        assert answer.segments[0]["text"] == f"Call {MAIL} now."
    assert not fake.last().has(MAIL)
    assert MAIL not in spans.one().to_json()
    assert spans.one().attributes[semconv.OPERATION] == "transcription"


@pytest.mark.parametrize("way", WAYS)
def test_a_transcript_that_is_nothing_but_text(way: str, ask: Any, spans: Any) -> None:
    answer = ask(
        way,
        "audio.transcriptions.create",
        "/text",
        model="whisper-large-v3",
        file=WAV,
        prompt=MAIL,
        response_format="text",
    )
    assert answer == f"Call {MAIL} now."
    assert spans.said(spans.one()) == "Call <EMAIL_ADDRESS_1> now."


def test_a_recording_at_an_address(ask: Any, spans: Any) -> None:
    ask("sync", "audio.transcriptions.create", model="m", url="https://files.example/a.wav?sig=SECRET", prompt="x")
    assert "https://files.example/a.wav" in spans.one().attributes[semconv.INPUT_MESSAGES]
    assert "SECRET" not in spans.one().to_json()


@pytest.mark.parametrize("way", WAYS)
def test_speech(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    ask(way, "audio.speech.create", model="playai-tts", voice="Fritz-PlayAI", input=f"Hello {MAIL}")
    assert fake.last().body["input"] == "Hello <EMAIL_ADDRESS_1>"
    assert spans.one().attributes[semconv.OPERATION] == "speech"


def test_a_recording_is_given_as_the_library_gives_it(fake: Fake, spans: Any) -> None:
    with groq.Groq(base_url=fake.address, api_key="k") as client:
        assert client.audio.speech.create(model="m", voice="v", input="x").read() == WAV
        with client.audio.speech.with_streaming_response.create(model="m", voice="v", input="x") as answer:
            assert not answer.http_response.is_stream_consumed
            assert b"".join(answer.iter_bytes()) == WAV


@pytest.mark.parametrize("way", WAYS)
def test_embeddings(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    ask(way, "embeddings.create", model="nomic-embed-text-v1_5", input=[MAIL, "B"])
    assert fake.last().body["input"] == ["<EMAIL_ADDRESS_1>", "B"]
    assert spans.one().attributes[semconv.INPUT_TOKENS] == 3
