"""The `cohere` package: chat of version 2, whose stream is a generator that asks when it is first read."""

import base64
import inspect
import json
from collections.abc import Iterator
from typing import Any

from spanward.collector.demo.provider_answers import (
    THOUGHT,
    Behaviour,
    answer,
    arguments,
    pieces,
    structured,
    texts,
    tokens,
)

from ..subject import FEATURES, Ask, Json, Route, Subject


def client(address: str, retries: int, timeout_s: float) -> Any:
    import cohere

    return repeating(cohere.ClientV2(api_key="demo", base_url=address, timeout=timeout_s), retries)


def async_client(address: str, retries: int, timeout_s: float) -> Any:
    import cohere

    return repeating(cohere.AsyncClientV2(api_key="demo", base_url=address, timeout=timeout_s), retries)


def repeating(client: Any, retries: int) -> Any:
    """Old versions take retries with each request only; newer ones here too."""
    client.asked_retries = retries
    return client


def options(client: Any) -> Json:
    """Old versions count their attempts from 2 on."""
    from cohere.core.http_client import HttpClient

    counted_from = inspect.signature(HttpClient.request).parameters["retries"].default
    retries = client.asked_retries
    return {"request_options": {"max_retries": retries + counted_from if retries else 0}}


def _last(body: Json) -> str:
    asked = [turn for turn in body["messages"] if turn["role"] == "user"][-1]["content"]
    return asked if isinstance(asked, str) else "".join(block.get("text", "") for block in asked)


def _prompt(body: Json) -> str:
    return "\n".join(texts([body["messages"], body.get("documents")]))


def _message(body: Json, how: Behaviour) -> tuple[Json, str]:
    """The assistant's message and why it ended."""
    if "tool" in how.words and body.get("tools") and body["messages"][-1]["role"] != "tool":
        function = body["tools"][0]["function"]
        called = json.dumps(arguments(function["parameters"], how, _last(body)), ensure_ascii=False)
        call = {"id": "find_0", "type": "function", "function": {"name": function["name"], "arguments": called}}
        return {"role": "assistant", "tool_plan": "I will look it up.", "tool_calls": [call]}, "TOOL_CALL"
    shape = (body.get("response_format") or {}).get("json_schema")
    said = structured(shape, how, _prompt(body), _last(body)) if shape else answer(how, _prompt(body), _last(body))
    content = [{"type": "thinking", "thinking": THOUGHT}] if "thinking" in how.words else []
    message: Json = {"role": "assistant", "content": [*content, {"type": "text", "text": said}]}
    if body.get("documents"):
        source = {"type": "document", "id": "doc:0", "document": {"id": "doc:0", "snippet": _snippet(body)}}
        message["citations"] = [{"start": 0, "end": len(said), "text": said, "sources": [source], "type": "TEXT_CONTENT"}]  # noqa: E501  # fmt: skip
    return message, "COMPLETE"


def _snippet(body: Json) -> str:
    return " ".join(texts(body["documents"][0]))


def _usage(body: Json, message: Json) -> Json:
    sent, said = tokens(_prompt(body)), tokens(json.dumps(message))
    cached = {"cached_tokens": float(sent // 2)} if "cached" in str(body["model"]) else {}
    billed = {"input_tokens": float(max(1, sent - 3)), "output_tokens": float(said)}
    return {"billed_units": billed, "tokens": {"input_tokens": float(sent), "output_tokens": float(said)}, **cached}


def whole(body: Json, how: Behaviour) -> Json:
    message, reason = _message(body, how)
    return {"id": "c14c80c3", "finish_reason": reason, "message": message, "usage": _usage(body, message)}


def frames(body: Json, how: Behaviour) -> Iterator[str]:
    message, reason = _message(body, how)
    start = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield _frame({"id": "c14c80c3", "type": "message-start", "delta": {"message": start}})
    for piece in pieces(how, message.get("tool_plan", "")):
        yield _frame({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}})
    for i, call in enumerate(message.get("tool_calls") or []):
        yield from _call_frames(how, i, call)
    for i, block in enumerate(message.get("content") or []):
        yield from _block_frames(how, i, block)
    for i, cited in enumerate(message.get("citations") or []):
        yield _frame({"type": "citation-start", "index": i, "delta": {"message": {"citations": cited}}})
        yield _frame({"type": "citation-end", "index": i})
    yield _frame({"type": "message-end", "delta": {"finish_reason": reason, "usage": _usage(body, message)}})
    yield "data: [DONE]\n\n"


def _call_frames(how: Behaviour, index: int, call: Json) -> Iterator[str]:
    hollow = {**call, "function": {**call["function"], "arguments": ""}}
    yield _frame({"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": hollow}}})
    for piece in pieces(how, call["function"]["arguments"]):
        grown = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
        yield _frame({"type": "tool-call-delta", "index": index, "delta": grown})
    yield _frame({"type": "tool-call-end", "index": index})


def _block_frames(how: Behaviour, index: int, block: Json) -> Iterator[str]:
    kind = block["type"]
    hollow = {"message": {"content": {"type": kind, kind: ""}}}
    yield _frame({"type": "content-start", "index": index, "delta": hollow})
    for piece in pieces(how, block[kind]):
        yield _frame({"type": "content-delta", "index": index, "delta": {"message": {"content": {kind: piece}}}})
    yield _frame({"type": "content-end", "index": index})


def _frame(event: Json) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def given(ask: Ask) -> Json:
    """What `chat` and `chat_stream` are given."""
    content: Any = ask.text
    if ask.image:
        image = f"data:image/png;base64,{base64.b64encode(ask.image).decode()}"
        content = [{"type": "text", "text": ask.text}, {"type": "image_url", "image_url": {"url": image}}]
    turns: list[Json] = [{"role": "system", "content": ask.system}] if ask.system else []
    turns.append({"role": "user", "content": content})
    found: Json = {"model": ask.model, "messages": turns}
    if ask.tool:
        found["tools"] = [{"type": "function", "function": ask.tool}]
    if ask.tool and ask.result:
        call = {"id": "find_0", "type": "function", "function": {"name": ask.tool["name"], "arguments": "{}"}}
        turns += [
            {"role": "assistant", "tool_plan": "I will look it up.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "find_0", "content": ask.result},
        ]
    if ask.schema:
        found["response_format"] = {"type": "json_object", "json_schema": ask.schema}
    return found


def text(answered: Any) -> str:
    return "".join(block.text for block in answered.message.content or [] if block.type == "text")


def chunk_text(event: Any) -> str:
    return (event.delta.message.content.text or "") if event.type == "content-delta" else ""


def tool_call(answered: Any) -> tuple[str, Json]:
    function = answered.message.tool_calls[0].function
    return function.name, json.loads(function.arguments)


def counted(answered: Json) -> tuple[int, int]:
    told = answered["usage"]["tokens"]
    return int(told["input_tokens"]), int(told["output_tokens"])


SUBJECT = Subject(
    name="cohere",
    library="cohere",
    provider="cohere",
    model="command-a-03-2025",
    routes=(Route("/v2/chat", whole, frames, error=lambda status, said: {"id": "e1", "message": said}),),
    client=client,
    async_client=async_client,
    ask=lambda using, asked: using.chat(**given(asked), **options(using)),
    stream=lambda using, asked: using.chat_stream(**given(asked), **options(using)),
    text=text,
    chunk_text=chunk_text,
    tool_call=tool_call,
    counted=counted,
    generators=True,
    features=frozenset({*FEATURES, "results"}),
)
