"""What sides can be made of: the busiest values in a view."""

from collections.abc import Iterable, Mapping
from typing import Any

from .. import conditions, sets
from ..ask import Ask
from ..facets import MOST as MOST_OF_FACET
from ..facets import facets
from ..failures.source import by_hours, source
from ..view import View
from .answers import Choice, Choices

MOST = 30
_COLUMNS = ("model", "service", "user_group")
_KNOWN = conditions.ROLLED - {*_COLUMNS}
"""Filters under which all choices are in rollups by the hour, and none has a filter of its own."""


def choices(ask: Ask, view: View) -> Choices:
    found = _busiest(ask, view) if view.named <= _KNOWN else facets(ask, view)
    grid = by_hours(view)
    of = source(grid.view, rolled=grid.rolled)
    sql = f"""SELECT toString(prompt_name) AS value, toString(prompt_version) AS version, sum(calls) AS n
FROM ({of.sql}) WHERE prompt_name != '' GROUP BY value, version ORDER BY n DESC, value, version LIMIT {MOST}"""
    prompts = ask(sql, of.parameters).rows
    return {
        "model": _of(found.get("model", ())),
        "prompt": [{"value": value, "version": version, "calls": int(calls)} for value, version, calls in prompts],
        "service": _of(found.get("service", ())),
        "user_group": _of(found.get("user_group", ())),
        "tag": _of(found.get("tag", ())),
    }


def _busiest(ask: Ask, view: View) -> dict[str, list[dict[str, Any]]]:
    """As `facets`, but for no more of them than are shown."""
    hours, tags = conditions.counted(view, ", ".join(_COLUMNS)), conditions.tagged(view)
    by = f"""SELECT {sets.which(_COLUMNS)} AS facet, {sets.value(_COLUMNS)} AS value, sum(c.calls) AS calls
FROM ({hours.sql}) AS c {sets.grouped(_COLUMNS)}"""
    by_tag = f"SELECT 'tag' AS facet, tag AS value, sum(calls) AS calls FROM ({tags.sql}) GROUP BY tag"
    sql = f"SELECT * FROM ({by} UNION ALL {by_tag}) ORDER BY calls DESC, value LIMIT {MOST_OF_FACET} BY facet"
    found: dict[str, list[dict[str, Any]]] = {}
    for facet, value, calls in ask(sql, hours.parameters | tags.parameters).rows:
        found.setdefault(facet, []).append({"value": value, "calls": int(calls)})
    return found


def _of(values: Iterable[Mapping[str, Any]]) -> list[Choice]:
    return [{"value": one["value"], "version": "", "calls": one["calls"]} for one in values if one["value"]]
