"""The list of calls: a page at a time by keyset, so that new calls neither shift nor repeat rows."""

from dataclasses import replace
from typing import Any

from . import calls_of_events, conditions, first_rows, guard_kind, stretch
from .ask import Ask
from .beside import side_by_side
from .conditions import Condition
from .cost.measures import measured, rolled
from .cursor import Cursor, decode
from .cursor import at as position_of
from .sorting import SORTS, Order
from .view import View

ROW = f"""trace_id, span_id, toUnixTimestamp64Micro(ts) AS us, service, env, operation, provider, request_model, model,
status, error_type, finish_reason, stream, stream_end, input_tokens, cached_tokens, output_tokens, reasoning_tokens,
usage_source, cost_usd AS cost, latency_ms, ttft_ms, guard_verdict, guard_action, degraded, content_withheld,
session_id, user_id, prompt_name, prompt_version, tags, input_preview, output_preview,
leftUTF8(status_message, 200) AS failure, {guard_kind.OF_CALL} AS guard"""

MOST = 200


def page(ask: Ask, view: View, by: Order, *, size: int = 50, cursor: str = "") -> dict[str, Any]:
    """`calls` (rows), `next` (cursor of the page after, None at the end) and `total` under the view's filters.

    A search for a text looks at a part of a long range at a time: `searched` says how far it came (`since`,
    milliseconds), and whether that is all of it (`whole`). Until then `total` is what was found so far, and `next`
    leads on, also where the page is not full.
    """
    at = decode(cursor, by) if cursor else Cursor()
    looked = _looked_at(ask, view, by, at)
    with side_by_side() as beside:
        # but for a search, which reads what it is counted by, and may find all there is
        counting = None if looked.text else beside(_total, ask, looked)
        rows = _rows(ask, looked, by, at.position, size + 1)
        guard_kind.join(ask, rows[:size])
        all_here = len(rows) <= size and not at.position
        total = at.found + (len(rows) if all_here else counting() if counting else _total(ask, looked))
    after = _after(view, looked, by, at, rows, size, total)
    for row in rows:
        del row["at_value"]
    return {
        "calls": rows[:size],
        "next": after and after.encode(by),
        "total": total,
        "searched": _searched(view, looked, by),
    }


def _in_stretches(view: View, by: Order) -> bool:
    """Another order than by time takes all that fit, wherever they are."""
    return bool(view.text) and view.found is None and by.sort == "time"


def _looked_at(ask: Ask, view: View, by: Order, at: Cursor) -> View:
    if not _in_stretches(view, by):
        return view
    if at.begin is not None and at.end is not None:
        first, last = sorted((at.begin, at.end))
        return replace(view, start=max(view.start, first), end=min(view.end, last))
    begin = at.begin if at.begin is not None else (view.end if by.down else view.start)
    return stretch.of(ask, view, begin, down=by.down)


def _searched(view: View, looked: View, by: Order) -> dict[str, Any] | None:
    if view.found:
        return {"since": view.found.since, "whole": view.found.whole}
    if not _in_stretches(view, by):
        return None
    return {"since": looked.start if by.down else looked.end, "whole": _whole(view, looked, by)}


def _whole(view: View, looked: View, by: Order) -> bool:
    return looked.start <= view.start if by.down else looked.end >= view.end


def _rows(ask: Ask, view: View, by: Order, position: dict[str, Any], count: int) -> list[dict[str, Any]]:
    where = conditions.calls(view)
    beyond = f" AND {by.beyond()}" if position else ""
    near = first_rows.find(ask, view, by, Condition(where.sql + beyond, where.parameters | position), count)
    sql = f"""SELECT {ROW}, {SORTS[by.sort].value} AS at_value FROM llm_calls WHERE {near.sql}
ORDER BY {by.sql()} LIMIT {count}"""
    return ask(sql, near.parameters).records()


def _after(
    view: View, looked: View, by: Order, at: Cursor, rows: list[dict[str, Any]], size: int, total: int
) -> Cursor | None:
    begin, end = (looked.end, looked.start) if by.down else (looked.start, looked.end)
    full = len(rows) > size
    if not _in_stretches(view, by):
        return Cursor(position_of(rows[size - 1])) if full else None
    if full:
        return Cursor(position_of(rows[size - 1]), begin, end, at.found)
    return None if _whole(view, looked, by) else Cursor(begin=end, found=total)


def _total(ask: Ask, view: View) -> int:
    if view.named <= conditions.HOURLY:
        source = conditions.counted(view, "service", by_hour=False)
        return _sum(ask, source)
    if rolled(view):
        return _sum(ask, measured(view, of=["calls"]))
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
