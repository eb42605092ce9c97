"""Burn rates: how many times faster than allowed failures use up the budget that a target leaves them.

Over a month, a target of 99 % allows 1 % of the calls to fail; burning at rate 1 uses that up just at the end of it.
A pair of windows alarms when both burn faster than its limit: the long one says that it matters, the short one that it
still goes on, so that the alarm ends soon after the failures do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .sums import Sums


@dataclass(frozen=True, slots=True)
class Pair:
    """Seconds; `limit` in multiples of the allowed rate."""

    long_s: int
    short_s: int
    limit: float


PAIRS = (Pair(3600, 300, 14.4), Pair(21600, 1800, 6.0), Pair(259200, 21600, 1.0))
"""2 % of a month's budget in an hour, 5 % in six hours, 10 % in three days."""
LANES = tuple(sorted({seconds for pair in PAIRS for seconds in (pair.long_s, pair.short_s)}))


@dataclass(frozen=True, slots=True)
class Burn:
    """`level` is how near the worst pair is to its limit: from 1 on it alarms."""

    level: float
    pair: Pair
    long_rate: float
    short_rate: float


def burn(lanes: Sequence[Sums], target: float, minimum_calls: int) -> Burn | None:
    """`lanes` as in `LANES`. None where no pair has enough calls in its long window."""
    by_length = dict(zip(LANES, lanes, strict=True))
    found = [_of(pair, by_length, target) for pair in PAIRS if by_length[pair.long_s].calls >= max(1, minimum_calls)]
    return max(found, key=lambda one: one.level, default=None)


def _of(pair: Pair, by_length: dict[int, Sums], target: float) -> Burn:
    long_rate, short_rate = (_rate(by_length[seconds], target) for seconds in (pair.long_s, pair.short_s))
    return Burn(min(long_rate, short_rate) / pair.limit, pair, long_rate, short_rate)


def _rate(sums: Sums, target: float) -> float:
    return sums.bad / sums.calls / (1 - target) if sums.calls else 0.0
