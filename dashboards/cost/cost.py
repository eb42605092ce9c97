"""What it costs, by whom, and why it changed: one answer for the page."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from typing_extensions import TypedDict

from ..ask import Ask
from ..beside import side_by_side
from ..grid import Grid, before, lay
from ..view import View
from . import change
from .change import Effects, Factors, Segment, Used
from .measures import ALL, PRICED, measured, priced_rows, rolled, summed
from .since import stretch

HOURLY_FROM_MS = 12 * 3_600_000
"""Longer ranges are drawn in whole hours, which the rollup can answer."""
_DAYS_FROM_MS, _DAY_S = 7 * 86_400_000, 86_400
MOST_ROWS = 50
MOST_COLUMNS = 6
MOST_LINES = 5
MOST_SEGMENTS = 1000
CAUSES = ("model", "service", "prompt", "user_group")
WORTH = 0.05
"""Changes below this share of the cost before are not explained: of chance alone something always stands out."""


class Sums(TypedDict):
    """`cost` in US dollars, None where nothing was priced; `priced_tokens` are of `priced` calls."""

    calls: int
    errors: int
    blocked: int
    unpriced: int
    priced: int
    priced_tokens: int
    found: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost: float | None


class Row(Sums):
    """`share` of the priced cost; `before` is the cost in the period before; `cells` are in the order of `columns`."""

    value: str
    share: float
    before: float | None
    cells: list[float | None]


class Line(TypedDict):
    value: str
    cost: list[float]


class Series(TypedDict):
    """`step` in milliseconds. `rest`: of all other values."""

    step: int
    t: list[int]
    lines: list[Line]
    rest: list[float]


class Named(TypedDict):
    """The calls that carry a change. `since` and `until` in milliseconds, None where no stretch of time stands out."""

    values: dict[str, str]
    share: float
    before: float
    now: float
    effects: Effects
    factors: Factors
    since: int | None
    until: int | None


class Change(TypedDict):
    """`cost` is the difference, which `effects` add up to. `cause` is None where the change is small or spread."""

    cost: float
    effects: Effects
    factors: Factors
    cause: Named | None


class Cost(TypedDict):
    """Times in milliseconds. `columns` are values of `across`; `more`: values of `by` beyond `rows`."""

    start: int
    end: int
    step: int
    live: bool
    by: str
    across: str
    totals: Sums
    previous: Sums
    change: Change
    rows: list[Row]
    columns: list[str]
    more: int
    series: Series


def cost(ask: Ask, view: View, now: int, by: str, across: str = "") -> Cost:
    """`by` and `across` (or empty) are of `measures.DIMENSIONS`; a call of two tags counts under both."""
    grid = cost_grid(view)
    previous = before(grid, now)
    with side_by_side() as beside:
        ranking = beside(_largest, ask, grid.view, by)
        summing, earlier = beside(totals_of, ask, grid.view), beside(totals_of, ask, previous)
        changing = beside(_change, ask, grid, previous, now, summing, earlier)
        largest, more = ranking()
        drawn = [value for value, cost_ in largest.items() if cost_][:MOST_LINES]
        drawn_by = _in_days(grid) if by == "user" else grid
        by_day = by == "user" and drawn_by.step >= _DAY_S and rolled(grid.view, drawn_by.step)
        telling = beside(_told, ask, grid.view, by, [*largest], step_s=drawn_by.step if by_day else 0)
        before_ = beside(_told, ask, previous, by, [*largest], PRICED)
        drawing = beside(_users, ask, drawn_by, drawn, telling) if by_day else beside(_series, ask, drawn_by, by, drawn)
        found, costs = telling(), before_()
        rows = [_row(found[value], costs[value]["cost"] if value in costs else 0.0) for value in largest]
        columns = _cells(ask, grid.view, by, across, rows) if across else []
        totals = summing()
        whole = totals["cost"] or 0.0
        for row in rows:
            row["share"] = (row["cost"] or 0.0) / whole if whole else 0.0
        return {
            "start": grid.view.start,
            "end": grid.view.end,
            "step": grid.step * 1000,
            "live": view.live,
            "by": by,
            "across": across,
            "totals": totals,
            "previous": earlier(),
            "change": changing(),
            "rows": rows,
            "columns": columns,
            "more": more,
            "series": drawing(),
        }


def cost_grid(view: View) -> Grid:
    grid = lay(view)
    if grid.step >= 3600 or view.end - view.start < HOURLY_FROM_MS:
        return grid
    start, end = view.start // 3_600_000 * 3_600_000, -(-view.end // 3_600_000) * 3_600_000
    return Grid(replace(view, start=start, end=end), 3600, grid.rolled)


def totals_of(ask: Ask, view: View) -> Sums:
    source = measured(view)
    rows = ask(f"SELECT {summed()} FROM ({source.sql}) AS m", source.parameters).records()
    totals: Any = priced_rows(rows)
    sums: Sums = totals[0]
    return sums


def _largest(ask: Ask, view: View, by: str) -> tuple[dict[str, float], int]:
    """The values that cost most, with what they cost, the largest first; and how many others there are."""
    source = measured(view, [by], ("cost_usd", "calls"))
    ranked = f"""SELECT value, cost, toInt64(count() OVER ()) AS all_values FROM (
  SELECT m.dim_{by} AS value, sum(m.cost_usd) AS cost, sum(m.calls) AS calls FROM ({source.sql}) AS m GROUP BY value
) ORDER BY cost DESC, calls DESC, value LIMIT {MOST_ROWS}"""
    found = ask(ranked, source.parameters).rows
    return {value: cost for value, cost, _ in found}, found[0][2] - len(found) if found else 0


def _told(
    ask: Ask, view: View, by: str, values: list[str], of: Collection[str] = ALL, *, step_s: int = 0
) -> dict[str, dict[str, Any]]:
    """Value -> what is summed up of it, with `steps` so long what each (by its begin in milliseconds) cost."""
    if not values:
        return {}
    only = _only(view, by, values)
    source = measured(only, [by], of)
    among = "" if only != view else f" WHERE m.dim_{by} IN {{values:Array(String)}}"
    steps = f", sumMap(map(intDiv(m.second, {step_s}) * {step_s} * 1000, m.cost_usd)) AS steps" if step_s else ""
    sql = f"SELECT m.dim_{by} AS value, {summed(of)}{steps} FROM ({source.sql}) AS m{among} GROUP BY value"
    return {row["value"]: row for row in priced_rows(ask(sql, source.parameters | {"values": values}).records())}


def _only(view: View, by: str, values: list[str]) -> View:
    """Users have an index, so that of few of them few calls are read."""
    return replace(view, chosen=view.chosen | {by: tuple(values)}) if by == "user" else view


def _row(row: dict[str, Any], earlier: float | None) -> Row:
    made: Any = {key: value for key, value in row.items() if key != "steps"}
    made |= {"share": 0.0, "before": earlier, "cells": []}
    told: Row = made
    return told


def _cells(ask: Ask, view: View, by: str, across: str, rows: list[Row]) -> list[str]:
    """Fills the cells of `rows`; the values of `across` that cost most, which are the columns."""
    top_of = ("cost_usd", "calls")
    source = measured(view, [by, across], (*PRICED, "calls"))
    top = f"""SELECT m.dim_{across} AS value, {summed(top_of)} FROM ({source.sql}) AS m GROUP BY value
ORDER BY cost_usd DESC, calls DESC, value LIMIT {MOST_COLUMNS}"""
    columns = [str(row["value"]) for row in ask(top, source.parameters).records()]
    sql = f"""SELECT m.dim_{by} AS value, m.dim_{across} AS column, {summed(PRICED)} FROM ({source.sql}) AS m
WHERE m.dim_{by} IN {{values:Array(String)}} AND m.dim_{across} IN {{columns:Array(String)}} GROUP BY value, column"""
    asked = source.parameters | {"values": [row["value"] for row in rows], "columns": columns}
    cells = {(cell["value"], cell["column"]): cell["cost"] for cell in priced_rows(ask(sql, asked).records())}
    for row in rows:
        row["cells"] = [cells.get((row["value"], column), 0.0) for column in columns]
    return columns


def _series(ask: Ask, grid: Grid, by: str, values: list[str]) -> Series:
    """A user's calls are found by an index, and all calls may be in a rollup that knows no users."""
    if by == "user" and rolled(grid.view, grid.step):
        _, *lines = _lines(ask, replace(grid, view=_only(grid.view, by, values)), by, values)
        return _drawn(grid, values, lines, _beyond(_lines(ask, grid)[0], lines))
    rest, *lines = _lines(ask, grid, by, values)
    return _drawn(grid, values, lines, rest)


def _in_days(grid: Grid) -> Grid:
    """Of weeks users are drawn by the day, as their rollup has them: of five users there may be a hundred thousand
    calls in between.
    """
    weeks = grid.view.end - grid.view.start >= _DAYS_FROM_MS
    return replace(grid, step=max(grid.step, _DAY_S)) if weeks else grid


def _users(ask: Ask, days: Grid, values: list[str], told: Callable[[], dict[str, dict[str, Any]]]) -> Series:
    """From what is told of users day by day anyway."""
    every = _lines(ask, days)[0]
    lines = [[told()[value]["steps"].get(t, 0.0) for t in _times(days)] for value in values]
    return _drawn(days, values, lines, _beyond(every, lines))


def _drawn(grid: Grid, values: list[str], lines: list[list[float]], rest: list[float]) -> Series:
    named: list[Line] = [{"value": value, "cost": line} for value, line in zip(values, lines, strict=True)]
    return {"step": grid.step * 1000, "t": _times(grid), "lines": named, "rest": rest}


def _beyond(every: list[float], lines: list[list[float]]) -> list[float]:
    """What is left of `every` step; sums of the same calls differ in their last digits."""
    left = [whole - sum(shown) for whole, *shown in zip(every, *lines, strict=True)]
    return [rest if rest > 1e-9 * whole else 0.0 for whole, rest in zip(every, left, strict=True)]


def _times(grid: Grid) -> list[int]:
    width = grid.step * 1000
    return list(range(grid.view.start // width * width, grid.view.end, width))


def _lines(ask: Ask, grid: Grid, by: str = "", values: Sequence[str] = ()) -> list[list[float]]:
    """Cost by step: of all others, then of each of `values`."""
    times = _times(grid)
    source = measured(grid.view, [by] if by else [], ["cost_usd"], finer_than_s=grid.step)
    # hours that no line needs are not told apart, so that an answer stays small
    line = f"indexOf({{values:Array(String)}}, m.dim_{by})" if by else "0"
    sql = f"""SELECT intDiv(m.second, {{step:Int64}}) * {{step:Int64}} * 1000 AS t, {line} AS line,
       sum(m.cost_usd) AS cost FROM ({source.sql}) AS m GROUP BY t, line"""
    drawn = ask(sql, source.parameters | {"step": grid.step, "values": list(values)}).rows
    at = {t: i for i, t in enumerate(times)}
    lines = [[0.0] * len(times) for _ in range(len(values) + 1)]
    for t, number, cost_ in drawn:
        if t in at:
            lines[number][at[t]] += cost_
    return lines


def _change(
    ask: Ask, grid: Grid, previous: View, now: int, summing: Callable[[], Sums], earlier_: Callable[[], Sums]
) -> Change:
    segments = _segments(ask, grid.view, previous)
    earlier, later = _used(earlier_()), _used(summing())
    if len(segments) > MOST_SEGMENTS:
        segments = [*segments[:MOST_SEGMENTS], change.beyond(segments[:MOST_SEGMENTS], earlier, later)]
    difference = later.cost - earlier.cost
    named = change.cause(segments) if earlier.cost and abs(difference) >= WORTH * earlier.cost else None
    return {
        "cost": difference,
        "effects": change.together(segments),
        "factors": change.factors(earlier, later),
        "cause": _named(ask, grid, previous, now, named) if named else None,
    }


def _used(sums: Sums) -> Used:
    return Used(sums["priced"], sums["priced_tokens"], sums["cost"] or 0.0)


def _segments(ask: Ask, view: View, previous: View) -> list[Segment]:
    """Those of the largest change first; one more than `MOST_SEGMENTS` where there are others."""
    of = ("priced", "priced_tokens", "cost_usd")
    earlier, later = measured(previous, CAUSES, of).named("before"), measured(view, CAUSES, of).named("now")
    both = f"SELECT *, 0 AS later FROM ({earlier.sql}) UNION ALL SELECT *, 1 AS later FROM ({later.sql})"
    names = ", ".join(f"m.dim_{name} AS {name}" for name in CAUSES)
    used = ", ".join(
        f"sumIf(m.{column}, m.later = {later}) AS {when}_{word}"
        for later, when in enumerate(("before", "now"))
        for word, column in zip(("calls", "tokens", "cost"), of, strict=True)
    )
    sql = f"""SELECT {names}, {used} FROM ({both}) AS m GROUP BY {", ".join(CAUSES)}
ORDER BY abs(now_cost - before_cost) DESC, {", ".join(CAUSES)} LIMIT {MOST_SEGMENTS + 1}"""
    rows = ask(sql, earlier.parameters | later.parameters).rows
    return [
        Segment(dict(zip(CAUSES, row, strict=False)), Used(*row[len(CAUSES) :][:3]), Used(*row[len(CAUSES) :][3:]))
        for row in rows
    ]


def _named(ask: Ask, grid: Grid, previous: View, now: int, cause: change.Cause) -> Named:
    width = grid.step * 1000
    chosen = grid.view.chosen | {name: (value,) for name, value in cause.values.items()}
    start = previous.start // width * width
    view = replace(grid.view, start=start, chosen=chosen)
    source = measured(view, of=["cost_usd"], finer_than_s=grid.step)
    sql = f"""SELECT intDiv(m.second, {{step:Int64}}) * {{step:Int64}} * 1000 AS t, sum(m.cost_usd) AS cost
FROM ({source.sql}) AS m GROUP BY t"""
    costs = dict(ask(sql, source.parameters | {"step": grid.step}).rows)
    whole = min(view.end, now // width * width)  # a step that is still running would look like a fall
    times = range(start, whole, width)
    first = (grid.view.start - start) // width
    values = [costs.get(t, 0.0) for t in times]
    found = stretch(values, first, up=cause.now.cost > cause.before.cost)
    return {
        "values": {name: cause.values[name] for name in CAUSES if name in cause.values},
        "share": cause.share,
        "before": cause.before.cost,
        "now": cause.now.cost,
        "effects": change.effects(cause.before, cause.now),
        "factors": change.factors(cause.before, cause.now),
        "since": times[found.begin] if found else None,
        "until": times[found.end] if found and found.end < len(values) else None,
    }
