"""The `groq` package: OpenAI's chats at a path of their own, which tell their usage in `x_groq`."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from spanward.collector.demo import provider_openai as fake
from spanward.collector.demo.provider_answers import Behaviour

from ..subject import Json, Route
from . import openai as plain

TIMES = {"queue_time": 0.02, "prompt_time": 0.01, "completion_time": 0.1, "total_time": 0.11}


def client(address: str, retries: int, timeout_s: float) -> Any:
    import groq

    return groq.Groq(base_url=address, api_key="demo", max_retries=retries, timeout=timeout_s)


def async_client(address: str, retries: int, timeout_s: float) -> Any:
    import groq

    return groq.AsyncGroq(base_url=address, api_key="demo", max_retries=retries, timeout=timeout_s)


def chat(body: Json, how: Behaviour) -> Json:
    said = fake.chat(body)
    return {**said, "usage": {**said["usage"], **TIMES}, "x_groq": {"id": "req_1"}}


def frames(body: Json, how: Behaviour) -> Iterator[str]:
    """The usage is in the last chunk with a choice, whether it was asked for or not."""
    told = fake.chat_events({**body, "stream_options": {"include_usage": True}})
    *chunks, last, usage = [json.loads(frame[5:]) for frame in told if not frame.startswith("data: [DONE]")]
    first = {"x_groq": {"id": "req_1"}}
    for chunk in chunks:
        yield f"data: {json.dumps({**chunk, **first})}\n\n"
        first = {}
    own = {"id": "req_1", "usage": {**usage["usage"], **TIMES}}
    yield f"data: {json.dumps({**last, 'x_groq': own})}\n\n"
    yield "data: [DONE]\n\n"


def streamed(client: Any, ask: Any) -> Any:
    return client.chat.completions.create(**plain.arguments(ask), stream=True)


SUBJECT = replace(
    plain.CHAT,
    name="groq",
    library="groq",
    provider="groq",
    model="llama-3.3-70b-versatile",
    routes=(Route("/openai/v1/chat/completions", chat, frames, error=fake.error),),
    client=client,
    async_client=async_client,
    stream=streamed,
)
