"""What calls used and cost, as rows to sum up: from a rollup for whole hours or days, from the calls for the rest."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from .. import conditions
from ..conditions import Condition
from ..view import COLUMNS, View

DIMENSIONS = ("model", "service", "user", "user_group", "prompt", "prompt_version", "tag", "provider", "env")
"""What cost can be split by, named as the filters are."""


_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True)
class _Rollups:
    """Tables that know the same, by their step in milliseconds, the longest first: each answers for what is left of a
    range in whole steps. `splits`: a call is in several rows, so they are only asked for those, without a condition on
    them.
    """

    tables: tuple[tuple[str, int], ...]
    knows: frozenset[str]
    splits: frozenset[str] = frozenset()


_ROLLUPS = (
    _Rollups((("cost_1d", _DAY_MS), ("cost_1h", _HOUR_MS)), conditions.PROMPTED),
    _Rollups((("tag_1h", _HOUR_MS),), conditions.ROLLED | {"tag"}, splits=frozenset({"tag"})),
    _Rollups((("user_1d", _DAY_MS),), frozenset({"tenant", "env", "user"})),
    _Rollups((("user_app_1d", _DAY_MS),), frozenset({"tenant", "service", "env", "user"})),
)
"""Of those that know enough the first are taken: they have fewer rows."""

_OF_A_CALL = {
    "calls": "toUInt64(1)",
    "errors": "toUInt64(status = 'error')",
    "blocked": "toUInt64(status = 'blocked')",
    "unpriced": "toUInt64(llm_calls.cost_usd IS NULL AND llm_calls.input_tokens + llm_calls.output_tokens > 0)",
    "priced": "toUInt64(llm_calls.cost_usd IS NOT NULL)",
    "priced_tokens": (
        "if(llm_calls.cost_usd IS NULL, toUInt64(0), toUInt64(llm_calls.input_tokens + llm_calls.output_tokens))"
    ),
    "found": "toUInt64(guard_verdict NOT IN ('', 'allow', 'none'))",
    "input_tokens": "toUInt64(llm_calls.input_tokens)",
    "cached_tokens": "toUInt64(llm_calls.cached_tokens)",
    "output_tokens": "toUInt64(llm_calls.output_tokens)",
    "cost_usd": "ifNull(llm_calls.cost_usd, 0)",
}
ALL = tuple(_OF_A_CALL)
"""What can be summed up of calls."""
PRICED = ("unpriced", "cost_usd")
"""What `priced_rows` needs."""


def summed(of: Iterable[str] = ALL) -> str:
    """Over rows of `measured`, which are to be called `m`."""
    return ", ".join(f"sum(m.{name}) AS {name}" for name in of)


def measured(view: View, by: Iterable[str] = (), of: Collection[str] = ALL, *, finer_than_s: int = 0) -> Condition:
    """A SELECT of `second` (begin of the hour, the day, or the call), the dimensions of `by`, and those of `ALL` that
    are in `of`: what nobody asks for takes time, too, until the statement is understood.

    Dimensions come under their filters' names; a call with several tags comes once for each. With `finer_than_s` the
    seconds must tell steps of that length apart, so that coarser rollups are out.
    """
    wanted = frozenset(by)
    parts: list[Condition] = []
    start, end = view.end, view.start  # of what rollups answer for: nothing yet
    for table, step_ms in _tables(view, wanted, finer_than_s):
        first, last = _whole(view, step_ms)
        if first < last:
            parts.append(_of_rollup(view, wanted, of, table, first, last, start, end))
            start, end = first, max(end, last)
    if start > view.start or end < view.end:
        parts.append(_of_calls(view, wanted, of, start, end))
    return Condition(" UNION ALL ".join(p.sql for p in parts), {k: v for p in parts for k, v in p.parameters.items()})


def rolled(view: View, finer_than_s: int = 0) -> bool:
    """Whether a rollup knows the view itself, by no dimension."""
    return bool(_tables(view, frozenset(), finer_than_s))


def _tables(view: View, wanted: frozenset[str], finer_than_s: int) -> list[tuple[str, int]]:
    asked = wanted | view.named
    fine = finer_than_s * 1000 or _DAY_MS
    known = (one.tables for one in _ROLLUPS if asked <= one.knows and one.splits <= wanted - view.named)
    able = ([(table, step_ms) for table, step_ms in tables if step_ms <= fine] for tables in known)
    return next(filter(None, able), [])


def _whole(view: View, step_ms: int) -> tuple[int, int]:
    """The whole steps of the view, in milliseconds: one that still runs, too, where the view has no end yet."""
    end = -(-view.end // step_ms) if view.open_ended else view.end // step_ms
    return -(-view.start // step_ms) * step_ms, end * step_ms


def _of_rollup(
    view: View, wanted: frozenset[str], of: Collection[str], table: str, first: int, last: int, from_: int, to: int
) -> Condition:
    """Whole steps from `first` to `last`, but for what is answered already, between `from_` and `to`."""
    where = conditions.rollup(view, f"t >= toDateTime({{{table}_from:Int64}}) AND t < toDateTime({{{table}_to:Int64}})")
    bounds = {f"{table}_from": first // 1000, f"{table}_to": last // 1000}
    rest = ""
    if from_ < to:
        rest = (
            f" AND NOT (t >= toDateTime({{{table}_known_from:Int64}}) AND t < toDateTime({{{table}_known_to:Int64}}))"
        )
        bounds |= {f"{table}_known_from": from_ // 1000, f"{table}_known_to": to // 1000}
    columns = [
        "toInt64(toUnixTimestamp(t)) AS second",
        *(_dimension(name, "tag") for name in sorted(wanted)),
        *(name for name in ALL if name in of),
    ]
    return Condition(f"SELECT {', '.join(columns)} FROM {table} WHERE {where.sql}{rest}", where.parameters | bounds)


def _of_calls(view: View, wanted: frozenset[str], of: Collection[str], from_: int, to: int) -> Condition:
    """All but those that a rollup answers for, between `from_` and `to`."""
    where = conditions.calls(view)
    rest, bounds = "", {}
    if from_ < to:
        rest = f" AND {conditions.outside('rolled_from', 'rolled_to')}"
        bounds = {"rolled_from": from_ // 1000, "rolled_to": to // 1000}
    measures = (f"{expression} AS {name}" for name, expression in _OF_A_CALL.items() if name in of)
    columns = ["toInt64(toUnixTimestamp(ts)) AS second", *(_dimension(name) for name in sorted(wanted)), *measures]
    # conditions stand within, where names are columns: outside `cost_usd` is never NULL
    calls = f"(SELECT * FROM llm_calls WHERE {where.sql}{rest}) AS llm_calls"
    return Condition(f"SELECT {', '.join(columns)} FROM {calls}", where.parameters | bounds)


def _dimension(name: str, tag: str = "arrayJoin(if(empty(tags), [''], arrayDistinct(tags)))") -> str:
    return f"toString({tag if name == 'tag' else COLUMNS[name]}) AS dim_{name}"


def priced_rows(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with `cost` in US dollars for `cost_usd`: None where there was something to price and nothing of it has a
    price. Done here, as one more SELECT around the sums takes a store a millisecond to understand.
    """
    return [_priced(dict(row)) for row in rows]


def _priced(row: dict[str, Any]) -> dict[str, Any]:
    usd = row.pop("cost_usd")
    row["cost"] = None if row["unpriced"] and not usd else usd
    return row
