"""The chunks of a streamed Gemini answer, each of which is an answer in itself."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ...guards.messages import Message, Part, PartKind, Path
from ..adapter import ChunkView, Delta
from ..call import ModelCall
from .fields import arguments
from .google_genai_content import get, leaves, parts
from .google_genai_generate import around, counted, reason, reasons, structured, usage


class Channel(NamedTuple):
    candidate: int
    kind: PartKind
    number: int


class Reader:
    """Follows chunks. A text grows until something else is said; what is no text comes whole."""

    def __init__(self, call: ModelCall) -> None:
        self._json = "response_format" in call.params
        self._last: Any = None
        self._sample: dict[Channel, tuple[Any, int, int]] = {}
        self._usage: dict[str, Any] = {}
        self._reasons: dict[int, str] = {}
        self._blocked: tuple[str, ...] = ()
        self._growing: dict[int, Channel] = {}
        self._seen: dict[Channel, Part] = {}
        self._number = 0

    def read(self, chunk: Any) -> ChunkView:
        self._last = chunk
        self._usage.update(counted(chunk.usage_metadata))
        deltas: list[Delta] = []
        closes: list[Any] = []
        for i, candidate in enumerate(chunk.candidates or []):
            self._said(chunk, i, candidate, deltas, closes)
        if not chunk.candidates:
            self._blocked = reasons(chunk) or self._blocked
        repeated = [] if chunk.parsed is None else list(leaves(chunk.parsed, ("parsed",)))
        for i, candidate in enumerate(chunk.candidates or []):
            repeated += around(candidate, ("candidates", i))
        for part in repeated:  # delivered like what it repeats, and not recorded
            self._number += 1
            deltas.append(Delta(("echo", self._number), part.text, part.where, part.kind))
            closes.append(("echo", self._number))
        return ChunkView(tuple(deltas), tuple(closes))

    def _said(self, chunk: Any, place: int, candidate: Any, deltas: list[Delta], closes: list[Any]) -> None:
        index = candidate.index or 0
        where: Path = ("candidates", place, "content")
        used: set[Channel] = set()
        for part in parts(candidate.content, where):
            if not part.text:
                self._seen.setdefault(self._channel(index, part.kind), part)
                continue
            grows = part.kind in {"text", "reasoning"} and not part.json
            channel = self._growing.get(index)
            if channel is None or channel.kind != part.kind or channel in used or not grows:
                if channel is not None:
                    closes.append(self._growing.pop(index))
                channel = self._channel(index, part.kind)
                self._seen[channel] = part
                self._sample[channel] = (chunk, place, self._place(part))
            used.add(channel)
            deltas.append(Delta(channel, part.text, part.where, part.kind, json=part.json or (self._json and part.kind == "text")))  # noqa: E501  # fmt: skip
            if grows:
                self._growing[index] = channel
            else:
                closes.append(channel)
        if ended := reason(candidate):
            self._reasons[index] = ended
            if index in self._growing:
                closes.append(self._growing.pop(index))

    def _channel(self, index: int, kind: PartKind) -> Channel:
        self._number += 1
        return Channel(index, kind, self._number)

    def _place(self, part: Part) -> int:
        """Which of the content's parts it is."""
        return int(part.where[4]) if len(part.where) > 4 else 0

    def filler(self, channel: Any, text: str) -> Any:
        chunk, place, number = self._sample[channel]
        candidate = chunk.candidates[place]
        part = candidate.content.parts[number].model_copy(update={"text": text})
        said = candidate.content.model_copy(update={"parts": [part]})
        alone = dict.fromkeys(("finish_reason", "grounding_metadata", "citation_metadata", "logprobs_result"))
        update = {"content": said, **{name: None for name in alone if hasattr(candidate, name)}}
        return chunk.model_copy(
            update={"candidates": [candidate.model_copy(update=update)], "usage_metadata": None, "parsed": None}
        )

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        if self._last is not None:
            call.response_id = get(self._last, "response_id") or ""
            call.response_model = self._last.model_version or ""
        call.usage = usage(self._usage)
        indices = sorted({channel.candidate for channel in self._seen} | set(self._reasons))
        call.output = tuple(
            Message("assistant", tuple(self._parts(call, index, texts)), self._reasons.get(index, ""))
            for index in indices
        )
        call.finish_reasons = tuple(self._reasons[index] for index in sorted(self._reasons)) or self._blocked

    def _parts(self, call: ModelCall, index: int, texts: Mapping[Any, str]) -> Iterator[Part]:
        for channel, part in self._seen.items():
            if channel.candidate != index:
                continue
            text = texts.get(channel, "")
            as_json = arguments(text) if part.json else part.kind == "text" and structured(call, text)
            if text or part.kind == "media":
                yield Part(part.kind, text, json=as_json, name=part.name, id=part.id, mime=part.mime, uri=part.uri)
