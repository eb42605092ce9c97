"""One alarm with its cause: who carries it, what else changed, and inputs that are typical of it."""

from typing_extensions import TypedDict

from ..ask import Ask
from . import cause, changes, distance, typical
from .rounds import HOUR_MS, Round, alarm_id
from .series import DAY, Counts
from .standing import AlarmRow, History, alarm_row, history
from .streams import STREAMS, word
from .walk import Episode, Judged, Key

_WINDOWS = 240


class Bucket(TypedDict):
    """Shares of a bucket: of the calls since the change, and of the 28 days before. `in_change`: it is what moved.

    `filters` are those of the list of calls, None where it has none for it.
    """

    bucket: str
    word: str
    now: float
    before: float
    in_change: bool
    filters: dict[str, str] | None


class AlarmPage(TypedDict):
    """`typical` is None for who may not see content."""

    alarm: AlarmRow
    calls: int
    psi: float
    hellinger: float
    history: History
    buckets: list[Bucket]
    cause: cause.Cause
    changes: list[changes.Change]
    deeds: list[changes.Deed]
    typical: list[typical.Typical] | None


def find(now: Round, id_: str) -> tuple[Key, Judged, Episode] | None:
    """The episode that an address names, while the round reaches back to it."""
    for (service, stream), one in now.judged.items():
        for episode in one.episodes:
            if alarm_id(service, stream, episode.since) == id_:
                return (service, stream), one, episode
    return None


def page(ask: Ask, now: Round, found: tuple[Key, Judged, Episode], *, content: bool) -> AlarmPage:
    """Asks the store for the calls around the change; `content` lets previews be read."""
    (service, stream), one, episode = found
    since, end = episode.since * HOUR_MS, (episode.end or now.hour) * HOUR_MS
    moved = one.series.names(one.told.within[episode.feature])
    at = episode.since - one.series.first
    to = (episode.end or now.hour) - one.series.first
    fresh = one.series.counts[at:to].sum(axis=0)
    old = one.series.counts[max(at - 28 * DAY, 0) : at].sum(axis=0)
    who = cause.cause(ask, stream, service, since, end, moved)
    segment = who["key"], who["value"]
    return {
        "alarm": alarm_row(service, stream, one, episode),
        "calls": int(fresh.sum()),
        "psi": distance.psi(fresh, old),
        "hellinger": distance.hellinger(fresh, old),
        "history": history(one, episode.feature, _WINDOWS),
        "buckets": _buckets(stream, one, episode, fresh / max(fresh.sum(), 1), old / max(old.sum(), 1)),
        "cause": who,
        "changes": changes.changes(ask, service, since, episode.found * HOUR_MS),
        "deeds": changes.deeds(ask, since),
        "typical": typical.typical(ask, stream, service, since, end, moved, segment) if content else None,
    }


def _buckets(stream: str, one: Judged, episode: Episode, now: Counts, before: Counts) -> list[Bucket]:
    told = STREAMS[stream]
    within = set(one.told.within[episode.feature])
    return [
        {
            "bucket": name,
            "word": word(told, name),
            "now": float(now[b]),
            "before": float(before[b]),
            "in_change": b in within,
            "filters": _filters(stream, name),
        }
        for b, name in enumerate(one.series.buckets)
    ]


def _filters(stream: str, bucket: str) -> dict[str, str] | None:
    told = STREAMS[stream]
    if told.filter:
        return {told.filter: bucket}
    if stream == "error":
        return {"status" if bucket == "error" else "status!": "error"}
    return None
