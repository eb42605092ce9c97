"""How much of what is said is recorded: beyond a bound texts are cut, in the record only, and it says so.

The provider and the application get everything, and the guards judge everything. A page that shows a call loads all
of its content, a frame of the spool is one write, and a body of the sidecar has a bound of its own: a prompt of many
megabytes would be lost as a whole where its beginning tells enough.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..guards.messages import Message, Part
from . import operation_record, record, semconv
from .call import ModelCall, Usage
from .operation import Operation
from .record import Attributes
from .settings import CONTENT_BYTES

PART = CONTENT_BYTES
"""Bytes of one part: some 60,000 tokens, more than nearly all prompts."""
PARTS = 4
"""A call may have so many times what a part may: 1 MiB, far below the 32 MiB that the sidecar takes in one body."""
NAME = 4096
"""Bytes of everything else that a part says (its name, what it refers to), and of a provider's own usage."""
AROUND = 64
"""Bytes that a part takes besides its text."""
MOST_BYTES = 4
"""A character in UTF-8 is no longer."""
MARK = "…[spanward: {} cut]"
ROOM = 64
"""Bytes that a mark may take on top of the bound."""


@dataclass(frozen=True, slots=True)
class Bound:
    """`part` and `whole` are bytes of text in UTF-8: of one part, and of all that one call or operation says."""

    part: int = PART
    whole: int = PARTS * PART

    def closing(self, call: ModelCall) -> Attributes:
        """As `record.closing`; of too long a content what is within the bound."""
        attributes = record.closing(call)
        if self._fits(attributes):
            return attributes
        cutter = Cutter(self)
        usage = cutter.usage(call.usage)
        output = cutter.messages(call.output)
        system = cutter.messages([message for message in call.messages if message.role == "system"])
        told = cutter.newest([message for message in call.messages if message.role != "system"])
        tools = cutter.messages(call.tools)
        if not cutter.cuts:
            return attributes
        cut = call.cut + cutter.left_out
        return record.closing(
            replace(call, usage=usage, output=output, messages=(*system, *told), tools=tools, cut=cut)
        )

    def operation_closing(self, operation: Operation) -> Attributes:
        """As `operation_record.closing`, likewise."""
        attributes = operation_record.closing(operation)
        if self._fits(attributes):
            return attributes
        cutter = Cutter(self)
        given, found = cutter.messages(operation.given), cutter.messages(operation.found)
        if not cutter.cuts:
            return attributes
        short = operation_record.closing(replace(operation, given=given, found=found))
        return {**short, semconv.CONTENT_CUT: cutter.left_out}

    def told(self, told: ModelCall | Operation) -> Attributes:
        """Either of them."""
        return self.closing(told) if isinstance(told, ModelCall) else self.operation_closing(told)

    def _fits(self, attributes: Attributes) -> bool:
        """Whether no part can be too long, since all of them together are not."""
        characters = 0
        for name in _LONG:
            if name in attributes:
                characters += len(str(attributes[name]))
        if MOST_BYTES * characters <= self.part:
            return True
        return sum([bytes_of(str(attributes[name])) for name in _LONG if name in attributes]) <= self.part


_LONG = (*semconv.CONTENT, semconv.USAGE_RAW)


class Cutter:
    """Shortens the texts of one call, one after the other, while there is room. `left_out` counts characters."""

    def __init__(self, bound: Bound) -> None:
        self._part = bound.part
        self._room = bound.whole
        self.left_out = 0
        self.cuts = 0

    def messages(self, messages: Iterable[Message]) -> tuple[Message, ...]:
        """Messages with what there is room for; those behind are one mark."""
        kept: list[Message] = []
        dropped: list[Message] = []
        for message in messages:
            if self._room > 0:
                kept.append(replace(message, parts=self._parts(message.parts)))
            else:
                dropped.append(message)
        if dropped:
            lost = self._lost([part for message in dropped for part in message.parts])
            kept.append(Message(dropped[0].role, (Part("text", MARK.format(f"{len(dropped)} messages, {lost}")),)))
        return tuple(kept)

    def newest(self, messages: list[Message]) -> tuple[Message, ...]:
        """The same from the end of a conversation: what was said last tells more than how it began."""
        return self.messages(reversed(messages))[::-1]

    def usage(self, usage: Usage) -> Usage:
        """A provider's own usage is a few numbers; what is more is none."""
        size = len(record.to_json(usage.raw)) if usage.raw else 0
        if size <= NAME:
            return usage
        self.cuts += 1
        return replace(usage, raw={"spanward.cut": size})

    def _parts(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        kept: list[Part] = []
        for at, part in enumerate(parts):
            if self._room <= 0:
                lost = self._lost(parts[at:])
                kept.append(Part(part.kind, MARK.format(f"{len(parts) - at} parts, {lost}")))
                break
            kept.append(self._shortened(part))
        return tuple(kept)

    def _shortened(self, part: Part) -> Part:
        most = min(self._part, self._room)
        size = bytes_of(part.text)
        if len(part.name) + len(part.id) + len(part.mime) + len(part.uri) > NAME:
            self.cuts += 1
            short = {name: getattr(part, name)[: NAME // 4] for name in ("name", "id", "mime", "uri")}
            part = replace(part, **short)
        self._room -= AROUND + min(size, most)
        if size <= most + ROOM:
            return part
        head = first(part.text, most)
        return replace(part, text=head + self._mark(len(part.text) - len(head)), json=False)

    def _mark(self, characters: int) -> str:
        self.cuts += 1
        self.left_out += characters
        return mark(characters)

    def _lost(self, parts: Iterable[Part]) -> str:
        lost = sum(len(part.text) for part in parts)
        self.cuts += 1
        self.left_out += lost
        return f"{lost} characters"


def bytes_of(text: str) -> int:
    """In UTF-8; of text that is all ASCII without a look at it."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def first(text: str, most: int) -> str:
    """As much of the beginning as is at most so many bytes; no character, and no pair of surrogates, is split."""
    if text.isascii():
        return text[:most]
    encoded = text[: most + 1].encode("utf-8", "surrogatepass")
    if len(encoded) > most:
        end = most
        while end and encoded[end] & 0xC0 == 0x80:
            end -= 1
        encoded = encoded[:end]
    head = encoded.decode("utf-8", "surrogatepass")
    return head[:-1] if "\ud800" <= head[-1:] <= "\udbff" and len(head) < len(text) else head


def mark(characters: int) -> str:
    return MARK.format(f"{characters} characters")


def bound(part: int) -> Bound:
    """The bound of a call whose parts may have so many bytes."""
    return Bound(part, PARTS * part)
