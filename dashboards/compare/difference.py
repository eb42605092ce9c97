"""Two measurements of one thing: how far apart, how sure, and how often chance alone would do that."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, lgamma, sqrt

import numpy as np
from numpy.typing import NDArray

from ..intervals import Z, newcombe, wilson

FEWEST = 20
"""Values on a side below which no mean and no quantile is judged."""
EXACT_BELOW = 10
"""Expected count below which the exact test takes the place of the normal approximation."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`value` of `of` calls, None of none; `low` and `high` bound it with 95 %, None where that cannot be said."""

    value: float | None
    of: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """B minus A. `p`: the chance of a difference as large between two halves of the same; None unless judged."""

    value: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None


def share(count: int, of: int, alike: float = 1.0) -> Estimate:
    """`alike`: how many of the calls tell as much as one."""
    return Estimate(count / of, of, *wilson(count / alike, of / alike)) if of else Estimate(None, 0)


def of_shares(
    count_a: int, of_a: int, count_b: int, of_b: int, alike_a: float = 1.0, alike_b: float = 1.0
) -> Difference:
    """Newcombe's interval; pooled z test, Fisher's exact one where few were counted."""
    if not of_a or not of_b:
        return Difference(None)
    told = count_a / alike_a, of_a / alike_a, count_b / alike_b, of_b / alike_b
    low, high = newcombe(*told)
    return Difference(count_b / of_b - count_a / of_a, low, high, _shares_by_chance(*told))


def mean(value: float | None, variance: float | None, of: int) -> Estimate:
    if value is None or not of:
        return Estimate(None, of)
    if variance is None or of < FEWEST:
        return Estimate(value, of)
    spread = Z * sqrt(variance / of)
    return Estimate(value, of, value - spread, value + spread)


def quantile(values: NDArray[np.float64], at: float, alike: float = 1.0) -> Estimate:
    """`values` sorted. The interval lies between order statistics (binomial, normal approximation)."""
    of = len(values)
    if not of:
        return Estimate(None, 0)
    value = float(np.quantile(values, at))
    spread = Z * sqrt(of * at * (1 - at) * alike)
    lower, upper = int(np.floor(of * at - spread)), int(np.ceil(of * at + spread))
    if of < FEWEST or lower < 0 or upper >= of:
        return Estimate(value, of)
    return Estimate(value, of, float(values[lower]), float(values[upper]))


def of_estimates(a: Estimate, b: Estimate) -> Difference:
    """From the intervals of both (method of variance estimates recovery), so that skewed ones stay skewed."""
    if a.value is None or b.value is None:
        return Difference(None)
    value = b.value - a.value
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return Difference(value)
    below = sqrt((b.value - b.low) ** 2 + (a.high - a.value) ** 2)
    above = sqrt((b.high - b.value) ** 2 + (a.value - a.low) ** 2)
    towards_none = below if value > 0 else above
    p = erfc(abs(value) * Z / towards_none / sqrt(2)) if towards_none > 0 else float(value == 0)
    return Difference(value, value - below, value + above, p)


def benjamini_hochberg(ps: Sequence[float | None]) -> list[float | None]:
    """Adjusted for being one of many; None stays None and does not count."""
    known = sorted((p, i) for i, p in enumerate(ps) if p is not None)
    adjusted: list[float | None] = [None] * len(ps)
    least = 1.0
    for rank, (p, i) in reversed(list(enumerate(known, 1))):
        least = min(least, p * len(known) / rank)
        adjusted[i] = least
    return adjusted


def _shares_by_chance(count_a: float, of_a: float, count_b: float, of_b: float) -> float:
    counted, of = count_a + count_b, of_a + of_b
    rarer = min(counted, of - counted)
    if rarer * min(of_a, of_b) / of < EXACT_BELOW:
        rare_a, rare_b = (count_a, count_b) if counted == rarer else (of_a - count_a, of_b - count_b)
        return _exact(round(rare_a), round(of_a), round(of_b), round(rare_a) + round(rare_b))
    pooled = counted / of
    deviation = sqrt(pooled * (1 - pooled) * (1 / of_a + 1 / of_b))
    return erfc(abs(count_b / of_b - count_a / of_a) / deviation / sqrt(2))


def _exact(count_a: int, of_a: int, of_b: int, counted: int) -> float:
    """Fisher's test, two-sided: all splits of `counted` that are no likelier than this one."""
    whole = _choose(of_a + of_b, counted)
    logs = {
        k: _choose(of_a, k) + _choose(of_b, counted - k) - whole
        for k in range(max(0, counted - of_b), min(of_a, counted) + 1)
    }
    here = logs[count_a] + 1e-7
    return min(1.0, sum(exp(log) for log in logs.values() if log <= here))


def _choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
