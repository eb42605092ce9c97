"""One group of failures: how often, where, since when, what changed about then, and some calls to look at."""

from dataclasses import replace
from typing import Any

from .. import conditions
from ..ask import Ask
from ..intervals import wilson
from ..view import View
from . import counts, known
from .answers import Example, GroupPage, Share
from .changes import changes
from .concentration import Part, gathering
from .page import split, where_of
from .source import all_calls, by_hours, source

EXAMPLES = 5
MOST_VALUES = 8


def group(ask: Ask, view: View, name: str) -> GroupPage | None:
    """None of a group that was never seen, or is kept no longer."""
    told = known.groups(ask, [name]).get(name)
    if told is None:
        return None
    grid = by_hours(all_calls(view))
    everything = source(grid.view, rolled=grid.rolled)
    series = counts.series(ask, everything, grid)
    spark = counts.sparks(ask, everything, grid, [name])
    parts = counts.parts(ask, everything, [name])[name]
    parts["user_group"] = _user_groups(ask, grid.view, name)
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
        "examples": _examples(ask, replace(grid.view, chosen=grid.view.chosen | {"failure_group": (name,)})),
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


def _user_groups(ask: Ask, view: View, name: str) -> dict[str, Part]:
    where = conditions.calls(view)
    sql = f"""SELECT toString(user_group) AS value, countIf(llm_calls.failure_group = {{name:String}}), count()
FROM llm_calls WHERE {where.sql} GROUP BY value ORDER BY count() DESC LIMIT 200"""
    rows = ask(sql, where.parameters | {"name": name}).rows
    return {value: Part(int(failed), int(calls)) for value, failed, calls in rows}


def _examples(ask: Ask, view: View) -> list[Example]:
    """The newest of each service, model and version of a prompt, then the newest at all."""
    where = conditions.calls(view)
    columns = """trace_id, span_id, toUnixTimestamp64Micro(ts) AS us, service, provider, model, prompt_name AS prompt,
       prompt_version, user_group, latency_ms, leftUTF8(status_message, 200) AS message"""
    first = f"SELECT {columns} FROM llm_calls WHERE {where.sql} ORDER BY ts DESC, trace_id, span_id"
    diverse = ask(
        f"{first} LIMIT 1 BY service, model, prompt, prompt_version LIMIT {EXAMPLES}", where.parameters
    ).records()
    newest = ask(f"{first} LIMIT {EXAMPLES}", where.parameters).records() if len(diverse) < EXAMPLES else []
    chosen: dict[Any, Any] = {(row["trace_id"], row["span_id"]): row for row in (*diverse, *newest)}
    return sorted(list(chosen.values())[:EXAMPLES], key=lambda row: -row["us"])
