"""A text in all of what was said: looked for from the newest back, for a few seconds and no longer.

There is no index of words on purpose: it costs every span at ingest a third of its time, and common words, of which
searches mostly consist, read nearly everything all the same.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from . import guard_kind
from .ask import Ask, QueryFailed
from .view import Found, View

SECONDS = 5.0
MOST = 2000
"""Calls found: the newest. Their keys travel in the questions that follow."""
COLUMNS = ("input", "output", "system")
FIRST_S = 3600
_TAKES_LONG_S = 1.0


def resolved(ask: Ask, view: View, *, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> View:
    """The view with what its search inside content found; as it is if it asks for none."""
    if not view.text or view.inside != "content":
        return view
    return replace(view, found=search(ask, view, seconds=seconds, clock=clock))


def search(ask: Ask, view: View, *, seconds: float, clock: Callable[[], float]) -> Found:
    """Every slice of time is one question; it ends with the range, with enough found, or with the seconds."""
    fits, said = condition(view.text)
    stop = clock() + seconds
    keys: list[int] = []
    since, width = view.end, FIRST_S * 1000
    while since > view.start and len(keys) < MOST and (left := stop - clock()) > 0:
        begin, asked = max(view.start, since - width), clock()
        sql = f"""SELECT {guard_kind.KEY_OF_IDS}, toUnixTimestamp64Milli(toDateTime64(ts, 3)) FROM content
WHERE ts >= fromUnixTimestamp64Milli({{begin:Int64}}) AND ts < fromUnixTimestamp64Milli({{end:Int64}}) AND {fits}
ORDER BY ts DESC LIMIT {MOST - len(keys)} SETTINGS max_execution_time = {max(left, 0.1):.1f}, max_threads = 2"""
        try:
            rows = ask(sql, said | {"begin": begin, "end": since}).rows
        except QueryFailed:
            if clock() < stop - 0.2:
                raise
            break
        keys += [key for key, _ in rows]
        since = begin if len(keys) < MOST else rows[-1][1]
        width *= 1 if clock() - asked > _TAKES_LONG_S else 2
    return Found(tuple(keys), since, whole=since <= view.start)


def condition(text: str) -> tuple[str, dict[str, Any]]:
    """On `content`: the text stands in it, in whatever case. Stored is JSON; some clients escape all but ASCII."""
    inside = "positionCaseInsensitive" if text.isascii() else "positionCaseInsensitiveUTF8"
    cases = (text,) if text.isascii() else (text, text.lower(), text.upper())
    forms = [json.dumps(text, ensure_ascii=False), *map(json.dumps, cases)]
    parameters = {f"said_{n}": form[1:-1] for n, form in enumerate(dict.fromkeys(forms))}
    found = [f"{inside}({column}, {{{name}:String}}) > 0" for column in COLUMNS for name in parameters]
    return f"({' OR '.join(found)})", parameters
