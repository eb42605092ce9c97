"""What there is to filter by: the values of a column with their counts under every other filter."""

from typing import Any

from . import conditions, guard_kind
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
    parts = []
    parameters: dict[str, Any] = {}
    for name in FACETS:
        counted = _counted(name, view)
        parameters |= counted.parameters
        parts.append(f"SELECT '{name}' AS facet, * FROM ({counted.sql} ORDER BY calls DESC, value LIMIT {MOST})")
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in FACETS}
    union = " UNION ALL ".join(parts)
    for facet, value, calls in ask(f"SELECT * FROM ({union}) ORDER BY calls DESC, value", parameters).rows:
        found[facet].append({"value": value, "calls": calls})
    return {name: values for name, values in found.items() if any(v["value"] for v in values)}


def _counted(name: str, view: View) -> Condition:
    """SELECT of `value`, `calls`."""
    if name in conditions.HOURLY and view.named - {name} <= conditions.HOURLY:
        source = conditions.counted(view, COLUMNS[name], without=name)
        value = f"toString(c.{COLUMNS[name]}) AS value"
        sql = f"SELECT {value}, sum(c.calls) AS calls FROM ({source.sql}) AS c GROUP BY value"
        return Condition(sql, source.parameters)
    where = conditions.calls(view, without=name)
    if name == "guard" and view.named - {name} <= conditions.HOURLY:
        source = conditions.counted(view, "guard", without=name, of_calls=f"{guard_kind.OF_CALL} AS guard")
        sql = guard_kind.counted_by_hours(source.sql, where.sql)
        return Condition(sql, source.parameters | where.parameters)
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
    value = "arrayJoin(arrayDistinct(tags))" if name == "tag" else f"toString({COLUMNS[name]})"
    return f"SELECT {value} AS value, count() AS calls FROM llm_calls WHERE {where} GROUP BY value"
