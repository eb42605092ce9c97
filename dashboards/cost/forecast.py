"""What the rest of a period will cost: the hours of a week at the level of late, with an interval. Pure."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

HOURS_OF_WEEK = 168
WEEKS = 4
LEAST_DAYS = 14
"""Of history, so that each hour of the week was seen twice."""
SHARE = 0.9
"""Of futures that the interval is to hold."""
_Z = 1.645
_ROUGH = 0.02
"""Relative error that no history can rule out."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """US dollars of the hours asked for; `low` and `high` bound `SHARE` of what can come."""

    expected: float
    low: float
    high: float


def forecast(history: Sequence[float], first_hour: int, hours: float) -> Forecast | None:
    """The sum of the next `hours`, from the cost of each past hour (oldest first, at most `WEEKS` weeks are used).

    `first_hour` numbers the hour after the history since 1970, which fixes its place in the week. None where less than
    `LEAST_DAYS` days have gone by since the first hour that cost anything.
    """
    past = list(history[-WEEKS * HOURS_OF_WEEK :])
    begun = next((i for i, cost in enumerate(past) if cost > 0), len(past))
    past = past[begun:]
    days = len(past) // 24
    if days < LEAST_DAYS:
        return None
    past = past[-days * 24 :]
    start = first_hour - len(past)
    pattern = _pattern(past, start)
    levels = _levels(past, start, pattern)
    ahead = sum(share * pattern[(first_hour + i) % HOURS_OF_WEEK] for i, share in enumerate(_whole(hours)))
    level = statistics.fmean(levels[-7:]) if len(levels) >= 7 else 1.0
    expected = ahead * level
    error = _error(levels, hours / 24)
    return Forecast(expected, max(0.0, expected * (1 - error)), expected * (1 + error))


def _whole(hours: float) -> list[float]:
    """Shares of hours: 2.5 is [1, 1, 0.5], the broken one first where the period is running."""
    full = int(hours)
    rest = hours - full
    return [*([rest] if rest > 0 else []), *[1.0] * full]


def _pattern(past: Sequence[float], start: int) -> list[float]:
    """Mean cost of each hour of the week; one that was never seen has the mean of all."""
    seen: list[list[float]] = [[] for _ in range(HOURS_OF_WEEK)]
    for i, cost in enumerate(past):
        seen[(start + i) % HOURS_OF_WEEK].append(cost)
    everywhere = statistics.fmean(past)
    return [statistics.fmean(costs) if costs else everywhere for costs in seen]


def _levels(past: Sequence[float], start: int, pattern: Sequence[float]) -> list[float]:
    """Cost of each past day as a share of what the pattern expects of it."""
    levels = []
    for day in range(0, len(past), 24):
        usual = sum(pattern[(start + day + i) % HOURS_OF_WEEK] for i in range(24))
        if usual > 0:
            levels.append(sum(past[day : day + 24]) / usual)
    return levels


def _error(levels: Sequence[float], days: float) -> float:
    """Relative half width: days ahead that scatter and hang together, at a level known from a week of such days."""
    if len(levels) < 3:
        return 1.0
    mean = statistics.fmean(levels)
    # the pattern was fitted to these very days: each took a share of it with it
    weeks = max(2.0, len(levels) / 7)
    deviations = [(level - mean) * math.sqrt(weeks / (weeks - 1)) for level in levels]
    variance = statistics.fmean([d * d for d in deviations])
    together = sum(a * b for a, b in pairwise(deviations))
    hang = min(0.9, max(0.0, together / (variance * len(levels)) + 0.1)) if variance else 0.0
    inflation = (1 + hang) / (1 - hang)
    scatter = variance * (inflation / max(days, 1 / 24) if days > 1 else 1 / max(days, 1 / 24) ** 0.5)
    unknown = variance * inflation / min(7, len(levels)) + variance / weeks
    return _Z * math.sqrt(scatter + unknown) + _ROUGH
