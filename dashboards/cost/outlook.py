"""What a running period has cost, and will have cost at its end."""

from dataclasses import replace

from typing_extensions import TypedDict

from ..ask import Ask
from ..view import View
from .forecast import HOURS_OF_WEEK, WEEKS, Forecast, forecast
from .measures import PRICED, measured
from .periods import Period, period

HOUR_MS = 3_600_000


class Outlook(TypedDict):
    """`start`, `end` of the period in milliseconds, costs in US dollars. `unpriced` calls are in none of them.

    `projected` is what will be spent at the end, between `low` and `high` in 9 of 10 cases; None with less than two
    weeks of history.
    """

    start: int
    end: int
    spent: float
    unpriced: int
    projected: float | None
    low: float | None
    high: float | None


def outlook(ask: Ask, view: View, kind: Period, now: int) -> Outlook:
    """Of the calls that `view` filters, whatever its range; `now` in milliseconds. Raises `QueryFailed`."""
    start, end = period(kind, now)
    spent, unpriced = 0.0, 0
    if now > start:
        used = measured(replace(view, start=start, end=now), of=PRICED)
        sql = f"SELECT sum(m.cost_usd), sum(m.unpriced) FROM ({used.sql}) AS m"
        spent, unpriced = ask(sql, used.parameters).rows[0]
    ahead = _ahead(ask, view, now, end)
    return {
        "start": start,
        "end": end,
        "spent": spent,
        "unpriced": unpriced,
        "projected": spent + ahead.expected if ahead else None,
        "low": spent + ahead.low if ahead else None,
        "high": spent + ahead.high if ahead else None,
    }


def _ahead(ask: Ask, view: View, now: int, end: int) -> Forecast | None:
    this_hour = now // HOUR_MS
    first = this_hour - WEEKS * HOURS_OF_WEEK
    source = measured(replace(view, start=first * HOUR_MS, end=this_hour * HOUR_MS), of=["cost_usd"], finer_than_s=3600)
    sql = f"SELECT intDiv(m.second, 3600) AS hour, sum(m.cost_usd) AS cost FROM ({source.sql}) AS m GROUP BY hour"
    costs = dict(ask(sql, source.parameters).rows)
    return forecast([costs.get(first + i, 0.0) for i in range(this_hour - first)], this_hour, (end - now) / HOUR_MS)
