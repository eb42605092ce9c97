"""A part of very many calls, so that a count of them stays quick: told apart from the whole wherever it is shown."""

from dataclasses import dataclass, field, replace
from typing import Any

from . import conditions, guard_kind
from .ask import Ask
from .conditions import Condition
from .view import View

MOST_CALLS = 500_000
"""In the range; of more, every so-manieth five minutes are looked at: the primary key begins with them."""
MOST_EVENTS = 50_000
"""Near the range; of more, those of every so-manieth call by its key, in a part of the range."""
_MOST_KEYS = 4
_FIVE_MINUTES_S = 300


@dataclass(frozen=True, slots=True)
class Sample:
    """`share`: of one in so many. `near` is a condition on both calls and guard events, `sql` on calls alone."""

    share: float = 1
    sql: str = ""
    near: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_calls(cls, ask: Ask, view: View) -> "Sample":
        whole = replace(view, chosen={}, refused={}, bounds={}, text="", found=None)
        source = conditions.counted(whole, "service")
        calls = int(ask(f"SELECT sum(calls) FROM ({source.sql})", source.parameters).rows[0][0])
        return _blocks(view, -(-calls // MOST_CALLS))

    def of_events(self, ask: Ask, view: View) -> "Sample":
        """For what compares these calls with their events: of very many events, only those of some calls."""
        near = "t >= toDateTime({start:Int64}) AND t < toDateTime({end:Int64})"
        range_ = {"start": view.start // 1000 - 3600, "end": view.end // 1000 + 86400}
        every = -(-int(ask(f"SELECT sum(events) FROM guard_1h WHERE {near}", range_).rows[0][0]) // MOST_EVENTS)
        if every <= 1:
            return self
        calls = _blocks(view, every) if self is WHOLE else self
        keys = min(every, _MOST_KEYS)
        return replace(calls, share=calls.share * keys, near=f" AND {guard_kind.KEY} % {keys} = 0")

    def narrowed(self, where: Condition) -> Condition:
        """On `llm_calls`."""
        return Condition(where.sql + self.sql + self.near, where.parameters | self.parameters)

    def all_of(self, counted: int) -> float:
        return counted * self.share


WHOLE = Sample()


def _blocks(view: View, every: int) -> Sample:
    blocks = range(view.start // 1000 // _FIVE_MINUTES_S, view.end // 1000 // _FIVE_MINUTES_S + 1)
    chosen = [block * _FIVE_MINUTES_S for block in blocks if _scattered(block) % max(every, 1) == 0]
    if every <= 1 or not chosen:
        return WHOLE
    sql = " AND toStartOfFiveMinutes(ts) IN (SELECT toDateTime(arrayJoin({sampled_s:Array(Int64)}), 'UTC'))"
    return Sample(len(blocks) / len(chosen), sql, "", {"sampled_s": chosen})


def _scattered(number: int) -> int:
    """So that a part is of all hours and days alike."""
    return (number * 2654435761 % 2**32) >> 8
