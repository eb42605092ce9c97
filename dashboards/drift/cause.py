"""Who carries a change: the same calls before and since, cut by segment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from typing_extensions import TypedDict

from ..ask import Ask
from .streams import STREAMS, Stream

BEFORE_MS = 14 * 86_400_000
LONGEST_MS = 3 * 86_400_000
"""How long before an alarm, and how far into it, calls are compared."""
CARRIES = 0.6
"""A segment carries a change if without it at least this share of the change is gone."""
_MOST = 40
_SHOWN = 12
_WHOLE = 0.95
"""A segment that is nearly all of the traffic explains nothing."""

SEGMENTS: dict[str, tuple[str, str]] = {
    "prompt_version": ("Prompt version", "if(prompt_version = '', '', concat(prompt_name, ' ', prompt_version))"),
    "prompt": ("Prompt", "prompt_name"),
    "model": ("Model", "model"),
    "request_model": ("Model asked for", "request_model"),
    "provider": ("Provider", "provider"),
    "user_group": ("User group", "user_group"),
    "env": ("Environment", "env"),
    "operation": ("Operation", "operation"),
}
"""Of calls: key -> name and SQL. The keys that are filters of calls are links on the page."""
LANGUAGE = "language"
"""Known of the calls only whose texts were looked at: a sample, which stands for all of them."""
_OF_OTHERS: dict[str, dict[str, tuple[str, str]]] = {
    "guard_events": {
        "rule": ("Guard rule", "rule"),
        "label": ("Finding", "label"),
        "detector": ("Detector", "detector"),
        "policy": ("Policy", "policy_hash"),
        "env": ("Environment", "env"),
    },
    "traits": {
        "language": ("Language", "language"),
        "prompt_version": SEGMENTS["prompt_version"],
        "model": ("Model", "model"),
        "env": ("Environment", "env"),
    },
}


@dataclass(frozen=True, slots=True)
class Counted:
    """Calls of a segment: all and those within the feature, since the change and before it."""

    key: str
    value: str
    now: int
    hit: int
    before: int
    before_hit: int


class Segment(TypedDict):
    """`excess` is the share of the change that this segment brought; `without` is the change of the rest, in shares.

    `carried` is the share of the change that is gone without it. `share` and `expected` are of its own calls.
    """

    key: str
    name: str
    value: str
    calls: int
    part: float
    part_before: float
    share: float
    expected: float
    excess: float
    without: float
    carried: float


class Cause(TypedDict):
    """`text` names the segment that carries the change, or says that none does."""

    text: str
    key: str
    value: str
    segments: list[Segment]


def cause(ask: Ask, stream: str, service: str, since: int, end: int, buckets: Sequence[str]) -> Cause:
    """Times in milliseconds; `buckets` are those that the change is about."""
    told = STREAMS[stream]
    within, parameters = among(told, service, since, min(end, since + LONGEST_MS))
    parameters |= {"buckets": list(buckets)}
    counted = _counted(ask, told, within, parameters)
    if told.source == "llm_calls":
        counted += scaled(_by_language(ask, told, within, parameters), counted)
    return judged(counted, names(told))


def scaled(sample: Sequence[Counted], counted: Sequence[Counted]) -> list[Counted]:
    """What a sample says of its segments, as if all calls had been looked at. The key '' is the whole of each."""
    seen, whole = _whole(sample), _whole(counted)
    if not seen.now or not seen.before:
        return []
    now, before = whole.now / seen.now, whole.before / seen.before
    return [
        Counted(one.key, one.value, *(round(n * now) for n in (one.now, one.hit)),
                *(round(n * before) for n in (one.before, one.before_hit)))
        for one in sample if one.key
    ]  # fmt: skip


def names(stream: Stream) -> dict[str, str]:
    told = {key: name for key, (name, _) in _segments(stream).items()}
    return {**told, LANGUAGE: "Language"} if stream.source == "llm_calls" else told


def of_segment(key: str) -> str:
    """SQL for the calls of a segment, whose value is the parameter `value`."""
    if key == LANGUAGE:
        return "(trace_id, span_id) IN (SELECT trace_id, span_id FROM traits WHERE language = {value:String})"
    return f"leftUTF8(toString({SEGMENTS[key][1]}), 200) = {{value:String}}"


def judged(counted: Sequence[Counted], named: dict[str, str]) -> Cause:
    """The key '' of `counted` is the whole."""
    whole = _whole(counted)
    change = _share(whole.hit, whole.now) - _share(whole.before_hit, whole.before)
    segments = [_segment(one, whole, change, named[one.key]) for one in counted if one.key]
    segments = [s for s in segments if _partial(s)]
    segments.sort(key=lambda s: (-s["carried"], s["part"], s["key"], s["value"]))
    carriers = [s for s in segments if s["carried"] >= CARRIES and s["excess"] >= CARRIES / 2]
    if not change or not carriers:
        spread = "No one segment carries it: it is spread over all."
        return {"text": spread, "key": "", "value": "", "segments": segments[:_SHOWN]}
    best = min(carriers, key=lambda s: (-round(s["carried"], 1), list(named).index(s["key"]), s["part"]))
    without = f"{100 * best['without']:+.1f} points instead of {100 * change:+.1f}"
    text = f"{best['name']} {best['value'] or '(none)'} carries it: without it the change would be {without}."
    return {"text": text, "key": best["key"], "value": best["value"], "segments": segments[:_SHOWN]}


def _whole(counted: Sequence[Counted]) -> Counted:
    return next((one for one in counted if not one.key), Counted("", "", 0, 0, 0, 0))


def _partial(segment: Segment) -> bool:
    return segment["part"] < _WHOLE or segment["part_before"] < _WHOLE


def _segment(one: Counted, whole: Counted, change: float, name: str) -> Segment:
    expected = one.before_hit / max(whole.before, 1) * whole.now
    total = change * whole.now
    rest = _share(whole.hit - one.hit, whole.now - one.now) - _share(
        whole.before_hit - one.before_hit, whole.before - one.before
    )
    if whole.now == one.now or whole.before == one.before:
        rest = 0.0 if whole.now == one.now and whole.before == one.before else change
    return {
        "key": one.key,
        "name": name,
        "value": one.value,
        "calls": one.now,
        "part": _share(one.now, whole.now),
        "part_before": _share(one.before, whole.before),
        "share": _share(one.hit, one.now),
        "expected": _share(one.before_hit, one.before),
        "excess": (one.hit - expected) / total if total else 0.0,
        "without": rest,
        "carried": max(min(1 - rest / change, 1.0), -1.0) if change else 0.0,
    }


def _counted(ask: Ask, told: Stream, within: str, parameters: dict[str, Any]) -> list[Counted]:
    pairs = ", ".join(f"('{key}', leftUTF8(toString({sql}), 200))" for key, (_, sql) in _segments(told).items())
    return _asked(ask, told, pairs, f"{told.source} WHERE {within}", parameters)


def _by_language(ask: Ask, told: Stream, within: str, parameters: dict[str, Any]) -> list[Counted]:
    looked_at, _ = among(STREAMS[LANGUAGE], "", 0, 0)
    calls = f"""llm_calls INNER JOIN (
    SELECT DISTINCT trace_id, span_id, language FROM traits WHERE {looked_at}
  ) AS looked_at USING (trace_id, span_id) WHERE {within}"""
    return _asked(ask, told, f"('{LANGUAGE}', toString(language))", calls, parameters)


def _asked(ask: Ask, told: Stream, pairs: str, rows_from: str, parameters: dict[str, Any]) -> list[Counted]:
    sql = f"""SELECT segment.1 AS key, segment.2 AS value, countIf(fresh) AS now, countIf(fresh AND hit) AS hits,
       countIf(NOT fresh) AS before, countIf(NOT fresh AND hit) AS before_hits
FROM (
  SELECT ts >= fromUnixTimestamp64Milli({{since:Int64}}) AS fresh,
         has({{buckets:Array(String)}}, leftUTF8({told.bucket}, 100)) AS hit, [('', ''), {pairs}] AS segments
  FROM {rows_from}
) ARRAY JOIN segments AS segment
GROUP BY key, value ORDER BY greatest(now / 3, before / 14) DESC, key, value LIMIT {_MOST} BY key"""
    rows: Sequence[Any] = ask(sql, parameters).rows
    return [Counted(*row) for row in rows]


def among(stream: Stream, service: str, since: int, end: int) -> tuple[str, dict[str, Any]]:
    """SQL for what counts in a stream in the time compared: since the change, and the same hours of the days before."""
    hours = sorted({hour % 24 for hour in range(since // 3_600_000, max(-(-end // 3_600_000), since // 3_600_000 + 1))})
    sql = (
        f"service = {{service:String}} AND {stream.bucket} != '' AND toHour(ts) IN {{hours:Array(UInt8)}} "
        "AND ts >= fromUnixTimestamp64Milli({before:Int64}) AND ts < fromUnixTimestamp64Milli({end:Int64})"
    )
    return sql, {"service": service, "since": since, "before": since - BEFORE_MS, "end": end, "hours": hours}


def _segments(stream: Stream) -> dict[str, tuple[str, str]]:
    return _OF_OTHERS.get(stream.source, SEGMENTS)


def _share(part: int, whole: int) -> float:
    return part / whole if whole > 0 else 0.0
