"""How far the windows of one day lie from what their hours should be, against how far quiet windows lay."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .null import rarity
from .reference import seasons
from .series import DAY, Counts, Features
from .windows import Windows

BASELINE = 28 * DAY
"""Hours that a day is compared with at most."""
GAP = DAY
"""Hours before a day that are never its baseline: what begins slowly must not vouch for itself."""
TOGETHER = 3
AGREEING = 2
ASIDE = 1.645
LEANING = 1.0
"""Windows judged together, how many of them must lie beyond `ASIDE` on the same side, and all beyond `LEANING`.

The last keeps out two bursts of the same kind with an ordinary window between or beside them.
"""
MOST = 3.0
"""Standard deviations that one window counts for: a burst of one hour is not a change."""
LEAST_EFFECT = 0.15
LEAST_POINTS = 0.01
"""A change smaller than this is none, however certain: Cohen's h, and the difference of shares."""
_FEWEST = 20
"""Quiet windows below which a stream is not judged: 14 days of one or two windows each."""


@dataclass(frozen=True, slots=True)
class Day:
    """What became of the windows `at` (indices of `Windows`) that ended on one day.

    `usual[w + 2, f]`, `spread[w + 2, f]`: the expected share, its standard deviation as an angle (2 asin √share).
    `z[w + 2, f]`: standard deviations of window w from the expected share. Two windows before the day stand ahead.
    `feature`, `score` (signed) and `rare` are of the feature that deviates most over three windows; `effect` is its
    Cohen's h, `share` and `expected` its shares in these.
    `fits`: large enough, and two of three windows agree.
    """

    at: NDArray[np.int64]
    z: Counts
    usual: Counts
    spread: Counts
    score: Counts
    feature: NDArray[np.int64]
    rare: Counts
    effect: Counts
    share: Counts
    expected: Counts
    fits: NDArray[np.bool_]


def deviations(told: Features, windows: Windows, day: int, trusted: NDArray[np.bool_]) -> Day | None:
    """Of the 24 hours from index `day`; `trusted[h]` are hours that may be baseline. None without enough of them."""
    low, high = max(0, day - BASELINE - GAP), min(day + DAY, len(told.n))
    trust = trusted[low:high].copy()
    trust[max(day - GAP - low, 0) :] = False
    inside = np.flatnonzero((windows.begin >= low) & (windows.end <= high))
    if not told.within or len(inside) < TOGETHER:
        return None
    cut = Windows(windows.begin[inside] - low, windows.end[inside] - low)
    quiet = cut.sums(trust.astype(float)) == cut.end - cut.begin
    if quiet.sum() < _FEWEST:
        return None
    expected = seasons(told.hits[low:high], told.n[low:high], trust, low).share
    n = cut.sums(told.n[low:high])
    hits = cut.sums(told.hits[low:high])
    should = cut.sums(expected * told.n[low:high, None])
    z, spread = _standard(hits, n, should / n[:, None], quiet)
    sums = _borne(np.clip(z, -MOST, MOST))
    together = _three(quiet[:, None].astype(float))[:, 0] == TOGETHER
    best = np.abs(sums).argmax(axis=1)
    rows = np.arange(len(sums))
    score = sums[rows, best]
    of_day = np.flatnonzero(cut.end[TOGETHER - 1 :] > day - low)
    rare = rarity(score[together] ** 2, score[of_day] ** 2)
    calls = _three(n[:, None])[of_day, 0]
    feature = best[of_day]
    share = _three(hits)[of_day, feature] / calls
    usual = _three(should)[of_day, feature] / calls
    effect = 2 * (np.arcsin(np.sqrt(share)) - np.arcsin(np.sqrt(usual)))
    side = np.sign(score[of_day])
    each = np.array([z[of_day + back, feature] * side for back in range(TOGETHER)]).reshape(TOGETHER, -1)
    agreeing = ((each > ASIDE).sum(axis=0) >= AGREEING) & (each > LEANING).all(axis=0)
    fits = agreeing & (np.abs(effect) >= LEAST_EFFECT) & (np.abs(share - usual) >= LEAST_POINTS)
    at = inside[of_day + TOGETHER - 1]
    first = of_day[0] if len(of_day) else len(z)
    around = z[first:], (should / n[:, None])[first:], spread[first:]
    return Day(at, *around, score[of_day], feature, rare, effect, share, usual, fits)


def _standard(hits: Counts, n: Counts, should: Counts, quiet: NDArray[np.bool_]) -> tuple[Counts, Counts]:
    """Distances on the scale of 2 asin √share in standard deviations, and one of these.

    There chance is 1/n whatever the share is; to it comes the stream's own unrest.

    That unrest is what quiet windows show beyond chance; single bursts are cut off where it is estimated.
    """
    seen = (hits + 0.375) / (n[:, None] + 0.75)
    distance = 2 * (np.arcsin(np.sqrt(seen)) - np.arcsin(np.sqrt(should)))
    squared = distance[quiet] ** 2
    squared = np.minimum(squared, np.quantile(squared, 0.98, axis=0))
    unrest = np.maximum((squared - 1 / n[quiet, None]).mean(axis=0), 0)
    deviation = np.sqrt(1 / n[:, None] + unrest)
    return distance / deviation, np.broadcast_to(deviation, distance.shape)


def _borne(z: Counts) -> Counts:
    """What three windows say without the one that says it loudest: a burst of one hour then says nothing."""
    every = np.stack([z[:-2], z[1:-1], z[2:]])
    total = every.sum(axis=0)
    up, down = total - every.max(axis=0), total - every.min(axis=0)
    borne: Counts = np.where(up > -down, np.maximum(up, 0), np.minimum(down, 0))
    return borne


def _three(values: Counts) -> Counts:
    """Sums over three windows that follow each other; one row fewer at either end."""
    total: Counts = values[:-2] + values[1:-1] + values[2:]
    return total
