"""The chunks of a streamed chat completion."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...guards.messages import Message, Part, PartKind, Path
from ..adapter import ChunkView, Delta, Lane, no_lane
from ..call import ModelCall
from .fields import arguments, field, members
from .openai_chat import TEXTS, structured, usage

Channel = Any
"""(choice index, field), (choice index, "tool", index of the tool call), or of what ran at the provider
(choice index, "executed" or "found", number)."""
_PLAIN = {"content", "role"}
"""What a delta says that holds text and nothing else."""


class Reader:
    """Follows chunks."""

    def __init__(self, call: ModelCall) -> None:
        self.lane: Lane = no_lane
        self._json = str(call.params.get("response_format", "")).startswith("json")
        self._chunk: Any = None
        self._usage: Any = None
        self._finish: dict[int, str] = {}
        self._open: dict[Channel, tuple[str, str]] = {}
        self._seen: dict[Channel, tuple[str, str]] = {}
        self._lanes: dict[int, list[str]] = {}
        """Choice index -> where its texts go, while its channel of text is open."""

    def adds(self, chunk: Any) -> bool:
        """The chunk that nearly every stream is made of, read from the objects' own dicts: each attribute of a pydantic
        model costs three times as much.
        """
        told = chunk.__dict__
        (choice,) = told["choices"]
        chosen = choice.__dict__
        delta = chosen["delta"]
        text = delta.__dict__["content"]
        if (
            not text
            or chosen["finish_reason"]
            or chosen["logprobs"]
            or told["usage"]
            or delta.__pydantic_extra__
            or not (delta.__pydantic_fields_set__ <= _PLAIN or _says_no_more(delta.__dict__))
        ):
            return False
        try:
            pieces = self._lanes[chosen["index"]]
        except KeyError:
            pieces = self._begun(chosen["index"])
        pieces += (text,)  # `append` would be one more function call a chunk
        return True

    def _begun(self, index: Any) -> list[str]:
        """The first text of a choice opens its channel, without a look at everything else a chunk may hold. Raises
        LookupError where it may not: the first chunk of the stream is kept, for its ids, some servers number no choice,
        and guards may have to look at it.
        """
        channel = index, "content"
        pieces = self.lane(channel) if self._chunk is not None and type(index) is int else None
        if pieces is None:
            raise LookupError(channel)
        self._seen.setdefault(channel, ("", ""))
        self._open.setdefault(channel, ("", ""))
        self._lanes[index] = pieces
        return pieces

    def read(self, chunk: Any) -> ChunkView:
        told = members(chunk)
        if self._chunk is None or told.get("id"):
            self._chunk = chunk
        usage = told.get("usage")
        if usage is not None:
            self._usage = usage
        deltas: list[Delta] = []
        closes: list[Channel] = []
        for i, choice in enumerate(told.get("choices") or ()):
            chosen = members(choice)
            index = chosen.get("index") or 0
            found = list(self._deltas(members(chosen.get("delta") or {}), index, ("choices", i, "delta")))
            if found:
                closes += self._closed_by(index, {delta.channel for delta in found})
                deltas += found
                for delta in found:
                    self._open.setdefault(delta.channel, ("", ""))
            if reason := chosen.get("finish_reason"):
                self._finish[index] = reason
                closes += [channel for channel in self._open if channel[0] == index]
        for channel in closes:
            self._open.pop(channel, None)
            if channel[1] == "content":
                self._lanes.pop(channel[0], None)
        return ChunkView(tuple(deltas), tuple(closes))

    def _deltas(self, delta: Mapping[str, Any], index: int, where: Path) -> Iterator[Delta]:
        for name, kind in TEXTS.items():
            text = delta.get(name)
            if text and isinstance(text, str):
                self._seen.setdefault((index, name), ("", ""))
                yield Delta((index, name), text, (*where, name), kind, json=self._json and name == "content")
        for j, tool_call in enumerate(delta.get("tool_calls") or ()):
            yield from self._tool_delta(tool_call, index, (*where, "tool_calls", j))
        if function := delta.get("function_call"):
            yield from self._function_delta(function, (index, "function"), (*where, "function_call"), "")

    def _tool_delta(self, tool_call: Any, index: int, where: Path) -> Iterator[Delta]:
        channel = (index, "tool", field(tool_call, "index", 0))
        part_id = field(tool_call, "id", "")
        if function := field(tool_call, "function"):
            yield from self._function_delta(function, channel, (*where, "function"), part_id)
        elif custom := field(tool_call, "custom"):
            self._name(channel, part_id, field(custom, "name", ""))
            yield Delta(channel, field(custom, "input", ""), (*where, "custom", "input"), "tool_call")

    def _function_delta(self, function: Any, channel: Channel, where: Path, part_id: str) -> Iterator[Delta]:
        self._name(channel, part_id, field(function, "name", ""))
        yield Delta(channel, field(function, "arguments", ""), (*where, "arguments"), "tool_call", json=True)

    def _name(self, channel: Channel, part_id: str, name: str) -> None:
        known = self._seen.get(channel, ("", ""))
        self._seen[channel] = (known[0] or part_id, known[1] or name)

    def _closed_by(self, index: int, channels: set[Channel]) -> list[Channel]:
        """A tool call ends the text before it and the tool call before it: the SDK's helper parses them right then."""
        if not any(channel[1] in {"tool", "function"} for channel in channels):
            return []
        return [c for c in self._open if c[0] == index and c not in channels]

    def filler(self, channel: Any, text: str) -> Any:
        index, name, *rest = channel
        delta: dict[str, Any] = {name: text}
        if name == "tool":
            delta = {"tool_calls": [{"index": rest[0], "function": {"arguments": text}}]}
        elif name == "function":
            delta = {"function_call": {"arguments": text}}
        head = {key: field(self._chunk, key) for key in ("id", "created", "model", "system_fingerprint")}
        return type(self._chunk).construct(
            **head,
            object="chat.completion.chunk",
            choices=[{"index": index, "delta": delta, "finish_reason": None, "logprobs": None}],
        )

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        if self._chunk is not None:
            call.response_id = field(self._chunk, "id", "")
            call.response_model = field(self._chunk, "model", "")
        call.usage = usage(self._usage)
        indices = sorted({channel[0] for channel in self._seen} | set(self._finish))
        call.output = tuple(self._message(call, index, texts) for index in indices)
        call.finish_reasons = tuple(self._finish[index] for index in indices if index in self._finish)

    def _message(self, call: ModelCall, index: int, texts: Mapping[Any, str]) -> Message:
        parts = []
        for channel, (part_id, name) in self._seen.items():
            if channel[0] != index:
                continue
            field_ = channel[1]
            text = texts.get(channel, "")
            kind: PartKind = "tool_result" if field_ == "found" else TEXTS.get(field_, "tool_call")
            as_json = arguments(text) if kind == "tool_call" else field_ == "content" and structured(call, text)
            parts.append(Part(kind, text, json=as_json, name=name, id=part_id))
        return Message("assistant", tuple(parts), self._finish.get(index, ""))


def _says_no_more(delta: dict[str, Any]) -> bool:
    """Than its text: some servers name what they do not say."""
    return not (delta["tool_calls"] or delta["function_call"] or delta["refusal"])
