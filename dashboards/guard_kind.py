"""What came of the guards, one word a call or event: the same words on charts, in lists, facets and filters."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .ask import Ask

EVENT_KINDS = ("blocked", "modified", "flagged", "shadow", "failed_open")
"""Of an event; a call can have several, as rules that only flag are judged after it was stored."""
CALL_KINDS = (*EVENT_KINDS, "unguarded", "clean")

FOUND = "verdict NOT IN ('allow', 'none')"

_EVENTS = {
    "verdict = 'fail_open'": "failed_open",
    "mode = 'shadow'": "shadow",
    "action = 'block'": "blocked",
    "action = 'modify'": "modified",
    "": "flagged",
}
_CALLS = {
    "guard_verdict = 'fail_open'": "failed_open",
    "guard_action = 'block' OR status = 'blocked'": "blocked",
    "guard_action = 'modify'": "modified",
    "guard_verdict IN ('warn', 'deny')": "flagged",
    "guard_verdict = 'allow'": "clean",
    "": "unguarded",
}


def bits_of(kinds: Collection[str]) -> int:
    """A number with one bit set for each kind."""
    return sum(1 << CALL_KINDS.index(kind) for kind in {*kinds} & {*CALL_KINDS})


def _word(cases: Mapping[str, str]) -> str:
    return f"multiIf({', '.join(f'{told}{comma}{kind!r}' for told, comma, kind in _cases(cases))})"


def _bit(cases: Mapping[str, str]) -> str:
    """Of very many rows numbers are made several times faster than words."""
    told = (f"{told}{comma}toUInt8({bits_of([kind])})" for told, comma, kind in _cases(cases))
    return f"multiIf({', '.join(told)})"


def _cases(cases: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    return ((told, ", " if told else "", kind) for told, kind in cases.items())


OF_EVENT = _word(_EVENTS)
"""SQL on `guard_events`: shadow rules changed nothing whatever their verdict was."""

OF_CALL = _word(_CALLS)
"""SQL on `llm_calls`: what stood in the way of the call made of it; its events may add to that."""

BIT_OF_CALL = _bit(_CALLS)
"""The same as `bits_of` it; `guard_events` keeps it of its call as `call_bits`, and of itself as `event_bits`."""

IN_TIME = (
    "ts >= fromUnixTimestamp64Milli({start:Int64} - 3600000) AND ts < fromUnixTimestamp64Milli({end:Int64} + 86400000)"
)
"""On `guard_events`: an event may be stamped a little before its call where clocks differ, and long after it began."""

NEAR = (
    f"{IN_TIME} "
    "AND toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes(fromUnixTimestamp64Milli({start:Int64} - 3600000, 'UTC')) "
    "AND toStartOfFiveMinutes(ts) <= toStartOfFiveMinutes(fromUnixTimestamp64Milli({end:Int64} + 86400000, 'UTC'))"
)
"""The same as the primary key has it, for a range that is a part of what is stored."""

KEY = "call_key"
"""On `llm_calls` and `guard_events`, a call in eight bytes: sets of many are far faster by it than by ids."""

KEY_OF_IDS = "cityHash64(trace_id, span_id)"
"""The same, on tables that do not keep it: content, reviews."""

_NAMES = str(list(CALL_KINDS))
_FOUND = f"SELECT {KEY} FROM guard_events WHERE {FOUND} AND {NEAR}"


def bit(kind: str) -> str:
    """SQL: a number with one bit set for the kind."""
    return f"toUInt32(bitShiftLeft(toUInt32(1), indexOf({_NAMES}, {kind}) - 1))"


def term(parameter: str, values: Collection[str]) -> str:
    """SQL on `llm_calls`: a call is of one of the kinds `values`, which `parameter` names. Clean is one without events.

    Events are asked for only where they can say something: their sets are most of the work.
    """
    own = f"has({{{parameter}:Array(String)}}, {OF_CALL})"
    if "clean" in values:
        own = f"{own} AND ({OF_CALL} != 'clean' OR {KEY} NOT IN ({_FOUND}))"
    return f"({own} OR {KEY} IN ({_found(parameter)}))" if {*EVENT_KINDS} & {*values} else f"({own})"


def beside(parameter: str, values: Collection[str]) -> tuple[str, str]:
    """SQL on `llm_calls`: by how much a call changes their number, if calls are counted as they are by themselves
    (`OF_CALL`), and the condition that it does. Both empty where events change nothing.
    """
    own = f"has({{{parameter}:Array(String)}}, {OF_CALL})"
    come = f"NOT {own} AND {KEY} IN ({_found(parameter)})"
    go = f"{OF_CALL} = 'clean' AND {KEY} IN ({_FOUND})"
    if "clean" not in values:
        return ("1", come) if {*EVENT_KINDS} & {*values} else ("", "")
    if not {*EVENT_KINDS} & {*values}:
        return "-1", go
    return f"if({own}, -1, 1)", f"({come} OR {go} AND {KEY} NOT IN ({_found(parameter)}))"


def _found(parameter: str) -> str:
    return f"{_FOUND} AND has({{{parameter}:Array(String)}}, {OF_EVENT})"


def join(ask: Ask, rows: Iterable[dict[str, Any]]) -> None:
    """Give each row of calls `guards`, its kinds, and `rules`, those that found something; takes its `guard`."""
    calls = list(rows)
    events = _events(ask, calls) if calls else {}
    for row in calls:
        kinds, rules = events.get((row["trace_id"], row["span_id"]), ((), ()))
        all_kinds = {row.pop("guard"), *kinds}
        row["guards"] = [kind for kind in CALL_KINDS if kind in all_kinds and (kind != "clean" or len(all_kinds) == 1)]
        row["rules"] = sorted(rules)


def _events(ask: Ask, calls: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[list[str], list[str]]]:
    sql = f"""SELECT trace_id, span_id, groupUniqArray({OF_EVENT}) AS kinds, groupUniqArray(rule) AS rules
FROM guard_events WHERE {FOUND} AND {NEAR}
  AND trace_id IN {{traces:Array(String)}} AND span_id IN {{spans:Array(String)}}
GROUP BY trace_id, span_id"""
    parameters = {
        "start": min(call["us"] for call in calls) // 1000,
        "end": max(call["us"] for call in calls) // 1000,
        "traces": [call["trace_id"] for call in calls],
        "spans": [call["span_id"] for call in calls],
    }
    return {(trace, span): (kinds, rules) for trace, span, kinds, rules in ask(sql, parameters).rows}
