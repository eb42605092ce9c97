"""Calls of about the same time are alike: drawn together, how many of them tell as much as one drawn alone.

The stretches drawn are dealt into lots; how far the lots lie apart says it (design effect of a ratio estimator).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ByLot = NDArray[np.float64]

LOTS = 100


@dataclass(frozen=True, slots=True)
class Amount:
    """`variance` of one call; None where too few calls have it."""

    of: int
    mean: float | None
    variance: float | None


def by_lot(values: ByLot, lot: NDArray[np.int64]) -> ByLot:
    """Sums of the values of each lot, which are numbered from 0."""
    return np.asarray(np.bincount(lot, values), dtype=np.float64)


def of_share(count: ByLot, of: ByLot) -> float:
    """1 where none or all are counted: there is no spread to see."""
    every = of.sum()
    share = count.sum() / every if every else 0.0
    return _worth(count - share * of, every, share * (1 - share))


def amount(of: ByLot, mean: ByLot, variance: ByLot, lot: NDArray[np.int64]) -> Amount:
    """All together, from the `mean` and population `variance` of parts, each of a lot; variance as if drawn alone."""
    every = float(of.sum())
    if not every:
        return Amount(0, None, None)
    whole = float((of * mean).sum() / every)
    if every < 2:
        return Amount(int(every), whole, None)
    squares = float((of * variance).sum() + (of * (mean - whole) ** 2).sum())
    alone = squares / (every - 1)
    return Amount(int(every), whole, alone * _worth(by_lot(of * (mean - whole), lot), every, alone))


def _worth(apart: ByLot, every: float, variance: float) -> float:
    """`apart` by lot: how far its sum is from what the whole would make of it."""
    lots = len(apart)
    if lots < 2 or variance <= 0:
        return 1.0
    seen = lots / (lots - 1) * float((apart**2).sum()) / every**2
    return max(1.0, seen / (variance / every))
