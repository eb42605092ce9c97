"""What `InvokeModel` gives back, whole and in chunks: told by its members, like what is sent."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...guards.messages import Message, Part, Path
from ..adapter import ChunkView, Delta, StreamReader
from ..call import ModelCall, Usage
from . import (
    anthropic_messages,
    anthropic_stream,
    bedrock_converse,
    bedrock_converse_stream,
    openai_chat,
    openai_chat_stream,
)
from .bedrock_bodies import leaves
from .bedrock_json import Json, Said, sealed
from .fields import field, number, whole

METRICS = "amazon-bedrock-invocationMetrics"
_TRACE = "amazon-bedrock-trace"
_FROM_HEADERS = "\0headers"
_ACTION = "amazon-bedrock-guardrailAction"
_REASONS = {"stop_reason", "stopReason", "completionReason", "finish_reason", "finishReason", "finish_reasons"}
_ECHOES = {"prompt", "chat_history", "documents", "citations"}
_SILENT = _REASONS | _ECHOES | {
    METRICS, _TRACE, _ACTION, _FROM_HEADERS, "id", "type", "stop", "role", "object", "model", "tokens", "generation_id",
    "seed", "response_id", "event_type", "response_type", "result", "created", "message_id",
    "system_fingerprint",
}  # fmt: skip
"""Members of a family's own answer that are nothing the model said."""
_INPUT = ("inputTextTokenCount", "prompt_token_count", "inputTokenCount")
_OUTPUT = ("generation_token_count", "totalOutputTextTokenCount", "outputTokenCount")
_HEADER = "x-amzn-bedrock-{}-token-count"


def response(call: ModelCall, answer: Json) -> None:
    """Fill the record from a decoded body; paths lead from it."""
    if isinstance(answer.get("output"), dict) and "message" in answer["output"]:
        bedrock_converse.response(call, answer)
    elif isinstance(answer.get("content"), list) and "stop_reason" in answer:
        anthropic_messages.response(call, answer)
    elif isinstance(answer.get("choices"), list) and any("message" in choice for choice in answer["choices"]):
        openai_chat.response(call, answer)
        call.finish_reasons = call.finish_reasons if any(call.finish_reasons) else tuple(reasons(answer))
    else:
        _flat(call, answer)
    if call.usage.source == "none":
        call.usage = counted(answer)
    if answer.get(_TRACE):
        call.output += (Message("system", (whole(answer[_TRACE], (_TRACE,), name="guardrail"),)),)
    if answer.get(_ACTION) == "INTERVENED":
        call.finish_reasons = ("guardrail_intervened",)


def _flat(call: ModelCall, answer: Json) -> None:
    found = tuple(reasons(answer))
    parts = tuple(leaves(answer, (), _SILENT))
    echoed = tuple(
        part for name in sorted(_ECHOES & set(answer)) for part in leaves(answer[name], (name,), {"id", "tokens"})
    )
    call.response_id = _text(answer, "id") or _text(answer, "generation_id")
    call.response_model = _text(answer, "model")
    call.finish_reasons = found
    call.output = (Message("assistant", parts, found[0] if found else ""),) if parts else ()
    call.echoes = (Message("user", echoed),) if echoed else ()


def _text(answer: Json, name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""


def reasons(value: Any) -> Iterator[str]:
    """Why the model stopped, as often as it says so."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name in _REASONS:
                told = item if isinstance(item, list) else [field(item, "reason") if isinstance(item, dict) else item]
                yield from (one for one in told if isinstance(one, str) and one)
            elif name not in _ECHOES:
                yield from reasons(item)
    elif isinstance(value, list):
        for item in value:
            yield from reasons(item)


def counted(answer: Json) -> Usage:
    """What the body tells of tokens in its family's words, else the headers or the last chunk in Bedrock's."""
    if raw := answer.get("usage"):
        return openai_chat.usage(raw)
    raw = {name: answer[name] for name in (*_INPUT, *_OUTPUT) if isinstance(answer.get(name), int)}
    results = [number(result, "tokenCount") for result in answer.get("results") or () if isinstance(result, dict)]
    if results:
        raw["tokenCount"] = sum(results)
    told = {**_metrics(answer.get(_FROM_HEADERS) or answer.get(METRICS) or {}), **raw}
    if not told:
        return Usage()
    return Usage(
        input=next((told[name] for name in _INPUT if name in told), 0),
        output=next((told[name] for name in (*_OUTPUT, "tokenCount") if name in told), 0),
        cache_read=number(told, "cacheReadInputTokenCount"),
        cache_write=number(told, "cacheWriteInputTokenCount"),
        source="provider",
        raw=told,
    )


def _metrics(told: Json) -> Json:
    return {name: value for name, value in told.items() if name.endswith("TokenCount")}


def with_headers(body: Json, headers: Mapping[str, str]) -> Json:
    """The body with the token counts of the HTTP headers, where they come as a stream's last chunk has them."""
    found = {
        name: int(count)
        for name, header in (
            ("inputTokenCount", "input"), ("outputTokenCount", "output"),
            ("cacheReadInputTokenCount", "cache-read-input"), ("cacheWriteInputTokenCount", "cache-write-input"),
        )
        if (count := headers.get(_HEADER.format(header), "")).isdigit()
    }  # fmt: skip
    return Said({**body, _FROM_HEADERS: found}) if found else body


def own(body: Json) -> Json:
    """The body without what the headers said."""
    return {name: value for name, value in body.items() if name != _FROM_HEADERS}


class Reader:
    """Follows the chunks of any family: the first one tells which."""

    def __init__(self, call: ModelCall) -> None:
        self._call = call
        self._inner: StreamReader | None = None
        self._metrics: Json = {}
        self._action = ""

    def read(self, chunk: Any) -> ChunkView:
        if self._inner is None:
            self._inner = _inner(self._call, chunk)
        if METRICS in chunk:
            self._metrics = chunk
        self._action = chunk.get(_ACTION) or self._action
        return self._inner.read(chunk)

    def filler(self, channel: Any, text: str) -> Any:
        assert self._inner is not None
        return sealed(self._inner.filler(channel, text))

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        if self._inner is not None:
            self._inner.finish(call, texts)
        if call.usage.source == "none":
            call.usage = counted({METRICS: self._metrics.get(METRICS)})
        if self._action == "INTERVENED":
            call.finish_reasons = ("guardrail_intervened",)


def _inner(call: ModelCall, chunk: Json) -> StreamReader:
    if bedrock_converse_stream.EVENTS & set(chunk):
        return bedrock_converse_stream.Reader(call)
    if chunk.get("type") in {"message_start", "ping"}:
        return anthropic_stream.Reader(call)
    if any("delta" in choice for choice in chunk.get("choices") or ()):
        return openai_chat_stream.Reader(call)
    return FlatReader()


class FlatReader:
    """A channel is the path of a text in the chunk: what a family says bit by bit is always in the same place."""

    def __init__(self) -> None:
        self._seen: dict[Path, None] = {}
        self._reasons: list[str] = []
        self._counts: Json = {}

    def read(self, chunk: Any) -> ChunkView:
        found = tuple(reasons(chunk))
        self._reasons += found
        self._counts |= {name: chunk[name] for name in (*_INPUT, *_OUTPUT, METRICS) if chunk.get(name)}
        deltas = []
        for part in leaves(chunk, (), _SILENT):
            # Cohere's last chunk repeats all that was said, within `response`
            channel = part.where[1:] if part.where[0] == "response" else part.where
            self._seen[channel] = None
            deltas.append(Delta(channel, part.text, part.where, whole=part.where[0] == "response"))
        return ChunkView(tuple(deltas), tuple(self._seen) if found else ())

    def filler(self, channel: Any, text: str) -> Any:
        said: Any = text
        for step in reversed(channel):
            said = [{}] * step + [said] if isinstance(step, int) else {step: said}
        return said

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        parts = tuple(Part("text", texts[channel]) for channel in self._seen if texts.get(channel))
        reason = self._reasons[0] if self._reasons else ""
        call.finish_reasons = tuple(dict.fromkeys(self._reasons))
        call.output = (Message("assistant", parts, reason),) if parts else ()
        call.usage = counted(self._counts)
