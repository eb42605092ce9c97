"""The `mistralai` package: chat completions, in the wire format that the recorded ones have."""

import base64
import importlib
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

from ...versions import at_least
from ..subject import FEATURES, Ask, Json, Route, Subject


def package() -> str:
    """Where the library keeps its client: version 3 moved it."""
    return "mistralai.client" if at_least("mistralai", "3") else "mistralai"


def client(address: str, retries: int, timeout_s: float) -> Any:
    root = package()
    utils = importlib.import_module(f"{root}.utils")
    again = utils.RetryConfig("backoff", utils.BackoffStrategy(10, 50, 1.5, 5000), retry_connection_errors=False)
    return importlib.import_module(root).Mistral(
        api_key="demo",
        server_url=address,
        timeout_ms=int(timeout_s * 1000),
        retry_config=again if retries else None,
    )


def _last(body: Json) -> str:
    asked = [turn for turn in body["messages"] if turn["role"] == "user"][-1]["content"]
    return asked if isinstance(asked, str) else "".join(chunk.get("text", "") for chunk in asked)


def _prompt(body: Json) -> str:
    return "\n".join(texts(body["messages"]))


def _message(body: Json, how: Behaviour) -> tuple[Json, str]:
    """The assistant's message and why it ended."""
    if "tool" in how.words and body.get("tools") and body["messages"][-1]["role"] != "tool":
        function = body["tools"][0]["function"]
        called = json.dumps(arguments(function["parameters"], how, _last(body)), ensure_ascii=False)
        call = {"id": "qDEcl0n92", "function": {"name": function["name"], "arguments": called}, "index": 0}
        return {"role": "assistant", "content": "", "tool_calls": [call]}, "tool_calls"
    shape = ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")
    said: Any = structured(shape, how, _prompt(body), _last(body)) if shape else answer(how, _prompt(body), _last(body))
    if "thinking" in how.words:
        thought = {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}], "closed": True}
        said = [thought, {"type": "text", "text": said}]
    return {"role": "assistant", "content": said, "tool_calls": None}, "stop"


def _usage(body: Json, message: Json) -> Json:
    sent, said = tokens(_prompt(body)), tokens(json.dumps(message["content"]))
    cached = sent // 2 if "cached" in str(body.get("model")) else 0
    told: Json = {"prompt_tokens": sent, "total_tokens": sent + said, "completion_tokens": said}
    return {**told, "prompt_tokens_details": {"cached_tokens": cached}} if cached else told


def whole(body: Json, how: Behaviour) -> Json:
    message, reason = _message(body, how)
    choice = {"index": 0, "message": message, "finish_reason": reason}
    head = {"id": "6dc321029f5d4aa5899c1b38c9657a61", "object": "chat.completion", "created": 1757759492}
    return {**head, "model": how.model, "choices": [choice], "usage": _usage(body, message)}


def frames(body: Json, how: Behaviour) -> Iterator[str]:
    message, reason = _message(body, how)
    *rest, last = _deltas(how, message)
    for delta in ({"role": "assistant", "content": ""}, *rest):
        yield _frame(how, {"index": 0, "delta": delta, "finish_reason": None})
    yield _frame(how, {"index": 0, "delta": last, "finish_reason": reason}, {"usage": _usage(body, message)})
    yield "data: [DONE]\n\n"


def _deltas(how: Behaviour, message: Json) -> Iterator[Json]:
    if message.get("tool_calls"):
        yield {"content": None, "tool_calls": message["tool_calls"]}
        return
    said = message["content"]
    if isinstance(said, list):
        for piece in pieces(how, said[0]["thinking"][0]["text"]):
            yield {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": piece}]}]}
        said = said[1]["text"]
    for piece in pieces(how, said):
        yield {"content": piece}
    yield {"content": ""}


def _frame(how: Behaviour, choice: Json, beside: Json | None = None) -> str:
    head = {"id": "6dc321029f5d4aa5899c1b38c9657a61", "object": "chat.completion.chunk", "created": 1757759492}
    return f"data: {json.dumps({**head, 'model': how.model, 'choices': [choice], **(beside or {})})}\n\n"


def error(status: int, said: str) -> Json:
    return {"object": "error", "message": said, "type": "invalid_request_error", "param": None, "code": str(status)}


def given(ask: Ask) -> Json:
    """What `complete` and `stream` are given."""
    content: Any = ask.text
    if ask.image:
        image = f"data:image/png;base64,{base64.b64encode(ask.image).decode()}"
        content = [{"type": "text", "text": ask.text}, {"type": "image_url", "image_url": image}]
    turns: list[Json] = [{"role": "system", "content": ask.system}] if ask.system else []
    turns.append({"role": "user", "content": content})
    found: Json = {"model": ask.model, "messages": turns}
    if ask.tool:
        found["tools"] = [{"type": "function", "function": ask.tool}]
    if ask.tool and ask.result:
        call = {"id": "qDEcl0n92", "function": {"name": ask.tool["name"], "arguments": "{}"}}
        turns += [
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "name": ask.tool["name"], "tool_call_id": "qDEcl0n92", "content": ask.result},
        ]
    if ask.schema:
        named = {"name": "answer", "schema": ask.schema, "strict": True}
        found["response_format"] = {"type": "json_schema", "json_schema": named}
    return found


def text(answered: Any) -> str:
    said = answered.choices[0].message.content
    return said if isinstance(said, str) else ""


def chunk_text(event: Any) -> str:
    said = event.data.choices[0].delta.content
    return said if isinstance(said, str) else ""


def tool_call(answered: Any) -> tuple[str, Json]:
    function = answered.choices[0].message.tool_calls[0].function
    return function.name, json.loads(function.arguments)


class AsyncUse:
    """The one client has both kinds of methods: this is its asynchronous side."""

    def __init__(self, mistral: Any) -> None:
        self.mistral = mistral

    async def aclose(self) -> None:
        await self.mistral.__aexit__(None, None, None)


def ask(using: Any, asked: Ask) -> Any:
    if isinstance(using, AsyncUse):
        return using.mistral.chat.complete_async(**given(asked))
    return using.chat.complete(**given(asked))


def stream(using: Any, asked: Ask) -> Any:
    if isinstance(using, AsyncUse):
        return using.mistral.chat.stream_async(**given(asked))
    return using.chat.stream(**given(asked))


SUBJECT = Subject(
    name="mistral",
    library="mistralai",
    provider="mistral_ai",
    model="mistral-small-latest",
    routes=(Route("/v1/chat/completions", whole, frames, error=error),),
    client=client,
    async_client=lambda address, retries, timeout_s: AsyncUse(client(address, retries, timeout_s)),
    ask=ask,
    stream=stream,
    text=text,
    chunk_text=chunk_text,
    tool_call=tool_call,
    features=frozenset({*FEATURES, "results"}),
)
