"""How often calls failed: by time, by kind, by group, and by what they have in common."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ..ask import Ask
from ..grid import Grid
from .concentration import Part
from .source import Source

Parts = dict[str, dict[str, dict[str, Part]]]
"""Group -> dimension -> value -> its part."""

SEPARATOR = "\x1f"
"""Between name and version of a prompt, provider and model: a character that names do not have."""

_MOST_PARTS = 60_000


def totals(ask: Ask, of: Source) -> dict[str, int]:
    """Kind -> calls; '' are those without failure."""
    sql = f"SELECT failure, sum(calls) FROM ({of.sql}) GROUP BY failure"
    return {kind: int(calls) for kind, calls in ask(sql, of.parameters).rows}


def series(ask: Ask, of: Source, grid: Grid) -> dict[str, list[int]]:
    """Kind -> calls at each step of the grid."""
    return _stepped(ask, f"SELECT second, failure AS name, calls FROM ({of.sql})", of.parameters, grid)


def sparks(ask: Ask, of: Source, grid: Grid, groups: Iterable[str]) -> dict[str, list[int]]:
    """Group -> calls at each step of the grid."""
    names = {"shown": list(groups)}
    inner = (
        f"SELECT second, failure_group AS name, calls FROM ({of.sql}) WHERE failure_group IN {{shown:Array(String)}}"
    )
    return _stepped(ask, inner, of.parameters | names, grid)


def top(ask: Ask, of: Source, most: int) -> tuple[list[dict[str, Any]], int]:
    """The largest groups (failure, failure_group, calls), and how many there are in all."""
    grouped = f"""SELECT failure, failure_group, sum(calls) AS calls FROM ({of.sql})
WHERE failure != '' GROUP BY failure, failure_group"""
    rows = ask(f"{grouped} ORDER BY calls DESC, failure_group LIMIT {most}", of.parameters).records()
    if len(rows) < most:
        return rows, len(rows)
    return rows, int(ask(f"SELECT count() FROM ({grouped})", of.parameters).rows[0][0])


def of_groups(ask: Ask, of: Source, groups: Iterable[str]) -> dict[str, int]:
    sql = f"""SELECT failure_group, sum(calls) FROM ({of.sql})
WHERE failure_group IN {{shown:Array(String)}} GROUP BY failure_group"""
    return {group: int(calls) for group, calls in ask(sql, of.parameters | {"shown": list(groups)}).rows}


def parts(ask: Ask, of: Source, groups: Iterable[str]) -> Parts:
    """Of each group; every value has its calls in all, also those without any call of the group."""
    shown = list(groups)
    sql = f"""SELECT if(has({{shown:Array(String)}}, group), group, '') AS of_group,
       pair.1 AS dimension, pair.2 AS value, sum(calls) AS n
FROM (
  SELECT toString(failure_group) AS group, service, provider, model, prompt_name, prompt_version, sum(calls) AS calls
  FROM ({of.sql}) GROUP BY group, service, provider, model, prompt_name, prompt_version
)
ARRAY JOIN [
  ('service', toString(service)), ('provider', toString(provider)),
  ('model', concat(provider, '{SEPARATOR}', model)),
  ('prompt', if(prompt_name = '', '', concat(prompt_name, '{SEPARATOR}', prompt_version)))
] AS pair
GROUP BY of_group, dimension, value ORDER BY n DESC LIMIT {_MOST_PARTS}"""
    counted: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    all_of: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for group, dimension, value, calls in ask(sql, of.parameters | {"shown": shown}).rows:
        all_of[dimension][value] += int(calls)
        counted[group, dimension][value] += int(calls)
    return {
        group: {
            dimension: {value: Part(counted[group, dimension].get(value, 0), calls) for value, calls in values.items()}
            for dimension, values in all_of.items()
        }
        for group in shown
    }


def _stepped(ask: Ask, inner: str, parameters: dict[str, Any], grid: Grid) -> dict[str, list[int]]:
    first, steps = grid.view.start // 1000, (grid.view.end - grid.view.start) // 1000 // grid.step
    sql = f"""SELECT name, intDiv(second - {{first:Int64}}, {{step:Int64}}) AS at, sum(calls)
FROM ({inner}) GROUP BY name, at"""
    found: dict[str, list[int]] = defaultdict(lambda: [0] * steps)
    for name, at, calls in ask(sql, parameters | {"first": first, "step": grid.step}).rows:
        if 0 <= at < steps:
            found[name][at] += int(calls)
    return dict(found)
