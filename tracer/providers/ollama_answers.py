"""What Ollama gives back, whole and in lines of JSON."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from ...guards.messages import Message, Part, PartKind, Path
from ..adapter import ChunkView, Delta, Lane, no_lane
from ..call import ModelCall, Usage
from .fields import dumps, field, media, number
from .openai_chat import structured

_COUNTS = (
    "prompt_eval_count", "eval_count", "total_duration", "load_duration", "prompt_eval_duration", "eval_duration",
    "input_tokens", "output_tokens",
)  # fmt: skip
_CONTENT: Path = ("message", "content")
_PLACES: dict[str, tuple[tuple[Path, PartKind], ...]] = {
    "chat": ((("message", "thinking"), "reasoning"), (_CONTENT, "text")),
    "text_completion": ((("thinking",), "reasoning"), (("response",), "text")),
}
"""Operation -> where its answers have texts, in the order in which they come."""


def response(call: ModelCall, answer: Any) -> None:
    """Fill the record from an answer, an object of the library's."""
    head(call, answer)
    reason = field(answer, "done_reason", "")
    parts = [
        Part(kind, text, json=kind == "text" and structured(call, text), where=where)
        for where, kind in _PLACES.get(call.operation, ())
        if (text := _at(answer, where))
    ]
    called = field(field(answer, "message"), "tool_calls", ())
    parts += [tool_call(one, ("message", "tool_calls", i)) for i, one in enumerate(called)]
    if image := field(answer, "image"):
        parts.append(media(data=image, mime="image/png", name="image"))
    if parts or reason:
        call.output = (Message("assistant", tuple(parts), reason),)


def head(call: ModelCall, answer: Any) -> None:
    """Model, reason and counts; the last line of a stream has them too."""
    reason = field(answer, "done_reason", "")
    call.response_model = field(answer, "model", "")
    call.finish_reasons = (reason,) if reason else ()
    told = field(answer, "usage", answer)
    raw = {name: count for name in _COUNTS if isinstance(count := field(told, name), int)}
    if {"prompt_eval_count", "eval_count", "input_tokens"} & set(raw):
        call.usage = Usage(
            input=number(raw, "prompt_eval_count") or number(raw, "input_tokens"),
            output=number(raw, "eval_count") or number(raw, "output_tokens"),
            source="provider",
            raw=raw,
        )


def _at(answer: Any, where: Path) -> str:
    for step in where:
        answer = field(answer, str(step))
    return answer if isinstance(answer, str) else ""


def tool_call(called: Any, where: Path) -> Part:
    function = field(called, "function")
    text = dumps(field(function, "arguments", {}))
    return Part("tool_call", text, json=True, name=field(function, "name", ""), where=(*where, "function", "arguments"))


class Reader:
    """Follows lines. A channel is the path of a text, or the number of a tool call, which comes whole."""

    def __init__(self, call: ModelCall) -> None:
        self.lane: Lane = no_lane
        self._places = _PLACES.get(call.operation, ())
        self._json = str(call.params.get("response_format", "")).startswith("json")
        self._seen: dict[Any, Part] = {}
        self._open: list[Any] = []
        self._pieces: list[str] | None = None
        """Where the texts of a chat go, while it is open."""
        self._last: Any = None
        self._images: list[Part] = []

    def adds(self, chunk: Any) -> bool:
        """The line that nearly every stream is made of, without a function call to spare."""
        message, pieces = chunk.message, self._pieces
        text = message.content
        if not text or pieces is None or chunk.done or message.thinking or message.tool_calls:
            return False
        if chunk.__dict__.get("logprobs"):
            return False
        self._last = chunk
        pieces += (text,)
        return True

    def read(self, chunk: Any) -> ChunkView:
        self._last = chunk
        deltas = []
        for where, kind in self._places:
            text = _at(chunk, where)
            if text:
                if where not in self._seen:
                    self._seen[where] = Part(kind)
                    self._open.append(where)
                if where is _CONTENT:
                    self._pieces = self.lane(where)
                deltas.append(Delta(where, text, where, kind, json=self._json and kind == "text"))
        if getattr(chunk, "image", None):
            self._images.append(media(data=chunk.image, mime="image/png", name="image"))
        called = field(getattr(chunk, "message", None), "tool_calls", ())
        if not called and not getattr(chunk, "done", None):
            return ChunkView(tuple(deltas))
        return self._closing(deltas, called)

    def _closing(self, deltas: list[Delta], called: Any) -> ChunkView:
        """A tool call ends the text before it, and comes whole; the last line ends everything."""
        ended = tuple(self._open)
        self._open.clear()
        self._pieces = None
        tools = []
        for i, one in enumerate(called):
            part = tool_call(one, ("message", "tool_calls", i))
            channel = ("tool", len(self._seen))
            self._seen[channel] = part
            tools.append(Delta(channel, part.text, part.where, "tool_call", json=True))
        return ChunkView((*deltas, *tools), (*ended, *(delta.channel for delta in tools)))

    def filler(self, channel: Any, text: str) -> Any:
        said: dict[str, Any] = {channel[-1]: text}
        if channel[0] == "message":
            said = {"message": {"role": "assistant", **said}}
        sample = self._last
        return type(sample)(model=sample.model, created_at=sample.created_at, done=False, **said)

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        head(call, self._last)
        reason = call.finish_reasons[0] if call.finish_reasons else ""
        parts = [self._part(call, part, texts.get(channel, "")) for channel, part in self._seen.items()]
        parts += self._images
        call.output = (Message("assistant", tuple(parts), reason),) if parts or reason else ()

    def _part(self, call: ModelCall, part: Part, text: str) -> Part:
        if part.kind == "tool_call":
            return Part(part.kind, text or "{}", json=True, name=part.name)
        return Part(part.kind, text, json=part.kind == "text" and structured(call, text))


def reply(call: ModelCall, text: str) -> Any:
    """The canned answer, None for what has no place for words."""
    from ollama import ChatResponse, GenerateResponse

    head: dict[str, Any] = {
        "model": call.request_model,
        "created_at": "1970-01-01T00:00:00Z",
        "done": True,
        "done_reason": "stop",
    }
    if call.operation == "chat":
        return ChatResponse.model_validate({**head, "message": {"role": "assistant", "content": text}})
    return GenerateResponse.model_validate({**head, "response": text}) if call.operation == "text_completion" else None


def reply_stream(client: Any, call: ModelCall, text: str) -> Any:
    """The same as the only line of a stream: a generator, as the library gives."""
    only = reply(call, text)
    if only is None:
        return None
    return _awaited(only) if type(client).__name__.startswith("Async") else _lines(only)


def _lines(only: Any) -> Iterator[Any]:
    yield only


async def _awaited(only: Any) -> AsyncIterator[Any]:
    yield only
