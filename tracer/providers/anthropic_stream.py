"""The events of a streamed message, plain and beta."""

from collections.abc import Mapping
from typing import Any

from ...guards.messages import Message, Part, PartKind
from ..adapter import ChunkView, Delta, Lane, no_lane
from ..call import ModelCall
from .anthropic_messages import CALLS, TEXTS, block_parts, usage
from .fields import counts, field

Channel = tuple[Any, ...]
_DELTAS: dict[str, tuple[str, PartKind]] = {
    "text_delta": ("text", "text"),
    "input_json_delta": ("partial_json", "tool_call"),
    "thinking_delta": ("thinking", "reasoning"),
    "compaction_delta": ("content", "text"),
}
_ECHO = {"text": "text_delta", "tool_call": "input_json_delta", "reasoning": "thinking_delta"}


class Reader:
    """Follows events. A channel is (kind, block index); a citation of it has its own number after that."""

    def __init__(self, call: ModelCall) -> None:
        self.lane: Lane = no_lane
        self._json = bool(call.params.get("response_format"))
        self._usage: dict[str, Any] = {}
        self._head: Any = None
        self._reason = ""
        self._blocks: dict[int, Any] = {}
        self._open: dict[int, list[Channel]] = {}
        self._parts: dict[Channel, tuple[PartKind, Any]] = {}
        self._samples: dict[str, Any] = {}
        self._lanes: dict[int, tuple[list[str], str, str]] = {}
        """Block index -> where texts like its last delta's go, that delta's type, and where it has its text."""

    def adds(self, event: Any) -> bool:
        """The event that nearly every stream is made of, without a function call to spare: one more of the same."""
        told = event.__dict__
        if told["type"] != "content_block_delta":
            return False
        pieces, kind, name = self._lanes[told["index"]]
        said = told["delta"].__dict__
        text = said[name]
        if not text or said["type"] != kind:
            return False
        pieces += (text,)
        return True

    def read(self, event: Any) -> ChunkView:
        match event.type:
            case "content_block_delta":
                return self._delta(event)
            case "content_block_start":
                return self._start(event)
            case "content_block_stop":
                return ChunkView(closes=tuple(self._open.pop(event.index, ())))
            case "message_start":
                self._head = event.message
                self._usage.update(counts(event.message.usage))
            case "message_delta":
                self._usage.update(counts(event.usage))
                self._reason = event.delta.stop_reason or self._reason
        return ChunkView()

    def _start(self, event: Any) -> ChunkView:
        """A block may open with text in it, and results of tools at the provider come whole."""
        block, index = event.content_block, event.index
        self._blocks[index] = block
        self._open.setdefault(index, [])
        if block.type in CALLS:
            self._channel(("tool_call", index), index, "tool_call")
            return ChunkView()
        parts = [part for part in block_parts(block, ("content_block",), "text", "") if part.text]
        deltas = []
        for i, part in enumerate(parts):
            channel = (part.kind, index) if block.type in TEXTS and i == 0 else (part.kind, index, i)
            self._channel(channel, index, part.kind)
            deltas.append(Delta(channel, part.text, part.where, part.kind, json=part.json))
        closes = () if block.type in TEXTS else tuple(delta.channel for delta in deltas)
        return ChunkView(tuple(deltas), closes)

    def _delta(self, event: Any) -> ChunkView:
        delta, index = event.delta, event.index
        found = _DELTAS.get(delta.type)
        if found is None:
            return self._citation(event) if delta.type == "citations_delta" else ChunkView()
        name, kind = found
        channel = (kind, index)
        if channel not in self._parts:
            self._channel(channel, index, kind)
        if delta.type not in self._samples:
            self._samples[delta.type] = event
        pieces = self.lane(channel)
        if pieces is not None:
            self._lanes[index] = pieces, delta.type, name
        text = getattr(delta, name) or ""
        return ChunkView((Delta(channel, text, ("delta", name), kind, json=kind == "tool_call" or self._json),))

    def _citation(self, event: Any) -> ChunkView:
        text = field(event.delta.citation, "cited_text")
        if not text:
            return ChunkView()
        channel = ("citation", event.index, len(self._parts))
        self._channel(channel, event.index, "text")
        self._open[event.index].remove(channel)
        where = ("delta", "citation", "cited_text")
        return ChunkView((Delta(channel, text, where),), (channel,))

    def _channel(self, channel: Channel, index: int, kind: PartKind) -> None:
        self._parts[channel] = (kind, self._blocks.get(index))
        self._open.setdefault(index, []).append(channel)

    def filler(self, channel: Any, text: str) -> Any:
        kind, index, *_ = channel
        sample = self._samples[_ECHO[kind]]
        name, _ = _DELTAS[sample.delta.type]
        return sample.model_copy(update={"index": index, "delta": sample.delta.model_copy(update={name: text})})

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        call.response_id = field(self._head, "id", "")
        call.response_model = field(self._head, "model", "")
        call.usage = usage(self._usage)
        call.finish_reasons = (self._reason,) if self._reason else ()
        parts = [self._part(channel, kind, block, texts) for channel, (kind, block) in self._parts.items()]
        call.output = (Message("assistant", tuple(parts), self._reason),) if self._head is not None else ()

    def _part(self, channel: Any, kind: PartKind, block: Any, texts: Mapping[Any, str]) -> Part:
        text = texts.get(channel, "")
        if kind == "tool_call":
            return Part(kind, text or "{}", json=True, name=field(block, "name", ""), id=field(block, "id", ""))
        if kind == "tool_result":
            return Part(kind, text, json=True, id=field(block, "tool_use_id", ""))
        return Part(kind, text, name="citation" if channel[0] == "citation" else "")
