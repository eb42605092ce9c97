"""What is known of a group whatever a page shows: its words, and when it was first and last seen."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..ask import Ask
from .source import DAY_MS


@dataclass(frozen=True, slots=True)
class Known:
    """`first` and `last` in milliseconds, to the second."""

    kind: str
    text: str
    first: int
    last: int


def groups(ask: Ask, names: Iterable[str]) -> dict[str, Known]:
    sql = """SELECT failure_group, any(g.failure), any(g.failure_text), toUnixTimestamp(min(g.first)),
       toUnixTimestamp(max(g.last))
FROM failure_groups AS g WHERE failure_group IN {names:Array(String)} GROUP BY failure_group"""
    rows = ask(sql, {"names": list(names)}).rows
    return {group: Known(kind, text, first * 1000, last * 1000) for group, kind, text, first, last in rows}


def known_from(ask: Ask) -> int:
    """The oldest hour of any call that is stored, in milliseconds; 0 of an empty store."""
    return int(ask("SELECT toUnixTimestamp(min(t)) FROM failures_1h").rows[0][0]) * 1000


def is_new(known: Known | None, since: int, oldest: int) -> bool:
    """First seen since then, and a day after the store began: in its first day everything is new."""
    return known is not None and known.first >= max(since, oldest + DAY_MS)
