"""What is measured of a side: counts and sums of its calls (of a part where they are very many), times of some."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import conditions, guard_kind, sets
from ..ask import Ask
from ..cost.measures import measured
from ..failures.source import KINDS
from ..view import View
from . import alike
from .alike import Amount, ByLot
from .part import Part, drawn

MOST_COUNTED = 15_000
MOST_TIMES = 10_000
GUARDS = ("blocked", "modified", "flagged", "failed_open")
AMOUNTS = {
    "cost": "llm_calls.cost_usd",
    "input": "if(usage_source IN ('', 'none'), NULL, toFloat64(llm_calls.input_tokens))",
    "output": "if(usage_source IN ('', 'none'), NULL, toFloat64(llm_calls.output_tokens))",
}
_TEXT = "operation IN ('chat', 'text_completion', 'generate_content')"
COUNTED = {
    "failed": "failure_kind != ''",
    **{f"failure:{kind}": f"failure_kind = '{kind}'" for kind in KINDS},
    **{f"guard:{kind}": f"guard_word = '{kind}'" for kind in GUARDS},
    "json_asked": "json_valid != ''",
    "json_valid": "json_valid = 'yes'",
    "text": _TEXT,
    "tool": f"{_TEXT} AND tool_calls > 0",
    "guarded": "guard_word != 'unguarded'",
}
"""Name -> SQL on the calls of a side."""
OF = {"json_valid": "json_asked", "tool": "text"}
"""Name -> what it is a share of, where that is not all."""
QUANTILES = {"p50": 0.5, "p95": 0.95}
_DIMENSIONS = ("service", "env", "operation", "model", "prompt_name", "prompt_version", "user_group")
_ROLLED = {
    "service": "service", "env": "env", "model": "model", "prompt_name": "prompt", "prompt_version": "prompt_version",
    "user_group": "user_group",
}  # fmt: skip
"""Dimension -> its word, where a rollup by the hour has it."""
_MOST_VALUES = 400
"""Of a dimension; the longest range has as many days."""
_DAY_S = 86_400
_MICROSECOND = "toUnixTimestamp64Micro(ts)"

Spread = dict[str, dict[str, int]]
"""Dimension -> value -> calls."""


@dataclass(frozen=True, slots=True)
class Side:
    """`calls` under the filters; of one in `every` of them `counts`, amounts and finish reasons; times sorted, in ms.

    `alike`: row -> how many of the calls looked at tell as much as one call drawn by itself (1 unless it says
    otherwise); variances of amounts have it in them.
    """

    calls: int
    every: int
    counts: dict[str, int]
    amounts: dict[str, Amount]
    reasons: dict[str, int]
    latency: NDArray[np.float64]
    ttft: NDArray[np.float64]
    times_every: int
    spread: Spread
    alike: Mapping[str, float] = field(default_factory=dict)

    @property
    def counted(self) -> int:
        return self.counts["all"]


def measure(ask: Ask, view: View) -> Side:
    rolled = view.named <= conditions.PROMPTED
    spread = _rolled_spread(ask, view) if rolled else {}
    calls = sum(spread["day"].values()) if spread else _calls(ask, view)
    part = drawn(view, -(-calls // MOST_COUNTED) or 1)
    thinner = max(1, round(-(-calls // MOST_TIMES) / part.every))
    rows = _by_lot(ask, part, thinner)
    found = _Lots(rows)
    counts = {name: found.sums(f"n:{name}") for name in ("all", *COUNTED)}
    reasons = {reason: found.sums("n:all", reason) for reason in sorted({row["reason"] for row in rows} - {""})}
    times = {name: found.times(name) for name in ("latency", "ttft")}
    close = {name: alike.of_share(counts[name], counts[OF.get(name, "all")]) for name in COUNTED}
    close |= {f"finish:{reason}": alike.of_share(told, counts["all"]) for reason, told in reasons.items()}
    for name, by_lot in times.items():
        close |= {f"{name}_{word}": _around(by_lot, at) for word, at in QUANTILES.items()}
    return Side(
        calls, round(part.every), {name: int(told.sum()) for name, told in counts.items()},
        {name: found.amount(name) for name in AMOUNTS}, {reason: int(told.sum()) for reason, told in reasons.items()},
        _sorted(times["latency"]), _sorted(times["ttft"]), round(part.every * thinner),
        (spread or _spread(ask, part)) | {"operation": found.of_kinds()}, close,
    )  # fmt: skip


def _calls(ask: Ask, view: View) -> int:
    if view.named <= conditions.HOURLY:
        hours = conditions.counted(view, "service")
        return int(ask(f"SELECT sum(calls) FROM ({hours.sql})", hours.parameters).rows[0][0])
    where = conditions.calls(view)
    return int(ask(f"SELECT count() FROM llm_calls WHERE {where.sql}", where.parameters).rows[0][0])


def _rolled_spread(ask: Ask, view: View) -> Spread:
    """Of all calls."""
    source = measured(view, _ROLLED.values(), ["calls"], finer_than_s=_DAY_S)
    names = ", ".join(f"m.dim_{word} AS of_{name}" for name, word in _ROLLED.items())
    day = "toString(toDate(fromUnixTimestamp(m.second), 'UTC'))"
    rows = f"SELECT {names}, {day} AS of_day, m.calls AS calls FROM ({source.sql}) AS m"
    return _grouped(ask, (*_ROLLED, "day"), rows, source.parameters)


def _spread(ask: Ask, part: Part) -> Spread:
    names = ", ".join(f"toString({name}) AS of_{name}" for name in _DIMENSIONS)
    rows = f"SELECT {names}, toString(toDate(ts)) AS of_day, 1 AS calls FROM llm_calls WHERE {part.where.sql}"
    return _grouped(ask, (*_DIMENSIONS, "day"), rows, part.where.parameters)


def _grouped(ask: Ask, dimensions: Sequence[str], rows: str, parameters: Mapping[str, Any]) -> Spread:
    by = [f"of_{name}" for name in dimensions]
    sql = f"""SELECT substring({sets.which(by)}, 4) AS dimension, {sets.value(by)} AS value, sum(c.calls) AS n
FROM ({rows}) AS c {sets.grouped(by)} ORDER BY n DESC, value LIMIT {_MOST_VALUES} BY dimension"""
    spread: Spread = {name: {} for name in dimensions}
    for dimension, value, calls in ask(sql, parameters).rows:
        spread[dimension][value] = int(calls)
    return spread


def _by_lot(ask: Ask, part: Part, thinner: int) -> list[dict[str, Any]]:
    """By lot, finish reason and kind of operation, all in one reading.

    Times are of one in `thinner` calls that were answered: a refused connection is quick and says nothing of speed.
    """
    counted = ", ".join(f"countIf({sql}) AS `n:{name}`" for name, sql in COUNTED.items())
    amounts = ", ".join(
        f"count({name}_of) AS {name}_n, ifNull(avg({name}_of), 0) AS {name}_mean, "
        f"ifNull(varPop({name}_of), 0) AS {name}_variance"
        for name in AMOUNTS
    )
    columns = ", ".join(f"{sql} AS {name}_of" for name, sql in AMOUNTS.items())
    sql = f"""SELECT lot, toString(finish_reason) AS reason, toString(operation) AS kind, count() AS `n:all`,
       {counted}, {amounts},
       groupArrayIf(latency_ms, timed) AS latency, groupArrayIf(ttft_ms, timed AND ttft_ms > 0) AS ttft
FROM (
  SELECT llm_calls.failure AS failure_kind, {guard_kind.OF_CALL} AS guard_word, json_valid, tool_calls, operation,
         finish_reason, {columns}, {part.lot} AS lot, latency_ms, ttft_ms,
         status = 'ok' AND intHash64({_MICROSECOND} + 1) % {thinner} = 0 AS timed
  FROM llm_calls WHERE {part.where.sql}
) GROUP BY lot, finish_reason, operation ORDER BY lot, reason, kind"""
    return ask(sql, part.where.parameters).records()


class _Lots:
    """Rows of `_by_lot`, added up."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._rows = rows
        self._names = sorted({row["lot"] for row in rows})
        self._lot = np.searchsorted(self._names, [row["lot"] for row in rows]).astype(np.int64)

    def sums(self, name: str, reason: str | None = None) -> ByLot:
        told = [row[name] if reason in (None, row["reason"]) else 0 for row in self._rows]
        return alike.by_lot(np.array(told, dtype=np.float64), self._lot)

    def amount(self, name: str) -> Amount:
        of, mean, variance = (
            np.array([row[f"{name}_{part}"] for row in self._rows], dtype=np.float64)
            for part in ("n", "mean", "variance")
        )
        return alike.amount(of, mean, variance, self._lot)

    def times(self, name: str) -> list[NDArray[np.float64]]:
        by_lot: list[list[float]] = [[] for _ in self._names]
        for lot, row in zip(self._lot, self._rows, strict=True):
            by_lot[lot] += row[name]
        return [np.array(times, dtype=np.float64) for times in by_lot]

    def of_kinds(self) -> dict[str, int]:
        kinds: Counter[str] = Counter()
        for row in self._rows:
            kinds[row["kind"]] += row["n:all"]
        return dict(kinds)


def _sorted(times: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.sort(np.concatenate([*times, np.zeros(0)]))


def _around(times: Sequence[NDArray[np.float64]], at: float) -> float:
    """Of a quantile: the calls below it are a share."""
    every = _sorted(times)
    if not len(every):
        return 1.0
    value = np.quantile(every, at)
    below = np.array([np.count_nonzero(lot <= value) for lot in times], dtype=np.float64)
    return alike.of_share(below, np.array([len(lot) for lot in times], dtype=np.float64))
