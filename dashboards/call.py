"""One call with everything about it: its row, what was said, what the guards made of it, the trace it stood in."""

import re
from typing import Any

from . import guard_kind
from .ask import Ask
from .calls import ROW, neighbours
from .sorting import Order
from .view import BadView, View

CONTENT = ("input", "output", "system", "tools")
LONGEST_CONTENT = 8_000_000
MOST_SPANS = 500
MOST_EVENTS = 500
MOST_READ = 100
"""Calls and operations of a trace that are read in one go."""
LONGEST_READ = 200_000
"""Characters of each of their texts."""

_CALL = f"""SELECT {ROW}, parent_span_id, status_message, chunks, cache_write_tokens, price_version, policy_hash,
       guard_latency_ms, user_group, tenant
FROM llm_calls WHERE trace_id = {{trace:String}} AND span_id = {{span:String}} LIMIT 1"""

_CONTENT = (
    "SELECT "
    + ", ".join(
        f"leftUTF8({name}, {LONGEST_CONTENT}) AS {name}, lengthUTF8({name}) AS {name}_length" for name in CONTENT
    )
    + " FROM content WHERE trace_id = {trace:String} AND span_id = {span:String} LIMIT 1"
)

_READ = f"""SELECT span_id, toUnixTimestamp64Micro(ts) AS us,
{", ".join(f"leftUTF8({name}, {LONGEST_READ}) AS {name}, lengthUTF8({name}) AS {name}_length" for name in CONTENT)},
(trace_id, span_id) IN (SELECT trace_id, span_id FROM llm_calls WHERE trace_id = {{trace:String}}) AS is_call
FROM content WHERE trace_id = {{trace:String}} ORDER BY ts, span_id LIMIT {MOST_READ + 1}"""

_NAMES = f"""SELECT span_id, any(name) AS name, any(service) AS service, any(status) AS status FROM spans
WHERE trace_id = {{trace:String}} GROUP BY span_id LIMIT {10 * MOST_SPANS}"""

_EVENTS = f"""SELECT toUnixTimestamp64Micro(toDateTime64(ts, 6)) AS us, rule, policy, policy_hash, stage,
       detector, label, score, findings, verdict, action, mode, engine, degraded, latency_ms, reason
FROM guard_events WHERE trace_id = {{trace:String}} AND span_id = {{span:String}}
ORDER BY ts, rule, label LIMIT {MOST_EVENTS}"""

_SPANS = f"""SELECT span_id, parent_span_id, name, kind, service, scope, status,
       leftUTF8(status_message, 500) AS status_message,
       intDiv(toUnixTimestamp64Nano(ts), 1000) AS us, duration_ns / 1000 AS duration_us,
       mapApply((k, v) -> (k, leftUTF8(v, 2000)), attributes) AS attributes,
       if(span_id = {{span:String}}, resource, map()) AS resource, `events.name` AS events,
       (trace_id, span_id) IN (SELECT trace_id, span_id FROM llm_calls WHERE trace_id = {{trace:String}}) AS is_call
FROM spans WHERE trace_id = {{trace:String}} ORDER BY ts, span_id LIMIT {MOST_SPANS + 1}"""


def call(ask: Ask, trace: str, span: str, view: View, by: Order) -> dict[str, Any] | None:
    """None if there is no such call. Content is JSON text as the conventions have it, None where none was stored."""
    ids = _ids(trace, span)
    rows = ask(_CALL, ids).records()
    if not rows:
        return None
    guard_kind.join(ask, rows)
    content = ask(_CONTENT, ids).records()
    spans = ask(_SPANS, ids).records()
    return {
        "call": rows[0],
        "content": _content(content[0]) if content else None,
        "events": ask(_EVENTS, ids).records(),
        "spans": spans[:MOST_SPANS],
        "more_spans": len(spans) > MOST_SPANS,
        **neighbours(ask, view, by, rows[0]),
    }


def said(ask: Ask, trace: str, span: str) -> dict[str, Any]:
    """What went into and came out of any one span of a trace (a tool, a search), and what guards made of it."""
    ids = _ids(trace, span)
    content = ask(_CONTENT, ids).records()
    return {"content": _content(content[0]) if content else None, "events": ask(_EVENTS, ids).records()}


def read(ask: Ask, trace: str) -> dict[str, Any]:
    """What was said in a trace: `turns`, one a span that said something, in order; `more`: there are others."""
    ids = _ids(trace, "0" * 16)
    rows = ask(_READ, ids).records()
    names = {row.pop("span_id"): row for row in ask(_NAMES, ids).records()}
    turns = [
        {
            "span_id": row["span_id"],
            "us": row["us"],
            "name": names.get(row["span_id"], {}).get("name", ""),
            "service": names.get(row["span_id"], {}).get("service", ""),
            "status": names.get(row["span_id"], {}).get("status", "unset"),
            "is_call": row["is_call"],
            "content": _content(row, LONGEST_READ),
        }
        for row in rows[:MOST_READ]
    ]
    return {"turns": turns, "more": len(rows) > MOST_READ}


def _ids(trace: str, span: str) -> dict[str, Any]:
    if not re.fullmatch(r"[0-9a-f]{32}/[0-9a-f]{16}", f"{trace}/{span}"):
        raise BadView("a span is named by its trace id (32 hex digits) and span id (16)")
    return {"trace": trace, "span": span}


def _content(row: dict[str, Any], longest: int = LONGEST_CONTENT) -> dict[str, Any]:
    cut = [name for name in CONTENT if row[f"{name}_length"] > longest]
    return {name: row[name] for name in CONTENT} | {"cut": cut}
