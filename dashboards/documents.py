"""Small things that people keep: saved views and queries, alert rules, budgets, labels of a page's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Document:
    """`body` is JSON. `version` counts from 1; `changed` is in milliseconds since 1970, `actor` who changed it last."""

    kind: str
    id: str
    body: Mapping[str, Any]
    version: int
    changed: int
    actor: str


class Documents(Protocol):
    """Kept on disk when a method returns. Thread-safe."""

    def all(self, kind: str) -> list[Document]:
        """By id."""
        ...

    def get(self, kind: str, id_: str) -> Document | None: ...

    def put(
        self, kind: str, id_: str, body: Mapping[str, Any], *, actor: str = "", version: int | None = None
    ) -> Document:
        """A new version; with `version`, only over that one (0: only if there is none). Raises `Changed`, `TooMany`."""
        ...

    def remove(self, kind: str, id_: str) -> bool:
        """Whether there was one."""
        ...


class Changed(Exception):  # noqa: N818  a state of the world
    """Somebody else changed the document since; read it again."""


class TooMany(Exception):  # noqa: N818  a state of the world
    """There is no room for another document of this kind, or the body is too large; the text says the bound."""
