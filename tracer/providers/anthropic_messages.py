"""Anthropic messages: what goes in, what comes back, whole and in events. The beta ones have the same shapes."""

from collections.abc import Iterable, Iterator
from typing import Any

from ...guards.messages import Message, Part, PartKind, Path
from ..adapter import Kwargs
from ..call import ModelCall, Usage
from .fields import as_json, beside, counts, dumps, field, given, media, number, plain, whole

PARAMS = ("max_tokens", "temperature", "top_p", "top_k", "service_tier", "speed")
_HOLDS_TEXT = ("messages", "system", "tools", "output_config", "output_format", "extra_body", "mcp_servers")
TEXTS: dict[str, tuple[str, PartKind]] = {
    "text": ("text", "text"),
    "thinking": ("thinking", "reasoning"),
    "compaction": ("content", "text"),
}
"""Types of a block whose text is in one field."""
CALLS = {"tool_use", "server_tool_use", "mcp_tool_use"}
_SEALED = {"redacted_thinking", "container_upload"}
"""Types of a block that hold nothing readable."""


def request(call: ModelCall, kwargs: Kwargs) -> None:
    """Fill the record from the keyword arguments of create, parse and stream."""
    for name in _HOLDS_TEXT:
        if kwargs.get(name):
            kwargs[name] = plain(kwargs[name])
    call.params = given(kwargs, PARAMS)
    schema = field(kwargs["output_config"], "format") if isinstance(kwargs.get("output_config"), dict) else None
    if schema or kwargs.get("output_format"):
        call.params["response_format"] = "json_schema"
    call.messages = tuple(_messages(kwargs))
    call.beside = beside(kwargs, ("metadata", "stop_sequences"))
    call.tools = _tools(kwargs, schema)


def _messages(kwargs: Kwargs) -> Iterator[Message]:
    if kwargs.get("system"):
        yield Message("system", tuple(_content(kwargs["system"], ("system",), "text", "")))
    turns = kwargs.get("messages")
    for i, turn in enumerate(turns if isinstance(turns, list) else []):
        where: Path = ("messages", i)
        if isinstance(turn, dict):
            role = turn.get("role") if turn.get("role") in {"system", "assistant"} else "user"
            yield Message(str(role), tuple(_content(turn.get("content"), (*where, "content"), "text", "")))
        else:
            yield Message("user", (whole(turn, where),))
    for name in ("extra_body", "mcp_servers"):
        if kwargs.get(name):
            yield Message("user", (whole(kwargs[name], (name,), name=name),))


def _tools(kwargs: Kwargs, schema: Any) -> tuple[Message, ...]:
    tools = kwargs.get("tools")
    parts = [
        whole(tool, ("tools", i), kind="tool_definition", name=field(tool, "name", ""))
        for i, tool in enumerate(tools if isinstance(tools, list) else [])
    ]
    if schema:
        parts.append(whole(schema, ("output_config", "format"), kind="tool_definition", name="response_format"))
    if isinstance(kwargs.get("output_format"), dict):
        parts.append(whole(kwargs["output_format"], ("output_format",), kind="tool_definition", name="response_format"))
    return (Message("system", tuple(parts)),) if parts else ()


def _content(content: Any, where: Path, kind: PartKind, part_id: str) -> Iterator[Part]:
    if isinstance(content, str):
        if content:
            yield Part(kind, content, id=part_id, where=where)
    elif isinstance(content, list):
        for i, block in enumerate(content):
            yield from block_parts(block, (*where, i), kind, part_id)
    elif content:
        yield whole(as_json(content), where, kind=kind, part_id=part_id)


def block_parts(block: Any, where: Path, kind: PartKind, part_id: str) -> Iterator[Part]:
    """One block of the request or of the answer, by its type; within a tool's result all text is that result."""
    block_type = "" if isinstance(block, str) else str(field(block, "type", ""))
    if block_type in TEXTS:
        name, own_kind = TEXTS[block_type]
        if text := field(block, name):
            yield Part(own_kind if kind == "text" else kind, text, id=part_id, where=(*where, name))
        if citations := field(block, "citations"):
            yield from _citations(citations, (*where, "citations"))
    elif block_type in CALLS:
        yield Part("tool_call", dumps(as_json(field(block, "input", {}))), json=True, name=field(block, "name", ""),
                   id=field(block, "id", ""), where=(*where, "input"))  # fmt: skip
    elif block_type.endswith("tool_result"):
        yield from _content(
            field(block, "content"), (*where, "content"), "tool_result", field(block, "tool_use_id", "")
        )
    elif block_type in {"image", "document"}:
        yield from _source(block, where, kind, part_id)
    elif block_type == "search_result":
        for name in ("title", "source"):
            yield from _content(field(block, name), (*where, name), kind, part_id)
        yield from _content(field(block, "content"), (*where, "content"), kind, part_id)
    elif block_type not in _SEALED:
        yield whole(as_json(block), where, kind=kind, part_id=part_id)


def _citations(citations: Any, where: Path) -> Iterator[Part]:
    for i, citation in enumerate(citations if isinstance(citations, list) else []):
        if text := field(citation, "cited_text"):
            yield Part("text", text, name="citation", where=(*where, i, "cited_text"))


def _source(block: Any, where: Path, kind: PartKind, part_id: str) -> Iterator[Part]:
    """An image or a document: inline text is text, anything else a reference."""
    source = field(block, "source", {})
    for name in ("title", "context"):
        yield from _content(field(block, name), (*where, name), kind, part_id)
    match field(source, "type"):
        case "text":
            yield from _content(field(source, "data"), (*where, "source", "data"), kind, part_id)
        case "content":
            yield from _content(field(source, "content"), (*where, "source", "content"), kind, part_id)
        case "base64":
            yield media(data=field(source, "data", ""), mime=field(source, "media_type", ""), name=field(block, "type"))
        case "url" | "file":
            uri = field(source, "url") or field(source, "file_id", "")
            yield media(uri, mime=field(source, "media_type", ""), name=field(block, "type"))
        case _:
            yield whole(as_json(source), (*where, "source"), kind=kind, part_id=part_id)


def response(call: ModelCall, answer: Any) -> None:
    """Fill the record from a message, an object or decoded JSON."""
    call.response_id = field(answer, "id", "")
    call.response_model = field(answer, "model", "")
    call.usage = usage(counts(field(answer, "usage")))
    reason = field(answer, "stop_reason", "")
    call.finish_reasons = (reason,) if reason else ()
    parts = tuple(_content(field(answer, "content", []), ("content",), "text", ""))
    call.output = (Message("assistant", parts, reason),)


def usage(raw: dict[str, Any]) -> Usage:
    """Disjoint counts: what was read from the cache or written to it is not in Anthropic's input tokens."""
    if not raw:
        return Usage()
    thinking = number(raw, "output_tokens_details", "thinking_tokens")
    return Usage(
        input=number(raw, "input_tokens"),
        cache_read=number(raw, "cache_read_input_tokens"),
        cache_write=number(raw, "cache_creation_input_tokens"),
        output=max(0, number(raw, "output_tokens") - thinking),
        reasoning=thinking,
        source="provider",
        raw=raw,
    )


def reply(call: ModelCall, text: str) -> dict[str, Any]:
    """The canned answer as the JSON of a message."""
    return {
        "id": "msg_spanward",
        "type": "message",
        "role": "assistant",
        "model": call.request_model,
        "content": [{"type": "text", "text": text, "citations": None}],
        "stop_reason": "refusal" if call.params.get("response_format") else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


def reply_chunks(call: ModelCall, text: str) -> Iterator[dict[str, Any]]:
    """The canned answer as the JSON of its events, in the order in which the API sends them."""
    message = reply(call, text)
    start = {**message, "content": [], "stop_reason": None}
    yield {"type": "message_start", "message": start}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    yield {"type": "content_block_stop", "index": 0}
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 0}}
    yield {"type": "message_stop"}


def frames(chunks: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Events as server-sent events."""
    yield from (f"event: {chunk['type']}\ndata: {dumps(chunk)}\n\n" for chunk in chunks)
