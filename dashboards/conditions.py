"""From a view to SQL: conditions with bound parameters, never text put together from values."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from . import guard_kind
from .guard_columns import GUARD_COLUMNS
from .view import COLUMNS, NUMBERS, View

ROLLED = frozenset({"tenant", "service", "env", "provider", "model"})
"""What the rollup of calls can be asked by; guard rollups know the first three only."""
GUARD_ROLLED = frozenset({"tenant", "service", "env"})

TAGGED = ROLLED | {"status"}
"""What `tag_1h` can be asked by, beside the tag."""

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
EXACT = {"session_id": "", "user_id": "", "trace_id": "[0-9a-f]{32}", "span_id": "[0-9a-f]{16}"}
"""A search text is looked for inside the first, and may be the whole of one of the second, if it looks like one."""

BY_MINUTE = "t >= toDateTime(intDiv({start:Int64}, 1000)) AND t < toDateTime(intDiv({end:Int64} + 999, 1000))"
WHOLE_HOURS = "t >= toDateTime({first_hour:Int64}) AND t < toDateTime({last_hour:Int64})"
"""On a rollup by the hour."""
WHOLE_DAYS = "t >= toDateTime({first_day:Int64}) AND t < toDateTime({last_day:Int64})"
_BEGUN_DAYS = f"{WHOLE_HOURS} AND NOT ({WHOLE_DAYS})"
BEGUN_MINUTES = f"{BY_MINUTE} AND NOT ({WHOLE_HOURS})"
"""On a rollup by the minute: what `WHOLE_HOURS` leaves at both ends."""

IN_RANGE = "ts >= fromUnixTimestamp64Milli({start:Int64}) AND ts < fromUnixTimestamp64Milli({end:Int64})"
CALL_IN_RANGE = IN_RANGE.replace("ts ", "call_ts ")
"""On what knows the time of its call: events and reviews."""
BY_BLOCKS = (
    "toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes(fromUnixTimestamp64Milli({start:Int64}, 'UTC')) "
    "AND toStartOfFiveMinutes(ts) <= toStartOfFiveMinutes(fromUnixTimestamp64Milli({end:Int64}, 'UTC'))"
)
"""`IN_RANGE` once more, roughly: keys of tables begin with five minutes, and ClickHouse does not see these in it, since
the time itself stands in the key too, further back. Of use where a range is short beside a part of a table."""


def outside(first: str, last: str) -> str:
    """On `llm_calls`: what is left at both ends of the range by parameters that name whole hours, in seconds. Said of
    the blocks, or the week that a part holds is read for the minutes that are asked for.
    """
    block = "toStartOfFiveMinutes(ts)"
    return f"{BY_BLOCKS} AND ({block} < toDateTime({{{first}:Int64}}) OR {block} >= toDateTime({{{last}:Int64}}))"


BEGUN_CALLS = outside("first_hour", "last_hour")
"""What `WHOLE_HOURS` leaves."""

_HOUR_MS = 3_600_000
_PART_MS = 7 * 24 * _HOUR_MS
"""Parts hold a week at most."""
_HOUR = "toDateTime(toStartOfHour(ts), 'UTC')"

_OF_STATUS = {"ok": "(llm_calls.calls - errors - blocked)", "error": "errors", "blocked": "blocked"}
"""Status -> SQL on `tag_1h`: how many calls have it."""

PRICED = "multiIf(cost_usd IS NOT NULL, 'yes', input_tokens + output_tokens > 0, 'no', 'nothing to price')"


@dataclass(frozen=True, slots=True)
class Condition:
    sql: str
    parameters: dict[str, Any]

    def named(self, prefix: str) -> "Condition":
        """The same with other names of parameters, so that it can stand beside another."""
        sql = re.sub(r"\{(\w+):", rf"{{{prefix}_\1:", self.sql)
        return Condition(sql, {f"{prefix}_{name}": value for name, value in self.parameters.items()})


def calls(view: View, *, without: str = "") -> Condition:
    """On `llm_calls`: everything the view asks for, except the filter named `without`."""
    asked = of_any_time(view, without=without)
    terms = [IN_RANGE, *([BY_BLOCKS] if view.end - view.start < _PART_MS else []), *([asked.sql] if asked.sql else [])]
    return Condition(" AND ".join(terms), asked.parameters)


def near(view: View) -> str:
    """On `guard_events`, beside what tells the calls: the time in which their events are. Of a range that is most of
    what is stored only the index is asked: to compare each row costs more than the few rows too many.
    """
    return f"indexHint({guard_kind.IN_TIME})" if view.end - view.start >= _PART_MS else guard_kind.NEAR


def of_any_time(view: View, *, without: str = "", of_part: str = "") -> Condition:
    """As `calls`, without the time; no text where nothing else is asked for. `of_part`: SQL on events, where only those
    of a part of the calls matter.
    """
    terms: list[str] = []
    parameters: dict[str, Any] = {"start": view.start, "end": view.end}
    for negated, filters in ((False, view.chosen), (True, view.refused)):
        for name, values in filters.items():
            if name != without and (negated or name not in GUARD_COLUMNS):
                parameter = f"{'not_' if negated else 'is_'}{name}"
                terms.append(_term(name, parameter, values, negated=negated))
                parameters[parameter] = list(values)
    if events := {name: values for name, values in view.chosen.items() if name in GUARD_COLUMNS and name != without}:
        terms.append(_with_event(events, near(view) + of_part))
        parameters |= {f"is_{name}": list(values) for name, values in events.items()}
    for name, bound in view.bounds.items():
        expression, comparison = NUMBERS[name]
        terms.append(f"{expression} {comparison} {{{name}:Float64}}")
        parameters[name] = bound
    if view.found is not None:
        terms.append(f"{guard_kind.KEY} IN {{found:Array(UInt64)}}")
        parameters["found"] = list(view.found.keys)
    elif view.text:
        terms.append(_says(view.text))
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
    """First and last whole hour (and day) inside the view, in seconds; equal where there is none."""
    told: dict[str, int] = {}
    for name, size in (("hour", 3600), ("day", 86400)):
        first = -(-view.start // (1000 * size)) * size
        told |= {f"first_{name}": first, f"last_{name}": max(view.end // (1000 * size) * size, first)}
    return told


def only_whole_hours(view: View) -> bool:
    """The range begins and ends with an hour, as a chart's does: rollups by the hour know all of it, and reading a
    statement that asks others for nothing would take longer than the answer.
    """
    told = hours(view)
    return (view.start, view.end) == (told["first_hour"] * 1000, told["last_hour"] * 1000)


def counted(view: View, columns: str, *, of_calls: str = "", by_hour: bool = True) -> Condition:
    """SELECT of `columns` (of `facets_1h`), `hour` and `calls` over the calls of the view, most of them rolled up.
    `of_calls` are the same columns on `llm_calls`, where they are spelt otherwise there. Not `by_hour`: most rows are
    of whole days, and `hour` is of no use.

    Only where `view.named` <= `HOURLY`. What `llm_1h` knows is asked of it, which has fewer rows.
    """
    whole, begun = rollup(view, WHOLE_HOURS), calls(view)
    if whole.parameters["first_hour"] == whole.parameters["last_hour"]:
        sql = f"SELECT {of_calls or columns}, {_HOUR} AS hour, toUInt64(1) AS calls FROM llm_calls WHERE {begun.sql}"
        return Condition(sql, begun.parameters)
    asked = view.named | {column.strip() for column in columns.split(",")}
    table = "llm_1h" if asked <= ROLLED else "facets_1h"
    rolled = {table: whole.sql}
    if table == "facets_1h" and not by_hour and whole.parameters["first_day"] < whole.parameters["last_day"]:
        rolled = {"facets_1d": rollup(view, WHOLE_DAYS).sql, table: rollup(view, _BEGUN_DAYS).sql}
    # named llm_calls, so that the conditions of a view fit both
    of_rollups = (
        f"SELECT {columns}, t AS hour, calls FROM {name} AS llm_calls WHERE {of}" for name, of in rolled.items()
    )
    sql = f"""{" UNION ALL ".join(of_rollups)}
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
    of_rest = view.without("guard")
    hours = counted(of_rest, "guard", of_calls=f"{guard_kind.OF_CALL} AS guard", by_hour=False)
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
    known = len(tags) == 1 and tags[0] and "tag" not in view.refused and view.named - {"tag"} <= TAGGED
    return tags[0] if known else None


def tagged(view: View) -> Condition:
    """SELECT of `tag` and `calls`, as if tags had no filter: whole hours from `tag_1h`, which knows `TAGGED`."""
    inner = view.without("tag")
    of_hours = inner.without("status")
    whole, begun = rollup(of_hours, WHOLE_HOURS), calls(inner)
    statuses = {*inner.chosen.get("status", _OF_STATUS)} - {*inner.refused.get("status", ())}
    counted = " + ".join(count for status, count in _OF_STATUS.items() if status in statuses) or "0"
    sql = f"""SELECT toString(tag) AS tag, toUInt64({counted}) AS calls FROM tag_1h AS llm_calls
WHERE {whole.sql} AND tag != ''
UNION ALL SELECT toString(arrayJoin(arrayDistinct(tags))) AS tag, toUInt64(1) AS calls FROM llm_calls
WHERE {begun.sql} AND {BEGUN_CALLS}"""
    return Condition(sql, whole.parameters | begun.parameters)


def of_tag(view: View, tag: str) -> Condition:
    """On `tag_1h`, whole hours, where `only_tag` and `ROLLED` say all."""
    inner = view.without("tag")
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


def _says(text: str) -> str:
    inside = "positionCaseInsensitive" if text.isascii() else "positionCaseInsensitiveUTF8"
    terms = [f"{inside}({column}, {{q:String}}) > 0" for column in SEARCHED]
    terms += [f"{column} = {{q:String}}" for column, form in EXACT.items() if not form or re.fullmatch(form, text)]
    return f"({' OR '.join(terms)})"


def _with_event(events: Iterable[str], near_: str) -> str:
    """A call with one event for which all of these hold: the label that this rule found, not that of another."""
    terms = [f"{GUARD_COLUMNS[name]} IN {{is_{name}:Array(String)}}" for name in events]
    found = f"SELECT {guard_kind.KEY} FROM guard_events WHERE {' AND '.join(terms)}"
    return f"{guard_kind.KEY} IN ({found} AND {near_})"


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
