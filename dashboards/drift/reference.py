"""What share an hour should have: the hours of the past that are like it, trusted as far as they are many and agree."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .series import DAY, WEEK, Counts

_WEEKEND = 5 * DAY


@dataclass(frozen=True, slots=True)
class Seasons:
    """`share[h, f]` is expected of hour h; `dispersion[f]` is how much more than chance hours alike differ (1: not)."""

    share: Counts
    dispersion: Counts


def seasons(hits: Counts, n: Counts, trusted: NDArray[np.bool_], first_of_week: int) -> Seasons:
    """Expected shares of every hour from the `trusted` ones, without the hour's own day.

    Three levels, each drawn towards the one above as far as its hours are few or do not differ:
    all hours; the hour of the day, on working days or at the weekend; the hour of the week. The last two take in
    the hour before and after. `first_of_week` is the hour of the week (0: Monday 00:00 UTC) of index 0.
    """
    calls = n * trusted
    x = _without_bursts(hits, calls, first_of_week)
    of_week = (np.arange(len(n)) + first_of_week) % WEEK
    of_day = of_week % DAY + DAY * (of_week >= _WEEKEND)
    overall = (x.sum(axis=0) + 0.5) / (calls.sum() + 1)
    variance = overall * (1 - overall)
    week_x, week_n = _grouped(x, calls, of_week, WEEK)
    day_x, day_n = _grouped(x, calls, of_day, 2 * DAY)
    dispersion = _dispersion(x, calls, of_week, week_x, week_n, variance)
    own_x, own_n = _near(x), _near(calls)

    prior = _spread(day_x, day_n, overall[None, :], dispersion, variance)
    share = _drawn(
        _around_day(day_x)[of_day] - own_x, _around_day(day_n)[of_day] - own_n, overall[None, :], dispersion, prior
    )
    level = _drawn(_around_day(day_x), _around_day(day_n), overall[None, :], dispersion, prior)
    week_of_day = np.arange(WEEK) % DAY + DAY * (np.arange(WEEK) >= _WEEKEND)
    prior = _spread(week_x, week_n, level[week_of_day], dispersion, variance)
    share = _drawn(
        _around_week(week_x)[of_week] - own_x, _around_week(week_n)[of_week] - own_n, share, dispersion, prior
    )
    least = 0.5 / (calls.sum() + 1)
    return Seasons(np.clip(share, least, 1 - least), dispersion)


def _without_bursts(hits: Counts, n: Counts, first_of_week: int) -> Counts:
    """Trusted hits, hours far from the median of the hours like them drawn back to where three deviations end.

    Otherwise one wild hour would be expected again at that hour for the next four weeks.
    """
    before = first_of_week % WEEK
    weeks = -(-(before + len(n)) // WEEK)
    angle = np.full((weeks * WEEK, hits.shape[1]), np.nan)
    seen = n > 0
    told = np.arcsin(np.sqrt((hits[seen] + 0.375) / (n[seen, None] + 0.75)))
    angle[np.flatnonzero(seen) + before] = told
    grid = angle.reshape(weeks, WEEK, -1)
    alike = np.sort(np.concatenate([np.roll(grid, 1, axis=1), grid, np.roll(grid, -1, axis=1)]), axis=0)
    known = (~np.isnan(alike[:, :, :1])).sum(axis=0, keepdims=True)
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    wide = (1, WEEK, hits.shape[1])
    middle = np.take_along_axis(alike, np.broadcast_to(low, wide), 0) / 2
    middle += np.take_along_axis(alike, np.broadcast_to(np.minimum(high, len(alike) - 1), wide), 0) / 2
    usual = np.tile(middle[0], (weeks, 1))[before : before + len(n)][seen]
    chance = np.sqrt(1 / n[seen, None]) / 2
    scale = np.maximum(np.median(np.abs(told - usual) / chance, axis=0) / 0.6745, 1) if seen.any() else 1
    reach = 3 * scale * chance
    x = np.zeros_like(hits)
    kept = np.clip(told, usual - reach, usual + reach)
    x[seen] = np.where(kept == told, hits[seen], np.sin(np.clip(kept, 0, np.pi / 2)) ** 2 * n[seen, None])
    return x


def _grouped(x: Counts, n: Counts, group: NDArray[np.int64], groups: int) -> tuple[Counts, Counts]:
    sums = np.zeros((groups, x.shape[1]))
    np.add.at(sums, group, x)
    return sums, np.bincount(group, n, groups).astype(np.float64)


def _dispersion(
    x: Counts, n: Counts, group: NDArray[np.int64], group_x: Counts, group_n: Counts, variance: Counts
) -> Counts:
    """Pearson's: squared distances of hours from their hour of the week over what chance makes of them."""
    seen = n > 0
    expected = (group_x / np.maximum(group_n, 1)[:, None])[group[seen]]
    distance = n[seen, None] * (x[seen] / n[seen, None] - expected) ** 2
    free = max(int(seen.sum()) - int((group_n > 0).sum()), 1)
    dispersion: Counts = np.maximum(distance.sum(axis=0) / np.maximum(variance, 1e-9) / free, 1)
    return dispersion


def _spread(x: Counts, n: Counts, above: Counts, dispersion: Counts, variance: Counts) -> Counts:
    """Calls that the level above is worth: one over how far groups truly lie from it, beyond dispersed chance."""
    seen = n > 0
    expected = np.broadcast_to(above, x.shape)[seen]
    distance = (n[seen, None] * (x[seen] / n[seen, None] - expected) ** 2).sum(axis=0) / np.maximum(variance, 1e-9)
    beyond = (distance - int(seen.sum()) * dispersion) / max(n.sum(), 1)
    worth: Counts = 1 / np.maximum(beyond, 1e-6)
    return worth


def _drawn(x: Counts, n: Counts, above: Counts, dispersion: Counts, prior: Counts) -> Counts:
    drawn: Counts = (np.maximum(x, 0) / dispersion + prior * above) / (np.maximum(n, 0)[:, None] / dispersion + prior)
    return drawn


def _near(hourly: Counts) -> Counts:
    """Each hour with the one before and after."""
    total = hourly.copy()
    total[1:] += hourly[:-1]
    total[:-1] += hourly[1:]
    return total


def _around_week(groups: Counts) -> Counts:
    around: Counts = groups + np.roll(groups, 1, axis=0) + np.roll(groups, -1, axis=0)
    return around


def _around_day(groups: Counts) -> Counts:
    halves = groups.reshape(2, DAY, *groups.shape[1:])
    around: Counts = (halves + np.roll(halves, 1, axis=1) + np.roll(halves, -1, axis=1)).reshape(groups.shape)
    return around
