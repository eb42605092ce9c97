"""The list of calls: a page at a time by keyset, so that new calls neither shift nor repeat rows."""

import base64
import binascii
import json
from typing import Any

from . import calls_of_events, conditions, first_rows, guard_kind
from .ask import Ask
from .conditions import Condition
from .sorting import SORTS, Order
from .view import BadView, View

ROW = f"""trace_id, span_id, toUnixTimestamp64Micro(ts) AS us, service, env, operation, provider, request_model, model,
status, error_type, finish_reason, stream, stream_end, input_tokens, cached_tokens, output_tokens, reasoning_tokens,
usage_source, cost_usd AS cost, latency_ms, ttft_ms, guard_verdict, guard_action, degraded, content_withheld,
session_id, user_id, prompt_name, prompt_version, tags, input_preview, output_preview,
leftUTF8(status_message, 200) AS failure, {guard_kind.OF_CALL} AS guard"""

MOST = 200


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
    near = first_rows.find(ask, view, by, Condition(where.sql + beyond, parameters), size + 1)
    sql = f"""SELECT {ROW}, {SORTS[by.sort].value} AS at_value FROM llm_calls WHERE {near.sql}
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
        source = conditions.counted(view, "service", by_hour=False)
        return _sum(ask, source)
    if view.named <= conditions.PROMPTED:
        return _sum(ask, conditions.prompted(view))
    if calls_of_events.answers(view) and calls_of_events.all_change(view):
        return _of_events(ask, view)
    if parts := conditions.by_kind(view):
        return sum(_sum(ask, part) for part in parts)
    if (tag := conditions.only_tag(view)) is not None:
        source = conditions.tagged(view)
        tagged = f"SELECT calls FROM ({source.sql}) WHERE tag = {{tag:String}}"
        return _sum(ask, Condition(tagged, source.parameters | {"tag": tag}))
    where = conditions.calls(view)
    found: int = ask(f"SELECT count() FROM llm_calls WHERE {where.sql}", where.parameters).rows[0][0]
    return found


def _of_events(ask: Ask, view: View) -> int:
    """Calls as they are by themselves, and what events change of that."""
    of = calls_of_events.of(ask, view)
    rows = of.changing()
    calls = int(ask(f"SELECT {of.change()} FROM ({rows.sql})", rows.parameters).rows[0][0])
    if calls_of_events.only_with_events(view):
        return calls
    if parts := conditions.by_kind(view):
        return calls + _sum(ask, parts[0])
    own = calls_of_events.by_themselves(view)
    return calls + int(ask(f"SELECT count() FROM llm_calls WHERE {own.sql}", own.parameters).rows[0][0])


def _sum(ask: Ask, source: Condition) -> int:
    """`source` is a SELECT of `calls`, among others."""
    return int(ask(f"SELECT sum(calls) FROM ({source.sql})", source.parameters).rows[0][0])


def neighbours(ask: Ask, view: View, by: Order, call: dict[str, Any]) -> dict[str, Any]:
    """Ids of the calls before and after this one in the list that the view shows, None at its ends."""
    where = conditions.calls(view)
    at = ask(
        f"SELECT {SORTS[by.sort].value} FROM llm_calls WHERE trace_id = {{t:String}} AND span_id = {{s:String}} "
        "LIMIT 1",
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
    return position | ({"at_value": int(value)} if SORTS[by.sort].kind == "Int64" else {})
