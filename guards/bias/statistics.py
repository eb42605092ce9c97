"""Is one group answered differently? Paired by template, exact under the null, honest about many comparisons.

A table has a row for each template and a column for each group; a cell is the mean over repeats, or not a number.
"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]

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


def effects(table: Table, *, share: bool, floor: float, seed: int) -> list[Effect]:
    """One for each column.

    A group that clearly differs is set aside before the rest are compared: else it would drag the mean of "the
    others", and each of the rest would differ from that.
    """
    rng = np.random.default_rng(seed)
    left = list(range(table.shape[1]))
    found: dict[int, Effect] = {}
    while True:
        chance: dict[bytes, Table] = {}
        now = {column: _effect(table[:, left], place, rng, chance, share=share) for place, column in enumerate(left)}
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


def _effect(table: Table, column: int, rng: np.random.Generator, chance: dict[bytes, Table], *, share: bool) -> Effect:
    present = ~np.isnan(table)
    rows = present[:, column] & (present.sum(axis=1) >= 2)
    table, present = table[rows], present[rows]
    n = len(table)
    if not n:
        nothing = float("nan")
        return Effect(0, nothing, nothing, nothing, nothing, nothing, 1.0)
    many = present.sum(axis=1)
    # what a cell differs from the mean of the other cells of its row
    against = (table - np.nanmean(table, axis=1, keepdims=True)) * (many / (many - 1))[:, None]
    differences = against[:, column]
    difference = float(differences.mean())
    mean = float(table[:, column].mean())
    others = mean - difference
    if share:
        low, high = newcombe(mean, n, min(max(others, 0.0), 1.0), float((many - 1).sum()))
    else:
        low, high = _bootstrap(differences, rng)
    p = 1.0
    if n >= FEWEST:
        if (key := rows.tobytes()) not in chance:  # the same rows have the same chances, whichever group asks
            chance[key] = _by_chance(against, present, many, rng)
        p = float((1 + np.sum(np.abs(chance[key]) >= abs(difference) - 1e-12)) / (SHUFFLES + 1))
    return Effect(n, mean, others, difference, low, high, p)


def _bootstrap(differences: Table, rng: np.random.Generator) -> tuple[float, float]:
    """Percentiles over templates drawn again, widened by what the spread of a small sample falls short of."""
    n = len(differences)
    means = differences[rng.integers(n, size=(RESAMPLES, n))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    centre, wider = differences.mean(), sqrt(n / max(n - 1, 1))
    return float(centre + (low - centre) * wider), float(centre + (high - centre) * wider)


def _by_chance(against: Table, present: npt.NDArray[np.bool_], many: Table, rng: np.random.Generator) -> Table:
    """If the name made no difference, any answer of a row could as well be a group's own: means of such picks."""
    first = np.argsort(~present, axis=1, kind="stable")  # the places that have a value, in front
    drawn = (rng.random((SHUFFLES, len(against))) * many).astype(np.int64)
    rows = np.arange(len(against))
    means: Table = against[rows, first[rows, drawn]].mean(axis=1)
    return means
