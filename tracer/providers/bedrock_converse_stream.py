"""The events of a streamed Converse: objects with one member, whose name is the event's."""

from collections.abc import Mapping
from typing import Any

from ...guards.messages import Message, Part, PartKind, Path
from ..adapter import ChunkView, Delta, Lane, no_lane
from ..call import ModelCall
from .bedrock_converse import citations, routed, usage
from .bedrock_json import Json
from .fields import dumps
from .openai_chat import structured

Channel = tuple[Any, ...]
EVENTS = {"messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"}
_DELTA: Path = ("contentBlockDelta", "delta")
_NOTHING = ChunkView()


class Reader:
    """Follows events. A channel is (kind, block index), with a number of its own for what comes whole."""

    def __init__(self, call: ModelCall) -> None:
        self.lane: Lane = no_lane
        self._json = str(call.params.get("response_format", "")).startswith("json")
        self._usage: Json = {}
        self._model = ""
        self._reason = ""
        self._began: dict[int, Json] = {}
        self._lanes: dict[int, list[str]] = {}
        """Block index -> where its texts go, while it is open."""
        self._open: dict[int, list[Channel]] = {}
        self._kinds: dict[Channel, tuple[PartKind, str]] = {}

    def adds(self, event: Any) -> bool:
        """The event that nearly every stream is made of, without a function call to spare."""
        said = event["contentBlockDelta"]
        pieces = self._lanes[said["contentBlockIndex"]]
        pieces += (said["delta"]["text"],)
        return True

    def read(self, event: Any) -> ChunkView:
        said = event.get("contentBlockDelta")
        if said is not None:
            return self._delta(said["delta"], said.get("contentBlockIndex", 0))
        for name, value in event.items():
            match name:
                case "contentBlockStart":
                    self._began[value.get("contentBlockIndex", 0)] = value.get("start") or {}
                case "contentBlockStop":
                    self._lanes.pop(value.get("contentBlockIndex", 0), None)
                    return ChunkView(closes=tuple(self._open.pop(value.get("contentBlockIndex", 0), ())))
                case "messageStop":
                    self._reason = value.get("stopReason") or self._reason
                    return self._whole(value, ("messageStop",), ("additionalModelResponseFields",))
                case "metadata":
                    self._usage = value.get("usage") or {}
                    self._model = routed(value)
                    return self._whole(value, ("metadata",), ("trace", "guardrail"))
        return _NOTHING

    def _delta(self, delta: Json, index: int) -> ChunkView:
        text = delta.get("text")
        if text is not None:
            if (pieces := self.lane(("text", index))) is not None:
                self._lanes[index] = pieces
            return ChunkView((self._grown(("text", index), text, (*_DELTA, "text"), json=self._json),))
        if (tool := delta.get("toolUse")) is not None:
            where: Path = (*_DELTA, "toolUse", "input")
            return ChunkView((self._grown(("tool_call", index), tool.get("input") or "", where, json=True),))
        if (thought := delta.get("reasoningContent")) is not None:
            if "text" not in thought:
                return _NOTHING
            where = (*_DELTA, "reasoningContent", "text")
            return ChunkView((self._grown(("reasoning", index), thought["text"], where),))
        return self._rest(delta, index)

    def _grown(self, channel: Channel, text: str, where: Path, *, json: bool = False) -> Delta:
        kind: PartKind = channel[0]
        if channel not in self._kinds:
            self._kinds[channel] = (kind, "")
        pending = self._open.setdefault(channel[1], [])
        if channel not in pending:
            pending.append(channel)
        return Delta(channel, text, where, kind, json)

    def _rest(self, delta: Json, index: int) -> ChunkView:
        """Citations, results of tools that run at the provider, and what nobody knows yet: each comes whole."""
        if "citation" in delta:
            parts = list(citations(delta["citation"], (*_DELTA, "citation")))
        else:
            kind: PartKind = "tool_result" if "toolResult" in delta else "text"
            parts = [
                Part(kind, dumps(value), json=True, where=(*_DELTA, name))
                for name, value in delta.items()
                if name != "image"
            ]
        return self._at_once(parts, index)

    def _whole(self, value: Json, where: Path, below: Path) -> ChunkView:
        found: Any = value
        for step in below:
            found = (found or {}).get(step)
        if not found:
            return _NOTHING
        return self._at_once([Part("text", dumps(found), json=True, name=str(below[-1]), where=(*where, *below))], -1)

    def _at_once(self, parts: list[Part], index: int) -> ChunkView:
        deltas = []
        for part in parts:
            channel = (part.kind, index, len(self._kinds))
            self._kinds[channel] = (part.kind, part.name)
            deltas.append(Delta(channel, part.text, part.where, part.kind, part.json))
        return ChunkView(tuple(deltas), tuple(delta.channel for delta in deltas))

    def filler(self, channel: Any, text: str) -> Any:
        kind, index, *_ = channel
        delta: Json = {"text": text}
        if kind == "tool_call":
            delta = {"toolUse": {"input": text}}
        elif kind == "reasoning":
            delta = {"reasoningContent": {"text": text}}
        return {"contentBlockDelta": {"delta": delta, "contentBlockIndex": index}}

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        call.usage = usage(self._usage)
        call.response_model = self._model
        call.finish_reasons = (self._reason,) if self._reason else ()
        said = [self._part(call, channel, texts) for channel in self._kinds if channel[1] >= 0]
        told = [self._part(call, channel, texts) for channel in self._kinds if channel[1] < 0]
        call.output = (Message("assistant", tuple(said), self._reason),) if said or self._reason else ()
        if told:
            call.output += (Message("system", tuple(told)),)

    def _part(self, call: ModelCall, channel: Channel, texts: Mapping[Any, str]) -> Part:
        kind, name = self._kinds[channel]
        text = texts.get(channel, "")
        began = self._began.get(channel[1], {})
        if kind == "tool_call":
            tool = began.get("toolUse") or {}
            return Part(kind, text or "{}", json=True, name=tool.get("name", ""), id=tool.get("toolUseId", ""))
        if kind == "tool_result":
            return Part(kind, text, json=True, id=(began.get("toolResult") or {}).get("toolUseId", ""))
        whole = channel[1] < 0 or (len(channel) > 2 and name != "citation")
        return Part(kind, text, json=whole or structured(call, text), name=name)
