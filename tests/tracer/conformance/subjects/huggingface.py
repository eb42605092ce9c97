"""The `huggingface_hub` package's InferenceClient: chat completions, at an address of one's own."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from spanward.collector.demo import provider_openai as fake
from spanward.collector.demo.provider_answers import Behaviour

from ..subject import Ask, Json, Route, Subject


def client(address: str, retries: int, timeout_s: float) -> Any:
    from huggingface_hub import InferenceClient

    return InferenceClient(base_url=f"{address}/v1", token="hf_demo", timeout=timeout_s)


def async_client(address: str, retries: int, timeout_s: float) -> Any:
    from huggingface_hub import AsyncInferenceClient

    return AsyncInferenceClient(base_url=f"{address}/v1", token="hf_demo", timeout=timeout_s)


def chat(body: Json, how: Behaviour) -> Json:
    return fake.chat(_openai(body))


def frames(body: Json, how: Behaviour) -> Iterator[str]:
    return fake.chat_events(_openai(body))


def _openai(body: Json) -> Json:
    """The library writes a schema as TGI has it."""
    form = body.get("response_format") or {}
    if "value" not in form:
        return body
    return {**body, "response_format": {"type": "json_schema", "json_schema": {"schema": form["value"]}}}


def arguments(ask: Ask) -> Json:
    """What `chat_completion` is given."""
    content: Any = ask.text
    if ask.image:
        data = base64.b64encode(ask.image).decode()
        content = [
            {"type": "text", "text": ask.text},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        ]
    turns: list[Json] = [{"role": "user", "content": content}]
    if ask.system:
        turns.insert(0, {"role": "system", "content": ask.system})
    given: Json = {"model": ask.model, "messages": turns, "max_tokens": 99}
    if ask.tool:
        given["tools"] = [{"type": "function", "function": ask.tool}]
    if ask.tool and ask.result:
        function = {"name": ask.tool["name"], "arguments": "{}"}
        turns += [
            {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": "call_1", "content": ask.result},
        ]
    if ask.schema:
        form = {"name": "answer", "schema": ask.schema, "strict": True}
        given["response_format"] = {"type": "json_schema", "json_schema": form}
    return given


def asked(client: Any, ask: Ask) -> Any:
    return client.chat.completions.create(**arguments(ask))


def streamed(client: Any, ask: Ask) -> Any:
    return client.chat_completion(**arguments(ask), stream=True, stream_options={"include_usage": True})


def text(answer: Any) -> str:
    said = answer.choices[0].message.content or ""
    assert said == (answer["choices"][0]["message"]["content"] or "")  # it is a dictionary too
    return said


def chunk_text(chunk: Any) -> str:
    return str(chunk.choices[0].delta.content or "") if chunk.choices else ""


def tool_call(answer: Any) -> tuple[str, Json]:
    called = answer.choices[0].message.tool_calls[0].function
    return called.name, json.loads(called.arguments)


def close(client: Any) -> Any:
    """Older versions have no way of their own."""
    return client.close() if hasattr(client, "close") else None


CHAT = Subject(
    name="huggingface",
    library="huggingface_hub",
    provider="huggingface",
    model="meta-llama/Llama-3.3-70B-Instruct",
    routes=(Route("/v1/chat/completions", chat, frames, error=fake.error, headers=lambda _: fake.headers("req_1")),),
    client=client,
    async_client=async_client,
    ask=asked,
    stream=streamed,
    text=text,
    chunk_text=chunk_text,
    tool_call=tool_call,
    features=frozenset({"tools", "schema", "images", "usage", "stream_usage", "results"}),
    close=close,
)

SUBJECT = CHAT
