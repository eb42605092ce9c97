"""The `openai` package: responses."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from spanward.collector.demo import provider_openai as fake
from spanward.collector.demo.provider_answers import Behaviour

from ..subject import FEATURES, Ask, Json, Route, Subject
from .openai import async_client, client


def response(body: Json, how: Behaviour) -> Json:  # the fake reads the steering words itself
    return fake.response(body)


def frames(body: Json, how: Behaviour) -> Iterator[str]:
    return fake.response_events(body)


def arguments(ask: Ask) -> Json:
    """What `create` is given."""
    content: list[Json] = [{"type": "input_text", "text": ask.text}]
    if ask.image:
        image = f"data:image/png;base64,{base64.b64encode(ask.image).decode()}"
        content.append({"type": "input_image", "image_url": image, "detail": "auto"})
    given: Json = {"model": ask.model, "input": [{"role": "user", "content": content}]}
    if ask.system:
        given["instructions"] = ask.system
    if ask.tool and ask.result:
        given["input"] += [
            {"type": "function_call", "call_id": "call_1", "name": ask.tool["name"], "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": ask.result},
        ]
    if ask.tool:
        given["tools"] = [{"type": "function", **ask.tool}]
    if ask.schema:
        given["text"] = {"format": {"type": "json_schema", "name": "answer", "schema": ask.schema}}
    return given


def asked(client: Any, ask: Ask) -> Any:
    return client.responses.create(**arguments(ask))


def streamed(client: Any, ask: Ask) -> Any:
    return client.responses.create(**arguments(ask), stream=True)


def chunk_text(event: Any) -> str:
    return str(event.delta) if event.type == "response.output_text.delta" else ""


def tool_call(answer: Any) -> tuple[str, Json]:
    called = next(item for item in answer.output if item.type == "function_call")
    return called.name, json.loads(called.arguments)


SUBJECT = Subject(
    name="openai_responses",
    library="openai",
    provider="openai",
    model="gpt-4o-mini",
    routes=(Route("/v1/responses", response, frames, error=fake.error, headers=lambda _: fake.headers("req_1")),),
    client=client,
    async_client=async_client,
    ask=asked,
    stream=streamed,
    text=lambda answer: answer.output_text,
    chunk_text=chunk_text,
    tool_call=tool_call,
    reasons=lambda answer: (answer["status"],),
    features=frozenset({*FEATURES, "results"}),
)
