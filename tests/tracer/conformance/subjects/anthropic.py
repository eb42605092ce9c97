"""The `anthropic` package: messages, as a plain call with `stream=True` and as the helper `messages.stream`."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from spanward.collector.demo import provider_anthropic as fake
from spanward.collector.demo.provider_answers import Behaviour

from ..subject import FEATURES, Ask, Json, Route, Subject


def client(address: str, retries: int, timeout_s: float) -> Any:
    import anthropic

    return anthropic.Anthropic(base_url=address, api_key="demo", max_retries=retries, timeout=timeout_s)


def async_client(address: str, retries: int, timeout_s: float) -> Any:
    import anthropic

    return anthropic.AsyncAnthropic(base_url=address, api_key="demo", max_retries=retries, timeout=timeout_s)


def message(body: Json, how: Behaviour) -> Json:  # the fake reads the steering words itself
    return fake.message(body)


def frames(body: Json, how: Behaviour) -> Iterator[str]:
    return fake.message_events(body)


def arguments(ask: Ask) -> Json:
    """What `create` is given."""
    content: list[Json] = [{"type": "text", "text": ask.text}]
    if ask.image:
        data = base64.b64encode(ask.image).decode()
        content.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}})
    given: Json = {"model": ask.model, "max_tokens": 99, "messages": [{"role": "user", "content": content}]}
    if ask.system:
        given["system"] = ask.system
    if ask.tool:
        described = {"name": ask.tool["name"], "description": ask.tool["description"]}
        given["tools"] = [{**described, "input_schema": ask.tool["parameters"]}]
    if ask.tool and ask.result:
        given["messages"] += [
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "toolu_1", "name": ask.tool["name"], "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": ask.result},
            ]},
        ]  # fmt: skip
    if ask.schema:
        given["output_config"] = {"format": {"type": "json_schema", "schema": ask.schema}}
    return given


def asked(client: Any, ask: Ask) -> Any:
    return client.messages.create(**arguments(ask))


def streamed(client: Any, ask: Ask) -> Any:
    return client.messages.create(**arguments(ask), stream=True)


def helped(client: Any, ask: Ask) -> Any:
    """The helper's context manager."""
    return client.messages.stream(**arguments(ask))


def text(answer: Any) -> str:
    return "".join(block.text for block in answer.content if block.type == "text")


def chunk_text(event: Any) -> str:
    return str(event.delta.text) if event.type == "content_block_delta" and event.delta.type == "text_delta" else ""


def event_text(event: Any) -> str:
    return str(event.text) if event.type == "text" else ""


def tool_call(answer: Any) -> tuple[str, Json]:
    called = next(block for block in answer.content if block.type == "tool_use")
    return called.name, called.input


MESSAGES = Subject(
    name="anthropic",
    library="anthropic",
    provider="anthropic",
    model="claude-haiku-4-5",
    routes=(Route("/v1/messages", message, frames, error=fake.error, headers=lambda _: fake.headers("req_1")),),
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
    MESSAGES, name="anthropic_helper", stream=helped, managed=True, streams_only=True, chunk_text=event_text
)

SUBJECTS = (MESSAGES, HELPER)
