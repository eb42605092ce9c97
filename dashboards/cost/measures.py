"""What calls used and cost, as rows to sum up: from a rollup for whole hours or days, from the calls for the rest."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .. import conditions
from ..conditions import Condition
from ..view import COLUMNS, View

DIMENSIONS = ("model", "service", "user", "user_group", "prompt", "prompt_version", "tag", "provider", "env")
"""What cost can be split by, named as the filters are."""


@dataclass(frozen=True, slots=True)
class _Rollup:
    """`splits`: a call is in several of its rows, so it is only asked for those, without a condition on them."""

    table: str
    step_ms: int
    knows: frozenset[str]
    splits: frozenset[str] = frozenset()


_ROLLUPS = (
    _Rollup("cost_1h", 3_600_000, conditions.PROMPTED),
    _Rollup("tag_1h", 3_600_000, conditions.ROLLED | {"tag"}, splits=frozenset({"tag"})),
    _Rollup("user_1d", 86_400_000, frozenset({"tenant", "env", "user"})),
    _Rollup("user_app_1d", 86_400_000, frozenset({"tenant", "service", "env", "user"})),
)
"""Of those that know enough the first is taken: it has the finer step and fewer rows."""

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
SUMS = ", ".join(f"sum(m.{name}) AS {name}" for name in _OF_A_CALL)
"""Over rows of `measured`, which are to be called `m`."""
COST = "if(unpriced > 0 AND cost_usd = 0, NULL, cost_usd) AS cost"
"""Beside `SUMS`: None where there was something to price and nothing of it has a price."""


def measured(view: View, by: Iterable[str] = (), *, finer_than_s: int = 0) -> Condition:
    """A SELECT of `second` (begin of the hour, the day, or the call), the dimensions of `by`, and what `SUMS` adds up.

    Dimensions come under their filters' names; a call with several tags comes once for each. With `finer_than_s` the
    seconds must tell steps of that length apart, so that coarser rollups are out.
    """
    wanted = frozenset(by)
    parts = [_of_calls(view, wanted)]
    if rollup := _rollup(view, wanted, finer_than_s):
        start = -(-view.start // rollup.step_ms) * rollup.step_ms
        end = view.end // rollup.step_ms * rollup.step_ms
        if start < end:
            edges = [_of_calls(view, wanted, rollup)] if start > view.start or end < view.end else []
            parts = [_of_rollup(view, wanted, rollup), *edges]
            bounds = {"rolled_from": start // 1000, "rolled_to": end // 1000}
            parts = [Condition(part.sql, part.parameters | bounds) for part in parts]
    return Condition(" UNION ALL ".join(p.sql for p in parts), {k: v for p in parts for k, v in p.parameters.items()})


def rolled(view: View, finer_than_s: int) -> bool:
    """Whether a rollup knows the view itself, by no dimension."""
    return _rollup(view, frozenset(), finer_than_s) is not None


def _rollup(view: View, wanted: frozenset[str], finer_than_s: int) -> _Rollup | None:
    asked = wanted | view.named
    fine = finer_than_s or 1 << 40
    able = (r for r in _ROLLUPS if asked <= r.knows and r.splits <= wanted - view.named)
    return next((r for r in able if fine * 1000 >= r.step_ms), None)


def _of_rollup(view: View, wanted: frozenset[str], rollup: _Rollup) -> Condition:
    where = conditions.rollup(view)
    whole = "t >= toDateTime({rolled_from:Int64}) AND t < toDateTime({rolled_to:Int64})"
    columns = [
        "toInt64(toUnixTimestamp(t)) AS second",
        *(_dimension(name, "tag") for name in sorted(wanted)),
        *_OF_A_CALL,
    ]
    return Condition(f"SELECT {', '.join(columns)} FROM {rollup.table} WHERE {where.sql} AND {whole}", where.parameters)


def _of_calls(view: View, wanted: frozenset[str], rollup: _Rollup | None = None) -> Condition:
    where = conditions.calls(view)
    rest = " AND (ts < toDateTime({rolled_from:Int64}) OR ts >= toDateTime({rolled_to:Int64}))" if rollup else ""
    measures = (f"{expression} AS {name}" for name, expression in _OF_A_CALL.items())
    columns = ["toInt64(toUnixTimestamp(ts)) AS second", *(_dimension(name) for name in sorted(wanted)), *measures]
    # conditions stand within, where names are columns: outside `cost_usd` is never NULL
    calls = f"(SELECT * FROM llm_calls WHERE {where.sql}{rest}) AS llm_calls"
    return Condition(f"SELECT {', '.join(columns)} FROM {calls}", where.parameters)


def _dimension(name: str, tag: str = "arrayJoin(if(empty(tags), [''], arrayDistinct(tags)))") -> str:
    return f"toString({tag if name == 'tag' else COLUMNS[name]}) AS dim_{name}"


def records(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without what only the arithmetic needs."""
    return [{key: value for key, value in row.items() if key != "cost_usd"} for row in rows]
