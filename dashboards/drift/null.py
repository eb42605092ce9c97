"""How rare a statistic is, by what the same stream did in quiet times, and what of many streams may be believed."""

import numpy as np

from .series import Counts

TAIL = 0.1
"""Share of the past that tells how fast rarity grows."""
_GAUSSIAN = 2.2
"""Mean excess of the squared score over a high threshold where windows are Gaussian (1.7 to 2.2), on the safe side."""
_WORTH = 100.0
"""Excesses that this assumption is worth."""


def rarity(past: Counts, now: Counts) -> Counts:
    """Share of quiet windows that would reach each of `now`: by rank, in the tail by an exponential fitted to it.

    Its mean is taken one standard error higher: what is not well known must not look rare.
    """
    ordered = np.sort(past)
    rank = (1 + len(ordered) - np.searchsorted(ordered, now, side="left")) / (len(ordered) + 1)
    if len(ordered) < 10:
        return np.ones(len(now))
    threshold = float(np.quantile(ordered, 1 - TAIL))
    excess = ordered[ordered > threshold] - threshold
    mean = (float(excess.sum()) + _WORTH * _GAUSSIAN) / (len(excess) + _WORTH)
    mean *= 1 + 1 / np.sqrt(len(excess) + _WORTH)
    tail = TAIL * np.exp(-(now - threshold) / mean)
    return np.where(now > threshold, np.minimum(rank, tail), rank)


def believed(rarities: Counts, share: float) -> float:
    """The rarity up to which findings count, so that at most `share` of them are chance (Benjamini and Hochberg)."""
    ordered = np.sort(rarities)
    steps = share * np.arange(1, len(ordered) + 1) / max(len(ordered), 1)
    below = np.flatnonzero(ordered <= steps)
    return float(ordered[below[-1]]) if len(below) else 0.0
