"""The `openai` package: chat completions."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from spanward.collector.demo import provider_openai as fake
from spanward.collector.demo.provider_answers import Behaviour

from ..subject import FEATURES, Ask, Json, Route, Subject


def client(address: str, retries: int, timeout_s: float) -> Any:
    import openai

    return openai.OpenAI(base_url=f"{address}/v1", api_key="demo", max_retries=retries, timeout=timeout_s)


def async_client(address: str, retries: int, timeout_s: float) -> Any:
    import openai

    return openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="demo", max_retries=retries, timeout=timeout_s)


def chat(body: Json, how: Behaviour) -> Json:  # the fake reads the steering words itself
    return fake.chat(body)


def chat_frames(body: Json, how: Behaviour) -> Iterator[str]:
    return fake.chat_events(body)


def arguments(ask: Ask) -> Json:
    """What `create` is given."""
    content: Any = ask.text
    if ask.image:
        image = f"data:image/png;base64,{base64.b64encode(ask.image).decode()}"
        content = [{"type": "text", "text": ask.text}, {"type": "image_url", "image_url": {"url": image}}]
    given: Json = {"model": ask.model, "messages": [{"role": "user", "content": content}]}
    if ask.system:
        given["messages"].insert(0, {"role": "system", "content": ask.system})
    if ask.tool and ask.result:
        call = {"name": ask.tool["name"], "arguments": "{}"}
        given["messages"] += [
            {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": call}]},
            {"role": "tool", "tool_call_id": "call_1", "content": ask.result},
        ]
    if ask.tool:
        given["tools"] = [{"type": "function", "function": ask.tool}]
    if ask.schema:
        named = {"name": "answer", "schema": ask.schema}
        given["response_format"] = {"type": "json_schema", "json_schema": named}
    return given


def asked(client: Any, ask: Ask) -> Any:
    return client.chat.completions.create(**arguments(ask))


def streamed(client: Any, ask: Ask) -> Any:
    usage = {"stream_options": {"include_usage": True}}
    return client.chat.completions.create(**arguments(ask), stream=True, **usage)


def helped(client: Any, ask: Ask) -> Any:
    """The helper's context manager. Version 2.0 takes only strict tools there."""
    strict = replace(ask, tool={**ask.tool, "strict": True}) if ask.tool else ask
    return client.chat.completions.stream(**arguments(strict), stream_options={"include_usage": True})


def text(answer: Any) -> str:
    return answer.choices[0].message.content or ""


def chunk_text(chunk: Any) -> str:
    return (chunk.choices[0].delta.content or "") if chunk.choices else ""


def event_text(event: Any) -> str:
    return str(event.delta) if event.type == "content.delta" else ""


def tool_call(answer: Any) -> tuple[str, Json]:
    function = answer.choices[0].message.tool_calls[0].function
    return function.name, json.loads(function.arguments)


CHAT = Subject(
    name="openai",
    library="openai",
    provider="openai",
    model="gpt-4o-mini",
    routes=(
        Route("/v1/chat/completions", chat, chat_frames, error=fake.error, headers=lambda _: fake.headers("req_1")),
    ),
    client=client,
    async_client=async_client,
    ask=asked,
    stream=streamed,
    text=text,
    chunk_text=chunk_text,
    tool_call=tool_call,
    features=frozenset({*FEATURES, "results"}),
)
HELPER = replace(
    CHAT,
    name="openai_helper",
    stream=helped,
    managed=True,
    streams_only=True,
    chunk_text=event_text,
    features=frozenset({"tools", "stream_usage", "results"}),
)

SUBJECTS = (CHAT, HELPER)
