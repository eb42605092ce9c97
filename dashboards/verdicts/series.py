"""The charts of the guards page: calls by what was done, and the latency that guards added."""

from typing import cast

from .. import guard_kind
from ..answers import GuardSeries
from ..ask import Ask
from ..grid import Grid
from ..measures import percentiles
from . import source


class Series(GuardSeries):
    """One value a step. `t` in milliseconds since 1970, latency in milliseconds, None where no call was guarded."""

    latency_p50: list[float | None]
    latency_p95: list[float | None]


def series(ask: Ask, grid: Grid) -> Series:
    edges = {"step": grid.step, "first_s": grid.view.start // 1000, "last_s": grid.view.end // 1000}
    fill = f"ORDER BY bucket WITH FILL FROM {{first_s:Int64}} TO {{last_s:Int64}} STEP {grid.step}"
    bucket = "intDiv(second, {step:Int64}) * {step:Int64} AS bucket"
    kinds = ", ".join(f"sumIf(n, kind = '{kind}') AS {kind}" for kind in guard_kind.EVENT_KINDS)
    found, calls = source.rows(grid.view), source.calls(grid.view, grid.step)
    by_kind = ask(
        f"SELECT bucket, {kinds} FROM ("
        f"SELECT intDiv(toInt64(toUnixTimestamp(ts)), {{step:Int64}}) * {{step:Int64}} AS bucket, "
        f"{guard_kind.OF_EVENT} AS kind, {source.DISTINCT} AS n FROM guard_events "
        f"WHERE {found.sql} AND {guard_kind.FOUND} GROUP BY bucket, kind) GROUP BY bucket {fill}",
        found.parameters | edges,
    ).records()
    added = ask(
        f"SELECT bucket, {percentiles('lat')} AS latency FROM "
        f"(SELECT {bucket}, sumMap(lat_hist) AS lat FROM ({calls.sql}) GROUP BY bucket {fill}) ORDER BY bucket",
        calls.parameters | edges,
    ).records()
    latency = [row["latency"] or (None, None) for row in added]
    told = {
        "t": [row["bucket"] * 1000 for row in by_kind],
        **{kind: [row[kind] for row in by_kind] for kind in guard_kind.EVENT_KINDS},
        "latency_p50": [each[0] for each in latency],
        "latency_p95": [each[1] for each in latency],
    }
    return cast("Series", told)
