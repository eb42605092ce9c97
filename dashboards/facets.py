"""What there is to filter by: the values of a column with their counts under every other filter."""

from typing import Any

from . import conditions, guard_kind
from .ask import Ask
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
        where = conditions.calls(view, without=name)
        parameters |= where.parameters
        parts.append(
            f"SELECT '{name}' AS facet, * FROM ({_counted(name, where.sql)} ORDER BY calls DESC, value LIMIT {MOST})"
        )
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in FACETS}
    union = " UNION ALL ".join(parts)
    for facet, value, calls in ask(f"SELECT * FROM ({union}) ORDER BY calls DESC, value", parameters).rows:
        found[facet].append({"value": value, "calls": calls})
    return {name: values for name, values in found.items() if any(v["value"] for v in values)}


def _counted(name: str, where: str) -> str:
    """SELECT of `value`, `calls`."""
    if name == "guard":
        return guard_kind.counted(where)
    if name == "rule":
        return (
            f"SELECT toString(rule) AS value, uniqExact({guard_kind.KEY}) AS calls FROM guard_events "
            f"WHERE {guard_kind.NEAR} "
            f"AND {guard_kind.KEY} IN (SELECT {guard_kind.KEY} FROM llm_calls WHERE {where}) GROUP BY value"
        )
    value = "arrayJoin(arrayDistinct(tags))" if name == "tag" else f"toString({COLUMNS[name]})"
    return f"SELECT {value} AS value, count() AS calls FROM llm_calls WHERE {where} GROUP BY value"
