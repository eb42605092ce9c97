"""What Together has of its own: rerank, images and videos, completions in two shapes, a prompt that is given back."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from spanward.collector.demo.provider_answers import Behaviour
from spanward.tracer import semconv

from ..conformance.serving import Fake, served
from ..conformance.subject import Json, Route
from .driving import WAYS, drive

together = pytest.importorskip("together")

MAIL = "ada@example.com"
MASKED = "<EMAIL_ADDRESS_1>"
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
PICTURE = "cGljdHVyZQ=="
DIGEST = f"sha256:{hashlib.sha256(PICTURE.encode()).hexdigest()}"
MP3 = b"ID3 a recording"


def chat(body: Json, how: Behaviour) -> Json:
    asked = body["messages"][-1]["content"]
    message = {"role": "assistant", "content": f"It is {asked}", "reasoning": f"They want {asked}"}
    choice = {"index": 0, "message": message, "finish_reason": "eos", "seed": 1, "logprobs": None}
    prompt = [{"text": f"<user>{asked}</user>", "logprobs": None}] if body.get("echo") else []
    return {"id": "o1", "object": "chat.completion", "created": 1, "model": "llama", "choices": [choice],
            "prompt": prompt, "usage": USAGE}  # fmt: skip


def chat_chunks(body: Json, how: Behaviour) -> Iterator[str]:
    """Text stands in the delta, and once more in the choice."""
    text = f"It is {body['messages'][-1]['content']}"
    head = {"id": "o1", "object": "chat.completion.chunk", "created": 1, "model": "llama"}
    for piece, reason in ((text[:9], None), (text[9:15], None), (text[15:], None), ("", "eos")):
        delta = {"role": "assistant", "content": piece, "token_id": 7, "tool_calls": None}
        choice = {"index": 0, "text": piece, "delta": delta, "finish_reason": reason, "seed": None, "logprobs": None}
        chunk = {**head, "choices": [choice], "usage": USAGE if reason else None}
        yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"


def completion(body: Json, how: Behaviour) -> Json:
    choice = {"text": f"It is {body['prompt']}", "finish_reason": "eos", "seed": 1, "logprobs": None}
    return {"id": "o2", "object": "text.completion", "created": 1, "model": "llama", "choices": [choice],
            "prompt": [{"text": body["prompt"]}] if body.get("echo") else [], "usage": USAGE}  # fmt: skip


def completion_chunks(body: Json, how: Behaviour) -> Iterator[str]:
    """A piece stands in the choice's `text`, or (newer models) in its delta; the reason beside the choices."""
    text = f"It is {body['prompt']}"
    pieces = (text[:9], text[9:15], text[15:], "")
    for i, piece in enumerate(pieces):
        last = i == len(pieces) - 1
        said = {"delta": {"role": "assistant", "content": piece}} if "delta" in body["model"] else {"text": piece}
        token = {"id": 1, "text": piece, "logprob": 0.0, "special": False}
        end = {"finish_reason": "eos", "usage": USAGE} if last else {"finish_reason": None}
        chunk = {"id": "o2", "object": "completion.chunk", "created": 1, "model": "llama", "token": token,
                 "choices": [{"index": 0, **said}], **end}  # fmt: skip
        yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"


def rerank(body: Json, how: Behaviour) -> Json:
    told = body["documents"]
    documents = [{"text": str(document)} if body.get("return_documents") else {} for document in told]
    results = [{"index": i, "relevance_score": 0.9, "document": document} for i, document in enumerate(documents)]
    return {"id": "r1", "object": "rerank", "model": "rank-v1", "results": results, "usage": USAGE}


def images(body: Json, how: Behaviour) -> Json:
    data = {"index": 0, "type": "b64_json", "b64_json": PICTURE}
    if body.get("response_format") == "url":
        data = {"index": 0, "type": "url", "url": "https://files.example/1.png?sig=SECRET"}
    return {"id": "i1", "model": "flux", "object": "list", "data": [data]}


def transcript(body: Json, how: Behaviour) -> Json:
    text = f"Call {body['prompt']} now."
    if body.get("response_format") != "verbose_json":
        return {"text": text}
    words = [{"word": word, "start": 0, "end": 1, "speaker_id": "S0"} for word in text.split()]
    spoken = [{"id": 0, "speaker_id": "S0", "start": 0, "end": 1, "text": text, "words": words}]
    return {"text": text, "language": "en", "duration": 1, "segments": [{"id": 0, "text": text, "start": 0, "end": 1}],
            "words": words, "speaker_segments": spoken}  # fmt: skip


def recording(body: Json, how: Behaviour) -> Iterator[str]:
    for _ in range(2):
        yield f"data: {json.dumps({'object': 'audio.tts.chunk', 'model': 'sonic', 'b64': PICTURE})}\n\n"
    yield "data: [DONE]\n\n"


VIDEO = {"id": "v1", "model": "veo", "object": "video", "status": "queued", "created_at": 1, "seconds": "4",
         "size": "1x1"}  # fmt: skip
EMBEDDINGS = {"object": "list", "model": "bge", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
ANSWERS: tuple[tuple[str, Any, Any], ...] = (
    ("/chat/completions", chat, chat_chunks),
    ("/completions", completion, completion_chunks),
    ("/rerank", rerank, None),
    ("/images/generations", images, None),
    ("/videos", lambda body, how: VIDEO, None),
    ("/audio/transcriptions", transcript, None),
    ("/audio/translations", transcript, None),
    ("/audio/speech", lambda body, how: MP3, recording),
    ("/embeddings", lambda body, how: EMBEDDINGS, None),
)
ROUTES = tuple(
    Route(prefix + path, answer, frames)
    for path, answer, frames in ANSWERS
    for prefix in ("", "/v1", "/v2")  # each version writes its paths in its own way
)


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with served(ROUTES, "m") as serving:
        yield serving


@pytest.fixture
def ask(fake: Fake) -> Any:
    fake.clear()

    def call(way: str, method: str, **kwargs: Any) -> Any:
        def make(way: str) -> Any:
            kind = together.Together if way == "sync" else together.AsyncTogether
            return kind(base_url=fake.address, api_key="k", max_retries=0)

        return drive(make, way, method, **kwargs)

    return call


def plain(thing: Any) -> Json:
    """Older versions leave some things plain that newer ones have types for."""
    found: Json = thing if isinstance(thing, dict) else thing.model_dump()
    return found


def clean(fake: Fake, span: Any) -> dict[str, Any]:
    """The span's attributes, when nothing told the address."""
    assert not fake.last().has(MAIL)
    said = span.to_json()
    assert MAIL not in said
    assert PICTURE not in said
    assert "SECRET" not in said
    assert span.attributes[semconv.PROVIDER] == "together"
    return dict(span.attributes)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("echo", [False, True])
def test_a_chat(way: str, echo: bool, ask: Any, fake: Fake, spans: Any) -> None:
    given: Json = {"chat_template_kwargs": {"user": MAIL}, "stop": [MAIL]}
    asked: list[Any] = [{"role": "user", "content": MAIL}]
    answer = ask(way, "chat.completions.create", model="llama", messages=asked, echo=echo, top_k=4, **given)
    assert answer.choices[0].message.content == f"It is {MAIL}"
    assert answer.choices[0].message.reasoning == f"They want {MAIL}"
    assert [plain(prompt)["text"] for prompt in answer.prompt] == ([f"<user>{MAIL}</user>"] if echo else [])
    told = clean(fake, spans.one())
    assert told[semconv.FINISH_REASONS] == ("eos",)
    assert told["gen_ai.request.top_k"] == 4
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (7, 3)


@pytest.mark.parametrize("way", WAYS)
def test_a_streamed_chat_that_says_all_twice(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    asked: list[Any] = [{"role": "user", "content": MAIL}]
    chunks = ask(way, "chat.completions.create", model="llama", messages=asked, stream=True)
    choices = [chunk.choices[0] for chunk in chunks]
    assert "".join(choice.delta.content or "" for choice in choices) == f"It is {MAIL}"
    assert "".join(getattr(choice, "text", "") for choice in choices) == f"It is {MAIL}"
    told = clean(fake, spans.one())
    assert spans.said(spans.one()) == f"It is {MASKED}"
    assert told[semconv.FINISH_REASONS] == ("eos",)
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (7, 3)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("echo", [False, True])
def test_a_completion(way: str, echo: bool, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(way, "completions.create", model="llama", prompt=MAIL, echo=echo)
    assert answer.choices[0].text == f"It is {MAIL}"
    assert [plain(prompt)["text"] for prompt in answer.prompt] == ([MAIL] if echo else [])
    told = clean(fake, spans.one())
    assert told[semconv.OPERATION] == "text_completion"
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (7, 3)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("model", ["llama", "llama-delta"])
def test_a_streamed_completion(way: str, model: str, ask: Any, fake: Fake, spans: Any) -> None:
    chunks = ask(way, "completions.create", model=model, prompt=MAIL, stream=True)
    said = [chunk.choices[0].text or getattr(chunk.choices[0].delta, "content", "") or "" for chunk in chunks]
    assert "".join(said) == f"It is {MAIL}"
    told = clean(fake, spans.one())
    assert spans.said(spans.one()) == f"It is {MASKED}"
    assert told[semconv.FINISH_REASONS] == ("eos",)
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (7, 3)
    assert told[semconv.STREAM_END] == "complete"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("given_back", [False, True])
def test_rerank(way: str, given_back: bool, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(
        way,
        "rerank.create",
        model="rank",
        query=f"Who is {MAIL}?",
        documents=["One", f"{MAIL} is Ada"],
        top_n=2,
        return_documents=given_back,
    )
    assert [result.index for result in answer.results] == [0, 1]
    assert answer.results[1].document.text == (f"{MAIL} is Ada" if given_back else None)
    told = clean(fake, spans.one())
    assert fake.last().body["query"] == f"Who is {MASKED}?"
    assert fake.last().body["documents"] == ["One", f"{MASKED} is Ada"]
    assert told[semconv.OPERATION] == "rerank"
    assert told[semconv.RESPONSE_MODEL] == "rank-v1"
    assert told["gen_ai.request.top_n"] == 2
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (7, 3)
    assert spans.said(spans.one()) == (f"One{MASKED} is Ada" if given_back else "")


def test_rerank_of_objects(ask: Any, fake: Fake, spans: Any) -> None:
    ask("sync", "rerank.create", model="rank", query="Who?", documents=[{"name": "Ada", "mail": MAIL}])
    assert fake.last().body["documents"] == [{"name": "Ada", "mail": MASKED}]
    clean(fake, spans.one())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("kind", "uri"), [("base64", DIGEST), ("url", "https://files.example/1.png")])
def test_an_image(way: str, kind: Any, uri: str, ask: Any, fake: Fake, spans: Any) -> None:
    ask(
        way,
        "images.generate",
        model="flux",
        prompt=f"A card for {MAIL}",
        negative_prompt=f"not {MAIL}",
        image_url="https://files.example/2.png?sig=SECRET",
        response_format=kind,
        width=64,
    )
    assert fake.last().body["negative_prompt"] == f"not {MASKED}"
    told = clean(fake, spans.one())
    assert told[semconv.OPERATION] == "image_generation"
    assert told["gen_ai.request.width"] == 64
    assert uri in told[semconv.OUTPUT_MESSAGES]
    assert "https://files.example/2.png" in told[semconv.INPUT_MESSAGES]


@pytest.mark.parametrize("way", WAYS)
def test_a_video(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    if not hasattr(together.Together(api_key="k"), "videos"):
        pytest.skip("this version makes no videos")
    ask(way, "videos.create", model="veo", prompt=f"Wave to {MAIL}", seconds="4")
    assert fake.last().body["prompt"] == f"Wave to {MASKED}"
    assert clean(fake, spans.one())[semconv.RESPONSE_ID] == "v1"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["audio.transcriptions.create", "audio.translations.create"])
def test_a_transcript(way: str, method: str, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(way, method, model="whisper", file=MP3, prompt=MAIL, response_format="verbose_json")
    said = f"Call {MAIL} now."
    assert answer.text == plain(answer.segments[0])["text"] == said
    assert [plain(word)["word"] for word in answer.words] == said.split()
    spoken = plain(answer.speaker_segments[0])
    assert spoken["text"] == said
    assert [word["word"] for word in spoken["words"]] == said.split()
    clean(fake, spans.one())


@pytest.mark.parametrize("way", WAYS)
def test_speech(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    ask(way, "audio.speech.create", model="sonic", voice="v", input=f"Hello {MAIL}")
    assert fake.last().body["input"] == f"Hello {MASKED}"
    assert clean(fake, spans.one())[semconv.OPERATION] == "speech"


@pytest.mark.parametrize("way", WAYS)
def test_streamed_speech(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    assert len(ask(way, "audio.speech.create", model="sonic", voice="v", input=MAIL, stream=True)) == 2
    told = clean(fake, spans.one())
    assert told[semconv.STREAM_END] == "complete"
    assert told[semconv.STREAM_CHUNKS] == 2


@pytest.mark.parametrize("way", WAYS)
def test_embeddings(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    ask(way, "embeddings.create", model="bge", input=[MAIL, "B"])
    assert fake.last().body["input"] == [MASKED, "B"]
    assert clean(fake, spans.one())[semconv.RESPONSE_MODEL] == "bge"
