"""The list of calls: a page at a time by keyset, so that new calls neither shift nor repeat rows."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from . import conditions, guard_kind
from .ask import Ask
from .conditions import Condition
from .view import BadView, View

SORTS = {
    "time": ("toUnixTimestamp64Micro(ts)", "Int64"),
    "latency": ("toFloat64(latency_ms)", "Float64"),
    "ttft": ("toFloat64(ttft_ms)", "Float64"),
    "cost": ("ifNull(cost_usd, -1)", "Float64"),
    "tokens": ("toInt64(input_tokens) + output_tokens", "Int64"),
    "input": ("toInt64(input_tokens)", "Int64"),
    "output": ("toInt64(output_tokens)", "Int64"),
}
"""What a list can be sorted by; time, then the ids, decide between equals."""

ROW = f"""trace_id, span_id, toUnixTimestamp64Micro(ts) AS us, service, env, operation, provider, request_model, model,
status, error_type, finish_reason, stream, stream_end, input_tokens, cached_tokens, output_tokens, reasoning_tokens,
usage_source, cost_usd AS cost, latency_ms, ttft_ms, guard_verdict, guard_action, degraded, content_withheld,
session_id, user_id, prompt_name, prompt_version, tags, input_preview, output_preview,
leftUTF8(status_message, 200) AS failure, {guard_kind.OF_CALL} AS guard"""

MOST = 200
_PARTS = (256, 16, 1)
"""Of a range, newest first: how much of it is looked at for the first page."""


@dataclass(frozen=True, slots=True)
class Order:
    """`sort` is a key of `SORTS`; `down`: the largest (newest) first."""

    sort: str = "time"
    down: bool = True

    def sql(self, *, back: bool = False) -> str:
        """What stands after ORDER BY; `back` reads the list from its end."""
        first = () if self.sort == "time" else (SORTS[self.sort][0],)
        direction = "DESC" if self.down != back else "ASC"
        return ", ".join(f"{key} {direction}" for key in (*first, "ts", "trace_id", "span_id"))

    def beyond(self, *, back: bool = False) -> str:
        """The condition that a row comes after (`back`: before) the one the `at_` parameters name."""
        comparison = "<" if self.down != back else ">"
        at = f"{{at_value:{SORTS[self.sort][1]}}}, {{at_us:Int64}}, {{at_trace:String}}, {{at_span:String}}"
        here = f"{SORTS[self.sort][0]}, toUnixTimestamp64Micro(ts), trace_id, span_id"
        return f"({here}) {comparison} ({at})"


def order(text: str) -> Order:
    """`latency` (ascending) or `-latency` (descending) as an `Order`; empty is the newest first."""
    sort = text.removeprefix("-") or "time"
    if sort not in SORTS:
        raise BadView(
            f"sort={text!r} is unknown: take one of {', '.join(SORTS)}, with - before it for the largest first"
        )
    return Order(sort, down=not text or text.startswith("-"))


def page(ask: Ask, view: View, by: Order, *, size: int = 100, cursor: str = "") -> dict[str, Any]:
    """`calls` (rows), `next` (cursor of the page after, None at the end) and `total` under the view's filters.

    `searched` says how far back (`since`, milliseconds) a search inside content came; `whole`: through the range.
    """
    where = conditions.calls(view)
    parameters = dict(where.parameters)
    beyond = ""
    if cursor:
        parameters |= _decode(cursor, by)
        beyond = f" AND {by.beyond()}"
    near = _near(ask, view, by, Condition(where.sql + beyond, parameters), size + 1)
    sql = f"""SELECT {ROW}, {SORTS[by.sort][0]} AS at_value FROM llm_calls WHERE {near.sql}
ORDER BY {by.sql()} LIMIT {size + 1}"""
    rows = ask(sql, near.parameters).records()
    total = _total(ask, view)
    more = len(rows) > size
    after = _encode(rows[size - 1], by) if more else None
    for row in rows:
        del row["at_value"]
    guard_kind.join(ask, rows[:size])
    found = view.found and {"since": view.found.since, "whole": view.found.whole}
    return {"calls": rows[:size], "next": after, "total": total, "searched": found}


def _total(ask: Ask, view: View) -> int:
    if view.named <= conditions.HOURLY:
        source = conditions.counted(view, "status")
        counted: int = ask(f"SELECT sum(calls) FROM ({source.sql})", source.parameters).rows[0][0]
        return counted
    where = conditions.calls(view)
    found: int = ask(f"SELECT count() FROM llm_calls WHERE {where.sql}", where.parameters).rows[0][0]
    return found


def _near(ask: Ask, view: View, by: Order, where: Condition, count: int) -> Condition:
    """`where`, narrowed to the moments of the first `count` rows: found by two narrow columns, so that wide ones
    are read for few rows only. By time, the nearest part of the range is looked at first.
    """
    value = SORTS[by.sort][0]
    direction, side = ("DESC", ">=") if by.down else ("ASC", "<=")
    begin = where.parameters.get("at_us", 1000 * (view.end if by.down else view.start)) // 1000
    found: tuple[tuple[Any, ...], ...] = ()
    for part in _PARTS if by.sort == "time" else (1,):
        length = (view.end - view.start) // part
        edge = max(begin - length, view.start) if by.down else min(begin + length, view.end)
        within = "" if part == 1 else f" AND ts {side} fromUnixTimestamp64Milli({{edge:Int64}})"
        sql = f"""SELECT toUnixTimestamp64Micro(ts) FROM llm_calls WHERE {where.sql}{within}
ORDER BY {value} {direction}, ts {direction} LIMIT {count}"""
        found = ask(sql, where.parameters | {"edge": edge}).rows
        if len(found) >= count:
            break
    moments = "SELECT fromUnixTimestamp64Micro(arrayJoin({near_us:Array(Int64)}))"
    parameters = where.parameters | {"near_us": sorted({row[0] for row in found})}
    return Condition(f"{where.sql} AND ts IN ({moments})", parameters)


def neighbours(ask: Ask, view: View, by: Order, call: dict[str, Any]) -> dict[str, Any]:
    """Ids of the calls before and after this one in the list that the view shows, None at its ends."""
    where = conditions.calls(view)
    at = ask(
        f"SELECT {SORTS[by.sort][0]} FROM llm_calls WHERE trace_id = {{t:String}} AND span_id = {{s:String}} LIMIT 1",
        {"t": call["trace_id"], "s": call["span_id"]},
    ).rows[0][0]
    here = {"at_value": at, "at_us": call["us"], "at_trace": call["trace_id"], "at_span": call["span_id"]}
    found: dict[str, Any] = {}
    for name, back in (("previous", True), ("next", False)):
        sql = f"""SELECT trace_id, span_id FROM llm_calls WHERE {where.sql} AND {by.beyond(back=back)}
ORDER BY {by.sql(back=back)} LIMIT 1"""
        rows = ask(sql, where.parameters | here).records()
        found[name] = rows[0] if rows else None
    return found


def _encode(row: dict[str, Any], by: Order) -> str:
    position = [by.sort, row["at_value"], row["us"], row["trace_id"], row["span_id"]]
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _decode(cursor: str, by: Order) -> dict[str, Any]:
    try:
        sort, value, us, trace, span = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        position = {"at_value": float(value), "at_us": int(us), "at_trace": str(trace), "at_span": str(span)}
    except (ValueError, TypeError, binascii.Error):
        raise BadView("this cursor was not made by this list; start again without `cursor`") from None
    if sort != by.sort:
        raise BadView(f"this cursor belongs to a list sorted by {sort}; start again without `cursor`")
    return position | ({"at_value": int(value)} if SORTS[by.sort][1] == "Int64" else {})
