"""One session, call by call in the order in which it went."""

from typing import Any

from typing_extensions import TypedDict

from .. import guard_kind
from ..ask import Ask
from ..calls import ROW
from .cursor import decode, encode
from .sessions import Session, statistics
from .words import Said, said

MOST = 50
_LAST_MESSAGES = 8
_LONGEST_MESSAGE = 100_000
_MOST_TOOLS = 200
_IN = """session_id = {session:String} AND ts >= fromUnixTimestamp64Micro({first:Int64})
AND ts <= fromUnixTimestamp64Micro({last:Int64})"""
_BEYOND = "(toUnixTimestamp64Micro(ts), trace_id, span_id) > ({at_us:Int64}, {at_trace:String}, {at_span:String})"
_BOUNDED = f"arrayMap(m -> if(length(m) > {_LONGEST_MESSAGE}, '', m), %s)"
_NEAR = """trace_id IN {traces:Array(String)} AND ts >= fromUnixTimestamp64Micro({from:Int64})
AND ts <= fromUnixTimestamp64Micro({to:Int64})"""
_SAID = f"""SELECT trace_id, span_id,
  {_BOUNDED % f"arraySlice(JSONExtractArrayRaw(input), -{_LAST_MESSAGES})"} AS asked,
  {_BOUNDED % "arraySlice(JSONExtractArrayRaw(output), 1, 4)"} AS answered
FROM content WHERE {_NEAR} AND span_id IN {{spans:Array(String)}}"""
_TOOLS = f"""SELECT trace_id, span_id, name, status, toUnixTimestamp64Micro(toDateTime64(ts, 6)) AS us,
  duration_ns / 1e6 AS latency_ms
FROM spans WHERE {_NEAR} AND attributes['gen_ai.operation.name'] = 'execute_tool'
ORDER BY ts, span_id LIMIT {_MOST_TOOLS}"""


class Tool(TypedDict):
    """A tool that the application ran; `us` in microseconds."""

    trace_id: str
    span_id: str
    name: str
    status: str
    us: int
    latency_ms: float


class Turn(TypedDict):
    """`call` is a row as in the list of calls. `gap_ms`: between the end of the call before and its begin, None first.

    `so_far` is the cost of the session up to and with it. `said` is None where nothing was kept, or content may not be
    seen. `tools` ran after it.
    """

    call: dict[str, Any]
    gap_ms: float | None
    so_far: float
    said: Said | None
    tools: list[Tool]


class Opened(TypedDict):
    """`next` is the cursor of the turns after these. `withheld`: content is there, but not for who asks."""

    session: Session
    turns: list[Turn]
    next: str | None
    withheld: bool


def session(ask: Ask, name: str, *, size: int = MOST, cursor: str = "", content: bool = False) -> Opened | None:
    """None if no call is of this session."""
    stats = statistics(ask, [name]).get(name)
    if stats is None:
        return None
    asked: dict[str, Any] = {"session": name, "first": stats["first_us"], "last": stats["last_us"]}
    beyond, before = "", None
    if cursor:
        asked |= dict(zip(("at_us", "at_trace", "at_span"), decode(cursor, "session", int, str, str), strict=True))
        beyond = f" AND {_BEYOND}"
        before = _before(ask, asked)
    sql = f"SELECT {ROW} FROM llm_calls WHERE {_IN}{beyond} ORDER BY ts, trace_id, span_id LIMIT {size + 1}"
    rows = ask(sql, asked).records()
    calls = rows[:size]
    last = calls[-1] if len(rows) > size else None
    guard_kind.join(ask, calls)
    turns = _turns(calls, before)
    if turns:
        _put_tools(ask, turns)
        if content:
            _put_said(ask, turns)
    for turn in turns:
        if not content:
            turn["call"] |= {"input_preview": "", "output_preview": ""}
    return {
        "session": stats,
        "turns": turns,
        "next": encode("session", last["us"], last["trace_id"], last["span_id"]) if last else None,
        "withheld": not content,
    }


def _before(ask: Ask, asked: dict[str, Any]) -> tuple[float, float]:
    """Cost of the turns before this page, and when the last of them ended, in microseconds."""
    sql = f"""SELECT sum(ifNull(cost_usd, 0)), max(toUnixTimestamp64Micro(ts) + latency_ms * 1000)
FROM llm_calls WHERE {_IN} AND NOT {_BEYOND}"""
    cost, end = ask(sql, asked).rows[0]
    return cost, end


def _turns(calls: list[dict[str, Any]], before: tuple[float, float] | None) -> list[Turn]:
    so_far, end = before or (0.0, None)
    turns: list[Turn] = []
    for call in calls:
        so_far += call["cost"] or 0.0
        gap = None if end is None else (call["us"] - end) / 1000
        turns.append({"call": call, "gap_ms": gap, "so_far": so_far, "said": None, "tools": []})
        end = max(end or 0.0, call["us"] + call["latency_ms"] * 1000)
    return turns


def _near(turns: list[Turn]) -> dict[str, Any]:
    """An hour around the page: a tool runs long after the call that asked for it."""
    return {
        "traces": sorted({turn["call"]["trace_id"] for turn in turns}),
        "spans": [turn["call"]["span_id"] for turn in turns],
        "from": turns[0]["call"]["us"] - 1,
        "to": turns[-1]["call"]["us"] + 3_600_000_000,
    }


def _put_said(ask: Ask, turns: list[Turn]) -> None:
    kept = {(trace, span): said(asked, answered) for trace, span, asked, answered in ask(_SAID, _near(turns)).rows}
    for turn in turns:
        turn["said"] = kept.get((turn["call"]["trace_id"], turn["call"]["span_id"]))


def _put_tools(ask: Ask, turns: list[Turn]) -> None:
    """To the last call of its trace that began before it."""
    rows: Any = ask(_TOOLS, _near(turns)).records()
    found: list[Tool] = list(rows)
    for tool in found:
        before = [t for t in turns if t["call"]["trace_id"] == tool["trace_id"] and t["call"]["us"] <= tool["us"]]
        if before:
            before[-1]["tools"].append(tool)
