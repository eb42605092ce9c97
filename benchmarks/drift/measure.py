"""One simulated month, and one simulated drift: what each method makes of it."""

from dataclasses import dataclass

import numpy as np
from rivals import RIVALS, alarms, fired
from traffic import FIRST, Kind, any_kind, shifted, stream

from spanward.dashboards.drift.series import DAY, Series
from spanward.dashboards.drift.walk import LEARNING, walk
from spanward.dashboards.drift.windows import cut

OURS = "Spanward"
METHODS = (OURS, *RIVALS)
STREAMS = 40
MONTH = 30 * DAY
SEED = 20261121
"""Of the published numbers; the method was tuned on seeds 1 and 2."""
_NEVER = 10**6


@dataclass(frozen=True, slots=True)
class Case:
    """A drift: `points` of the calls move to a bucket, in a stream of `rate` calls an hour."""

    points: float
    rate: float

    @property
    def name(self) -> str:
        return f"{100 * self.points:.0f} points at {self.rate:.0f} calls/h"


TARGET = Case(0.10, 200)
CASES = (Case(0.05, 200), TARGET, Case(0.20, 200), Case(0.05, 1000), Case(0.10, 1000))
SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
"""Of the bucket that grows, before it does; runs take them in turn."""


@dataclass(frozen=True, slots=True)
class Found:
    """`windows` that had begun after the drift did and ended by the time of the alarm; `hours` after it began."""

    share: float
    windows: int
    hours: int


def false_alarms(month: int, seed: int = SEED) -> dict[str, float]:
    """Alarms in 30 days of 40 streams in which nothing drifts, from the day on which they have a baseline."""
    dice = np.random.default_rng([seed, 1, month])
    hours = LEARNING + MONTH
    streams = {("", str(i)): stream(any_kind(dice), hours, dice) for i in range(STREAMS)}
    ours = sum(len(one.episodes) for one in walk(streams, hours).values())
    theirs = {
        name: float(sum(alarms(fired(name, one, cut(one.counts.sum(axis=1)), LEARNING)) for one in streams.values()))
        for name in RIVALS
    }
    return {OURS: float(ours), **theirs}


def drift(case: Case, run: int, seed: int = SEED) -> dict[str, Found]:
    """A stream with four weeks and some hours of baseline; the other 39 are quiet and only count in the correction."""
    dice = np.random.default_rng([seed, 2, round(1000 * case.points), round(case.rate), run])
    share = SHARES[run % len(SHARES)]
    others = dice.dirichlet(np.ones(int(dice.choice([1, 1, 2, 5, 9])))) * (1 - share)
    kind = Kind(np.concatenate([[share], others]), case.rate, 500, sizes=False, flat=True)
    at = 30 * DAY + int(dice.integers(DAY))
    one = shifted(kind, 32 * DAY, at, 0, case.points, dice)
    windows = cut(one.counts.sum(axis=1))
    found = {OURS: _ours(one, at)} | {name: _first(fired(name, one, windows, at)) for name in RIVALS}
    begun = windows.end[windows.begin >= at]
    return {
        name: Found(share, int((begun <= end).sum()) if end < _NEVER else _NEVER, end - at if end < _NEVER else _NEVER)
        for name, end in found.items()
    }


def _ours(one: Series, at: int) -> int:
    watched = walk({("", "0"): one}, len(one.counts), quiet=STREAMS - 1, first=30 * DAY)[("", "0")]
    ends = [episode.found - FIRST for episode in watched.episodes if episode.found - FIRST > at]
    return min(ends, default=_NEVER)


def _first(ends: np.ndarray) -> int:  # type: ignore[type-arg]
    return int(ends[0]) if len(ends) else _NEVER
