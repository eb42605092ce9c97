"""A round: one question to the rollup, and what the engine says of every stream of every service."""

import threading
from collections import OrderedDict
from collections.abc import MutableMapping
from dataclasses import dataclass
from hashlib import blake2b

from ..ask import Ask
from ..documents import Documents
from .deviation import Day
from .series import DAY, WEEK, Series, monday, series
from .streams import STREAMS, Stream, word
from .walk import Episode, Judged, Key, walk

HORIZON = 6 * WEEK
"""Hours before the running week that a round looks at: four weeks of baseline for each of the last two weeks."""
GRACE_MS = 5 * 60_000
"""An hour is judged this long after it ended: calls arrive when they are over, and a little later."""
HOUR_MS = 3_600_000
ACCEPTED = "drift_accepted"
"""Kind of the documents that say from when on a stream's traffic is normal."""
_BUCKETS = 200
_MOST_PAIRS = 400
KEPT_MS = 10 * 60_000
"""How long a round serves who asks, within its hour: later ones know calls that came late to hours judged before."""
_KEPT_ROUNDS = 4
_KEPT_DAYS = 50_000

_Asked = tuple[Ask, frozenset[tuple[Key, int]]]
"""What a round depends on besides the time: the store, and what was accepted."""

_SQL = f"""SELECT service, stream, bucket, groupArray(h) AS hours, groupArray(calls) AS n
FROM (
  SELECT service, stream, bucket, intDiv(toUInt32(t), 3600) AS h, sum(n) AS calls
  FROM drift_1h WHERE t >= toDateTime({{first:Int64}}) AND t < toDateTime({{last:Int64}})
  GROUP BY service, stream, bucket, h
)
GROUP BY service, stream, bucket
ORDER BY sum(calls) DESC, service, stream, bucket LIMIT {_BUCKETS} BY service, stream LIMIT 20000"""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A stream that drifts now. `since_ms`: where its first deviating window begins; `effect`: Cohen's h, signed."""

    stream: str
    service: str
    since_ms: int
    effect: float
    text: str


@dataclass(frozen=True, slots=True)
class Round:
    """`hour` is the running hour (since 1970): the last one judged is before it. `left_out` pairs were too many."""

    hour: int
    judged: dict[Key, Judged]
    left_out: int


def drifting(ask: Ask, now: int, documents: Documents | None = None) -> list[Alarm]:
    """The alarms that stand at `now` (milliseconds), the largest effect first."""
    found = []
    for (service, stream), one in round_at(ask, now, documents).judged.items():
        if one.state == "drifting":
            episode = one.episodes[-1]
            text = told(STREAMS[stream], one, episode)
            found.append(Alarm(stream, service, episode.since * HOUR_MS, episode.effect, text))
    return sorted(found, key=lambda alarm: (-abs(alarm.effect), alarm.stream, alarm.service))


def round_at(ask: Ask, now: int, documents: Documents | None = None, *, kept_ms: int = KEPT_MS) -> Round:
    """From memory where there is one of this hour that is not older than `kept_ms`."""
    accepted = _accepted(documents)
    key = (ask, frozenset(accepted.items()))
    if kept := _kept(key, now, kept_ms):  # whoever reads does not wait for whoever judges
        return kept
    with _lock:
        if kept := _kept(key, now, kept_ms):
            return kept
        judged = judge(ask, now, accepted, _days)
        _rounds[key] = now, judged
        _rounds.move_to_end(key)
        while len(_rounds) > _KEPT_ROUNDS:
            _rounds.popitem(last=False)
        while len(_days) > _KEPT_DAYS:
            _days.popitem(last=False)
        return judged


def _kept(key: _Asked, now: int, kept_ms: int) -> Round | None:
    at, judged = _rounds.get(key, (0, None))
    return judged if judged and judged.hour == _hour(now) and 0 <= now - at < kept_ms else None


def _hour(now: int) -> int:
    return (now - GRACE_MS) // HOUR_MS


def judge(ask: Ask, now: int, accepted: dict[Key, int], days: MutableMapping[bytes, Day | None] | None = None) -> Round:
    """One question, then arithmetic."""
    hour = _hour(now)
    first = monday(hour) - HORIZON
    found: dict[Key, dict[str, tuple[list[int], list[int]]]] = {}
    for service, stream, bucket, hours, n in ask(_SQL, {"first": first * 3600, "last": hour * 3600}).rows:
        if stream in STREAMS:
            found.setdefault((service, stream), {})[bucket] = (hours, n)
    order = list(STREAMS)
    by_calls = sorted(found, key=lambda key: (-sum(sum(n) for _, n in found[key].values()), key))
    kept = sorted(by_calls[:_MOST_PAIRS], key=lambda key: (key[0], order.index(key[1])))
    length = (hour - first + DAY - 1) // DAY * DAY
    streams: dict[Key, Series] = {key: series(first, length, found[key], sizes=STREAMS[key[1]].sizes) for key in kept}
    return Round(hour, walk(streams, hour - first, accepted, days), len(by_calls) - len(kept))


def alarm_id(service: str, stream: str, since: int) -> str:
    """What stands in an address; `since` in hours since 1970."""
    return f"{stream}-{since}-{blake2b(service.encode(), digest_size=4).hexdigest()}"


def told(stream: Stream, one: Judged, episode: Episode) -> str:
    """The change in words: share of "de" rose from 5% to 18%."""
    verb = "rose" if episode.share > episode.expected else "fell"
    sizes = f"{verb} from {_percent(episode.expected)} to {_percent(episode.share)}"
    return f"{feature_word(stream, one, episode.feature)} {sizes}"


def feature_word(stream: Stream, one: Judged, feature: int) -> str:
    """What a share is a share of."""
    first = one.series.buckets[one.told.within[feature][0]]
    said = word(stream, first)
    return f"calls with {said}" if stream.sizes else f"share of {said}"


def accepted_id(stream: str, service: str) -> str:
    """Id of the document that accepts a stream."""
    return f"{stream}-{blake2b(service.encode(), digest_size=16).hexdigest()}"


def _accepted(documents: Documents | None) -> dict[Key, int]:
    kept = documents.all(ACCEPTED) if documents else []
    return {(str(d.body["service"]), str(d.body["stream"])): int(d.body["hour"]) for d in kept}


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%" if share < 0.1 else f"{100 * share:.0f}%"


_lock = threading.Lock()
_rounds: OrderedDict[_Asked, tuple[int, Round]] = OrderedDict()
"""Each with the time it was judged, in milliseconds."""
_days: OrderedDict[bytes, Day | None] = OrderedDict()
