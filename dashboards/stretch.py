"""How far one look for a text goes: over so many calls that their previews are read while somebody waits."""

from dataclasses import replace

from .ask import Ask
from .view import View

MOST_CALLS = 320_000
"""In the whole hours of a stretch; an hour alone may have more."""
_HOUR_MS = 3_600_000


def of(ask: Ask, view: View, begin: int, *, down: bool) -> View:
    """The part of the view that is looked at from `begin` (milliseconds) on; `down`: towards what is older."""
    left = replace(view, end=min(begin, view.end)) if down else replace(view, start=max(begin, view.start))
    first, last = left.start // _HOUR_MS * 3600, -(-left.end // _HOUR_MS) * 3600
    sql = f"""SELECT toInt64(toUnixTimestamp(t)) AS hour, sum(calls) FROM llm_1h
WHERE t >= toDateTime({{first:Int64}}) AND t < toDateTime({{last:Int64}})
GROUP BY hour ORDER BY hour {"DESC" if down else "ASC"}"""
    seen = 0
    for hour, calls in ask(sql, {"first": first, "last": last}).rows:
        if seen and seen + calls > MOST_CALLS:
            edge = 1000 * hour
            return replace(left, start=edge + _HOUR_MS) if down else replace(left, end=edge)
        seen += calls
    return left
