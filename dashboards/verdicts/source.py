"""Guard events and guarded calls of a view, counted: whole hours from rollups, what is left at the ends from rows.

How many calls have an event is counted from the rows: a sum cannot tell it, and merging states of distinct calls by
the hour costs more than reading eight bytes a row.
"""

from dataclasses import replace
from typing import Any

from .. import conditions, guard_kind
from .. import events as events_
from ..conditions import GUARD_ROLLED, Condition
from ..guard_columns import GUARD_COLUMNS
from ..view import COLUMNS, View

HOUR_MS = 3_600_000
DISTINCT = f"uniqCombined64({guard_kind.KEY})"
"""SQL on `guard_events`: calls, however many events they have. Of some thousand exact, above within about 1 %."""

DIMENSIONS = ("service", "env", "rule", "policy", "detector", "label", "stage", "verdict", "action", "mode", "engine")

KIND_OF_CALLS = guard_kind.OF_CALL.replace("status = 'blocked'", "blocked = 1")
"""SQL on `calls()`: a word of `guard_kind.CALL_KINDS`, without what events add to it."""

_LISTED = ", ".join((*DIMENSIONS, "degraded"))
_BIN = "toInt16(if({0} > 0, floor(8 * log2({0})), -100))"
_HOURS = "t >= toDateTime(intDiv({first:Int64}, 1000)) AND t < toDateTime(intDiv({last:Int64}, 1000))"
_AT = "toInt64(toUnixTimestamp(t)) AS second"
_FOUND_BY_HOUR = f"SELECT {_LISTED}, events, findings, lat_hist FROM guard_1h WHERE {_HOURS}"
_STEP = "intDiv(toInt64(toUnixTimestamp(ts)), {step:Int64}) * {step:Int64} AS second"
_FOUND_ONE_BY_ONE = f"""SELECT {_LISTED},
       count() AS events, sum(guard_events.findings) AS findings, map({_BIN.format("latency_ms")}, count()) AS lat_hist
FROM guard_events WHERE """
_FOUND_GROUPED = f"{_LISTED}, {_BIN.format('latency_ms')}"  # a row a bin: several times faster than sums of maps
_CALLS_LISTED = "service, env, guard_verdict, guard_action"
_CALLS_BY_HOUR = f"SELECT {_AT}, {_CALLS_LISTED}, blocked, degraded, calls, lat_hist FROM guarded_1h WHERE {_HOURS}"
_CALLS_ONE_BY_ONE = f"""SELECT {_STEP}, {_CALLS_LISTED}, toUInt8(status = 'blocked') AS blocked, degraded,
       count() AS calls,
       map({_BIN.format("guard_latency_ms")}, count()) AS lat_hist
FROM llm_calls WHERE """


def events(view: View) -> Condition:
    """SELECT of the dimensions, `degraded`, `events`, `findings` and `lat_hist`."""
    narrowed, parameters = _of_events(view)
    if view.named <= {*GUARD_ROLLED, *GUARD_COLUMNS}:
        rolled = f"{_FOUND_BY_HOUR}{narrowed}"
        edges = f"{_FOUND_ONE_BY_ONE}({_edges()}){narrowed} GROUP BY {_FOUND_GROUPED}"
        return Condition(f"{rolled} UNION ALL {edges}", parameters | _hours(view))
    where = f"{conditions.IN_RANGE}{narrowed}"
    return Condition(f"{_FOUND_ONE_BY_ONE}{where} GROUP BY {_FOUND_GROUPED}", parameters | _range(view))


def calls(view: View, step: int = 3600) -> Condition:
    """SELECT of `second`, service, env, guard_verdict, guard_action, `blocked`, `degraded`, `calls`, `lat_hist`."""
    asked = without_guards(view)
    grouped = f" GROUP BY second, {_CALLS_LISTED}, blocked, degraded, {_BIN.format('guard_latency_ms')}"
    if step >= 3600 and asked.named <= GUARD_ROLLED:
        narrowed, parameters = _columns(asked)
        rows = f"{_CALLS_ONE_BY_ONE}({_edges()}){narrowed}{grouped}"
        return Condition(f"{_CALLS_BY_HOUR}{narrowed} UNION ALL {rows}", parameters | _hours(asked) | {"step": step})
    where = conditions.calls(asked)
    return Condition(f"{_CALLS_ONE_BY_ONE}{where.sql}{grouped}", where.parameters | {"step": step})


def rows(view: View) -> Condition:
    """On `guard_events`: the events that the view is about, one by one."""
    narrowed, parameters = _of_events(view)
    return Condition(f"{conditions.IN_RANGE}{narrowed}", parameters | _range(view))


def reviewed(view: View) -> Condition:
    """On `reviews`: the labels on findings of the view's calls, as far as its conditions are known there."""
    kept = {*COLUMNS, "tag", "guard", "priced", "rule", "detector", "label", "stage"}
    told = replace(
        view,
        chosen={name: values for name, values in view.chosen.items() if name in kept},
        refused={name: values for name, values in view.refused.items() if name in kept},
    )
    narrowed, parameters = _of_events(told, key=guard_kind.KEY_OF_IDS)
    in_range = conditions.IN_RANGE.replace("ts ", "call_ts ")
    return Condition(f"{in_range}{narrowed}", parameters | _range(view))


def without_guards(view: View) -> View:
    """The calls among which the events are counted: every condition but those on events."""
    return replace(
        view,
        chosen={name: values for name, values in view.chosen.items() if name not in GUARD_COLUMNS},
        refused={name: values for name, values in view.refused.items() if name not in GUARD_COLUMNS},
    )


def _of_events(view: View, key: str = guard_kind.KEY) -> tuple[str, dict[str, Any]]:
    """Conditions on events themselves; what only a call can answer is asked of the calls. `key` names one here."""
    if view.named <= {*GUARD_ROLLED, *GUARD_COLUMNS}:
        return _columns(view)
    guards = replace(view, chosen=_guards(view.chosen), refused=_guards(view.refused))
    narrowed, parameters = _columns(guards)
    if key == guard_kind.KEY:
        asked = events_.of_calls(without_guards(view))
        return f" AND {asked.sql}{narrowed}", asked.parameters | parameters
    inner = conditions.calls(without_guards(view))
    by_call = f" AND {key} IN (SELECT {guard_kind.KEY} FROM llm_calls WHERE {inner.sql})"
    return by_call + narrowed, inner.parameters | parameters


def _guards(filters: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {name: values for name, values in filters.items() if name in GUARD_COLUMNS}


def _columns(view: View) -> tuple[str, dict[str, Any]]:
    terms, parameters = "", {}
    for turn, prefix, filters in (("", "is", view.chosen), ("NOT ", "not", view.refused)):
        for name, values in filters.items():
            column = GUARD_COLUMNS.get(name) or COLUMNS[name]
            terms += f" AND {column} {turn}IN {{{prefix}_{name}:Array(String)}}"
            parameters[f"{prefix}_{name}"] = list(values)
    return terms, parameters


def _edges() -> str:
    """Before the first whole hour and after the last; there may be none between."""
    first, last = "fromUnixTimestamp64Milli({first:Int64})", "fromUnixTimestamp64Milli({last:Int64})"
    return f"{conditions.IN_RANGE} AND (ts < {first} OR ts >= {last})"


def _hours(view: View) -> dict[str, int]:
    first = -(-view.start // HOUR_MS) * HOUR_MS
    return _range(view) | {"first": first, "last": max(first, view.end // HOUR_MS * HOUR_MS)}


def _range(view: View) -> dict[str, int]:
    return {"start": view.start, "end": view.end}
