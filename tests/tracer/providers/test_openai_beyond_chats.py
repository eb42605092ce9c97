"""OpenAI's other methods: what leaves is masked, what comes back is restored, and media are told by reference only."""

import asyncio
import base64
import hashlib
import io
import json
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

import openai
import pytest

from spanward.collector.demo.provider_answers import Behaviour
from spanward.tracer import health, semconv

from ..conformance.serving import Fake, served
from ..conformance.subject import Json, Route
from .driving import WAYS, drive

MAIL = "ada@example.com"
PNG = base64.b64encode(b"\x89PNG picture").decode()
PNG_DIGEST = f"sha256:{hashlib.sha256(PNG.encode()).hexdigest()}"
MP3 = b"ID3 a recording"
MP3_DIGEST = f"sha256:{hashlib.sha256(MP3).hexdigest()}"
TEXT_USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
IMAGE_USAGE = {"input_tokens": 50, "output_tokens": 400, "total_tokens": 450,
               "input_tokens_details": {"image_tokens": 30, "text_tokens": 20}}  # fmt: skip
AUDIO_USAGE = {"type": "tokens", "input_tokens": 14, "output_tokens": 9, "total_tokens": 23,
               "input_token_details": {"audio_tokens": 12, "text_tokens": 2}}  # fmt: skip
ANSWER_USAGE = {"input_tokens": 11, "output_tokens": 5, "total_tokens": 16,
                "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 2}}  # fmt: skip


def sse(*events: Json) -> Iterator[str]:
    yield from (f"data: {json.dumps(event)}\n\n" for event in events)
    yield "data: [DONE]\n\n"


def completion(body: Json, how: Behaviour) -> Json:
    prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
    texts = [f"You said {prompt}." if isinstance(prompt, str) else "Tokens." for prompt in prompts]
    choices = [{"index": i, "text": t, "logprobs": None, "finish_reason": "length"} for i, t in enumerate(texts)]
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "instruct-0914", "choices": choices,
            "usage": TEXT_USAGE}  # fmt: skip


def completion_chunks(body: Json, how: Behaviour) -> Iterator[str]:
    whole = completion(body, how)
    head = {**whole, "usage": None}
    text = whole["choices"][0]["text"]
    pieces = ((text[:13], None), (text[13:], None), ("", "length"))
    chunks = [{**head, "choices": [{"index": 0, "text": said, "finish_reason": reason}]} for said, reason in pieces]
    if (body.get("stream_options") or {}).get("include_usage"):
        chunks.append({**head, "choices": [], "usage": TEXT_USAGE})
    yield from sse(*chunks)


def pictures(body: Json, how: Behaviour) -> Json:
    if body.get("response_format") == "url":
        return {"created": 1, "data": [{"url": "https://files.example/1.png?sig=SECRET"}]}
    data: Json = {"b64_json": PNG}
    if "prompt" in body:
        data["revised_prompt"] = f"A picture for {body['prompt']}"
    return {"created": 1, "data": [data], "output_format": "png", "usage": IMAGE_USAGE}


def picture_events(body: Json, how: Behaviour) -> Iterator[str]:
    head = {"created_at": 1, "size": "1024x1024", "quality": "low", "background": "opaque", "output_format": "webp"}
    kind = "image_edit" if "image" in body or "image[]" in body else "image_generation"
    partial = {"type": f"{kind}.partial_image", "b64_json": "cGFydA==", "partial_image_index": 0, **head}
    yield from sse(partial, {"type": f"{kind}.completed", "b64_json": PNG, "usage": IMAGE_USAGE, **head})


def transcript(body: Json, how: Behaviour) -> Json | bytes:
    text = f"Write to {body.get('prompt', 'nobody')} please."
    match body.get("response_format", "json"):
        case "text":
            return text.encode()
        case "srt":
            return f"1\n00:00:00,000 --> 00:00:02,000\n{text}\n".encode()
        case "verbose_json":
            words = [{"word": word, "start": 0.0, "end": 1.0} for word in text.split()]
            segments = [{"id": 0, "start": 0.0, "end": 2.0, "text": text, "tokens": [1], "seek": 0,
                         "temperature": 0.0, "avg_logprob": 0.0, "compression_ratio": 1.0,
                         "no_speech_prob": 0.0}]  # fmt: skip
            return {"task": "transcribe", "language": "english", "duration": 2.0, "text": text, "words": words,
                    "segments": segments, "usage": {"type": "duration", "seconds": 2}}  # fmt: skip
        case "diarized_json":
            speaker = body.get("known_speaker_names[]", "A")
            segments = [{"id": "s1", "start": 0.0, "end": 2.0, "text": text, "speaker": speaker, "type": "x"}]
            return {"task": "transcribe", "duration": 2.0, "text": text, "segments": segments, "usage": AUDIO_USAGE}
    return {"text": text, "usage": AUDIO_USAGE}


def transcript_events(body: Json, how: Behaviour) -> Iterator[str]:
    text = f"Write to {body['prompt']} please."
    if body.get("response_format") == "diarized_json":
        yield from sse(
            {"type": "transcript.text.delta", "delta": text[:12], "segment_id": "s1"},
            {"type": "transcript.text.delta", "delta": text[12:], "segment_id": "s1"},
            {"type": "transcript.text.segment", "id": "s1", "start": 0, "end": 1, "text": text, "speaker": "A"},
            {"type": "transcript.text.segment", "id": "s2", "start": 1, "end": 2, "text": "Yes.", "speaker": "B"},
            {"type": "transcript.text.done", "text": f"{text} Yes.", "usage": AUDIO_USAGE},
        )
        return
    yield from sse(
        {"type": "transcript.text.delta", "delta": text[:12]},
        {"type": "transcript.text.delta", "delta": text[12:]},
        {"type": "transcript.text.done", "text": text, "usage": AUDIO_USAGE},
    )


def moderation(body: Json, how: Behaviour) -> Json:
    names = ["harassment", "harassment/threatening", "hate", "sexual/minors", "violence"]
    flagged = {name: name in {"harassment/threatening", "violence"} for name in names}
    result = {"flagged": True, "categories": flagged, "category_scores": dict.fromkeys(names, 0.5),
              "category_applied_input_types": {name: ["text"] for name in names}}  # fmt: skip
    return {"id": "modr-1", "model": "omni-moderation-2024", "results": [result]}


def decision(body: Json, how: Behaviour) -> Json:
    choice = body["questions"][0]["choices"][0]["value"]
    answer = {"type": "choice", "name": "who", "choice": choice, "confidence": 0.9,
              "probabilities": [{"value": choice, "probability": 0.9}]}  # fmt: skip
    return {"answers": [answer], "model": "gpt-6-luna", "usage": ANSWER_USAGE}


def compacted(body: Json, how: Behaviour) -> Json:
    items = [
        {"type": "message", "id": "m1", "role": "user", "status": "completed",
         "content": [{"type": "input_text", "text": body["input"]}]},
        {"type": "compaction", "id": "c1", "encrypted_content": "c2VhbGVk"},
    ]  # fmt: skip
    return {"id": "resp_1", "object": "response.compaction", "created_at": 1, "output": items, "usage": ANSWER_USAGE}


def response(body: Json, how: Behaviour) -> Json:
    content = [{"type": "output_text", "text": f"You said {body['input']}", "annotations": []}]
    item = {"type": "message", "id": "m1", "role": "assistant", "status": "completed", "content": content}
    return {"id": "resp_2", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-5-beta",
            "output": [item], "usage": ANSWER_USAGE, "parallel_tool_calls": True, "tool_choice": "auto",
            "tools": []}  # fmt: skip


def video(body: Json, how: Behaviour) -> Json:
    return {"id": "video_1", "object": "video", "created_at": 1, "model": "sora-2", "progress": 0, "seconds": "4",
            "size": "720x1280", "status": "queued", "prompt": body["prompt"]}  # fmt: skip


def plain_text(status: int) -> dict[str, str]:
    return {"content-type": "text/plain; charset=utf-8"}


ROUTES = (
    Route("/v1/completions", completion, completion_chunks),
    Route("/v1/images/generations", pictures, picture_events),
    Route("/v1/images/edits", pictures, picture_events, streams=lambda body: body.get("stream") == "true"),
    Route("/v1/images/variations", pictures),
    Route("/v1/audio/speech", lambda body, how: MP3, headers=lambda status: {"content-type": "audio/mpeg"}),
    Route("/v1/audio/transcriptions", transcript, transcript_events, lambda body: body.get("stream") == "true"),
    Route("/text/audio/transcriptions", transcript, headers=plain_text),
    Route("/v1/audio/translations", transcript),
    Route("/v1/moderations", moderation),
    Route("/v1/decisions", decision),
    Route("/v1/responses/compact", compacted),
    Route("/v1/responses", response),
    Route("/v1/videos", video),
)


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with served(ROUTES, "m") as serving:
        yield serving


@pytest.fixture
def ask(fake: Fake) -> Any:
    fake.clear()

    def call(way: str, method: str, prefix: str = "v1", **kwargs: Any) -> Any:
        def make(way: str) -> Any:
            kind = openai.OpenAI if way == "sync" else openai.AsyncOpenAI
            return kind(base_url=f"{fake.address}/{prefix}", api_key="k", max_retries=0)

        return drive(make, way, method, **kwargs)

    return call


RETIRED = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""Newer SDKs call some of these methods retired; old servers, and applications, have them still."""


def needs(method: str) -> pytest.MarkDecorator:
    """A mark: the test is skipped where the installed version has no such method."""
    try:
        attrgetter(method)(openai.OpenAI(api_key="k"))
    except AttributeError:
        return pytest.mark.skip(reason=f"this version has no {method}")
    return pytest.mark.filterwarnings()


def parts(span: Any, name: str) -> list[Any]:
    """What a content attribute says, part by part: a text, or the address of media."""
    messages = json.loads(span.attributes.get(name, "[]"))
    return [part.get("content", part.get("uri")) for message in messages for part in message["parts"]]


def told(span: Any, *names: str) -> dict[str, Any]:
    return {name: span.attributes[name] for name in names if name in span.attributes}


def clean(span: Any) -> None:
    """Nothing of the span holds the address, or a picture's or a recording's bytes."""
    said = span.to_json()
    assert MAIL not in said
    assert PNG not in said
    assert "SECRET" not in said
    assert MP3.decode() not in said


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("prompt", "sent", "answers"),
    [
        (f"Mail {MAIL}", ["Mail <EMAIL_ADDRESS_1>"], [f"You said Mail {MAIL}."]),
        (["One", f"Mail {MAIL}"], ["One", "Mail <EMAIL_ADDRESS_1>"], ["You said One.", f"You said Mail {MAIL}."]),
        (lambda: (text for text in (MAIL,)), ["<EMAIL_ADDRESS_1>"], [f"You said {MAIL}."]),
        ([1, 2, 3], [], ["Tokens."] * 3),
        ([[1, 2], [3]], [], ["Tokens."] * 2),
    ],
)
def test_a_completion(way: str, prompt: Any, sent: Any, answers: Any, ask: Any, fake: Fake, spans: Any) -> None:
    prompt = prompt() if callable(prompt) else prompt
    answer = ask(way, "completions.create", model="instruct", prompt=prompt, suffix=f"Yours, {MAIL}", stop=[MAIL])
    assert [choice.text for choice in answer.choices] == answers
    assert not fake.last().has(MAIL)
    span = spans.one()
    clean(span)
    assert parts(span, semconv.INPUT_MESSAGES) == [*sent, "Yours, <EMAIL_ADDRESS_1>"]
    assert told(span, semconv.OPERATION, semconv.PROVIDER, semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL) == {
        semconv.OPERATION: "text_completion",
        semconv.PROVIDER: "openai",
        semconv.REQUEST_MODEL: "instruct",
        semconv.RESPONSE_MODEL: "instruct-0914",
    }
    assert told(span, semconv.INPUT_TOKENS, semconv.OUTPUT_TOKENS) == {
        semconv.INPUT_TOKENS: 7,
        semconv.OUTPUT_TOKENS: 3,
    }
    assert set(span.attributes[semconv.FINISH_REASONS]) == {"length"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("counted", [True, False])
def test_a_streamed_completion(way: str, counted: bool, ask: Any, fake: Fake, spans: Any) -> None:
    options = {"stream_options": {"include_usage": True}} if counted else {}
    chunks = ask(way, "completions.create", model="instruct", prompt=f"Mail {MAIL}", stream=True, **options)
    text = "".join(chunk.choices[0].text for chunk in chunks if chunk.choices)
    assert text == f"You said Mail {MAIL}."
    assert not fake.last().has(MAIL)
    span = spans.one()
    clean(span)
    assert parts(span, semconv.OUTPUT_MESSAGES) == ["You said Mail <EMAIL_ADDRESS_1>."]
    assert span.attributes[semconv.FINISH_REASONS] == ("length",)
    assert span.attributes[semconv.STREAM_END] == "complete"
    assert (span.attributes.get(semconv.USAGE_SOURCE) == "provider") is counted
    assert not counted or span.attributes[semconv.OUTPUT_TOKENS] == 3


@pytest.mark.parametrize("way", WAYS)
def test_an_image_from_a_prompt(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(way, "images.generate", model="gpt-image-1", prompt=f"A card for {MAIL}", n=1, size="1024x1024")
    assert answer.data[0].b64_json == PNG
    assert answer.data[0].revised_prompt == f"A picture for A card for {MAIL}"
    assert not fake.last().has(MAIL)
    span = spans.one()
    clean(span)
    assert span.attributes[semconv.OPERATION] == "image_generation"
    assert span.attributes["gen_ai.request.size"] == "1024x1024"
    assert parts(span, semconv.INPUT_MESSAGES) == ["A card for <EMAIL_ADDRESS_1>"]
    assert parts(span, semconv.OUTPUT_MESSAGES) == [PNG_DIGEST, "A picture for A card for <EMAIL_ADDRESS_1>"]
    assert told(span, semconv.INPUT_TOKENS, semconv.OUTPUT_TOKENS) == {
        semconv.INPUT_TOKENS: 50,
        semconv.OUTPUT_TOKENS: 400,
    }
    assert json.loads(span.attributes[semconv.USAGE_RAW]) == IMAGE_USAGE


def test_an_image_at_an_address(ask: Any, spans: Any) -> None:
    answer = ask("sync", "images.generate", model="dall-e-3", prompt="A card", response_format="url")
    assert answer.data[0].url == "https://files.example/1.png?sig=SECRET"
    clean(spans.one())
    assert parts(spans.one(), semconv.OUTPUT_MESSAGES) == ["https://files.example/1.png"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["images.generate", "images.edit"])
def test_a_streamed_image(way: str, method: str, ask: Any, fake: Fake, spans: Any) -> None:
    given = {"image": b"a picture"} if method == "images.edit" else {}
    events = ask(way, method, model="gpt-image-1", prompt=f"For {MAIL}", stream=True, partial_images=1, **given)
    assert [event.type.rpartition(".")[2] for event in events] == ["partial_image", "completed"]
    assert not fake.last().has(MAIL)
    span = spans.one()
    clean(span)
    assert parts(span, semconv.OUTPUT_MESSAGES) == [PNG_DIGEST]
    assert span.attributes[semconv.OUTPUT_TOKENS] == 400
    assert span.attributes[semconv.STREAM_END] == "complete"


PICTURE = b"\x89PNG a picture"
PICTURE_DIGEST = f"sha256:{hashlib.sha256(PICTURE).hexdigest()}"


class Once(io.BytesIO):
    """An upload of which the SDK alone may read."""

    name = "photo of ada.jpg"
    reads = 0

    def read(self, *size: Any) -> bytes:
        import inspect

        assert not any("spanward" in frame.filename and "/tracer/providers/openai" in frame.filename
                       for frame in inspect.stack())  # fmt: skip
        return super().read(*size)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("image", "digests", "mimes"),
    [
        (PICTURE, [PICTURE_DIGEST], ["image"]),
        (("photo.png", PICTURE), [PICTURE_DIGEST], ["image/png"]),
        (("photo.png", PICTURE, "image/webp"), [PICTURE_DIGEST], ["image/webp"]),
        ([PICTURE, ("b.jpg", PICTURE)], [PICTURE_DIGEST] * 2, ["image", "image/jpeg"]),
        (Once(PICTURE), [""], ["image/jpeg"]),
        (Path("picture.png"), [""], ["image/png"]),
    ],
    ids=["bytes", "named", "typed", "several", "open", "path"],
)
def test_an_image_from_images(
    way: str, image: Any, digests: Any, mimes: Any, ask: Any, fake: Fake, spans: Any, tmp_path: Path
) -> None:
    if isinstance(image, Path):
        image = tmp_path / image
        image.write_bytes(PICTURE)
    if isinstance(image, Once):
        image.seek(0)
    answer = ask(way, "images.edit", model="gpt-image-1", image=image, prompt=f"Add {MAIL}", mask=("m.png", b"mask"))
    assert answer.data[0].revised_prompt == f"A picture for Add {MAIL}"
    assert PICTURE in fake.last().raw
    assert not fake.last().has(MAIL)
    span = spans.one()
    clean(span)
    (message,) = json.loads(span.attributes[semconv.INPUT_MESSAGES])
    media = [part for part in message["parts"] if part["type"] == "uri"]
    assert [part["uri"] for part in media[:-1]] == digests
    assert [part["mime_type"] for part in media[:-1]] == mimes
    assert "photo" not in span.attributes[semconv.INPUT_MESSAGES]
    assert str(tmp_path) not in span.to_json()


@RETIRED
def test_a_variation(ask: Any, spans: Any) -> None:
    assert ask("sync", "images.create_variation", image=PICTURE, model="dall-e-2", n=2).data[0].b64_json == PNG
    assert parts(spans.one(), semconv.INPUT_MESSAGES) == [PICTURE_DIGEST]
    assert spans.one().attributes["gen_ai.request.n"] == 2


@pytest.mark.parametrize("way", WAYS)
def test_speech(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(
        way, "audio.speech.create", model="tts-1", voice="alloy", input=f"Hello {MAIL}", instructions=f"As {MAIL} would"
    )
    assert answer.content == MP3
    assert not fake.last().has(MAIL)
    span = spans.one()
    clean(span)
    assert span.attributes[semconv.OPERATION] == "speech"
    assert span.attributes["gen_ai.request.voice"] == "alloy"
    assert parts(span, semconv.INPUT_MESSAGES) == ["Hello <EMAIL_ADDRESS_1>"]
    assert "As <EMAIL_ADDRESS_1> would" in span.attributes[semconv.SYSTEM_INSTRUCTIONS]
    assert semconv.OUTPUT_MESSAGES not in span.attributes


def test_a_recording_is_not_read_before_the_application_does(fake: Fake, spans: Any) -> None:
    with openai.OpenAI(base_url=f"{fake.address}/v1", api_key="k") as client:
        speech = client.audio.speech.with_streaming_response
        with speech.create(model="tts-1", voice="alloy", input=f"Hello {MAIL}") as answer:
            assert not answer.http_response.is_stream_consumed
            assert b"".join(answer.iter_bytes()) == MP3
        assert client.audio.speech.with_raw_response.create(model="tts-1", voice="a", input="x").content == MP3
    assert len(spans.calls()) == 2
    for span in spans.calls():
        clean(span)


def test_nor_in_an_async_client(fake: Fake, spans: Any) -> None:
    async def ask() -> None:
        async with openai.AsyncOpenAI(base_url=f"{fake.address}/v1", api_key="k") as client:
            speech = client.audio.speech.with_streaming_response
            async with speech.create(model="tts-1", voice="alloy", input=f"Hello {MAIL}") as answer:
                assert not answer.http_response.is_stream_consumed
                assert b"".join([piece async for piece in answer.iter_bytes()]) == MP3

    asyncio.run(ask())
    clean(spans.one())


MASKED = "Write to <EMAIL_ADDRESS_1> please."
RESTORED = f"Write to {MAIL} please."


@RETIRED
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["audio.transcriptions.create", "audio.translations.create"])
def test_a_transcript(way: str, method: str, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(way, method, model="whisper-1", file=("call with ada.mp3", MP3), prompt=MAIL)
    assert answer.text == RESTORED
    assert MP3 in fake.last().raw
    assert not fake.last().has(MAIL)
    span = spans.one()
    clean(span)
    assert span.attributes[semconv.OPERATION] == "transcription"
    assert parts(span, semconv.INPUT_MESSAGES) == [MP3_DIGEST, "<EMAIL_ADDRESS_1>"]
    assert parts(span, semconv.OUTPUT_MESSAGES) == [MASKED]
    assert "call with" not in span.attributes[semconv.INPUT_MESSAGES]


def test_the_tokens_of_a_transcript(ask: Any, spans: Any) -> None:
    ask("sync", "audio.transcriptions.create", model="gpt-4o-transcribe", file=MP3)
    assert told(spans.one(), semconv.INPUT_TOKENS, semconv.OUTPUT_TOKENS) == {
        semconv.INPUT_TOKENS: 14,
        semconv.OUTPUT_TOKENS: 9,
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("prefix", ["v1", "text"])
@pytest.mark.parametrize("kind", ["text", "srt"])
def test_a_transcript_that_is_nothing_but_text(
    way: str, prefix: str, kind: Any, ask: Any, fake: Fake, spans: Any
) -> None:
    answer = ask(
        way, "audio.transcriptions.create", prefix, model="whisper-1", file=MP3, prompt=MAIL, response_format=kind
    )
    assert isinstance(answer, str)
    assert RESTORED in answer
    assert not fake.last().has(MAIL)
    clean(spans.one())
    (said,) = parts(spans.one(), semconv.OUTPUT_MESSAGES)
    assert MASKED in said


@pytest.mark.parametrize("way", WAYS)
def test_a_transcript_with_times(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(
        way,
        "audio.transcriptions.create",
        model="whisper-1",
        file=MP3,
        prompt=MAIL,
        response_format="verbose_json",
        timestamp_granularities=["word"],
    )
    assert answer.text == RESTORED
    assert answer.segments[0].text == RESTORED
    assert [word.word for word in answer.words] == RESTORED.split()
    span = spans.one()
    clean(span)
    assert parts(span, semconv.OUTPUT_MESSAGES)[:2] == [MASKED, MASKED]
    assert semconv.INPUT_TOKENS not in span.attributes, "billed by the second"


@RETIRED
def test_a_transcript_with_speakers(ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(
        "sync",
        "audio.transcriptions.create",
        model="gpt-4o-transcribe-diarize",
        file=MP3,
        response_format="diarized_json",
        extra_body={"known_speaker_names[]": MAIL},
    )
    segment = answer.segments[0]  # older versions have no type for it
    assert (segment["speaker"] if isinstance(segment, dict) else segment.speaker) == MAIL
    assert not fake.last().has(MAIL)
    clean(spans.one())


@pytest.mark.parametrize("way", WAYS)
def test_a_streamed_transcript(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    events = ask(way, "audio.transcriptions.create", model="gpt-4o-transcribe", file=MP3, prompt=MAIL, stream=True)
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == RESTORED
    assert events[-1].text == RESTORED
    assert not fake.last().has(MAIL)
    span = spans.one()
    clean(span)
    assert parts(span, semconv.OUTPUT_MESSAGES) == [MASKED]
    assert span.attributes[semconv.OUTPUT_TOKENS] == 9
    assert span.attributes[semconv.STREAM_END] == "complete"


@RETIRED
def test_a_streamed_transcript_with_speakers(ask: Any, fake: Fake, spans: Any) -> None:
    events = ask(
        "sync",
        "audio.transcriptions.create",
        model="gpt-4o-transcribe-diarize",
        file=MP3,
        prompt=MAIL,
        stream=True,
        response_format="diarized_json",
    )
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == RESTORED
    assert [event.text for event in events if event.type == "transcript.text.segment"] == [RESTORED, "Yes."]
    assert events[-1].text == f"{RESTORED} Yes."
    clean(spans.one())
    assert parts(spans.one(), semconv.OUTPUT_MESSAGES) == [MASKED, "A", "Yes.", "B"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        (f"I hate {MAIL}", ["I hate <EMAIL_ADDRESS_1>"]),
        (["One", MAIL], ["One", "<EMAIL_ADDRESS_1>"]),
        (
            [
                {"type": "text", "text": MAIL},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            ],
            ["<EMAIL_ADDRESS_1>", PNG_DIGEST],
        ),
    ],
)
def test_a_moderation(way: str, asked: Any, sent: Any, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(way, "moderations.create", model="omni-moderation-latest", input=asked)
    assert answer.results[0].flagged
    assert not fake.last().has(MAIL)
    span = spans.one()
    clean(span)
    assert parts(span, semconv.INPUT_MESSAGES) == sent
    assert semconv.OUTPUT_MESSAGES not in span.attributes
    assert told(span, semconv.OPERATION, semconv.RESPONSE_MODEL, semconv.RESPONSE_ID) == {
        semconv.OPERATION: "moderation",
        semconv.RESPONSE_MODEL: "omni-moderation-2024",
        semconv.RESPONSE_ID: "modr-1",
    }
    assert span.attributes["gen_ai.request.moderation.flagged"] is True
    assert span.attributes["gen_ai.request.moderation.categories"] == ("harassment/threatening", "violence")


@needs("decisions.create")
@pytest.mark.parametrize("way", WAYS)
def test_a_decision(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    question = {"type": "choice", "name": "who", "instructions": f"Is it {MAIL}?", "choices": [{"value": MAIL}]}
    answer = ask(way, "decisions.create", model="gpt-6-luna", input=f"From {MAIL}", questions=[question])
    assert answer.answers[0].choice == MAIL
    assert answer.answers[0].probabilities[0].value == MAIL
    assert not fake.last().has(MAIL)
    span = spans.one()
    clean(span)
    assert told(span, semconv.INPUT_TOKENS, semconv.CACHE_READ_TOKENS, semconv.REASONING_TOKENS) == {
        semconv.INPUT_TOKENS: 11,
        semconv.CACHE_READ_TOKENS: 4,
        semconv.REASONING_TOKENS: 2,
    }


@needs("responses.compact")
@pytest.mark.parametrize("way", WAYS)
def test_a_compaction(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(way, "responses.compact", model="gpt-5", input=f"I am {MAIL}", instructions=f"For {MAIL}")
    assert answer.output[0].content[0].text == f"I am {MAIL}"
    assert answer.output[1].encrypted_content == "c2VhbGVk"
    assert not fake.last().has(MAIL)
    span = spans.one()
    clean(span)
    assert parts(span, semconv.OUTPUT_MESSAGES) == ["I am <EMAIL_ADDRESS_1>"]
    assert span.attributes[semconv.INPUT_TOKENS] == 11


@needs("beta.responses.create")
@pytest.mark.parametrize("way", WAYS)
def test_a_beta_response(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(way, "beta.responses.create", model="gpt-5", input=f"I am {MAIL}")
    assert answer.output[0].content[0].text == f"You said I am {MAIL}"
    assert not fake.last().has(MAIL)
    clean(spans.one())
    assert spans.one().attributes[semconv.RESPONSE_MODEL] == "gpt-5-beta"


@RETIRED
@needs("videos.create")
@pytest.mark.parametrize("way", WAYS)
def test_a_video(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(way, "videos.create", model="sora-2", prompt=f"Wave to {MAIL}", seconds="4", input_reference=PICTURE)
    assert answer.prompt == f"Wave to {MAIL}"
    assert not fake.last().has(MAIL)
    span = spans.one()
    clean(span)
    assert span.attributes[semconv.OPERATION] == "image_generation"
    assert semconv.INPUT_TOKENS not in span.attributes
    assert sorted(parts(span, semconv.INPUT_MESSAGES)) == ["Wave to <EMAIL_ADDRESS_1>", PICTURE_DIGEST]


SECRET = "AKIAIOSFODNN7REALKEY"


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("completions.create", {"prompt": SECRET}),
        ("images.generate", {"prompt": SECRET}),
        ("audio.speech.create", {"input": SECRET, "voice": "alloy"}),
        ("audio.transcriptions.create", {"prompt": SECRET, "file": MP3}),
        ("moderations.create", {"input": SECRET}),
    ],
)
def test_a_credential_leaves_by_no_other_way(method: str, given: Any, ask: Any, fake: Fake, spans: Any) -> None:
    import spanward

    with pytest.raises(spanward.ModelCallBlocked):
        ask("sync", method, model="m", **given)
    assert fake.received == []
    assert SECRET not in spans.one().to_json()


def test_what_talks_through_a_socket_is_told_as_untraced(spans: Any) -> None:
    health.take()
    with openai.OpenAI(api_key="k") as client:
        client.realtime.connect(model="gpt-realtime")
        client.realtime.connect(model="gpt-realtime")
    assert health.take() == {("no_adapter", "openai realtime.realtime.connect to api.openai.com"): 2}
    assert spans.calls() == []
