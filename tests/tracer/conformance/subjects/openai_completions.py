"""The `openai` package: text completions, the API before chats."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from spanward.collector.demo import provider_openai as fake
from spanward.collector.demo.provider_answers import Behaviour, answer, pieces, tokens

from ..subject import Ask, Json, Route
from . import openai as plain


def usage(body: Json, said: str) -> Json:
    sent, written = tokens(body["prompt"]), tokens(said)
    return {"prompt_tokens": sent, "completion_tokens": written, "total_tokens": sent + written}


def whole(body: Json, how: Behaviour) -> Json:
    said = answer(how, body["prompt"], body["prompt"])
    choice = {"index": 0, "text": said, "logprobs": None, "finish_reason": "stop"}
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": how.model, "choices": [choice],
            "usage": usage(body, said)}  # fmt: skip


def frames(body: Json, how: Behaviour) -> Iterator[str]:
    head = {**whole(body, how), "usage": None}
    said = head["choices"][0]["text"]
    for text, reason in (*((piece, None) for piece in pieces(how, said)), ("", "stop")):
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}
        yield f"data: {json.dumps({**head, 'choices': [choice]})}\n\n"
    if (body.get("stream_options") or {}).get("include_usage"):
        yield f"data: {json.dumps({**head, 'choices': [], 'usage': usage(body, said)})}\n\n"
    yield "data: [DONE]\n\n"


def arguments(ask: Ask) -> Json:
    return {"model": ask.model, "prompt": f"{ask.system}\n\n{ask.text}" if ask.system else ask.text}


def asked(client: Any, ask: Ask) -> Any:
    return client.completions.create(**arguments(ask))


def streamed(client: Any, ask: Ask) -> Any:
    return client.completions.create(**arguments(ask), stream=True, stream_options={"include_usage": True})


def text(answer: Any) -> str:
    return str(answer.choices[0].text)


def chunk_text(chunk: Any) -> str:
    return str(chunk.choices[0].text) if chunk.choices else ""


SUBJECT = replace(
    plain.CHAT,
    name="openai_completions",
    operation="text_completion",
    model="gpt-3.5-turbo-instruct",
    routes=(Route("/v1/completions", whole, frames, error=fake.error, headers=lambda _: fake.headers("req_1")),),
    ask=asked,
    stream=streamed,
    text=text,
    chunk_text=chunk_text,
    tool_call=None,
    features=frozenset({"retry", "usage", "stream_usage"}),
)
