"""Cohere's chat, version 2: messages in, one message out, whole and in events."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...guards.messages import Message, Part, PartKind, Path
from ..adapter import ChunkView, Delta, Kwargs
from ..call import ModelCall
from .cohere_content import (
    additional,
    citation_parts,
    citations,
    content,
    definitions,
    documents,
    is_text,
    items,
    opened,
    settings,
    tool_call,
    usage,
)
from .fields import arguments, beside, field, whole

_ROLES = {"system": "system", "developer": "system", "assistant": "assistant", "tool": "tool"}
_HOLDS_TEXT = ("messages", "tools", "documents", "response_format")


def request(call: ModelCall, kwargs: Kwargs) -> None:
    """Fill the record from the keyword arguments of chat and chat_stream."""
    opened(kwargs, _HOLDS_TEXT)
    settings(call, kwargs)
    turns = [_turn(turn, ("messages", i)) for i, turn in enumerate(items(kwargs.get("messages")))]
    call.messages = (*documents(kwargs), *turns, *additional(kwargs))
    call.beside = beside(kwargs, ("stop_sequences",))
    call.tools = definitions(kwargs)


def _turn(turn: Any, where: Path) -> Message:
    if not isinstance(turn, dict):
        return Message("user", (whole(turn, where),))
    role = _ROLES.get(str(turn.get("role")).lower(), "user")
    kind: PartKind = "tool_result" if role == "tool" else "text"
    parts = list(content(turn.get("content"), (*where, "content"), kind, turn.get("tool_call_id") or ""))
    parts += content(turn.get("tool_plan"), (*where, "tool_plan"), "reasoning")
    parts += [tool_call(called, (*where, "tool_calls", i)) for i, called in enumerate(turn.get("tool_calls") or [])]
    parts += citations(turn.get("citations"), (*where, "citations"))
    return Message(role, tuple(parts))


def response(call: ModelCall, answer: Any) -> None:
    """Fill the record from a response around an answer."""
    said = answer.data
    call.response_id = field(said, "id", "")
    call.usage = usage(field(said, "usage"))
    reason = str(field(said, "finish_reason", ""))
    call.finish_reasons = (reason,) if reason else ()
    message, where = field(said, "message", {}), ("data", "message")
    parts = list(content(field(message, "tool_plan"), (*where, "tool_plan"), "reasoning"))
    parts += [_shaped(call, part) for part in content(field(message, "content"), (*where, "content"))]
    parts += [tool_call(c, (*where, "tool_calls", i)) for i, c in enumerate(field(message, "tool_calls") or [])]
    call.output = (Message("assistant", tuple(parts), reason),)
    cited = tuple(citations(field(message, "citations"), (*where, "citations")))
    call.echoes = (Message("assistant", cited),) if cited else ()


def _shaped(call: ModelCall, part: Part) -> Part:
    if part.kind != "text" or not structured(call, part.text):
        return part
    return Part("text", part.text, json=True, where=part.where)


def structured(call: ModelCall, text: str) -> bool:
    """Whether the answer was asked for as JSON and is JSON."""
    return str(call.params.get("response_format", "")).startswith("json") and arguments(text)


class Reader:
    """Follows events. A channel is (kind, index); a citation of its own has its number."""

    def __init__(self, call: ModelCall) -> None:
        self._json = str(call.params.get("response_format", "")).startswith("json")
        self._id = ""
        self._end: Any = None
        self._seen: dict[Any, tuple[str, str]] = {}
        self._open: set[Any] = set()
        self._samples: dict[str, Any] = {}
        self._cited = 0

    def read(self, event: Any) -> ChunkView:  # noqa: PLR0911  one kind of event a return
        match getattr(event, "type", ""):
            case "content-delta" | "content-start":
                return self._content(event)
            case "tool-call-delta" | "tool-call-start":
                return self._call(event)
            case "tool-plan-delta":
                text = field(field(field(event, "delta"), "message"), "tool_plan", "")
                return self._grown(event, ("reasoning", -1), text, ("delta", "message", "tool_plan"))
            case "citation-start":
                return self._citation(event)
            case "content-end" | "tool-call-end":
                return self._closed({c for c in self._open if c[1] == event.index})
            case "message-start":
                self._id = str(field(event, "id", ""))
            case "message-end":
                self._end = field(event, "delta")
                return self._closed(set(self._open))
        return ChunkView()

    def _content(self, event: Any) -> ChunkView:
        """The start of a block may have text in it."""
        said = field(field(field(event, "delta"), "message"), "content")
        for name, kind in (("text", "text"), ("thinking", "reasoning")):
            if is_text(text := field(said, name)):
                where = ("delta", "message", "content", name)
                return self._grown(event, (kind, event.index), text, where)
        return ChunkView()

    def _call(self, event: Any) -> ChunkView:
        called = field(field(field(event, "delta"), "message"), "tool_calls")
        function = field(called, "function")
        channel = ("tool_call", event.index)
        if event.type == "tool-call-start":
            self._seen[channel] = (str(field(called, "id", "")), str(field(function, "name", "")))
        text = field(function, "arguments", "")
        where = ("delta", "message", "tool_calls", "function", "arguments")
        plan = self._closed({c for c in self._open if c[1] == -1})
        return ChunkView(self._grown(event, channel, text, where).deltas, plan.closes)

    def _grown(self, event: Any, channel: tuple[str, int], text: str, where: Path) -> ChunkView:
        kind: Any = channel[0]
        self._seen.setdefault(channel, ("", ""))
        if not text:
            return ChunkView()
        self._open.add(channel)
        self._samples.setdefault(f"{kind}{channel[1] == -1}", event)
        as_json = kind == "tool_call" or (kind == "text" and self._json)
        return ChunkView((Delta(channel, text, where, kind, json=as_json),))

    def _citation(self, event: Any) -> ChunkView:
        """It repeats what was said: delivered as that was, and not recorded once more."""
        cited = field(field(field(event, "delta"), "message"), "citations")
        deltas = []
        for part in citation_parts(cited, ("delta", "message", "citations")):
            self._cited += 1
            deltas.append(Delta(("citation", -2 - self._cited), part.text, part.where, part.kind, json=part.json))
        return ChunkView(tuple(deltas), tuple(delta.channel for delta in deltas))

    def _closed(self, channels: set[Any]) -> ChunkView:
        self._open -= channels
        return ChunkView(closes=tuple(sorted(channels, key=str)))

    def filler(self, channel: Any, text: str) -> Any:
        kind, index = channel
        sample = self._samples[f"{kind}{index == -1}"].model_copy(deep=True)
        if index == -1:
            sample.delta.message.tool_plan = text
        elif kind == "tool_call":
            sample.index, sample.delta.message.tool_calls.function.arguments = index, text
        else:
            sample.index = index
            setattr(sample.delta.message.content, "text" if kind == "text" else "thinking", text)
        return sample

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        call.response_id = self._id
        call.usage = usage(field(self._end, "usage"))
        reason = str(field(self._end, "finish_reason", ""))
        call.finish_reasons = (reason,) if reason else ()
        parts = []
        for channel, (part_id, name) in sorted(self._seen.items(), key=lambda item: item[0][1]):
            kind, text = channel[0], texts.get(channel, "")
            if kind == "tool_call":
                parts.append(Part("tool_call", text, json=arguments(text), name=name, id=part_id))
            elif text:
                parts.append(Part(kind, text, json=kind == "text" and structured(call, text)))
        call.output = (Message("assistant", tuple(parts), reason),) if parts or reason else ()


def reply(call: ModelCall, text: str) -> dict[str, Any]:  # noqa: ARG001  the face of a reply
    """The canned answer as the JSON of a response."""
    message = {"role": "assistant", "content": [{"type": "text", "text": text}]}
    return {"id": "spanward", "finish_reason": "COMPLETE", "message": message}


def reply_events(call: ModelCall, text: str) -> Iterator[dict[str, Any]]:  # noqa: ARG001  as above
    """The canned answer as the JSON of its events."""
    start = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield {"type": "message-start", "id": "spanward", "delta": {"message": start}}
    yield {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}
    yield {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}}
    yield {"type": "content-end", "index": 0}
    yield {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}
