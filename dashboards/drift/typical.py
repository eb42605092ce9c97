"""Inputs that are typical of what is new: those with the words that were rarer before."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from typing_extensions import TypedDict

from ..ask import Ask
from .cause import among, of_segment
from .streams import STREAMS

MOST = 5
_SAMPLE = 400
_TELLING = math.log(2)
"""A word is telling if it is in twice as many texts as before."""
_WORDS = re.compile(r"[^\W\d_]{3,}")


class Typical(TypedDict):
    """`us` in microseconds; `words` are what makes it typical."""

    trace_id: str
    span_id: str
    us: int
    preview: str
    words: list[str]


def typical(
    ask: Ask, stream: str, service: str, since: int, end: int, buckets: Sequence[str], segment: tuple[str, str]
) -> list[Typical]:
    """Of the calls that make the change, and of the segment that carries it if one does."""
    told = STREAMS[stream]
    if told.source != "llm_calls":
        return _of_others(ask, stream, service, since, end, buckets)
    within, parameters = among(told, service, since, end)
    carried = of_segment(segment[0]) if segment[0] else "1"
    return _asked(ask, f"{within}", f"has({{buckets:Array(String)}}, leftUTF8({told.bucket}, 100)) AND {carried}",
                  parameters | {"buckets": list(buckets), "value": segment[1]})  # fmt: skip


def picked(fresh: Sequence[Any], before: Sequence[str]) -> list[Typical]:
    """Rows (trace, span, us, preview) by the words that more of them have than of the texts before; no text twice."""
    now = Counter(word for row in fresh for word in _words(row[3]))
    then = Counter(word for text in before for word in _words(text))
    weight = {
        word: math.log((n + 0.5) / (len(fresh) + 1)) - math.log((then[word] + 0.5) / (len(before) + 1))
        for word, n in now.items()
        if n >= min(3, len(fresh))
    }
    found: dict[str, tuple[float, Any, list[str]]] = {}
    for row in fresh:
        telling = sorted((w for w in _words(row[3]) if weight.get(w, 0) > _TELLING), key=lambda w: (-weight[w], w))[:6]
        score = sum(weight[w] * math.sqrt(now[w]) for w in telling)
        if row[3] not in found:
            found[row[3]] = (score, row, telling[:4])
    best = sorted(found.values(), key=lambda one: (-one[0], one[1][2], one[1][1]))[:MOST]
    return [
        {"trace_id": row[0], "span_id": row[1], "us": row[2], "preview": row[3], "words": words}
        for _, row, words in best
    ]


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(text)}


def _asked(ask: Ask, within: str, hit: str, parameters: dict[str, Any]) -> list[Typical]:
    since = "ts >= fromUnixTimestamp64Milli({since:Int64})"
    row = "trace_id, span_id, toUnixTimestamp64Micro(ts) AS us, input_preview"
    mixed = "ORDER BY cityHash64(trace_id, span_id) LIMIT"
    seen = f"FROM llm_calls WHERE {within} AND input_preview != ''"
    new = f"SELECT {row} {seen} AND {since} AND {hit} {mixed} {_SAMPLE}"
    old = f"SELECT input_preview {seen} AND NOT {since} {mixed} {3 * _SAMPLE}"
    return picked(ask(new, parameters).rows, [text for (text,) in ask(old, parameters).rows])


def _of_others(ask: Ask, stream: str, service: str, since: int, end: int, buckets: Sequence[str]) -> list[Typical]:
    """Of calls that guards or the sampler of texts said something about."""
    told = STREAMS[stream]
    within, parameters = among(told, service, since, end)
    hit = f"has({{buckets:Array(String)}}, leftUTF8({told.bucket}, 100))"
    calls = (
        f"(trace_id, span_id) IN (SELECT trace_id, span_id FROM {told.source} WHERE {within} "
        f"AND ts >= fromUnixTimestamp64Milli({{since:Int64}}) AND {hit} LIMIT 5000)"
    )
    alike, _ = among(STREAMS["model"], service, since, end)
    return _asked(ask, alike, calls, parameters | {"buckets": list(buckets)})
