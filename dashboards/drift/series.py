"""One stream of one service over time: calls by bucket, hour by hour, and what is measured on them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]

MOST_BUCKETS = 20
OTHER = "(other)"
DAY = 24
WEEK = 168
MONDAY = 96
"""The first Monday 00:00 UTC, in hours since 1970."""


@dataclass(frozen=True, slots=True)
class Series:
    """`counts[h, b]` calls of hour `first + h` (hours since 1970, a Monday 00:00 UTC) in bucket `buckets[b]`.

    `rest` are the rare buckets that `OTHER` stands for. `sizes`: the buckets are numbers in
    ascending order, and what is compared is the share above each of them.
    """

    first: int
    counts: Counts
    buckets: tuple[str, ...]
    sizes: bool = False
    rest: tuple[str, ...] = ()

    def names(self, within: tuple[int, ...]) -> list[str]:
        """The buckets of a feature, with those that were joined for being rare."""
        told = [self.buckets[b] for b in within]
        return [*(name for name in told if name != OTHER), *(self.rest if OTHER in told else ())]


@dataclass(frozen=True, slots=True)
class Features:
    """Shares that can move: `hits[h, f]` of the `n[h]` calls of an hour are within feature f.

    `within[f]` are the indices of the buckets that a feature is made of.
    """

    hits: Counts
    n: Counts
    within: tuple[tuple[int, ...], ...]


def monday(hour: int) -> int:
    """The Monday 00:00 UTC at or before an hour since 1970."""
    return hour - (hour - MONDAY) % WEEK


def series(first: int, hours: int, told: Mapping[str, tuple[list[int], list[int]]], *, sizes: bool = False) -> Series:
    """From bucket -> (hours since 1970, calls). Buckets of few calls become one, unless they are sizes."""
    names = sorted(told, key=float) if sizes else sorted(told)
    counts = np.zeros((hours, len(names)))
    for b, name in enumerate(names):
        at, n = told[name]
        np.add.at(counts[:, b], np.asarray(at, dtype=np.int64) - first, n)
    return Series(first, counts, tuple(names), sizes=True) if sizes else _few(first, counts, names)


def _few(first: int, counts: Counts, names: list[str]) -> Series:
    """Keeps the buckets that ever had 2 % of a day's calls, at most `MOST_BUCKETS`; a rare name is no stream's news."""
    days = counts[: len(counts) // DAY * DAY].reshape(-1, DAY, len(names)).sum(axis=1)
    days = np.vstack([days, counts[-DAY:].sum(axis=0)])
    totals = days.sum(axis=1, keepdims=True)
    best = (days / np.maximum(totals, 50)).max(axis=0)
    kept = sorted(np.argsort(-best, kind="stable")[:MOST_BUCKETS])
    kept = [b for b in kept if best[b] >= 0.02]
    rest = [b for b in range(len(names)) if b not in set(kept)]
    if not rest:
        return Series(first, counts, tuple(names))
    folded = np.column_stack([counts[:, kept], counts[:, rest].sum(axis=1)])
    return Series(first, folded, (*(names[b] for b in kept), OTHER), rest=tuple(names[b] for b in rest))


def features(one: Series) -> Features:
    """Of names each share; of two names the rarer one; of sizes the shares above each edge that is not at an end."""
    n = one.counts.sum(axis=1)
    totals = one.counts.sum(axis=0)
    buckets = range(len(one.buckets))
    if one.sizes:
        above = totals[::-1].cumsum()[::-1] / max(totals.sum(), 1)
        within = [tuple(range(b, len(one.buckets))) for b in buckets if b and 0.01 <= above[b] <= 0.99]
    elif len(one.buckets) == 2:
        within = [(int(totals.argmin()),)]
    else:
        within = [(b,) for b in buckets] if len(one.buckets) > 1 else []
    hits = [one.counts[:, list(members)].sum(axis=1) for members in within]
    return Features(np.column_stack(hits) if hits else np.zeros((len(n), 0)), n, tuple(within))
