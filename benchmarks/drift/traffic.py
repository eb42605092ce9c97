"""Simulated streams with what real traffic does by itself: hours of the day, weekends, dispersion, wander, bursts."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from spanward.dashboards.drift.series import DAY, MONDAY, WEEK, Counts, Series

FIRST = MONDAY + 2900 * WEEK
_PROFILE = np.array([1, 1, 1, 1, 1, 2, 4, 8, 12, 14, 14, 13, 11, 13, 14, 13, 12, 9, 6, 5, 4, 3, 2, 1], dtype=float)
_RATES = (50, 100, 200, 500, 2000)
"""Calls an hour in the mean."""
_CONCENTRATIONS = (300, 500, 1000, 3000)
"""Of the Dirichlet distribution an hour's shares are drawn from: 500 adds as much noise as 500 calls have."""
_BURST = 1 / (7 * DAY)
"""An hour's chance of one: a user or a job sends 30 to 100 % more calls, all of one bucket."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a stream behaves. `base` are its mean shares."""

    base: Counts
    rate: float
    concentration: float
    sizes: bool
    flat: bool = False


def any_kind(dice: Generator) -> Kind:
    """A third rates of two buckets, a third names, a third sizes."""
    which = int(dice.integers(3))
    if which == 0:
        share = float(dice.choice([0.005, 0.02, 0.05, 0.1, 0.3, 0.5]))
        base = np.array([share, 1 - share])
    elif which == 1:
        base = dice.dirichlet(np.full(int(dice.integers(3, 11)), 1.0))
    else:
        edges = np.arange(14) - dice.uniform(5, 8)
        base = np.exp(-0.5 * (edges / dice.uniform(1.5, 2.5)) ** 2)
        base /= base.sum()
    return Kind(base, float(dice.choice(_RATES)), float(dice.choice(_CONCENTRATIONS)), sizes=which == 2)


def volumes(kind: Kind, hours: int, dice: Generator) -> Counts:
    """Expected calls an hour: day, weekend, better and worse days, and now and then a step to another level."""
    at = np.arange(hours)
    shape = np.ones(hours) if kind.flat else _PROFILE[at % DAY] / _PROFILE.mean() * 0.8 + 0.2
    weekend = 1 if kind.flat else dice.uniform(0.35, 1)
    volume = kind.rate * shape * np.where(at % WEEK >= 5 * DAY, weekend, 1)
    days = -(-hours // DAY)
    volume *= np.repeat(np.exp(dice.normal(0, 0.15, days)), DAY)[:hours]
    if not kind.flat and dice.random() < 0.3:
        volume[int(dice.integers(hours)) :] *= dice.choice([0.5, 2.0])
    result: Counts = volume
    return result


def shares(kind: Kind, hours: int, dice: Generator) -> Counts:
    """What each hour's calls are drawn with, before dispersion."""
    at = np.arange(hours)
    buckets = len(kind.base)
    swing = dice.uniform(0, 0.3, buckets) * np.sin(2 * np.pi * (at[:, None] / DAY + dice.random(buckets)))
    weekend = dice.normal(0, 0.1, buckets) * (at[:, None] % WEEK >= 5 * DAY)
    wander = np.zeros((hours, buckets))
    for hour in range(1, hours):
        wander[hour] = 0.92 * wander[hour - 1] + dice.normal(0, 0.015, buckets)
    weights = kind.base * np.exp(swing + weekend + wander)
    result: Counts = weights / weights.sum(axis=1, keepdims=True)
    return result


def drawn(kind: Kind, shares_: Counts, volume: Counts, dice: Generator) -> Counts:
    """Counts: Poisson volume, Dirichlet shares, multinomial calls, bursts on top."""
    n = dice.poisson(volume)
    gammas = np.maximum(dice.gamma(np.maximum(shares_ * kind.concentration, 1e-9)), 1e-300)
    counts = dice.multinomial(n, gammas / gammas.sum(axis=1, keepdims=True)).astype(float)
    for hour in np.flatnonzero(dice.random(len(n)) < _BURST):
        counts[hour, int(dice.integers(counts.shape[1]))] += dice.poisson(n[hour] * dice.uniform(0.3, 1.0))
    result: Counts = counts
    return result


def stream(kind: Kind, hours: int, dice: Generator) -> Series:
    """`hours` of a stream in which nothing drifts."""
    return as_series(kind, drawn(kind, shares(kind, hours, dice), volumes(kind, hours, dice), dice))


def shifted(kind: Kind, hours: int, at: int, bucket: int, points: float, dice: Generator) -> Series:
    """From hour `at` on, `bucket` has `points` more of the calls; the others give in proportion."""
    mix = shares(kind, hours, dice)
    after = mix[at:]
    target = np.clip(after[:, bucket] + points, 0, 1)
    after *= ((1 - target) / (1 - after[:, bucket]))[:, None]
    after[:, bucket] = target
    return as_series(kind, drawn(kind, mix, volumes(kind, hours, dice), dice))


def as_series(kind: Kind, counts: Counts) -> Series:
    return Series(FIRST, counts, tuple(map(str, range(counts.shape[1]))), kind.sizes)
