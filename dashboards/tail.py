"""New calls of a view as they are stored, as server-sent events: each once, however late and in whatever order.

A call is stored seconds after its end, and its start may be long before: so one looks again and again at all that ended
lately, and remembers what was given.
"""

import json
import weakref
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import anyio
import anyio.to_thread
from starlette.responses import StreamingResponse

from . import conditions, guard_kind
from .api.answering import SECURITY
from .api.operation import BadQuestion, Busy, Question
from .ask import QueryFailed
from .calls import ROW
from .tails import BACK_S, Memory, Tails, TooManyTails
from .view import View

EVERY_S = 1.0
HEARTBEAT_S = 15.0
LONGEST_CALL_S = 3600
MOST_ROWS = 100
"""In one event; of more the newest, and `more` says how many were left out."""
MOST_KNOWN = 20_000
"""Calls that one look takes in, the last to end: what one tail remembers."""

_ENDED = "toUnixTimestamp64Micro(ts) + toInt64(latency_ms * 1000)"
_LOOK = f"""SELECT {guard_kind.KEY} AS call_key, {_ENDED} AS ended FROM llm_calls
WHERE {{where}} AND {_ENDED} > {{{{after:Int64}}}} ORDER BY ended DESC LIMIT {MOST_KNOWN}"""
_ROWS = f"""SELECT {ROW} FROM llm_calls WHERE {{where}} AND {guard_kind.KEY} IN {{{{keys:Array(UInt64)}}}}
ORDER BY ts DESC, trace_id DESC, span_id DESC"""


def look(question: Question, view: View, memory: Memory) -> dict[str, Any] | None:
    """What is new since the last look, None if nothing is: `calls` (newest first), `more`, `hidden`, `ended`."""
    now = question.now
    back = max(memory.after, (now - BACK_S * 1000) * 1000)
    moving = replace(view, start=max(view.start, now - LONGEST_CALL_S * 1000), end=now + 60_000)
    where = conditions.calls(moving)
    seen = question.means.ask(_LOOK.format(where=where.sql), where.parameters | {"after": back}).rows
    new = memory.news([(key, ended) for key, ended in seen], (now - BACK_S * 1000) * 1000)
    if not new:
        return None
    shown = new[:MOST_ROWS]
    rows = question.means.ask(_ROWS.format(where=where.sql), where.parameters | {"keys": shown}).records()
    guard_kind.join(question.means.ask, rows)
    hidden = question.hide_said(rows)
    return {"calls": rows, "more": len(new) - len(shown), "hidden": hidden, "ended": max(ended for _, ended in seen)}


def tail(question: Question) -> StreamingResponse:
    """Raises `BadView`, `BadQuestion`, `Busy`."""
    view = question.view()
    if not view.live:
        raise BadQuestion("only a view whose end is now has new calls")
    if view.found is not None:
        raise BadQuestion("a tail does not search content: take `in=content` away")
    last = question.request.headers.get("last-event-id", "")
    tails = question.means.tails
    try:
        name, memory = tails.begin(last, question.now * 1000)
    except TooManyTails as full:
        raise Busy(str(full)) from None
    place = _Place(tails, name, memory)
    headers = {**SECURITY, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    answer = StreamingResponse(_events(question, view, place), media_type="text/event-stream", headers=headers)
    weakref.finalize(answer, place.leave)  # a reader that left before the first event: `_events` never began
    return answer


@dataclass(slots=True)
class _Place:
    """One of those that `Tails` has; given back once, however often it is left."""

    tails: Tails
    name: str
    memory: Memory
    taken: bool = True

    def leave(self) -> None:
        if self.taken:
            self.taken = False
            self.tails.end(self.name, self.memory)


async def _events(question: Question, view: View, place: _Place) -> AsyncIterator[str]:
    tails, name, memory = place.tails, place.name, place.memory
    quiet, begun = 0.0, False
    try:
        while not tails.closed:
            told = await anyio.to_thread.run_sync(_look, question, view, memory, limiter=tails.turn)
            if not begun:
                begun = True
                yield f"retry: 3000\nid: {memory.after}.{name}\ndata: {{}}\n\n"  # what is stored from now on is told
            if told is not None:
                quiet = 0.0
                event = "problem" if "message" in told else "calls"
                mark = f"id: {told.pop('ended')}.{name}\n" if event == "calls" else ""
                yield f"event: {event}\n{mark}data: {json.dumps(told, ensure_ascii=False)}\n\n"
            elif quiet >= HEARTBEAT_S:
                quiet = 0.0
                yield ": still here\n\n"
            await anyio.sleep(EVERY_S)
            quiet += EVERY_S
    finally:
        place.leave()


def _look(question: Question, view: View, memory: Memory) -> dict[str, Any] | None:
    try:
        return look(question, view, memory)
    except QueryFailed as failed:
        return {"message": f"The store could not answer: {failed}"}
