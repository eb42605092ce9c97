"""A part of very many calls, so that a count of them stays quick: told apart from the whole wherever it is shown."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import conditions, guard_kind
from .ask import Ask
from .conditions import Condition
from .guard_columns import GUARD_COLUMNS
from .view import View

MOST_CALLS = 200_000
"""In the range; of more, every so-manieth five minutes are looked at: the primary key begins with them."""
MOST_EVENTS = 40_000
"""Near the range; of more, those of every so-manieth call by its key, in a part of the range."""
_MOST_KEYS = 4
_MOST_PICKED = 5_000
_TRIED_KEYS = 16
"""How many events there are is told by those of so many calls one."""
FIVE_MINUTES_S = 300


@dataclass(frozen=True, slots=True)
class Sample:
    """`share`: of one in so many. `blocks` are five minutes of calls, in seconds; none means all.
    `keys`: of so many calls one by its key, which their events have too. `picked`: the keys of all that can matter.
    """

    share: float = 1
    blocks: tuple[int, ...] = ()
    keys: int = 1
    picked: tuple[int, ...] | None = None

    @classmethod
    def of_calls(cls, ask: Ask, view: View) -> "Sample":
        whole = replace(view, chosen={}, refused={}, bounds={}, text="", found=None)
        source = conditions.counted(whole, "service")
        calls = int(ask(f"SELECT sum(calls) FROM ({source.sql})", source.parameters).rows[0][0])
        return blocks(view, -(-calls // MOST_CALLS))

    @classmethod
    def of_few(cls, ask: Ask, view: View) -> "Sample | None":
        """All calls of the view, which an index finds; None if they are many."""
        where = conditions.calls(view)
        sql = f"""SELECT toUnixTimestamp(toStartOfFiveMinutes(ts)), {guard_kind.KEY} FROM llm_calls WHERE {where.sql}
LIMIT {_MOST_PICKED + 1}"""
        rows = ask(sql, where.parameters).rows
        if len(rows) > _MOST_PICKED:
            return None
        return Sample(blocks=tuple(sorted({block for block, _ in rows})), picked=tuple(key for _, key in rows))

    def of_events(self, ask: Ask, view: View) -> "Sample":
        """For what compares these calls with their events: of very many events, only those of some calls."""
        near = "t >= toDateTime({start:Int64}) AND t < toDateTime({end:Int64})"
        range_ = {"start": view.start // 1000 - 3600, "end": view.end // 1000 + 86400}
        if self.picked is not None:
            return self
        every = -(-int(ask(f"SELECT sum(events) FROM guard_1h WHERE {near}", range_).rows[0][0]) // MOST_EVENTS)
        if every <= 1:
            return self
        calls = blocks(view, every) if self is WHOLE else self
        keys = min(every, _MOST_KEYS)
        return replace(calls, share=calls.share * keys, keys=keys)

    @property
    def near(self) -> str:
        """SQL on calls and guard events alike; empty for all."""
        if self.picked is not None:
            return f" AND {guard_kind.KEY} IN (SELECT arrayJoin({{picked:Array(UInt64)}}))"
        return f" AND {guard_kind.KEY} % {self.keys} = 0" if self.keys > 1 else ""

    def within(self, time: str = "ts") -> str:
        """SQL on calls, and on what knows the `time` of its call; empty for all."""
        chosen = "SELECT toDateTime(arrayJoin({sampled_s:Array(Int64)}), 'UTC')"
        return (f" AND toStartOfFiveMinutes({time}) IN ({chosen})" if self.blocks else "") + self.near

    @property
    def parameters(self) -> dict[str, Any]:
        picked = {} if self.picked is None else {"picked": list(self.picked)}
        return picked | ({"sampled_s": list(self.blocks)} if self.blocks else {})

    def narrowed(self, where: Condition) -> Condition:
        """On `llm_calls`."""
        return Condition(where.sql + self.within(), where.parameters | self.parameters)

    def all_of(self, counted: int) -> float:
        return counted * self.share


WHOLE = Sample()


def of_events(ask: Ask, view: View) -> Sample:
    """For what is asked of events alone, calls together: of very many those of every so-manieth call by its key."""
    chosen = {name: values for name, values in view.chosen.items() if name != "guard"}
    if {*chosen, *view.refused} <= conditions.GUARD_ROLLED | {*GUARD_COLUMNS}:
        terms = [f"{GUARD_COLUMNS.get(name, name)} IN {{is_{name}:Array(String)}}" for name in chosen]
        terms += [f"NOT {name} IN {{not_{name}:Array(String)}}" for name in view.refused]
        hours = "t >= toDateTime({start:Int64} - 3600) AND t < toDateTime({end:Int64} + 86400)"
        sql = f"SELECT sum(events) FROM guard_1h WHERE {' AND '.join([hours, *terms])}"
        parameters: dict[str, Any] = {"start": view.start // 1000, "end": view.end // 1000}
        parameters |= {f"is_{name}": list(values) for name, values in chosen.items()}
        parameters |= {f"not_{name}": list(values) for name, values in view.refused.items()}
    else:
        asked = conditions.of_any_time(replace(view, chosen=chosen))
        some = f"{guard_kind.KEY} % {_TRIED_KEYS} = 0"
        also = f" AND (of_call = 0 OR {asked.sql})" if asked.sql else ""
        sql = f"""SELECT {_TRIED_KEYS} * count() FROM guard_events
PREWHERE {some} WHERE of_call < 2 AND {guard_kind.NEAR}{also}"""
        parameters = asked.parameters
    keys = -(-int(ask(sql, parameters).rows[0][0]) // MOST_EVENTS)
    return Sample(keys, keys=keys) if keys > 1 else WHOLE


def blocks(view: View, every: int, length: int = 1) -> Sample:
    """Of so many stretches of `length` five minutes one; the whole where that leaves none."""
    all_ = np.arange(view.start // 1000 // FIVE_MINUTES_S, view.end // 1000 // FIVE_MINUTES_S + 1)
    chosen = all_[_scattered(all_ // length) % max(every, 1) == 0]
    if every <= 1 or not len(chosen):
        return WHOLE
    return Sample(len(all_) / len(chosen), tuple((chosen * FIVE_MINUTES_S).tolist()))


def _scattered(number: NDArray[np.int64]) -> NDArray[np.int64]:
    """So that a part is of all hours and days alike."""
    return (number * 2654435761 % 2**32) >> 8
