"""Day by day over the streams' history: what is quiet, what drifts since when, and what may be baseline afterwards."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .deviation import BASELINE, GAP, TOGETHER, Day, deviations
from .null import believed
from .series import DAY, Features, Series, features
from .windows import Windows, cut

State = Literal["learning", "steady", "drifting", "too few calls"]

Key = tuple[str, str]
"""Service and stream."""

LEARNING = 14 * DAY
"""Hours of a stream's own traffic before anything is said about it."""
FORGIVEN = 14 * DAY
"""Hours after which a change that nobody accepted is taken as the new normal; the stream then learns anew."""
SILENT = 3 * DAY
"""Hours without a window after which an alarm is over: there is nothing left that drifts."""
CHANCE = 0.5 / 720
"""Share of chance among what one round may report. There are 720 rounds in a month: half a false alarm in it."""
_HOLDS = 2.0
"""An alarm lasts while its three windows together stay this many standard deviations aside."""
_BEGINS = 1.0
"""It began with the first window in a row that was this far aside."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A time in which a stream was not as usual. Hours are since 1970; `end` is None while it lasts.

    `since` is where its first window begins, `found` when it was said; `feature` an index of `Features.within`.
    `share` and `expected` are of the three windows in which it was found, `effect` is Cohen's h (signed).
    """

    feature: int
    since: int
    found: int
    end: int | None
    share: float
    expected: float
    effect: float
    rare: float


@dataclass(slots=True)
class Judged:
    """One stream after a walk. `began` is the first hour since 1970 that counts as its baseline (0: no calls at all).

    `left` is how many hours of learning remain.
    """

    series: Series
    told: Features
    windows: Windows
    state: State = "learning"
    began: int = 0
    left: int = LEARNING
    episodes: list[Episode] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)


def walk(
    streams: Mapping[Key, Series],
    hours: int,
    accepted: Mapping[Key, int] | None = None,
    known: MutableMapping[bytes, Day | None] | None = None,
    *,
    first: int = LEARNING,
    quiet: int = 0,
) -> dict[Key, Judged]:
    """Judges every day that has a baseline, up to index `hours` (the running hour is not in it).

    All series begin at the same Monday. `accepted` is the hour since 1970 from which a stream's traffic is normal.
    `known` remembers days from walk to walk: a day that is over is the same each time. `first` is the index of the
    first day to judge; `quiet` more streams are supposed to be steady.
    """
    judged = {key: _begun(one, hours, (accepted or {}).get(key, 0)) for key, one in streams.items()}
    for day in range(first, hours, DAY):
        told = {key: found for key, one in judged.items() if (found := _day(one, day, known)) is not None}
        for key, found in told.items():
            judged[key].days.append(found)
        for hour in range(day + 1, min(day + DAY, hours) + 1):
            _round(judged, told, hour, quiet)
    for one in judged.values():
        one.state, one.left = _state(one, hours)
    return judged


def _begun(one: Series, hours: int, accepted: int) -> Judged:
    short = replace(one, counts=one.counts[:hours])
    told = features(short)
    seen = np.flatnonzero(told.n)
    began = max(one.first + int(seen[0]), accepted) if len(seen) else 0
    return Judged(short, told, cut(told.n), began=began)


def _day(one: Judged, day: int, known: MutableMapping[bytes, Day | None] | None = None) -> Day | None:
    first = one.series.first
    last = one.episodes[-1] if one.episodes else None
    before = one.windows.end[one.windows.end <= day]
    if last and last.end is None and (not len(before) or before[-1] <= day - SILENT):
        one.episodes[-1] = last = replace(last, end=first + int(before[-1]) if len(before) else last.found)
    if last and last.end is None and first + day - last.since > FORGIVEN:
        one.episodes[-1] = replace(last, end=last.since + FORGIVEN)
        one.began = last.since
    if not one.began or first + day - one.began < LEARNING:
        return None
    trusted = _trusted(one)
    if known is None:
        return deviations(one.told, one.windows, day, trusted)
    part = slice(max(0, day - BASELINE - GAP), day + DAY)
    told = (one.told.hits[part], one.told.n[part], trusted[part], np.array([first, day]))
    digest = blake2b(b"".join(array.tobytes() for array in told), digest_size=16).digest()
    if digest not in known:
        known[digest] = deviations(one.told, one.windows, day, trusted)
    return known[digest]


def _trusted(one: Judged) -> NDArray[np.bool_]:
    first = one.series.first
    trusted = np.ones(len(one.told.n), dtype=bool)
    trusted[: max(one.began - first, 0)] = False
    for episode in one.episodes:
        if episode.since >= one.began:
            trusted[episode.since - first : None if episode.end is None else episode.end - first] = False
    return trusted


def _round(judged: Mapping[Key, Judged], told: Mapping[Key, Day], hour: int, quiet: int) -> None:
    """What the end of one hour says: open episodes go on or end, and new ones begin."""
    rare = [1.0] * quiet
    fresh: list[tuple[Judged, Day, int]] = []
    for key, day in told.items():
        one = judged[key]
        seen = np.flatnonzero(one.windows.end[day.at] <= hour)
        if not len(seen):
            rare.append(1.0)
            continue
        w = int(seen[-1])
        rare.append(float(day.rare[w]) if day.fits[w] else 1.0)
        if one.windows.end[day.at[w]] == hour:
            fresh.append((one, day, w))
    most = believed(np.array(rare), CHANCE)
    for one, day, w in fresh:
        last = one.episodes[-1] if one.episodes else None
        if last and last.end is None:
            if not _holds(day, w, last):
                one.episodes[-1] = replace(last, end=one.series.first + int(one.windows.begin[day.at[w]]))
        elif day.fits[w] and day.rare[w] <= most:
            one.episodes.append(_episode(one, day, w))


def _holds(day: Day, w: int, episode: Episode) -> bool:
    """Whether the last three windows together still lie aside on the side it began on."""
    known = day.z[w : w + TOGETHER, episode.feature] * np.sign(episode.effect)
    return bool(known.sum() / np.sqrt(TOGETHER) >= _HOLDS)


def _episode(one: Judged, day: Day, w: int) -> Episode:
    feature, side = int(day.feature[w]), np.sign(day.score[w])
    back = 0
    while back < w + TOGETHER - 1 and day.z[w + TOGETHER - 2 - back, feature] * side > _BEGINS:
        back += 1
    return Episode(
        feature=feature,
        since=one.series.first + int(one.windows.begin[day.at[w] - back]),
        found=one.series.first + int(one.windows.end[day.at[w]]),
        end=None,
        share=float(day.share[w]),
        expected=float(day.expected[w]),
        effect=float(day.effect[w]),
        rare=float(day.rare[w]),
    )


def _state(one: Judged, hours: int) -> tuple[State, int]:
    if one.episodes and one.episodes[-1].end is None:
        return "drifting", 0
    now = one.series.first + hours
    learnt = now - one.began if one.began else 0
    if one.began and learnt >= LEARNING and not (one.windows.end > hours - 7 * DAY).any():
        return "too few calls", 0
    return ("learning", LEARNING - learnt) if learnt < LEARNING else ("steady", 0)
