"""The events of a streamed response."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...guards.messages import Message, Part, PartKind, Path
from ..adapter import ChunkView, Delta, Lane, no_lane
from ..call import ModelCall
from .fields import arguments, field
from .openai_chat import structured
from .openai_responses import CALLS, TEXT_TYPES, head

Channel = tuple[Any, ...]

_EVENTS: dict[str, tuple[str, tuple[str, ...], PartKind]] = {
    "response.output_text": ("text", ("output_index", "content_index"), "text"),
    "response.refusal": ("refusal", ("output_index", "content_index"), "text"),
    "response.function_call_arguments": ("arguments", ("output_index",), "tool_call"),
    "response.mcp_call_arguments": ("arguments", ("output_index",), "tool_call"),
    "response.custom_tool_call_input": ("input", ("output_index",), "tool_call"),
    "response.code_interpreter_call_code": ("code", ("output_index",), "tool_call"),
    "response.reasoning_summary_text": ("summary", ("output_index", "summary_index"), "reasoning"),
    "response.reasoning_text": ("reasoning", ("output_index", "content_index"), "reasoning"),
}
"""Event without its last step -> (name of the channel, indices that tell it apart, kind). `*.delta` adds to it;
`*.done` repeats it whole, in the field of the same name (`text` for the reasoning ones)."""
_DONE_FIELDS = {"summary": "text", "reasoning": "text"}
_PART_CHANNELS = {"output_text": "text", "refusal": "refusal", "reasoning_text": "reasoning", "summary_text": "summary"}
_FINAL = {"response.completed", "response.incomplete", "response.failed"}


class Reader:
    """Follows events. A channel is (name, output index, index within the item)."""

    def __init__(self, call: ModelCall) -> None:
        self.lane: Lane = no_lane
        self._json = str(call.params.get("response_format", "")).startswith("json")
        self._samples: dict[Channel, Any] = {}
        self._items: dict[int, Any] = {}
        self._answer: Any = None
        self._kinds: dict[Channel, PartKind] = {}
        self._closed: set[Channel] = set()
        self._lanes: dict[tuple[int, int], list[str]] = {}
        """Output index, index of its content -> where that text goes."""

    def adds(self, event: Any) -> bool:
        """The event that nearly every stream is made of, without a function call to spare."""
        told = event.__dict__
        if told["type"] != "response.output_text.delta" or not told["delta"] or told.get("logprobs"):
            return False
        pieces = self._lanes[told["output_index"], told["content_index"]]
        pieces += (told["delta"],)
        return True

    def read(self, event: Any) -> ChunkView:
        name, _, step = (event.type if hasattr(event, "type") else "").rpartition(".")
        if step == "delta" and name in _EVENTS:
            return self._delta(event, name)
        return self._rest(event, name, step)

    def _delta(self, event: Any, name: str) -> ChunkView:
        label, indices, kind = _EVENTS[name]
        channel = (label, *(getattr(event, index) for index in indices))
        if channel not in self._samples:
            self._samples[channel] = event
            self._kinds[channel] = kind
        if label == "text" and (pieces := self.lane(channel)) is not None:
            self._lanes[channel[1], channel[2]] = pieces
        return ChunkView((Delta(channel, event.delta, ("delta",), kind, json=self._is_json(label)),))

    def _is_json(self, label: str) -> bool:
        return label == "arguments" or (self._json and label == "text")

    def _rest(self, event: Any, name: str, step: str) -> ChunkView:
        if f"{name}.{step}" in _FINAL or name == "response":
            return self._answered(event, f"{name}.{step}")
        if step == "done" and name in _EVENTS:
            label, indices, _ = _EVENTS[name]
            channel = (label, *(field(event, index, 0) for index in indices))
            place = _DONE_FIELDS.get(label, label)
            return self._whole([(channel, field(event, place, ""), (place,))])
        if name == "response.output_item":
            self._items[event.output_index] = field(event, "item")
            return self._whole(
                _item_texts(field(event, "item"), event.output_index, ("item",)) if step == "done" else ()
            )
        if step == "done" and field(event, "part") is not None:
            label = _PART_CHANNELS.get(field(event.part, "type", ""), "")
            place = TEXT_TYPES.get(field(event.part, "type", ""), "")
            index = field(event, "content_index", field(event, "summary_index", 0))
            text = field(event.part, place, "") if place else ""
            return self._whole([((label, event.output_index, index), text, ("part", place))] if text else ())
        return ChunkView()

    def _answered(self, event: Any, event_type: str) -> ChunkView:
        self._answer = field(event, "response", self._answer)
        if event_type not in _FINAL:
            return ChunkView()
        return self._whole(
            found
            for i, item in enumerate(field(self._answer, "output", []))
            for found in _item_texts(item, i, ("response", "output", i))
        )

    def _whole(self, texts: Iterable[tuple[Channel, str, Path]]) -> ChunkView:
        """Full texts: their channels end with this event."""
        deltas = []
        closes = []
        for channel, text, where in texts:
            label = str(channel[0])
            kind: PartKind = self._kinds.setdefault(channel, _kind(label))
            deltas.append(Delta(channel, text, where, kind, json=self._is_json(label), whole=True))
            if channel not in self._closed:
                self._closed.add(channel)
                closes.append(channel)
        return ChunkView(tuple(deltas), tuple(closes))

    def filler(self, channel: Any, text: str) -> Any:
        return self._samples[channel].model_copy(update={"delta": text})

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        head(call, self._answer or {})
        final = dict(enumerate(field(self._answer, "output", []))) or self._items
        indices = sorted({int(channel[1]) for channel in self._kinds} | set(final))
        call.output = tuple(self._message(call, index, final.get(index), texts) for index in indices)

    def _message(self, call: ModelCall, index: int, item: Any, texts: Mapping[Any, str]) -> Message:
        status = str(field(item, "status", ""))
        part_id = str(field(item, "call_id", ""))
        parts = []
        for channel, kind in self._kinds.items():
            if channel[1] != index:
                continue
            label = channel[0]
            text = texts.get(channel, "")
            as_json = arguments(text) if label == "arguments" else label == "text" and structured(call, text)
            if kind == "tool_call":
                parts.append(Part(kind, text, json=as_json, name=str(field(item, "name", "")), id=part_id))
            else:
                parts.append(Part(kind, text, json=as_json))
        return Message("assistant", tuple(parts), status)


def _kind(label: str) -> PartKind:
    return next(kind for name, _, kind in _EVENTS.values() if name == label)


def _item_texts(item: Any, index: int, where: Path) -> Iterator[tuple[Channel, str, Path]]:
    """The texts of a finished item, by the channel that they grew in."""
    name = CALLS.get(field(item, "type", ""))
    if name and (text := field(item, name)):
        yield (name, index), text, (*where, name)
    for list_name in ("content", "summary"):
        for i, entry in enumerate(field(item, list_name, [])):
            entry_type = field(entry, "type", "")
            place = TEXT_TYPES.get(entry_type, "")
            if place and (text := field(entry, place)):
                yield (_PART_CHANNELS.get(entry_type, place), index, i), text, (*where, list_name, i, place)
