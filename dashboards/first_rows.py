"""Where the first rows of a list are: found by narrow columns, so that wide ones are read for few rows only."""

from typing import Any

from . import guard_kind
from .ask import Ask
from .conditions import BY_BLOCKS, Condition
from .sample import blocks
from .sorting import SORTS, Order
from .view import View

PARTS = (256, 16, 1)
"""Of a range, newest first: how much of it is looked at for the first rows."""
_ONE_IN = 24
"""Of so many five minutes of a range one is looked at first: what these reach leaves out most of the others."""
_MORE = 8
"""Beyond twice its share of the first calls, so that the part seldom says too little."""
_FIVE_MINUTES_US = 300_000_000
_HERE = f"""toStartOfFiveMinutes(ts) IN (SELECT toDateTime(arrayJoin({{near_s:Array(Int64)}}), 'UTC'))
AND ts IN (SELECT fromUnixTimestamp64Micro(arrayJoin({{near_us:Array(Int64)}})))
AND {guard_kind.KEY} IN (SELECT arrayJoin({{near_keys:Array(UInt64)}}))"""
"""By the primary key, which begins with five minutes; then by the call itself."""

Rows = tuple[tuple[Any, ...], ...]


def find(ask: Ask, view: View, by: Order, where: Condition, count: int) -> Condition:
    """A condition that holds of the first `count` calls under `where`, and of no other."""
    rows = _by_time(ask, view, by, where, count) if by.sort == "time" else _by_value(ask, view, by, where, count)
    return at(rows)


def at(rows: Rows) -> Condition:
    """A condition that holds of these calls alone, given by time (µs) and key."""
    moments = [moment for moment, _ in rows]
    near = {
        "near_s": sorted({moment // _FIVE_MINUTES_US * 300 for moment in moments}),
        "near_us": sorted(set(moments)),
        "near_keys": [key for _, key in rows],
    }
    return Condition(_HERE, near)


def _by_time(ask: Ask, view: View, by: Order, where: Condition, count: int) -> Rows:
    """The nearest part of the range is looked at first, and of guard events those near that part."""
    begin = where.parameters.get("at_us", 1000 * (view.end if by.down else view.start)) // 1000
    rows: Rows = ()
    for part in PARTS:
        length = (view.end - view.start) // part
        if by.down:
            within = {"start": max(begin - length, view.start), "end": min(begin + 1, view.end)}
        else:
            within = {"start": max(begin, view.start), "end": min(begin + length + 1, view.end)}
        part_of_it = Condition(f"{where.sql} AND {BY_BLOCKS}", where.parameters | within)
        rows = _rows(ask, by, part_of_it, count)
        if len(rows) >= count:
            break
    return rows


def _by_value(ask: Ask, view: View, by: Order, where: Condition, count: int) -> Rows:
    """First how far the value reaches in a part of the range, else in all of it; then the calls beyond: the index
    tells where these are.
    """
    part = blocks(view, _ONE_IN)
    values = _values(ask, by, part.narrowed(where), count)
    # a value that few of the part reach is enough where the part is like the rest; one that `count` reach, always
    few = min(round(2 * count / part.share) + _MORE, count)
    for reached in sorted({few, count}):
        if len(values) >= reached:
            rows = _rows(ask, by, _beyond(by, where, values[reached - 1]), count)
            if len(rows) >= count:
                return rows
    values = _values(ask, by, where, count)
    return _rows(ask, by, where if len(values) < count else _beyond(by, where, values[-1]), count)


def _beyond(by: Order, where: Condition, value: Any) -> Condition:
    told = SORTS[by.sort]
    near = f"{told.column} {'>=' if by.down else '<='} {{reach:{told.column_kind}}}"
    return Condition(f"{where.sql} AND {near}", where.parameters | {"reach": value})


def _values(ask: Ask, by: Order, where: Condition, count: int) -> list[Any]:
    """Of the first `count`, in their order; of all, if there are fewer."""
    column = SORTS[by.sort].column
    sql = f"SELECT {column} FROM llm_calls WHERE {where.sql} ORDER BY 1 {'DESC' if by.down else 'ASC'} LIMIT {count}"
    return [value for (value,) in ask(sql, where.parameters).rows]


def _rows(ask: Ask, by: Order, where: Condition, count: int) -> Rows:
    """Time (µs) and key of the first, with all that are equal to the last of them."""
    direction = "DESC" if by.down else "ASC"
    first = "" if by.sort == "time" else f"{SORTS[by.sort].value} {direction}, "
    sql = f"""SELECT toUnixTimestamp64Micro(ts), {guard_kind.KEY} FROM llm_calls WHERE {where.sql}
ORDER BY {first}ts {direction} LIMIT {count} WITH TIES"""
    return ask(sql, where.parameters).rows
