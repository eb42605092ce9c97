"""What a model call says, in the shape that guards judge: messages made of parts, never one joined string."""

from collections.abc import Iterator
from typing import Literal

from .quick import dataclass

PartKind = Literal["text", "reasoning", "tool_call", "tool_result", "tool_definition", "document", "media"]
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a message.

    `text` is what is judged and replaced. With `json` set it is JSON text (tool arguments, structured content), and
    an edit must leave it valid JSON. `uri` refers to media (a URL, or a digest of inline bytes): the bytes themselves
    are never carried. `where` is the path in the provider's request or response that the text was read from, for the
    adapter that put it there; guards carry it along and never read it.
    """

    kind: PartKind
    text: str = ""
    json: bool = False
    name: str = ""
    id: str = ""
    mime: str = ""
    uri: str = ""
    where: Path = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A turn: `role` is system, user, assistant or tool; `finish_reason` is set on output only."""

    role: str
    parts: tuple[Part, ...]
    finish_reason: str = ""


def parts_of(messages: tuple[Message, ...]) -> Iterator[tuple[int, int, Part]]:
    """Every part with the index of its message and its own index there."""
    for m, message in enumerate(messages):
        for p, part in enumerate(message.parts):
            yield m, p, part
