"""Cohere's chat, version 1: a message and its history in, an answer that repeats them out, whole and in events."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...guards.messages import Message, Part, Path
from ..adapter import ChunkView, Delta, Kwargs
from ..call import ModelCall
from .cohere_content import (
    additional,
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
from .cohere_v2 import structured
from .fields import arguments, beside, field, whole

_ROLES = {"SYSTEM": "system", "CHATBOT": "assistant", "TOOL": "tool"}
_HOLDS_TEXT = ("chat_history", "tools", "tool_results", "documents", "connectors", "response_format")


def request(call: ModelCall, kwargs: Kwargs) -> None:
    """Fill the record from the keyword arguments of chat and chat_stream."""
    opened(kwargs, _HOLDS_TEXT)
    settings(call, kwargs)
    call.messages = (*_told(kwargs), *additional(kwargs))
    call.beside = beside(kwargs, ("stop_sequences", "connectors", "conversation_id"))
    call.tools = definitions(kwargs)


def _told(kwargs: Kwargs) -> Iterator[Message]:
    if is_text(kwargs.get("preamble")):
        yield Message("system", tuple(content(kwargs["preamble"], ("preamble",))))
    for i, turn in enumerate(items(kwargs.get("chat_history"))):
        role = _ROLES.get(str(field(turn, "role", "")).upper(), "user")
        yield Message(role, tuple(_turn(turn, ("chat_history", i))))
    yield from documents(kwargs)
    yield Message("user", tuple(content(kwargs.get("message"), ("message",))))
    results = [part for i, result in enumerate(items(kwargs.get("tool_results")))
               for part in _result(result, ("tool_results", i))]  # fmt: skip
    if results:
        yield Message("tool", tuple(results))


def _turn(turn: Any, where: Path) -> Iterator[Part]:
    """A turn of the history, in a request or put back in an answer."""
    if isinstance(turn, str):
        yield Part("text", turn, where=where)
        return
    yield from content(field(turn, "message"), (*where, "message"))
    for i, called in enumerate(field(turn, "tool_calls") or []):
        yield tool_call(called, (*where, "tool_calls", i))
    for i, result in enumerate(field(turn, "tool_results") or []):
        yield from _result(result, (*where, "tool_results", i))


def _result(result: Any, where: Path) -> Iterator[Part]:
    called = field(result, "call", {})
    yield tool_call(called, (*where, "call"))
    for i, output in enumerate(field(result, "outputs") or []):
        yield whole(output, (*where, "outputs", i), kind="tool_result", name=str(field(called, "name", "")))


def response(call: ModelCall, answer: Any) -> None:
    """Fill the record from a response around an answer."""
    said: Any = answer.data
    parts = _head(call, said)
    output = [Part("text", said.text, json=structured(call, said.text), where=("data", "text"))] if said.text else []
    output += _queries(said, ("data",))
    output += [tool_call(called, ("data", "tool_calls", i)) for i, called in enumerate(said.tool_calls or [])]
    call.output = (Message("assistant", tuple(output), parts),)
    echoed = tuple(_echoes(said, ("data",)))
    call.echoes = (Message("assistant", echoed),) if echoed else ()


def _head(call: ModelCall, said: Any) -> str:
    """Ids and counts; gives why the answer ended."""
    call.response_id = field(said, "response_id", "") or field(said, "generation_id", "")
    call.usage = usage(field(said, "meta"))
    reason = str(field(said, "finish_reason", ""))
    call.finish_reasons = (reason,) if reason else ()
    return reason


def _queries(said: Any, where: Path) -> Iterator[Part]:
    """What the model would search for."""
    for i, query in enumerate(field(said, "search_queries") or []):
        yield from content(field(query, "text"), (*where, "search_queries", i, "text"))


def _echoes(said: Any, where: Path) -> Iterator[Part]:
    """What an answer repeats: pieces of itself, documents, the conversation."""
    yield from citations(field(said, "citations"), (*where, "citations"))
    for i, document in enumerate(field(said, "documents") or []):
        yield whole(document, (*where, "documents", i), kind="document")
    for i, result in enumerate(field(said, "search_results") or []):
        yield from content(field(field(result, "search_query"), "text"), (*where, "search_results", i, "search_query", "text"))  # noqa: E501  # fmt: skip
    for i, turn in enumerate(field(said, "chat_history") or []):
        yield from _turn(turn, (*where, "chat_history", i))


class Reader:
    """Follows events. A channel is (kind, index); what repeats something else has a number of its own."""

    def __init__(self, call: ModelCall) -> None:
        self._json = str(call.params.get("response_format", "")).startswith("json")
        self._end: Any = None
        self._id = ""
        self._seen: dict[Any, str] = {}
        self._open: set[Any] = set()
        self._samples: dict[str, Any] = {}
        self._repeated = 0

    def read(self, event: Any) -> ChunkView:  # noqa: PLR0911  one kind of event a return
        match getattr(event, "event_type", ""):
            case "text-generation":
                return self._grown(event, ("text", 0), event.text, ("text",))
            case "tool-calls-chunk":
                return self._piece(event)
            case "tool-calls-generation":
                return self._calls(event.tool_calls, (), ("reasoning", -1), event.text)
            case "search-queries-generation":
                return self._repeats(_queries(event, ()), kept=True)
            case "citation-generation" | "search-results":
                return self._repeats(_echoes(event, ()))
            case "stream-start":
                self._id = str(field(event, "generation_id", ""))
            case "stream-end":
                return self._ended(event)
        return ChunkView()

    def _piece(self, event: Any) -> ChunkView:
        """A piece of the plan, or of a call's parameters."""
        piece = event.tool_call_delta
        if is_text(text := field(piece, "text")):
            return self._grown(event, ("reasoning", -1), text, ("tool_call_delta", "text"))
        channel = ("tool_call", int(field(piece, "index", 0)))
        self._seen[channel] = self._seen.get(channel, "") or str(field(piece, "name", ""))
        others = tuple(c for c in self._open if c != channel and c[0] != "text")
        self._open -= set(others)
        grown = self._grown(event, channel, field(piece, "parameters", ""), ("tool_call_delta", "parameters"))
        return ChunkView(grown.deltas, others)

    def _grown(self, event: Any, channel: tuple[str, int], text: str, where: Path) -> ChunkView:
        if not text:
            return ChunkView()
        kind: Any = channel[0]
        self._seen.setdefault(channel, "")
        self._open.add(channel)
        self._samples.setdefault(kind, event)
        return ChunkView((Delta(channel, text, where, kind, json=kind == "tool_call" or self._json),))

    def _calls(self, calls: Any, where: Path, said: Any, text: Any) -> ChunkView:
        """Calls whole, and the text that came before them once more."""
        deltas = [Delta(said, text, (*where, "text"), said[0], whole=True)] if is_text(text) else []
        for i, called in enumerate(calls or []):
            part, channel = tool_call(called, (*where, "tool_calls", i)), ("tool_call", i)
            self._seen[channel] = part.name
            deltas.append(Delta(channel, part.text, part.where, "tool_call", json=True, whole=True))
        if deltas:
            self._seen.setdefault(said, "")
        channels = tuple(delta.channel for delta in deltas)
        self._open -= set(channels)
        return ChunkView(tuple(deltas), channels)

    def _repeats(self, parts: Iterator[Part], *, kept: bool = False) -> ChunkView:
        deltas = []
        for part in parts:
            self._repeated += 1
            channel = ("text" if kept else "echo", -1 - self._repeated)
            deltas.append(Delta(channel, part.text, part.where, part.kind, json=part.json))
            if kept:
                self._seen[channel] = ""
        return ChunkView(tuple(deltas), tuple(delta.channel for delta in deltas))

    def _ended(self, event: Any) -> ChunkView:
        """The whole answer once more."""
        self._end = said = event.response
        rest = tuple(self._open)
        self._open.clear()
        called = bool(said.tool_calls)
        whole_ = self._calls(said.tool_calls, ("response",), ("reasoning", -1) if called else ("text", 0), said.text)
        echoed = self._repeats(_echoes(said, ("response",)))
        queries = self._repeats(_queries(said, ("response",)))
        deltas = (*whole_.deltas, *echoed.deltas, *queries.deltas)
        return ChunkView(deltas, tuple(dict.fromkeys((*rest, *whole_.closes, *echoed.closes, *queries.closes))))

    def filler(self, channel: Any, text: str) -> Any:
        kind, index = channel
        sample: Any = self._samples[kind].model_copy(deep=True)
        if kind == "text":
            sample.text = text
        elif kind == "reasoning":
            sample.tool_call_delta.text = text
        else:
            sample.tool_call_delta.index, sample.tool_call_delta.parameters = index, text
        return sample

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        reason = _head(call, self._end)
        call.response_id = call.response_id or self._id
        parts = []
        for channel, name in self._seen.items():
            kind, text = channel[0], texts.get(channel, "")
            if kind == "tool_call":
                parts.append(Part("tool_call", text, json=arguments(text), name=name))
            elif text:
                parts.append(Part(kind, text, json=kind == "text" and structured(call, text)))
        call.output = (Message("assistant", tuple(parts), reason),) if parts or reason else ()


def reply(call: ModelCall, text: str) -> dict[str, Any]:  # noqa: ARG001  the face of a reply
    """The canned answer as the JSON of a response."""
    return {"text": text, "generation_id": "spanward", "response_id": "spanward", "finish_reason": "COMPLETE"}


def reply_events(call: ModelCall, text: str) -> Iterator[dict[str, Any]]:
    """The canned answer as the JSON of its events."""
    yield {"event_type": "stream-start", "generation_id": "spanward"}
    yield {"event_type": "text-generation", "text": text}
    yield {"event_type": "stream-end", "finish_reason": "COMPLETE", "response": reply(call, text)}
