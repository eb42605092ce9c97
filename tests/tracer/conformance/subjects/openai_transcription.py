"""The `openai` package: transcripts. The prompt is what such a fake can hear."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from spanward.collector.demo import provider_openai as fake
from spanward.collector.demo.provider_answers import Behaviour, answer, pieces, tokens

from ..subject import Ask, Json, Route
from . import openai as plain


def whole(body: Json, how: Behaviour) -> Json:
    said = answer(how, body["prompt"], body["prompt"])
    sent, written = tokens(body["prompt"]), tokens(said)
    details = {"audio_tokens": sent, "text_tokens": 0}
    return {"text": said, "usage": {"type": "tokens", "input_tokens": sent, "output_tokens": written,
                                    "total_tokens": sent + written, "input_token_details": details}}  # fmt: skip


def frames(body: Json, how: Behaviour) -> Iterator[str]:
    said = whole(body, how)
    for piece in pieces(how, said["text"]):
        yield f"data: {json.dumps({'type': 'transcript.text.delta', 'delta': piece})}\n\n"
    yield f"data: {json.dumps({'type': 'transcript.text.done', **said})}\n\n"
    yield "data: [DONE]\n\n"


def arguments(ask: Ask) -> Json:
    prompt = f"{ask.system}\n\n{ask.text}" if ask.system else ask.text
    return {"model": ask.model, "file": ("a.wav", b"RIFF a recording"), "prompt": prompt}


def asked(client: Any, ask: Ask) -> Any:
    return client.audio.transcriptions.create(**arguments(ask))


def streamed(client: Any, ask: Ask) -> Any:
    return client.audio.transcriptions.create(**arguments(ask), stream=True)


def text(answer: Any) -> str:
    return str(answer.text)


def chunk_text(event: Any) -> str:
    return str(event.delta) if event.type == "transcript.text.delta" else ""


SUBJECT = replace(
    plain.CHAT,
    name="openai_transcription",
    operation="transcription",
    model="gpt-4o-transcribe",
    routes=(
        Route(
            "/v1/audio/transcriptions",
            whole,
            frames,
            streams=lambda body: body.get("stream") == "true",
            error=fake.error,
            headers=lambda _: fake.headers("req_1"),
        ),
    ),
    ask=asked,
    stream=streamed,
    text=text,
    chunk_text=chunk_text,
    tool_call=None,
    canned=False,
    # the fake knows a repeated request by its bytes, and every form has a boundary of its own: no "retry"
    features=frozenset({"usage", "stream_usage"}),
)
