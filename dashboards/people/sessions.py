"""The list of sessions: those with a call that the view shows, the latest first."""

from typing import Any

from typing_extensions import TypedDict

from .. import conditions
from ..ask import Ask
from ..view import View
from .cursor import decode, encode

MOST = 100
MOST_NAMES = 10
_REACHES_MS = (6 * 3_600_000, 86_400_000, 4 * 86_400_000, 16 * 86_400_000)
"""How far back a page looks for its rows, each only if the one before held too few."""

STATS = f"""SELECT session_id,
  toUnixTimestamp64Micro(min(s.first)) AS first_us, toUnixTimestamp64Micro(max(s.last)) AS last_us,
  sum(s.calls) AS calls, sum(s.errors) AS errors, sum(s.blocked) AS blocked, sum(s.unpriced) AS unpriced,
  sum(s.found) AS found, sum(s.input_tokens) AS input_tokens, sum(s.output_tokens) AS output_tokens,
  if(unpriced > 0 AND sum(s.cost_usd) = 0, NULL, sum(s.cost_usd)) AS cost,
  arraySlice(arraySort(groupUniqArrayArray(s.users)), 1, {MOST_NAMES}) AS users,
  arraySlice(arraySort(groupUniqArrayArray(s.services)), 1, {MOST_NAMES}) AS services,
  arraySlice(arraySort(groupUniqArrayArray(s.models)), 1, {MOST_NAMES}) AS models
FROM sessions AS s WHERE session_id IN {{sessions:Array(String)}} GROUP BY session_id"""
_WORDS = """SELECT session_id, argMax(input_preview, ts) AS said, argMax(output_preview, ts) AS answered
FROM llm_calls WHERE session_id IN {sessions:Array(String)}
  AND ts >= fromUnixTimestamp64Micro({first:Int64}) AND ts <= fromUnixTimestamp64Micro({last:Int64})
GROUP BY session_id"""


class Session(TypedDict):
    """Of the whole session, also beyond the view. Times in microseconds; `found`: calls in which guards found."""

    session_id: str
    first_us: int
    last_us: int
    calls: int
    errors: int
    blocked: int
    unpriced: int
    found: int
    input_tokens: int
    output_tokens: int
    cost: float | None
    users: list[str]
    services: list[str]
    models: list[str]


class Listed(Session):
    """`said` and `answered` of the last call; None for who may not see content."""

    said: str | None
    answered: str | None


class Sessions(TypedDict):
    """`next` is the cursor of the page after, None at the end."""

    sessions: list[Listed]
    next: str | None


def sessions(ask: Ask, view: View, *, size: int = 50, cursor: str = "", content: bool = False) -> Sessions:
    found = _found(ask, view, size + 1, decode(cursor, "sessions", int, str) if cursor else None)
    page = found[:size]
    stats = statistics(ask, [session for session, _ in page])
    words = _words(ask, list(stats.values())) if content else {}
    rows: list[Listed] = []
    for session, _ in page:
        if session in stats:
            said, answered = words.get(session, ("", "")) if content else (None, None)
            rows.append({**stats[session], "said": said, "answered": answered})
    last = page[-1] if len(found) > size else None
    return {"sessions": rows, "next": encode("sessions", last[1], last[0]) if last else None}


def statistics(ask: Ask, names: list[str]) -> dict[str, Session]:
    rows: Any = ask(STATS, {"sessions": names}).records() if names else []
    return {row["session_id"]: row for row in rows}


def _found(ask: Ask, view: View, size: int, after: tuple[Any, ...] | None) -> list[tuple[str, int]]:
    """Sessions with the time of their last call in the view, in microseconds."""
    where = conditions.calls(view)
    parameters = dict(where.parameters)
    beyond = ""
    newest = view.end
    if after:
        beyond = " HAVING (at, session_id) < ({at_us:Int64}, {at_session:String})"
        parameters |= {"at_us": after[0], "at_session": after[1]}
        newest = after[0] // 1000 + 1
    sql = f"""SELECT session_id, max(toUnixTimestamp64Micro(ts)) AS at FROM llm_calls
WHERE {where.sql} AND session_id != '' AND ts >= fromUnixTimestamp64Milli({{reach:Int64}})
GROUP BY session_id{beyond} ORDER BY at DESC, session_id DESC LIMIT {size}"""
    reaches = [reach for ms in _REACHES_MS if (reach := newest - ms) > view.start]
    rows: tuple[tuple[Any, ...], ...] = ()
    for reach in (*reaches, view.start):
        rows = ask(sql, parameters | {"reach": reach}).rows
        if len(rows) >= size:
            break
    return [(session, at) for session, at in rows]


def _words(ask: Ask, found: list[Session]) -> dict[str, tuple[str, str]]:
    if not found:
        return {}
    asked = {
        "sessions": [session["session_id"] for session in found],
        "first": min(session["last_us"] for session in found),
        "last": max(session["last_us"] for session in found),
    }
    return {session: (said, answered) for session, said, answered in ask(_WORDS, asked).rows}
