"""What there is to filter by: the values of a column with their counts under every other filter."""

from typing import Any

from . import conditions
from .ask import Ask
from .view import COLUMNS, View

FACETS = (
    "status", "error_type", "guard_verdict", "guard_action", "service", "env", "provider", "model", "operation",
    "finish_reason", "prompt", "user_group",
)  # fmt: skip
MOST = 15


def facets(ask: Ask, view: View) -> dict[str, list[dict[str, Any]]]:
    """Facet -> its most frequent values, each counted as if that facet had no filter of its own."""
    parts = []
    parameters: dict[str, Any] = {}
    for name in FACETS:
        where = conditions.calls(view, without=name)
        parameters |= where.parameters
        column = COLUMNS[name]
        parts.append(
            f"SELECT '{name}' AS facet, toString({column}) AS value, count() AS calls FROM llm_calls WHERE {where.sql} "
            f"GROUP BY value ORDER BY calls DESC, value LIMIT {MOST}"
        )
    union = " UNION ALL ".join(f"SELECT * FROM ({part})" for part in parts)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in FACETS}
    for facet, value, calls in ask(f"SELECT * FROM ({union}) ORDER BY calls DESC, value", parameters).rows:
        found[facet].append({"value": value, "calls": calls})
    return {name: values for name, values in found.items() if any(v["value"] for v in values)}
