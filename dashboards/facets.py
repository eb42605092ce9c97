"""What there is to filter by: the values of a column with their counts under every other filter."""

from collections.abc import Iterator, Sequence
from typing import Any

from . import conditions, guard_kind, sets
from .ask import Ask
from .conditions import Condition
from .view import COLUMNS, View

FACETS = (
    "status", "failure", "guard", "rule", "error_type", "service", "env", "provider", "model", "operation",
    "finish_reason", "prompt", "user_group", "tag",
)  # fmt: skip
MOST = 15


def facets(ask: Ask, view: View) -> dict[str, list[dict[str, Any]]]:
    """Facet -> its most frequent values, each counted as if that facet had no filter of its own."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in FACETS}
    for part in _parts(view):
        largest = f"SELECT facet, value, calls FROM ({part.sql}) ORDER BY calls DESC, value LIMIT {MOST} BY facet"
        for facet, value, calls in ask(largest, part.parameters).rows:
            found[facet].append({"value": value, "calls": calls})
    return {name: values for name, values in found.items() if any(v["value"] for v in values)}


def _parts(view: View) -> Iterator[Condition]:
    """SELECTs of `facet`, `value`, `calls`: one for all columns that have no filter, then one for each other facet."""
    free = [name for name in FACETS if name in COLUMNS and name not in view.named]
    if free:
        yield _columns(free, view)
    for name in FACETS:
        if name not in free:
            one = _columns([name], view) if name in COLUMNS else _counted(name, view)
            yield Condition(f"SELECT '{name}' AS facet, value, calls FROM ({one.sql})", one.parameters)


def _columns(names: Sequence[str], view: View) -> Condition:
    """Read once for all of `names`: they have no filter, or are one that stands without its own."""
    without = names[0] if len(names) == 1 else ""
    columns = [f"of_{name}" for name in names]
    told = ", ".join(f"{COLUMNS[name]} AS of_{name}" for name in names)
    if view.named - {without} <= conditions.HOURLY:
        source = conditions.counted(view, told, without=without)
        rows, calls = source.sql, "sum(c.calls)"
    else:
        source = conditions.calls(view, without=without)
        rows, calls = f"SELECT {told} FROM llm_calls WHERE {source.sql}", "count()"
    sql = f"""SELECT substring({sets.which(columns)}, 4) AS facet, {sets.value(columns)} AS value, {calls} AS calls
FROM ({rows}) AS c {sets.grouped(columns)}"""
    return Condition(sql, source.parameters)


def _counted(name: str, view: View) -> Condition:
    """SELECT of `value`, `calls` for what is no column of a call."""
    where = conditions.calls(view, without=name)
    if name == "guard" and view.named - {name} <= conditions.HOURLY:
        source = conditions.counted(view, "guard", without=name, of_calls=f"{guard_kind.OF_CALL} AS guard")
        sql = guard_kind.counted_by_hours(source.sql, where.sql)
        return Condition(sql, source.parameters | where.parameters)
    if name == "tag" and view.named - {name} <= conditions.ROLLED:
        source = conditions.tagged(view)
        return Condition(
            f"SELECT tag AS value, sum(calls) AS calls FROM ({source.sql}) GROUP BY value", source.parameters
        )
    return Condition(_one_by_one(name, where.sql), where.parameters)


def _one_by_one(name: str, where: str) -> str:
    if name == "guard":
        return guard_kind.counted(where)
    if name == "rule":
        return (
            f"SELECT toString(rule) AS value, uniqExact({guard_kind.KEY}) AS calls FROM guard_events "
            f"WHERE {guard_kind.NEAR} "
            f"AND {guard_kind.KEY} IN (SELECT {guard_kind.KEY} FROM llm_calls WHERE {where} AND {guard_kind.KEY} IN "
            f"(SELECT {guard_kind.KEY} FROM guard_events WHERE {guard_kind.NEAR})) GROUP BY value"
        )
    return f"SELECT toString(arrayJoin(arrayDistinct(tags))) AS value, count() AS calls FROM llm_calls WHERE {where} GROUP BY value"
