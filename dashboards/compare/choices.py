"""What sides can be made of: the busiest values in a view."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..ask import Ask
from ..facets import facets
from ..failures.source import by_hours, source
from ..view import View
from .answers import Choice, Choices

MOST = 30
_FACETS = ("model", "service", "user_group", "tag")


def choices(ask: Ask, view: View) -> Choices:
    found = facets(ask, view, _FACETS)
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


def _of(values: Iterable[Mapping[str, Any]]) -> list[Choice]:
    return [{"value": one["value"], "version": "", "calls": one["calls"]} for one in values if one["value"]]
