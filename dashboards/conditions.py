"""From a view to SQL: conditions with bound parameters, never text put together from values."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from . import guard_kind
from .guard_columns import GUARD_COLUMNS
from .view import COLUMNS, NUMBERS, View

ROLLED = frozenset({"tenant", "service", "env", "provider", "model"})
"""What the rollup of calls can be asked by; guard rollups know the first three only."""
GUARD_ROLLED = frozenset({"tenant", "service", "env"})

PROMPTED = ROLLED | {"prompt", "prompt_version", "user_group"}
"""What `cost_1h` can be asked by."""
HOURLY = frozenset(
    {"tenant", "service", "env", "provider", "model", "operation", "status", "error_type", "finish_reason", "prompt"}
    | {"user_group", "failure"}
)
"""What `facets_1h` can be asked by; `counted` joins it with the calls of begun hours."""
FAILED = HOURLY | {"prompt_version", "failure_group", "tag"}
"""What `failed_1h` can be asked by."""

SEARCHED = ("input_preview", "output_preview", "status_message")
EXACT = ("trace_id", "span_id", "session_id", "user_id")
"""A search text is looked for inside the first, and may be the whole of one of the second."""

BY_MINUTE = "t >= toDateTime(intDiv({start:Int64}, 1000)) AND t < toDateTime(intDiv({end:Int64} + 999, 1000))"
WHOLE_HOURS = "t >= toDateTime({first_hour:Int64}) AND t < toDateTime({last_hour:Int64})"
"""On a rollup by the hour."""
BEGUN_MINUTES = f"{BY_MINUTE} AND NOT ({WHOLE_HOURS})"
"""On a rollup by the minute: what `WHOLE_HOURS` leaves at both ends."""
BEGUN_CALLS = (
    "(ts < fromUnixTimestamp64Milli({first_hour:Int64} * 1000) "
    "OR ts >= fromUnixTimestamp64Milli({last_hour:Int64} * 1000))"
)

IN_RANGE = "ts >= fromUnixTimestamp64Milli({start:Int64}) AND ts < fromUnixTimestamp64Milli({end:Int64})"

_HOUR_MS = 3_600_000
_HOUR = "toDateTime(toStartOfHour(ts), 'UTC')"

PRICED = "multiIf(cost_usd IS NOT NULL, 'yes', input_tokens + output_tokens > 0, 'no', 'nothing to price')"


@dataclass(frozen=True, slots=True)
class Condition:
    sql: str
    parameters: dict[str, Any]


def calls(view: View, *, without: str = "") -> Condition:
    """On `llm_calls`: everything the view asks for, except the filter named `without`."""
    terms = [IN_RANGE]
    parameters: dict[str, Any] = {"start": view.start, "end": view.end}
    for negated, filters in ((False, view.chosen), (True, view.refused)):
        for name, values in filters.items():
            if name != without and (negated or name not in GUARD_COLUMNS):
                parameter = f"{'not_' if negated else 'is_'}{name}"
                terms.append(_term(name, parameter, values, negated=negated))
                parameters[parameter] = list(values)
    if events := {name: values for name, values in view.chosen.items() if name in GUARD_COLUMNS and name != without}:
        terms.append(_with_event(events))
        parameters |= {f"is_{name}": list(values) for name, values in events.items()}
    for name, bound in view.bounds.items():
        expression, comparison = NUMBERS[name]
        terms.append(f"{expression} {comparison} {{{name}:Float64}}")
        parameters[name] = bound
    if view.found is not None:
        terms.append(f"{guard_kind.KEY} IN {{found:Array(UInt64)}}")
        parameters["found"] = list(view.found.keys)
    elif view.text:
        inside = [f"positionCaseInsensitiveUTF8({column}, {{q:String}}) > 0" for column in SEARCHED]
        terms.append("(" + " OR ".join([*inside, *(f"{column} = {{q:String}}" for column in EXACT)]) + ")")
        parameters["q"] = view.text
    return Condition(" AND ".join(terms), parameters)


def rollup(view: View, time: str = BY_MINUTE) -> Condition:
    """On a rollup: the columns it has; the caller knows by `view.named` that this says all."""
    terms = [time]
    parameters: dict[str, Any] = {"start": view.start, "end": view.end, **hours(view)}
    for negated, filters in ((False, view.chosen), (True, view.refused)):
        for name, values in filters.items():
            parameter = f"{'not_' if negated else 'is_'}{name}"
            terms.append(_term(name, parameter, values, negated=negated))
            parameters[parameter] = list(values)
    return Condition(" AND ".join(terms), parameters)


def hours(view: View) -> dict[str, int]:
    """First and last whole hour inside the view, in seconds; equal where there is none."""
    first = -(-view.start // _HOUR_MS) * 3600
    return {"first_hour": first, "last_hour": max(view.end // _HOUR_MS * 3600, first)}


def counted(view: View, columns: str, *, without: str = "", of_calls: str = "") -> Condition:
    """SELECT of `columns` (of `facets_1h`), `hour` and `calls` over the calls of the view, most of them rolled up.
    `of_calls` are the same columns on `llm_calls`, where they are spelt otherwise there.

    Only where `view.named` <= `HOURLY`. What `llm_1h` knows is asked of it, which has fewer rows.
    """
    inner = replace(view, chosen=_less(view.chosen, without), refused=_less(view.refused, without))
    whole, begun = rollup(inner, WHOLE_HOURS), calls(inner)
    if whole.parameters["first_hour"] == whole.parameters["last_hour"]:
        sql = f"SELECT {of_calls or columns}, {_HOUR} AS hour, toUInt64(1) AS calls FROM llm_calls WHERE {begun.sql}"
        return Condition(sql, begun.parameters)
    asked = inner.named | {column.strip() for column in columns.split(",")}
    table = "llm_1h" if asked <= ROLLED else "facets_1h"
    # named llm_calls, so that the conditions of a view fit both
    sql = f"""SELECT {columns}, t AS hour, calls FROM {table} AS llm_calls WHERE {whole.sql}
UNION ALL SELECT {of_calls or columns}, {_HOUR} AS hour, toUInt64(1) AS calls FROM llm_calls
WHERE {begun.sql} AND {BEGUN_CALLS}"""
    return Condition(sql, whole.parameters | begun.parameters)


def by_kind(view: View) -> tuple[Condition, Condition] | None:
    """The number of calls of the view in two parts, SELECTs of `calls`: as they are by themselves, and what their
    events change. None where no rollup knows the rest of the view.
    """
    kinds = view.chosen.get("guard", ())
    if not kinds or "guard" in view.refused or not view.named - {"guard"} <= HOURLY:
        return None
    hours = counted(view, "guard", without="guard", of_calls=f"{guard_kind.OF_CALL} AS guard")
    own = f"SELECT calls FROM ({hours.sql}) WHERE has({{is_guard:Array(String)}}, toString(guard))"
    change, changed = guard_kind.beside("is_guard", kinds)
    inner = calls(view, without="guard")
    named = {"is_guard": list(kinds)}
    beside = (
        f"SELECT {change} AS calls FROM llm_calls WHERE {inner.sql} AND {changed}" if change else "SELECT 0 AS calls"
    )
    return Condition(own, hours.parameters | named), Condition(beside, inner.parameters | named)


def only_tag(view: View) -> str | None:
    """The one tag that the calls of the view have, where `tagged` can count them: of two, some calls have both."""
    tags = view.chosen.get("tag", ())
    known = len(tags) == 1 and tags[0] and "tag" not in view.refused and view.named - {"tag"} <= ROLLED
    return tags[0] if known else None


def tagged(view: View) -> Condition:
    """SELECT of `tag` and `calls`, as if tags had no filter: whole hours from `tag_1h`, which knows `ROLLED`."""
    inner = replace(view, chosen=_less(view.chosen, "tag"), refused=_less(view.refused, "tag"))
    whole, begun = rollup(inner, WHOLE_HOURS), calls(inner)
    sql = f"""SELECT toString(tag) AS tag, calls FROM tag_1h AS llm_calls WHERE {whole.sql} AND tag != ''
UNION ALL SELECT toString(arrayJoin(arrayDistinct(tags))) AS tag, toUInt64(1) AS calls FROM llm_calls
WHERE {begun.sql} AND {BEGUN_CALLS}"""
    return Condition(sql, whole.parameters | begun.parameters)


def of_tag(view: View, tag: str) -> Condition:
    """On `tag_1h`, whole hours, where `only_tag` and `ROLLED` say all."""
    inner = replace(view, chosen=_less(view.chosen, "tag"), refused=_less(view.refused, "tag"))
    whole = rollup(inner, WHOLE_HOURS)
    return Condition(f"{whole.sql} AND tag = {{only_tag:String}}", whole.parameters | {"only_tag": tag})


def failed(view: View, columns: str) -> Condition:
    """As `counted`, of the calls that failed: where `view.named` <= `FAILED`."""
    whole, begun = rollup(view, WHOLE_HOURS), calls(view)
    # named llm_calls, so that the conditions of a view fit both
    sql = f"""SELECT {columns}, t AS hour, calls FROM failed_1h AS llm_calls WHERE {whole.sql}
UNION ALL SELECT {columns}, {_HOUR} AS hour, toUInt64(1) AS calls FROM llm_calls
WHERE {begun.sql} AND {BEGUN_CALLS} AND llm_calls.failure != ''"""
    return Condition(sql, whole.parameters | begun.parameters)


def _less(filters: dict[str, tuple[str, ...]], name: str) -> dict[str, tuple[str, ...]]:
    return {key: values for key, values in filters.items() if key != name}


def guarded(view: View) -> Condition:
    """On `guard_events`: those of the calls that the view shows."""
    if view.named <= GUARD_ROLLED:
        return calls(view)
    inner = calls(view)
    # of the calls only those with events are put into the set: it is most of the work
    with_events = f"{guard_kind.KEY} IN (SELECT {guard_kind.KEY} FROM guard_events WHERE {IN_RANGE})"
    by_call = f"{guard_kind.KEY} IN (SELECT {guard_kind.KEY} FROM llm_calls WHERE {inner.sql} AND {with_events})"
    return Condition(f"{IN_RANGE} AND {by_call}", inner.parameters)


def _with_event(events: Iterable[str]) -> str:
    """A call with one event for which all of these hold: the label that this rule found, not that of another."""
    terms = [f"{GUARD_COLUMNS[name]} IN {{is_{name}:Array(String)}}" for name in events]
    found = f"SELECT {guard_kind.KEY} FROM guard_events WHERE {' AND '.join(terms)}"
    return f"{guard_kind.KEY} IN ({found} AND {guard_kind.NEAR})"


def _term(name: str, parameter: str, values: Collection[str], *, negated: bool) -> str:
    turn = "NOT " if negated else ""
    if name == "tag":
        return f"{turn}hasAny(tags, {{{parameter}:Array(String)}})"
    if name == "priced":
        return f"{turn}has({{{parameter}:Array(String)}}, {PRICED})"
    if name in GUARD_COLUMNS:
        found = (
            f"SELECT {guard_kind.KEY} FROM guard_events WHERE {GUARD_COLUMNS[name]} IN {{{parameter}:Array(String)}}"
        )
        return f"{guard_kind.KEY} {turn}IN ({found} AND {guard_kind.NEAR})"
    if name == "guard":
        return turn + guard_kind.term(parameter, values)
    return f"{COLUMNS[name]} {turn}IN {{{parameter}:Array(String)}}"
