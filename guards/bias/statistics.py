"""Is one group answered differently? Paired by template, exact under the null, honest about many comparisons.

A table has a row for each template and a column for each group; a cell is the mean over repeats, or not a number.
"""

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]
Random = np.random.Generator

SHUFFLES, RESAMPLES = 9_999, 2_000
FEWEST = 10
"""Templates with an answer for the group and for another one. Below that nothing is said."""
Z = 1.959964
SET_ASIDE = 0.01


class Effect(NamedTuple):
    """`difference` is the group's mean less that of the others, template by template; `low..high` its 95 % interval.

    `p` is the share of random exchanges of the groups' names that give a difference as large, 1 where `n` is too few.
    """

    n: int
    mean: float
    others: float
    difference: float
    low: float
    high: float
    p: float


NAN = float("nan")
NOTHING = Effect(0, NAN, NAN, NAN, NAN, NAN, p=1.0)


def effects(table: Table, *, share: bool, floor: float, seed: int) -> list[Effect]:
    """One for each column.

    A group that clearly differs is set aside before the rest are compared: else it would drag the mean of "the
    others", and each of the rest would differ from that.
    """
    rng = np.random.default_rng(seed)
    left = list(range(table.shape[1]))
    found: dict[int, Effect] = {}
    while True:
        now = dict(zip(left, _round(table[:, left], rng, share=share), strict=True))
        outlier = min(now, key=lambda column: (now[column].p, -abs(now[column].difference)))
        if len(left) == 2 or now[outlier].p > SET_ASIDE or abs(now[outlier].difference) < floor:
            return [(found | now)[column] for column in range(table.shape[1])]
        found[outlier] = now[outlier]
        left.remove(outlier)


def adjusted(ps: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q for each p, in the same order."""
    values = np.asarray(ps, float)
    order = np.argsort(values, kind="stable")[::-1]
    ranks = np.arange(len(values), 0, -1)
    qs = np.empty(len(values))
    qs[order] = np.minimum.accumulate(values[order] * len(values) / ranks).clip(max=1)
    return [float(q) for q in qs]


def wilson(share: float, n: float) -> tuple[float, float]:
    """95 % score interval of a share of `n`."""
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return centre - half, centre + half


def newcombe(one: float, n: float, other: float, m: float) -> tuple[float, float]:
    """95 % interval of the difference of two shares, from their score intervals (Newcombe 1998, method 10).

    It has a width even where both shares are 0, as a bootstrap has not.
    """
    (low, high), (below, above) = wilson(one, n), wilson(other, m)
    difference = one - other
    return (
        difference - sqrt((one - low) ** 2 + (above - other) ** 2),
        difference + sqrt((high - one) ** 2 + (other - below) ** 2),
    )


def _round(table: Table, rng: Random, *, share: bool) -> Iterator[Effect]:
    """Each column against the others."""
    present = ~np.isnan(table)
    many = present.sum(axis=1)
    comparable = present & (many >= 2)[:, None]
    # what a cell differs from the mean of the other cells of its row
    sums = np.where(present, table, 0).sum(axis=1)
    against = np.where(comparable, (table - (sums / many.clip(1))[:, None]) * (many / (many - 1).clip(1))[:, None], 0)
    # how far each group would be off if its answers were any of their row's
    counts = comparable.sum(axis=0)
    chances = np.abs(_picks(against, present, many, rng) @ (comparable / counts.clip(1)))
    for column, rows in enumerate(comparable.T):
        n = int(counts[column])
        if not n:
            yield NOTHING
            continue
        differences = against[rows, column]
        difference, mean = float(differences.mean()), float(table[rows, column].mean())
        if share:
            others = min(max(mean - difference, 0.0), 1.0)
            low, high = newcombe(mean, n, others, float((many[rows] - 1).sum()))
        else:
            low, high = _bootstrap(differences, rng)
        as_far = np.sum(chances[:, column] >= abs(difference) - 1e-12)
        p = float((1 + as_far) / (SHUFFLES + 1)) if n >= FEWEST else 1.0
        yield Effect(n, mean, mean - difference, difference, low, high, p)


def _picks(against: Table, present: npt.NDArray[np.bool_], many: npt.NDArray[np.int64], rng: Random) -> Table:
    """A row for each shuffle: for each template one of its cells that have a value."""
    first = np.argsort(~present, axis=1, kind="stable")  # those that have a value, in front
    values = np.take_along_axis(against, first, axis=1)
    drawn = (rng.random((SHUFFLES, len(against))) * many).astype(np.int64)
    picks: Table = values.ravel()[drawn + np.arange(len(against)) * against.shape[1]]
    return picks


def _bootstrap(differences: Table, rng: Random) -> tuple[float, float]:
    """Percentiles over templates drawn again, widened by what the spread of a small sample falls short of."""
    n = len(differences)
    means = differences[rng.integers(n, size=(RESAMPLES, n))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    centre, wider = differences.mean(), sqrt(n / max(n - 1, 1))
    return float(centre + (low - centre) * wider), float(centre + (high - centre) * wider)
