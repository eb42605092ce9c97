"""The `together` package: OpenAI's chats, which tell their usage in the last chunk with a choice."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from spanward.collector.demo import provider_openai as fake
from spanward.collector.demo.provider_answers import Behaviour

from ..subject import Json, Route
from . import openai as plain


def client(address: str, retries: int, timeout_s: float) -> Any:
    import together

    return together.Together(base_url=address, api_key="demo", max_retries=retries, timeout=timeout_s)


def async_client(address: str, retries: int, timeout_s: float) -> Any:
    import together

    return together.AsyncTogether(base_url=address, api_key="demo", max_retries=retries, timeout=timeout_s)


def chat(body: Json, how: Behaviour) -> Json:
    return {**fake.chat(body), "prompt": []}


def frames(body: Json, how: Behaviour) -> Iterator[str]:
    told = fake.chat_events({**body, "stream_options": {"include_usage": True}})
    *chunks, last, usage = [json.loads(frame[5:]) for frame in told if not frame.startswith("data: [DONE]")]
    for chunk in chunks:
        yield f"data: {json.dumps(chunk)}\n\n"
    yield f"data: {json.dumps({**last, 'usage': usage['usage']})}\n\n"
    yield "data: [DONE]\n\n"


def streamed(client: Any, ask: Any) -> Any:
    return client.chat.completions.create(**plain.arguments(ask), stream=True)


SUBJECT = replace(
    plain.CHAT,
    name="together",
    library="together",
    provider="together",
    model="meta-llama/Llama-3.3-70B-Instruct-Turbo",
    # version 2 has the `/v1` in its address, version 3 in its paths
    routes=tuple(Route(path, chat, frames, error=fake.error) for path in ("/chat/completions", "/v1/chat/completions")),
    client=client,
    async_client=async_client,
    stream=streamed,
)
