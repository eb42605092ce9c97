"""How calls were guarded: the whole, step by step and app by app, in one reading."""

from dataclasses import dataclass
from typing import Any

from typing_extensions import TypedDict

from ..ask import Ask
from ..grid import Grid
from ..measures import percentiles
from ..view import View
from . import source

MOST_APPS = 2000
_MOST_STEPS = 500
_SUMS = ", ".join(f"sum(s.{name}) AS {name}" for name in source.SUMS)


class Totals(TypedDict):
    """Calls of the view, by what guards made of them on their way; latency is what guards added to a call."""

    calls: int
    guarded: int
    unguarded: int
    failed_open: int
    degraded: int
    blocked: int
    modified: int
    latency: list[float]


@dataclass(frozen=True, slots=True)
class Guarded:
    """`latency` by the second that a step begins, `unguarded` rows of service, env, calls, of."""

    totals: Totals
    latency: dict[int, list[float]]
    unguarded: list[dict[str, Any]]


def totals(ask: Ask, view: View) -> Totals:
    calls = source.calls(view, source.HOUR_S)
    sql = f"""SELECT {", ".join(source.SUMS)}, {percentiles("lat")} AS latency
FROM (SELECT {_SUMS}, sumMap(s.lat_hist) AS lat FROM ({calls.sql}) AS s)"""
    return _totals(ask(sql, calls.parameters).records()[0])


def guarded(ask: Ask, grid: Grid) -> Guarded:
    """Where the chart is finer than the rollup by the hour, that still tells what is no chart."""
    apart = source.rolled(grid.view) and grid.step % source.HOUR_S > 0
    calls = source.calls(grid.view, source.HOUR_S if apart else grid.step)
    bucket = "toInt64(0)" if apart else "intDiv(s.second, {step:Int64}) * {step:Int64}"
    sql = f"""SELECT of, bucket, service, env, {", ".join(source.SUMS)}, {percentiles("lat")} AS latency FROM (
  SELECT multiIf(grouping(bucket) = 0, 'bucket', grouping(service) = 0, 'service', '') AS of,
         {bucket} AS bucket, toString(s.service) AS service, toString(s.env) AS env, {_SUMS}, sumMap(s.lat_hist) AS lat
  FROM ({calls.sql}) AS s GROUP BY GROUPING SETS ((bucket), (service, env), ())
  ORDER BY unguarded DESC, service, env LIMIT {max(_MOST_STEPS, MOST_APPS)} BY of
)"""
    found: dict[str, list[dict[str, Any]]] = {"": [], "bucket": [], "service": []}
    for row in ask(sql, calls.parameters).records():
        found[row["of"]].append(row)
    apps = [
        {"service": row["service"], "env": row["env"], "calls": row["unguarded"], "of": row["calls"]}
        for row in found["service"]
        if row["unguarded"]
    ]
    latency = _latency(ask, grid) if apart else {row["bucket"]: row["latency"] for row in found["bucket"]}
    return Guarded(_totals(found[""][0]), latency, apps)


def _latency(ask: Ask, grid: Grid) -> dict[int, list[float]]:
    """By the second that a step begins, from the calls themselves."""
    told = source.latencies(grid.view)
    sql = f"SELECT bucket, {percentiles('lat')} FROM ({told.sql})"
    return dict(ask(sql, told.parameters | {"step": grid.step}).rows)


def _totals(row: dict[str, Any]) -> Totals:
    counted = {name: row[name] for name in source.SUMS}
    guarded_ = row["calls"] - row["unguarded"] - row["failed_open"]
    return {**counted, "guarded": guarded_, "latency": row["latency"]}  # type: ignore[typeddict-item]  # SUMS
