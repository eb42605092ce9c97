"""Bedrock's Converse: what goes in and what comes back. Amazon Nova's own bodies have the same shapes."""

from collections.abc import Callable, Iterator
from typing import Any

from ...guards.messages import Message, Part, PartKind, Path
from ..call import ModelCall, Usage
from .bedrock_json import Json
from .fields import dumps, given, media, number, whole
from .openai_chat import structured

PARAMS = {
    "maxTokens": "max_tokens", "max_new_tokens": "max_tokens", "temperature": "temperature", "topP": "top_p",
    "top_p": "top_p", "topK": "top_k", "top_k": "top_k",
}  # fmt: skip
_WHOLE = ("additionalModelRequestFields", "requestMetadata")
_ANSWERED_BESIDE = (("trace", "guardrail"), ("additionalModelResponseFields",))
"""Places of an answer that quote the conversation, or hold what the application asked for."""
_TEXT_FILES = {"txt", "md", "csv", "html"}
"""Formats of a document whose bytes are text that can be judged."""
Parts = Iterator[Part]


def request(call: ModelCall, body: Json, where: Path) -> None:
    """Fill the record from the parameters of Converse, which lie at `where`."""
    config = body.get("inferenceConfig") or {}
    call.params = {PARAMS[key]: value for key, value in given(config, PARAMS).items()}
    if body.get("outputConfig"):
        call.params["response_format"] = "json_schema"
    turns = [
        Message(
            "assistant" if turn.get("role") == "assistant" else "user",
            tuple(content(turn.get("content"), (*where, "messages", i, "content"))),
        )
        for i, turn in enumerate(body.get("messages") or ())
    ]
    system = tuple(content(body.get("system"), (*where, "system")))
    variables = tuple(_variables(body.get("promptVariables") or {}, (*where, "promptVariables")))
    call.messages = (
        *((Message("system", system),) if system else ()),
        *turns,
        *((Message("user", variables),) if variables else ()),
    )
    call.beside = beside(body, _WHOLE, where)
    if stops := config.get("stopSequences"):
        part = whole(stops, (*where, "inferenceConfig", "stopSequences"), name="stopSequences")
        call.beside += (Message("user", (part,)),)
    call.tools = _tools(body, where)


def beside(body: Json, names: tuple[str, ...], where: Path) -> tuple[Message, ...]:
    parts = tuple(whole(body[name], (*where, name), name=name) for name in names if body.get(name))
    return (Message("user", parts),) if parts else ()


def _variables(variables: Json, where: Path) -> Parts:
    for name, value in variables.items():
        yield from _one(value, (*where, name), "text", "")


def _tools(body: Json, where: Path) -> tuple[Message, ...]:
    tools = (body.get("toolConfig") or {}).get("tools") or ()
    parts = [
        whole(tool["toolSpec"], (*where, "toolConfig", "tools", i, "toolSpec"), kind="tool_definition",
              name=tool["toolSpec"].get("name", ""))
        for i, tool in enumerate(tools) if "toolSpec" in tool
    ]  # fmt: skip
    if form := body.get("outputConfig"):
        parts.append(whole(form, (*where, "outputConfig"), kind="tool_definition", name="response_format"))
    return (Message("system", tuple(parts)),) if parts else ()


def content(blocks: Any, where: Path, kind: PartKind = "text", part_id: str = "") -> Parts:
    """The parts of a list of content blocks; within a tool's result all text is that result."""
    if isinstance(blocks, str):
        yield whole(blocks, where, kind=kind, part_id=part_id)
        return
    for i, block in enumerate(blocks or ()):
        yield from _one(block, (*where, i), kind, part_id)


def _one(block: Any, where: Path, kind: PartKind, part_id: str) -> Parts:
    """A block is an object with one member, whose name is its type."""
    if not isinstance(block, dict):
        yield whole(block, where, kind=kind, part_id=part_id)
        return
    for name, value in block.items():
        if name in _BLOCKS:
            yield from _BLOCKS[name](value, (*where, name), kind, part_id)
        elif name not in {"cachePoint", "type"}:
            yield whole(value, (*where, name), kind=kind, name=name, part_id=part_id)


def _text(value: Any, where: Path, kind: PartKind, part_id: str) -> Parts:
    if value:
        yield whole(value, where, kind=kind, part_id=part_id)


def _tool_use(value: Json, where: Path, kind: PartKind, part_id: str) -> Parts:  # noqa: ARG001  the face of a block
    yield Part("tool_call", dumps(value.get("input", {})), json=True, name=value.get("name", ""),
               id=value.get("toolUseId", ""), where=(*where, "input"))  # fmt: skip


def _tool_result(value: Json, where: Path, kind: PartKind, part_id: str) -> Parts:  # noqa: ARG001  as above
    yield from content(value.get("content"), (*where, "content"), "tool_result", value.get("toolUseId", ""))


def _reasoning(value: Json, where: Path, kind: PartKind, part_id: str) -> Parts:
    if text := (value.get("reasoningText") or {}).get("text"):
        said: PartKind = "reasoning" if kind == "text" else kind
        yield Part(said, text, id=part_id, where=(*where, "reasoningText", "text"))


def _media(value: Json, where: Path, kind: PartKind, part_id: str) -> Parts:  # noqa: ARG001  as above
    source = value.get("source") or {}
    modality = str(where[-1])
    mime = f"{modality}/{value.get('format', '')}"
    data = source.get("bytes", "")
    place = (source.get("s3Location") or {}).get("uri", "")
    yield media(place, bytes(data) if isinstance(data, bytearray) else data, mime, modality)


def _document(value: Json, where: Path, kind: PartKind, part_id: str) -> Parts:
    source, at = value.get("source") or {}, (*where, "source")
    for name in ("name", "context"):
        yield from _text(value.get(name), (*where, name), kind, part_id)
    data = source.get("bytes")
    if isinstance(data, bytes) and value.get("format") in _TEXT_FILES:
        yield Part(kind, data.decode(errors="surrogateescape"), id=part_id, where=(*at, "bytes"))
    elif "text" in source:
        yield from _text(source["text"], (*at, "text"), kind, part_id)
    elif "content" in source:
        yield from content(source["content"], (*at, "content"), kind, part_id)
    else:
        yield from _media(value, where, kind, part_id)


def _search_result(value: Json, where: Path, kind: PartKind, part_id: str) -> Parts:
    for name in ("title", "source"):
        yield from _text(value.get(name), (*where, name), kind, part_id)
    yield from content(value.get("content"), (*where, "content"), kind, part_id)


def _cited(value: Json, where: Path, kind: PartKind, part_id: str) -> Parts:
    yield from content(value.get("content"), (*where, "content"), kind, part_id)
    for i, citation in enumerate(value.get("citations") or ()):
        yield from citations(citation, (*where, "citations", i))


def citations(citation: Json, where: Path) -> Parts:
    """The texts that one citation quotes."""
    for i, quoted in enumerate(citation.get("sourceContent") or ()):
        if quoted.get("text"):
            yield Part("text", quoted["text"], name="citation", where=(*where, "sourceContent", i, "text"))
    for name in ("title", "source"):
        if citation.get(name):
            yield Part("text", citation[name], name="citation", where=(*where, name))


_BLOCKS: dict[str, Callable[[Any, Path, PartKind, str], Parts]] = {
    "text": _text,
    "guardContent": _one,
    "toolUse": _tool_use,
    "toolResult": _tool_result,
    "reasoningContent": _reasoning,
    "image": _media,
    "video": _media,
    "audio": _media,
    "document": _document,
    "searchResult": _search_result,
    "citationsContent": _cited,
}


def response(call: ModelCall, answer: Json) -> None:
    """Fill the record from the answer of Converse, or a body like it."""
    reason = answer.get("stopReason") or ""
    message = (answer.get("output") or {}).get("message") or {}
    parts = tuple(
        Part(part.kind, part.text, json=True, where=part.where)
        if part.kind == "text" and structured(call, part.text) else part
        for part in content(message.get("content"), ("output", "message", "content"))
    )  # fmt: skip
    call.output = (Message("assistant", parts, reason), *_told_beside(answer))
    call.finish_reasons = (reason,) if reason else ()
    call.usage = usage(answer.get("usage"))
    call.response_model = routed(answer)


def _told_beside(answer: Json) -> Iterator[Message]:
    """What a guardrail of Bedrock's saw quotes the conversation, so it is judged and restored like it."""
    for where in _ANSWERED_BESIDE:
        value: Any = answer
        for step in where:
            value = (value or {}).get(step)
        if value:
            yield Message("system", (whole(value, where, name=where[-1]),))


def routed(answer: Json) -> str:
    """The model that a prompt router chose; otherwise Converse does not tell."""
    trace = answer.get("trace") or {}
    return str((trace.get("promptRouter") or {}).get("invokedModelId") or "")


def usage(raw: Json | None) -> Usage:
    """Disjoint as they come: what was read from the cache or written to it is not in `inputTokens`."""
    if not raw:
        return Usage()
    return Usage(
        input=number(raw, "inputTokens"),
        cache_read=number(raw, "cacheReadInputTokens") or number(raw, "cacheReadInputTokenCount"),
        cache_write=number(raw, "cacheWriteInputTokens") or number(raw, "cacheWriteInputTokenCount"),
        output=number(raw, "outputTokens"),
        source="provider",
        raw=dict(raw),
    )


def reply(text: str) -> Json:
    """The canned answer."""
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
        "stopReason": "content_filtered",
        "usage": {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0},
        "metrics": {"latencyMs": 0},
    }


def reply_chunks(text: str) -> Iterator[Json]:
    """The canned answer in the events of a stream."""
    yield {"messageStart": {"role": "assistant"}}
    yield {"contentBlockDelta": {"delta": {"text": text}, "contentBlockIndex": 0}}
    yield {"contentBlockStop": {"contentBlockIndex": 0}}
    yield {"messageStop": {"stopReason": "content_filtered"}}
    yield {"metadata": {"usage": {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}, "metrics": {"latencyMs": 0}}}
