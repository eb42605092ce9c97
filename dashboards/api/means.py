"""What the collector hands to the dashboards, and nothing else: they never see who stands behind it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.requests import Request

from ..ask import Ask, Raw
from ..documents import Documents
from ..tails import Tails

Authorize = Callable[[str, Request], str]
"""Action and request; gives the actor ('' where nobody is told apart). Raises `Forbidden`."""


class Insert(Protocol):
    """Puts rows into one of the store's own tables, column -> value. Blocks until they are there."""

    def __call__(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Raises `QueryFailed`."""
        ...


class Record(Protocol):
    """Writes one entry of the audit log: who did what to what. What it refuses to write must not be done."""

    def __call__(self, actor: str, action: str, subject: str, detail: Mapping[str, str]) -> None:
        """Raises `NotRecorded`."""
        ...


class NotRecorded(Exception):  # noqa: N818  a state of the world
    """The audit log cannot be written; the text says why."""


@dataclass(frozen=True, slots=True)
class Means:
    """`sidecar` gives what /healthz says, `clock` seconds since 1970.

    `stop` ends what the store does for an asker (`asker.Asker.name`), and returns at once. Raises `QueryFailed`.
    """

    ask: Ask
    raw: Raw
    insert: Insert
    documents: Documents
    authorize: Authorize
    record: Record
    sidecar: Callable[[], dict[str, Any]]
    clock: Callable[[], float]
    tails: Tails = field(default_factory=Tails)
    stop: Callable[[str], None] = lambda _: None
