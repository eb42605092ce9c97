"""One group of failures: how often, where, since when, what changed about then, and some calls to look at."""

from dataclasses import replace

from .. import conditions
from ..ask import Ask
from ..beside import side_by_side
from ..conditions import FAILED
from ..cost.measures import measured
from ..intervals import wilson
from ..view import View
from . import counts, known
from .answers import GroupPage, Share
from .changes import changes
from .concentration import Part, gathering
from .examples import examples
from .known import Known
from .page import split, where_of
from .source import all_calls, by_hours, source

MOST_VALUES = 8


def group(ask: Ask, view: View, name: str) -> GroupPage | None:
    """None of a group that was never seen, or is kept no longer."""
    told = known.groups(ask, [name]).get(name)
    if told is None:
        return None
    grid = by_hours(all_calls(view))
    everything = source(grid.view, rolled=grid.rolled)
    with side_by_side() as beside:
        counting = beside(counts.series, ask, everything, grid)
        drawing = beside(counts.sparks, ask, everything, grid, [name])
        splitting = beside(counts.parts, ask, everything, [name])
        grouping = beside(_user_groups, ask, grid.view, told, name)
        looking = beside(examples, ask, _seen(grid.view, told, name))
        series, spark, shown = counting(), drawing(), looking()
        parts = splitting()[name]
        parts["user_group"] = grouping()
    steps = list(range(grid.view.start, grid.view.end, grid.step * 1000))
    failed_series = spark.get(name, [0] * len(steps))
    everyone = [sum(values[i] for values in series.values()) for i in range(len(steps))]
    failed, calls = sum(failed_series), sum(everyone)
    low, high = wilson(failed, calls)
    oldest = known.known_from(ask)
    return {
        "start": grid.view.start,
        "end": grid.view.end,
        "step": grid.step * 1000,
        "live": view.live,
        "group": name,
        "kind": told.kind,
        "text": told.text,
        "first": told.first,
        "last": told.last,
        "new": known.is_new(told, view.start, oldest),
        "failed": failed,
        "calls": calls,
        "low": low,
        "high": high,
        "where": where_of(gathering(parts)),
        "t": steps,
        "failed_series": failed_series,
        "all": everyone,
        "breakdowns": {dimension: _shares(dimension, values) for dimension, values in parts.items()},
        "examples": shown,
        "changes": changes(ask, told.first, oldest, parts),
    }


def _shares(dimension: str, values: dict[str, Part]) -> list[Share]:
    """The values with most calls of the group, then the busiest others to set them against."""
    first = sorted(values.items(), key=lambda item: (-item[1].failed, -item[1].calls, item[0]))[:MOST_VALUES]
    found: list[Share] = []
    for pair, part in first:
        value, version = split(dimension, pair)
        low, high = wilson(part.failed, part.calls)
        rate = part.failed / part.calls if part.calls else 0.0
        found.append(
            {"value": value, "version": version, "failed": part.failed, "calls": part.calls, "rate": rate,
             "low": low, "high": high}
        )  # fmt: skip
    return found


def _user_groups(ask: Ask, view: View, told: Known, name: str) -> dict[str, Part]:
    """Of all calls, whose rollup knows user groups; of the group's, which are few, between its first and its last."""
    every = measured(view, ["user_group"], ["calls"])
    sql = f"""SELECT m.dim_user_group AS value, sum(m.calls) AS n FROM ({every.sql}) AS m
GROUP BY value ORDER BY n DESC LIMIT 200"""
    calls = dict(ask(sql, every.parameters).rows)
    of_group = _seen(view, told, name)
    failed = _failed(ask, of_group) if of_group.named <= FAILED else _counted(ask, of_group)
    return {value: Part(int(failed.get(value, 0)), int(n)) for value, n in calls.items()}


def _failed(ask: Ask, view: View) -> dict[str, int]:
    hours = conditions.failed(view, "toString(user_group) AS value")
    return dict(ask(f"SELECT value, sum(calls) FROM ({hours.sql}) GROUP BY value", hours.parameters).rows)


def _counted(ask: Ask, view: View) -> dict[str, int]:
    where = conditions.calls(view)
    sql = f"SELECT toString(user_group) AS value, count() FROM llm_calls WHERE {where.sql} GROUP BY value"
    return dict(ask(sql, where.parameters).rows)


def _seen(view: View, told: Known, name: str) -> View:
    """The calls of the group, no earlier than the first of them and no later than the last."""
    start, end = max(view.start, told.first), min(view.end, told.last + 1000)
    return replace(view, start=start, end=max(start, end), chosen=view.chosen | {"failure_group": (name,)})
