"""Since when: the stretch of a series that stands out most from the rest of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

CLEAR = 0.2
"""Share of the variance that the stretch must explain."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Indices into the series, `end` exclusive; `end` is its length where it lasts."""

    begin: int
    end: int


def stretch(values: Sequence[float], first: int, *, up: bool) -> Stretch | None:
    """The stretch from index `first` on whose mean differs most clearly from the rest; None where nothing does.

    `up`: it is to lie above the rest. Of n points all n²/2 stretches are looked at.
    """
    n = len(values)
    sums = [0.0, *accumulate(values)]
    mean = sums[-1] / n if n else 0.0
    spread = sum((value - mean) ** 2 for value in values)
    if spread <= 0:
        return None
    best, found = CLEAR * spread, None
    for begin in range(first, n):
        for end in range(begin + 1, n + 1):
            inside = end - begin
            if inside == n:
                continue
            above = sums[end] - sums[begin] - inside * mean
            explained = above**2 * n / (inside * (n - inside))
            if (above > 0) == up and explained > best:
                best, found = explained, Stretch(begin, end)
    return found
