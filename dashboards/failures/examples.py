"""Calls of a group to look at: the newest of each service, model and version of a prompt, then the newest at all."""

from typing import Any

from .. import conditions, first_rows, guard_kind
from ..ask import Ask
from ..conditions import Condition
from ..first_rows import Rows
from ..view import View
from .answers import Example

EXAMPLES = 5

_ALIKE = "service, model, prompt_name, prompt_version"
_NEWEST_ALIKE = f"""SELECT toUnixTimestamp64Micro(max(ts)) AS us, argMax({guard_kind.KEY}, ts) AS key FROM llm_calls
WHERE {{where}} GROUP BY {_ALIKE} ORDER BY us DESC, key LIMIT {EXAMPLES}"""
_NEWEST = f"""SELECT toUnixTimestamp64Micro(ts) AS us, {guard_kind.KEY} AS key FROM llm_calls
WHERE {{where}} ORDER BY ts DESC, key LIMIT {EXAMPLES}"""
_SHOWN = """SELECT trace_id, span_id, toUnixTimestamp64Micro(ts) AS us, service, provider, model,
       prompt_name AS prompt, prompt_version, user_group, latency_ms, leftUTF8(status_message, 200) AS message
FROM llm_calls WHERE {where} ORDER BY ts DESC, trace_id, span_id"""


def examples(ask: Ask, view: View) -> list[Example]:
    """Newest first. Found by narrow columns; wide ones are read for these few only."""
    where = conditions.calls(view)
    diverse = _first(ask, view, where, _NEWEST_ALIKE)
    newest = _first(ask, view, where, _NEWEST) if len(diverse) < EXAMPLES else ()
    here = first_rows.at((*diverse, *newest))
    found: list[Any] = ask(_SHOWN.format(where=here.sql), here.parameters).records()
    shown = _of_each(found)
    shown += [row for row in found if row not in shown]
    return sorted(shown[:EXAMPLES], key=lambda row: -row["us"])


def _first(ask: Ask, view: View, where: Condition, sql: str) -> Rows:
    """The newest part of the range is looked at first: what was found there is newer than all before it."""
    rows: Rows = ()
    for part in first_rows.PARTS:
        edge = {"edge": view.end - (view.end - view.start) // part}
        near = f"{where.sql} AND ts >= fromUnixTimestamp64Milli({{edge:Int64}})"
        rows = ask(sql.format(where=near), where.parameters | edge).rows
        if len(rows) >= EXAMPLES:
            break
    return rows


def _of_each(rows: list[Any]) -> list[Any]:
    first: dict[Any, Any] = {}
    for row in rows:
        first.setdefault((row["service"], row["model"], row["prompt"], row["prompt_version"]), row)
    return list(first.values())
