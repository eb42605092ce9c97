"""Windows by the number of calls: whole hours, joined until there is enough to judge by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .series import DAY, WEEK, Counts

ENOUGH = 500
LEAST = 200
"""Calls that close a window, and calls without which a day closes none: there shares say more about chance."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Hours `begin[w]` to `end[w]` (exclusive), as indices of a series."""

    begin: NDArray[np.int64]
    end: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.begin)

    def sums(self, hourly: Counts) -> Counts:
        """Of each window; `hourly` has the hours on its first axis."""
        running = np.concatenate([np.zeros((1, *hourly.shape[1:])), hourly.cumsum(axis=0)])
        total: Counts = running[self.end] - running[self.begin]
        return total


def cut(n: Counts, enough: int = ENOUGH) -> Windows:
    """Joins hours until there are `enough` calls, or `LEAST` in a whole day; begins anew on Mondays.

    So a window once closed stays the same whenever one looks: index 0 is a Monday 00:00.
    """
    begin: list[int] = []
    end: list[int] = []
    at, calls = 0, 0.0
    for hour, more in enumerate(n.tolist()):
        if hour % WEEK == 0 or hour - at >= DAY or not calls:
            at, calls = hour, 0.0
        calls += more
        if calls >= enough or (hour + 1 - at == DAY and calls >= LEAST):
            begin.append(at)
            end.append(hour + 1)
            at, calls = hour + 1, 0.0
    return Windows(np.array(begin, dtype=np.int64), np.array(end, dtype=np.int64))
