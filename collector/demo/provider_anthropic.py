"""Anthropic's HTTP protocol: messages, as JSON and as server-sent events."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from .provider_answers import THOUGHT, Behaviour, answer, arguments, behaviour, pieces, structured, texts, tokens

DEFAULT_MODEL = "claude-haiku-4-5"
ERRORS = {
    400: ("invalid_request_error", "The request was not understood."),
    401: ("authentication_error", "invalid x-api-key"),
    404: ("not_found_error", "The model does not exist."),
    429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
    500: ("api_error", "Internal server error"),
    529: ("overloaded_error", "Overloaded"),
}
Json = dict[str, Any]


def error(status: int, said: str = "") -> Json:
    kind, message = ERRORS.get(status, ("api_error", "Internal server error"))
    return {"type": "error", "error": {"type": kind, "message": f"{message}{said}"}, "request_id": "req_demo"}


def headers(request_id: str) -> dict[str, str]:
    return {"request-id": request_id, "anthropic-organization-id": "00000000-0000-0000-0000-0000000000de"}


def steering(body: Json) -> Behaviour:
    return behaviour(str(body.get("model", "")), DEFAULT_MODEL)


def last_text(body: Json) -> str:
    for turn in reversed(body.get("messages") or []):
        if turn.get("role") == "user":
            content = turn.get("content")
            if isinstance(content, str):
                return content
            return " ".join(block.get("text", "") for block in content if block.get("type") == "text")
    return ""


def _after_tool(body: Json) -> bool:
    content = body["messages"][-1].get("content") if body.get("messages") else None
    return isinstance(content, list) and any(block.get("type") == "tool_result" for block in content)


def _schema(body: Json) -> Any:
    asked = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    return asked.get("schema")


def _blocks(body: Json, how: Behaviour, prompt: str) -> list[Json]:
    digest = hashlib.sha256(prompt.encode()).hexdigest()[:24]
    blocks: list[Json] = []
    if "thinking" in how.words or (body.get("thinking") or {}).get("type") in {"enabled", "adaptive"}:
        blocks.append({"type": "thinking", "thinking": THOUGHT, "signature": digest})
    tools = body.get("tools")
    if "tool" in how.words and tools and not _after_tool(body):
        said = arguments(tools[0].get("input_schema"), how, last_text(body))
        return [*blocks, {"type": "tool_use", "id": f"toolu_{digest}", "name": tools[0]["name"], "input": said}]
    schema = _schema(body)
    text = structured(schema, how, prompt, last_text(body)) if schema else answer(how, prompt, last_text(body))
    return [*blocks, {"type": "text", "text": text}] if text else blocks


def _usage(body: Json, how: Behaviour, prompt: str, blocks: list[Json]) -> Json:
    """Cached tokens are beside the input tokens, not among them."""
    total = tokens(prompt)
    marked = "cached" in how.words or '"cache_control"' in json.dumps(body)
    read, written = (total // 2, total // 4) if marked else (0, 0)
    return {
        "input_tokens": total - read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": sum(tokens(_said(block)) for block in blocks),
        "service_tier": "standard",
    }


def _said(block: Json) -> str:
    return json.dumps(block["input"]) if "input" in block else str(block.get("text") or block.get("thinking") or "")


def _prompt(body: Json) -> str:
    return "\n".join(text for name in ("system", "messages") for text in texts(body.get(name)))


def message(body: Json) -> Json:
    how = steering(body)
    prompt = _prompt(body)
    blocks = _blocks(body, how, prompt)
    reason = "tool_use" if any(block["type"] == "tool_use" for block in blocks) else "end_turn"
    return {
        "id": f"msg_{hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:24]}",
        "type": "message",
        "role": "assistant",
        "model": how.model,
        "content": blocks,
        "stop_reason": "refusal" if "refusal" in how.words else reason,
        "stop_sequence": None,
        "usage": _usage(body, how, prompt, blocks),
    }


def message_events(body: Json) -> Iterator[str]:
    """The same answer in events."""
    how = steering(body)
    whole = message(body)
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
    yield _event({"type": "message_start", "message": begun})
    for i, block in enumerate(whole["content"]):
        yield from (_event(event) for event in _block_events(how, i, block))
        if i == 0:
            yield _event({"type": "ping"})
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    counted = {name: count for name, count in whole["usage"].items() if name.endswith("_tokens")}
    yield _event({"type": "message_delta", "delta": delta, "usage": counted})
    yield _event({"type": "message_stop"})


def _block_events(how: Behaviour, index: int, block: Json) -> Iterator[Json]:
    at = {"index": index}
    match block["type"]:
        case "tool_use":
            hollow, kind, name = {**block, "input": {}}, "input_json_delta", "partial_json"
        case "thinking":
            hollow, kind, name = {**block, "thinking": "", "signature": ""}, "thinking_delta", "thinking"
        case _:
            hollow, kind, name = {**block, "text": ""}, "text_delta", "text"
    yield {"type": "content_block_start", **at, "content_block": hollow}
    for piece in pieces(how, _said(block)):
        yield {"type": "content_block_delta", **at, "delta": {"type": kind, name: piece}}
    if "signature" in block:
        signed = {"type": "signature_delta", "signature": block["signature"]}
        yield {"type": "content_block_delta", **at, "delta": signed}
    yield {"type": "content_block_stop", **at}


def _event(event: Json) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def count(body: Json) -> Json:
    return {"input_tokens": tokens(_prompt(body))}
