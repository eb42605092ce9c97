"""The events of a streamed Mistral completion."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ...guards.messages import Message, Part, PartKind, Path
from ..adapter import ChunkView, Delta
from ..call import ModelCall
from .fields import arguments, dumps, field
from .mistral_chat import content, structured, usage


class Channel(NamedTuple):
    """`message` counts the messages of one choice, `number` its tool calls, or pieces that come whole."""

    choice: int
    message: int
    name: str
    number: int = 0


class Reader:
    """Follows events."""

    def __init__(self, call: ModelCall) -> None:
        self._json = str(call.params.get("response_format", "")).startswith("json")
        self._event: Any = None
        self._usage: Any = None
        self._finish: dict[int, str] = {}
        self._open: dict[Channel, None] = {}
        self._seen: dict[Channel, tuple[PartKind, str, str]] = {}

    def read(self, event: Any) -> ChunkView:
        chunk = event.data
        if chunk.choices:
            self._event = event
        self._usage = field(chunk, "usage") or self._usage
        deltas: list[Delta] = []
        closes: list[Channel] = []
        for i, choice in enumerate(chunk.choices):
            found = list(self._deltas(choice, ("data", "choices", i, "delta")))
            deltas += found
            here: set[Any] = {delta.channel for delta in found}
            self._open.update(dict.fromkeys(here))
            ended: list[Any] = [delta.channel for delta in found if _is_whole(delta)]
            if reason := field(choice, "finish_reason"):
                self._finish[choice.index] = str(reason)
                here, ended = set(), []
            if here or reason:  # whatever else was open is over
                ended += [c for c in self._open if c.choice == choice.index and c not in here]
            closes += ended
        for channel in closes:
            self._open.pop(channel, None)
        return ChunkView(tuple(deltas), tuple(closes))

    def _deltas(self, choice: Any, where: Path) -> Iterator[Delta]:
        index, delta = choice.index, choice.delta
        message = field(delta, "index") or 0
        said = field(delta, "content")
        if isinstance(said, str):
            if said:
                channel = self._known(Channel(index, message, "text"), "text")
                yield Delta(channel, said, (*where, "content"), json=self._json)
        elif said:
            for part in content(said, (*where, "content")):
                if part.text:
                    number = len(self._seen) + 1 if part.json else 0
                    channel = self._known(Channel(index, message, part.kind, number), part.kind)
                    yield Delta(channel, part.text, part.where, part.kind, json=part.json)
        for i, tool_call in enumerate(field(delta, "tool_calls") or []):
            yield self._call(tool_call, (index, message, i), (*where, "tool_calls", i, "function", "arguments"))

    def _call(self, tool_call: Any, place: tuple[int, int, int], where: Path) -> Delta:
        """Old servers send no index, and the library puts 0 in its place: then a new id is a new call."""
        index, message, number = place
        if "index" in tool_call.model_fields_set:
            number = tool_call.index
        part_id = "" if tool_call.id in {None, "null"} else str(tool_call.id)
        channel = Channel(index, message, "tool_call", number)
        while part_id and self._seen.get(channel, ("", part_id, ""))[1] != part_id:
            channel = channel._replace(number=channel.number + 1)
        self._known(channel, "tool_call", part_id, tool_call.function.name or "")
        asked = tool_call.function.arguments
        return Delta(channel, asked if isinstance(asked, str) else dumps(asked), where, "tool_call", json=True)

    def _known(self, channel: Channel, kind: PartKind, part_id: str = "", name: str = "") -> Channel:
        if channel not in self._seen:
            self._seen[channel] = (kind, part_id, name)
        return channel

    def filler(self, channel: Any, text: str) -> Any:
        event, delta = self._event, self._event.data.choices[0].delta
        said: dict[str, Any] = {"content": text}
        if channel.name == "reasoning":
            said = {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]}
        elif channel.name == "tool_call":
            _, part_id, _ = self._seen[channel]
            function = {"name": "", "arguments": text}
            said = {"tool_calls": [{"id": part_id, "index": channel.number, "function": function}]}
        choice = event.data.choices[0].model_copy(
            update={
                "index": channel.choice,
                "delta": type(delta).model_validate(said | ({"index": channel.message} if channel.message else {})),
                "finish_reason": None,
            }
        )
        return event.model_copy(update={"data": event.data.model_copy(update={"choices": [choice], "usage": None})})

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        if self._event is not None:
            call.response_id = self._event.data.id
            call.response_model = self._event.data.model
        call.usage = usage(self._usage)
        said = sorted({(c.choice, c.message) for c in self._seen} | {(index, 0) for index in self._finish})
        call.output = tuple(self._message(call, choice, message, texts) for choice, message in said)
        call.finish_reasons = tuple(self._finish[index] for index in sorted(self._finish))

    def _message(self, call: ModelCall, choice: int, message: int, texts: Mapping[Any, str]) -> Message:
        parts = []
        for channel, (kind, part_id, name) in self._seen.items():
            if (channel.choice, channel.message) == (choice, message):
                text = texts.get(channel, "")
                as_json = arguments(text) if kind == "tool_call" or channel.number else structured(call, text)
                parts.append(Part(kind, text, json=as_json, name=name, id=part_id))
        return Message("assistant", tuple(parts), self._finish.get(choice, ""))


def _is_whole(delta: Delta) -> bool:
    """Whether no more text of this channel will come: an object, or all of a tool call's arguments at once."""
    channel: Any = delta.channel
    alone = delta.kind == "tool_call" or channel.number > 0
    return delta.json and alone and delta.text[:1] == "{" and arguments(delta.text)
