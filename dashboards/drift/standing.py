"""How every stream stands, as the page shows it."""

from typing import Any

import numpy as np
from typing_extensions import TypedDict

from . import distance
from .rounds import HOUR_MS, Round, alarm_id, feature_word, told
from .series import DAY, Counts
from .streams import STREAMS, word
from .walk import Episode, Judged, State

SHOWN = 60
"""Windows of a small chart."""
_ORDER: tuple[State, ...] = ("drifting", "steady", "learning", "too few calls")
_AT_MOST = 300
_ALARMS = 100


class History(TypedDict):
    """A share by window (begin and end in milliseconds) with the band it is expected in, two deviations wide."""

    t: list[int]
    end: list[int]
    share: list[float]
    low: list[float]
    high: list[float]


class Standing(TypedDict):
    """One stream of one service. `left` are hours of learning that remain; `effect` is Cohen's h of the last three
    windows, `psi` and `hellinger` compare the last day with the 28 days before; `what` names the share in `history`.
    """

    service: str
    stream: str
    title: str
    state: State
    left: int
    calls: int
    what: str
    share: float | None
    expected: float | None
    effect: float | None
    psi: float | None
    hellinger: float | None
    alarm: str | None
    history: History


class AlarmRow(TypedDict):
    """An episode; `until` is None while it lasts. Times in milliseconds."""

    id: str
    service: str
    stream: str
    title: str
    text: str
    since: int
    found: int
    until: int | None
    share: float
    expected: float
    effect: float


class Page(TypedDict):
    """`until` is the end of the last hour that was judged; `left_out` streams were too many to be watched."""

    until: int
    streams: list[Standing]
    alarms: list[AlarmRow]
    left_out: int


def page(now: Round, service: str = "") -> Page:
    """By state, then by service and in the order of `STREAMS`; episodes with the latest first."""
    ours = {key: one for key, one in now.judged.items() if not service or key[0] == service}
    streams = [standing(key[0], key[1], one) for key, one in ours.items()]
    streams.sort(key=lambda s: _ORDER.index(s["state"]))
    alarms = [alarm_row(key[0], key[1], one, episode) for key, one in ours.items() for episode in one.episodes]
    alarms.sort(key=lambda a: (a["until"] is not None, -a["since"], a["id"]))
    return {
        "until": now.hour * HOUR_MS,
        "streams": streams[:_AT_MOST],
        "alarms": alarms[:_ALARMS],
        "left_out": now.left_out + max(len(streams) - _AT_MOST, 0),
    }


def standing(service: str, stream: str, one: Judged) -> Standing:
    episode = one.episodes[-1] if one.state == "drifting" else None
    days = [day for day in one.days if len(day.at)]
    last = days[-1] if days else None
    feature = episode.feature if episode else int(last.feature[-1]) if last else _largest(one)
    hours = len(one.series.counts)
    fresh = one.series.counts[max(hours - DAY, 0) :].sum(axis=0)
    old = one.series.counts[max(hours - 29 * DAY, 0) : max(hours - DAY, 0)].sum(axis=0)
    known = bool(fresh.sum() and old.sum())
    return {
        "service": service,
        "stream": stream,
        "title": STREAMS[stream].title,
        "state": one.state,
        "left": one.left,
        "calls": int(fresh.sum()),
        "what": feature_word(STREAMS[stream], one, feature) if one.told.within else _only(stream, one),
        "share": _last_share(one, feature),
        "expected": float(last.usual[-1, feature]) if last else None,
        "effect": _effect(last, feature),
        "psi": distance.psi(fresh, old) if known else None,
        "hellinger": distance.hellinger(fresh, old) if known else None,
        "alarm": alarm_id(service, stream, episode.since) if episode else None,
        "history": history(one, feature, SHOWN),
    }


def alarm_row(service: str, stream: str, one: Judged, episode: Episode) -> AlarmRow:
    return {
        "id": alarm_id(service, stream, episode.since),
        "service": service,
        "stream": stream,
        "title": STREAMS[stream].title,
        "text": told(STREAMS[stream], one, episode),
        "since": episode.since * HOUR_MS,
        "found": episode.found * HOUR_MS,
        "until": None if episode.end is None else episode.end * HOUR_MS,
        "share": episode.share,
        "expected": episode.expected,
        "effect": episode.effect,
    }


def history(one: Judged, feature: int, most: int) -> History:
    """The last `most` windows; without a baseline yet the band is as wide as the scale."""
    if not one.told.within or not len(one.windows):
        return {"t": [], "end": [], "share": [], "low": [], "high": []}
    n, hits = one.windows.sums(one.told.n), one.windows.sums(one.told.hits)[:, feature]
    low, high = np.zeros(len(n)), np.ones(len(n))
    for day in one.days:
        if len(day.at):
            at, back = day.at, len(day.z) - len(day.at)
            angle = np.arcsin(np.sqrt(day.usual[back:, feature]))
            reach = day.spread[back:, feature]
            low[at] = np.sin(np.clip(angle - reach, 0, np.pi / 2)) ** 2
            high[at] = np.sin(np.clip(angle + reach, 0, np.pi / 2)) ** 2
    shown = slice(max(len(n) - most, 0), None)
    return {
        "t": [(one.series.first + int(h)) * HOUR_MS for h in one.windows.begin[shown]],
        "end": [(one.series.first + int(h)) * HOUR_MS for h in one.windows.end[shown]],
        "share": _rounded((hits / n)[shown]),
        "low": _rounded(low[shown]),
        "high": _rounded(high[shown]),
    }


def _only(stream: str, one: Judged) -> str:
    return f"only {word(STREAMS[stream], one.series.buckets[0])}" if len(one.series.buckets) == 1 else ""


def _effect(last: Any, feature: int) -> float | None:
    if last is None:
        return None
    score = last.z[-3:, feature] * last.spread[-3:, feature]
    return float(score.mean())


def _last_share(one: Judged, feature: int) -> float | None:
    if not one.told.within or not len(one.windows):
        return None
    begin, end = int(one.windows.begin[-1]), int(one.windows.end[-1])
    return float(one.told.hits[begin:end, feature].sum() / one.told.n[begin:end].sum())


def _largest(one: Judged) -> int:
    return int(one.told.hits.sum(axis=0).argmax()) if one.told.within else 0


def _rounded(values: Counts) -> list[float]:
    return [round(float(value), 4) for value in values]
