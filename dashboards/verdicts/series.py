"""The charts of the guards page: calls by what was done, and the latency that guards added."""

from collections.abc import Mapping
from typing import cast

from .. import guard_kind
from ..answers import GuardSeries
from ..ask import Ask
from ..conditions import Condition
from ..grid import Grid
from . import source


class Series(GuardSeries):
    """One value a step. `t` in milliseconds since 1970, latency in milliseconds, None where no call was guarded."""

    latency_p50: list[float | None]
    latency_p95: list[float | None]


_AT_KIND = "intDiv(toInt64(toUnixTimestamp(ts)), {step:Int64}) * 8 + toUInt8(substring(found, 1, 1))"
"""A step and a kind in one number: grouping by it is twice as fast as by both. `found` begins with the kind's digit."""


def series(ask: Ask, grid: Grid, where: Condition, latency: Mapping[int, list[float]]) -> Series:
    """`where` is on `guard_events`, `latency` by the second that a step begins."""
    sql = f"""SELECT {_AT_KIND} AS at_kind, {source.DISTINCT} AS n FROM guard_events
WHERE {where.sql} AND found != '' GROUP BY at_kind"""
    counted = dict(ask(sql, where.parameters | {"step": grid.step}).rows)
    kinds = {
        kind: [counted.get(second // grid.step * 8 + digit, 0) for second in grid.seconds]
        for digit, kind in enumerate(guard_kind.EVENT_KINDS)
    }
    shares = [latency.get(second) or (None, None) for second in grid.seconds]
    told = {
        "t": [second * 1000 for second in grid.seconds],
        **kinds,
        "latency_p50": [each[0] for each in shares],
        "latency_p95": [each[1] for each in shares],
    }
    return cast("Series", told)
