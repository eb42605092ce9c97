"""Guard events and guarded calls of a view: which they are, and how calls were guarded, most of it from rollups.

How many calls have an event is counted from the rows: a sum cannot tell it, and merging states of distinct calls by
the hour costs more than reading eight bytes a row.
"""

from dataclasses import replace
from typing import Any

from .. import conditions, events, guard_kind
from ..ask import Ask
from ..conditions import BEGUN_CALLS, CALL_IN_RANGE, GUARD_ROLLED, PROMPTED, WHOLE_HOURS, Condition
from ..guard_columns import GUARD_COLUMNS
from ..view import COLUMNS, View

DISTINCT = f"uniqCombined64({guard_kind.KEY})"
"""SQL on `guard_events`: calls, however many events they have. Of some thousand exact, above within about 1 %."""

HOUR_S = 3600
SUMS = ("calls", "unguarded", "failed_open", "degraded", "blocked", "modified")
"""What `calls()` counts; blocked and modified are words of `guard_kind.CALL_KINDS`, without what events add."""

_BIN = "toInt16(if(guard_latency_ms > 0, floor(8 * log2(guard_latency_ms)), -100))"
_AT = "toInt64(toUnixTimestamp(t)) AS second, service, env"
_BY_PROMPT = f"""SELECT {_AT}, calls, unguarded, failed_open, degraded, guard_blocked AS blocked, modified,
       guard_hist AS lat_hist FROM cost_1h WHERE """
_KIND_OF_HOURS = guard_kind.OF_CALL.replace("status = 'blocked'", "blocked = 1")
_OF_KIND = ", ".join(f"g.calls * (g.kind = '{kind}') AS {kind}" for kind in SUMS if kind in guard_kind.CALL_KINDS)
_BY_HOUR = f"""SELECT {_AT}, g.calls AS calls, g.calls * (g.degraded > 0) AS degraded, {_OF_KIND},
       g.lat_hist AS lat_hist
FROM (SELECT *, {_KIND_OF_HOURS} AS kind FROM guarded_1h WHERE {{where}}) AS g"""
_IS_KIND = ", ".join(
    f"countIf({guard_kind.OF_CALL} = '{kind}') AS {kind}" for kind in SUMS if kind in guard_kind.CALL_KINDS
)
_ONE_BY_ONE = f"""SELECT intDiv(toInt64(toUnixTimestamp(ts)), {{step:Int64}}) * {{step:Int64}} AS second, service, env,
       count() AS calls, countIf(llm_calls.degraded > 0) AS degraded, {_IS_KIND}, map({_BIN}, count()) AS lat_hist
FROM llm_calls WHERE """
_GROUPED = f" GROUP BY second, service, env, {_BIN}"  # a row a bin: several times faster than sums of maps
_LISTED = f"second, service, env, {', '.join(SUMS)}, lat_hist"


def calls(view: View, step: int) -> Condition:
    """SELECT of `second`, service, env, `SUMS` and `lat_hist` (what guards added); `second` fits into steps so wide."""
    asked = without_guards(view)
    begun = conditions.calls(asked)
    parameters = begun.parameters | {"step": step}
    if step % HOUR_S or not rolled(view):
        return Condition(f"SELECT {_LISTED} FROM ({_ONE_BY_ONE}{begun.sql}{_GROUPED})", parameters)
    whole = conditions.rollup(asked, WHOLE_HOURS)
    hours = _BY_HOUR.replace("{where}", whole.sql) if asked.named <= GUARD_ROLLED else f"{_BY_PROMPT}{whole.sql}"
    if conditions.only_whole_hours(view):
        return Condition(f"SELECT {_LISTED} FROM ({hours})", parameters | whole.parameters)
    edges = f"{_ONE_BY_ONE}{begun.sql} AND {BEGUN_CALLS}{_GROUPED}"
    return Condition(
        f"SELECT {_LISTED} FROM ({hours}) UNION ALL SELECT {_LISTED} FROM ({edges})", parameters | whole.parameters
    )


def rolled(view: View) -> bool:
    """Whether `calls` reads whole hours from rollups, if steps are no finer."""
    return without_guards(view).named <= PROMPTED


def latencies(view: View) -> Condition:
    """SELECT of `bucket` and `lat`, what guards added to calls, in steps of {step} seconds."""
    where = conditions.calls(without_guards(view))
    counted = f"mapFromArrays(range(-99, 300), countResample(-99, 300, 1)({_BIN}))"
    sql = f"""SELECT intDiv(toInt64(toUnixTimestamp(ts)), {{step:Int64}}) * {{step:Int64}} AS bucket,
       mapFilter((bin, n) -> n > 0, {counted}) AS lat FROM llm_calls WHERE {where.sql} GROUP BY bucket"""
    return Condition(sql, where.parameters)


def rows(ask: Ask, view: View) -> Condition:
    """On `guard_events`: the events that the view is about, one by one."""
    return _with_guards(view, events.asked(ask, without_guards(view)))


def any_reviewed(ask: Ask, view: View) -> bool:
    """Whether anybody said anything in the view's time: until then no call has to be looked up for `reviewed`."""
    sql = f"SELECT 1 FROM reviews WHERE {CALL_IN_RANGE} LIMIT 1"
    return bool(ask(sql, _range(view)).rows)


def reviewed(ask: Ask, view: View) -> Condition:
    """On `reviews`: the labels on findings of the view's calls, as far as its conditions are known there.

    What was found is in the events; only calls in which something was missed need not have any.
    """
    kept = {*COLUMNS, "tag", "guard", "priced", "rule", "detector", "label", "stage"}
    told = replace(
        view,
        chosen={name: values for name, values in view.chosen.items() if name in kept},
        refused={name: values for name, values in view.refused.items() if name in kept},
    )
    of_calls = without_guards(told)
    if of_calls.named <= GUARD_ROLLED:
        narrowed, parameters = _columns(of_calls)
        return _with_guards(told, Condition(f"{CALL_IN_RANGE}{narrowed}", parameters | _range(view)))
    found, inner = events.asked(ask, of_calls), conditions.calls(of_calls)
    there = f"FROM reviews WHERE {CALL_IN_RANGE}"
    blocks = f"SELECT toStartOfFiveMinutes(call_ts) {there} AND verdict IN ('missed', 'none')"
    near = f"toStartOfFiveMinutes(ts) IN ({blocks})"
    with_label = f"{guard_kind.KEY} IN (SELECT {guard_kind.KEY_OF_IDS} {there})"
    by_call = " OR ".join(
        f"{guard_kind.KEY_OF_IDS} IN (SELECT {guard_kind.KEY} FROM {table} WHERE {where})"
        for table, where in (
            ("guard_events", f"{found.sql} AND {with_label}"),
            ("llm_calls", f"{inner.sql} AND {near}"),
        )
    )
    return _with_guards(told, Condition(f"{CALL_IN_RANGE} AND ({by_call})", found.parameters | inner.parameters))


def without_guards(view: View) -> View:
    """The calls among which the events are counted: every condition but those on events."""
    return view.without(*GUARD_COLUMNS)


def _with_guards(view: View, of_calls: Condition) -> Condition:
    guards = replace(view, chosen=_guards(view.chosen), refused=_guards(view.refused))
    narrowed, parameters = _columns(guards)
    return Condition(f"{of_calls.sql}{narrowed}", of_calls.parameters | parameters)


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


def _range(view: View) -> dict[str, int]:
    return {"start": view.start, "end": view.end}
