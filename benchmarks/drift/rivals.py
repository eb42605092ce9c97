"""What others alarm on, by their published rules: a window against all calls of the 28 days before it."""

from collections.abc import Callable
from math import erfc, sqrt

import numpy as np
from numpy.typing import NDArray

from spanward.dashboards.drift.series import DAY, Counts, Series
from spanward.dashboards.drift.windows import Windows

Fires = Callable[[Counts, Counts, bool], NDArray[np.bool_]]
"""Counts of windows and of their references (a row each), and whether buckets are sizes: which windows alarm."""
_REFERENCE = 28 * DAY
_upper = np.vectorize(lambda z: erfc(z / sqrt(2)) / 2, otypes=[float])


def _psi(now: Counts, before: Counts) -> Counts:
    p, q = (((counts + 0.5).T / (counts + 0.5).sum(axis=1)).T for counts in (now, before))
    index: Counts = ((p - q) * np.log(p / q)).sum(axis=1)
    return index


def raw_test(now: Counts, before: Counts, sizes: bool) -> NDArray[np.bool_]:  # noqa: FBT001  one shape for all
    """Kolmogorov and Smirnov's for sizes, χ² of two samples for names; p < 0.05."""
    n, m = now.sum(axis=1)[:, None], before.sum(axis=1)[:, None]
    if sizes:
        distance = np.abs(now.cumsum(axis=1) / n - before.cumsum(axis=1) / m).max(axis=1, keepdims=True)
        scaled = distance * np.sqrt(n * m / (n + m))
        terms = np.arange(1, 40)
        rare = 2 * ((-1.0) ** (terms - 1) * np.exp(-2 * terms**2 * scaled**2)).sum(axis=1)
        return (rare < 0.05) & (scaled[:, 0] > 0.5)
    together = (now + before) / (n + m)
    likely = np.maximum(together, 1e-12)
    statistic = ((now - n * together) ** 2 / (n * likely) + (before - m * together) ** 2 / (m * likely)).sum(axis=1)
    free = np.maximum((together > 0).sum(axis=1) - 1, 1)
    # Wilson and Hilferty: the cube root of χ² is nearly normal
    normal = ((statistic / free) ** (1 / 3) - (1 - 2 / (9 * free))) / np.sqrt(2 / (9 * free))
    return np.asarray(_upper(normal) < 0.05)


def evidently(now: Counts, before: Counts, sizes: bool) -> NDArray[np.bool_]:  # noqa: FBT001
    """Its defaults for references above 1,000 rows: of numbers the Wasserstein distance over the reference's standard
    deviation, of names the Jensen-Shannon distance to base 2, either from 0.1 on. (Below 1,000: `raw_test`.)
    """
    p, q = now / now.sum(axis=1)[:, None], before / before.sum(axis=1)[:, None]
    if sizes:
        at = 2 ** (np.arange(p.shape[1]) / 2 + 0.25)
        deviation = np.sqrt((q * at**2).sum(axis=1) - (q * at).sum(axis=1) ** 2)
        moved = (np.abs(p.cumsum(axis=1) - q.cumsum(axis=1))[:, :-1] * np.diff(at)).sum(axis=1)
        large = moved / np.maximum(deviation, 0.001) >= 0.1
    else:
        middle = np.maximum((p + q) / 2, 1e-300)
        left = (p * np.log2(np.maximum(p, 1e-300) / middle)).sum(axis=1)
        right = (q * np.log2(np.maximum(q, 1e-300) / middle)).sum(axis=1)
        large = np.sqrt(np.maximum((left + right) / 2, 0)) >= 0.1
    return np.where(before.sum(axis=1) > 1000, large, raw_test(now, before, sizes))


RIVALS: dict[str, Fires] = {
    "PSI > 0.1": lambda now, before, _: _psi(now, before) > 0.1,
    "PSI > 0.25": lambda now, before, _: _psi(now, before) > 0.25,
    "KS / χ², p < 0.05": raw_test,
    "Evidently's defaults": evidently,
}


def fired(name: str, one: Series, windows: Windows, first: int) -> NDArray[np.int64]:
    """Of the windows that end after index `first`, the ends of those that it alarms on."""
    late = windows.end > first
    begin, end = windows.begin[late], windows.end[late]
    running = np.concatenate([np.zeros((1, one.counts.shape[1])), one.counts.cumsum(axis=0)])
    before = running[begin] - running[np.maximum(begin - _REFERENCE, 0)]
    return end[RIVALS[name](running[end] - running[begin], before, one.sizes)]


def alarms(ends: NDArray[np.int64]) -> int:
    """Windows that fire within a day of the one before are one alarm: nobody is called twice for it."""
    return int(1 + (np.diff(ends) > DAY).sum()) if len(ends) else 0
