"""Intervals and chances against published values, and how often they cover the truth."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from spanward.dashboards.compare import difference as judged
from spanward.dashboards.compare.difference import Difference, Estimate
from spanward.dashboards.intervals import newcombe, wilson


@pytest.mark.parametrize(
    ("count", "of", "expected"),
    [
        (81, 263, (0.2553, 0.3662)),  # Newcombe 1998, two-sided intervals for the single proportion, method 3
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
        (29, 29, (0.8830, 1.0)),
        (0, 0, (0.0, 1.0)),
    ],
)
def test_wilson_gives_the_published_intervals(count: int, of: int, expected: tuple[float, float]) -> None:
    assert wilson(count, of) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("b", "a", "expected"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),  # Newcombe 1998, interval estimation for the difference, method 10
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
        ((1, 2), (0, 0), (-1.0, 1.0)),
    ],
)
def test_newcombe_gives_the_published_intervals(
    b: tuple[int, int], a: tuple[int, int], expected: tuple[float, float]
) -> None:
    assert newcombe(*a, *b) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [((3, 4), (1, 4), 0.485714), ((1, 10), (8, 10), 0.005477), ((0, 20), (0, 20), 1.0), ((1, 12), (9, 12), 0.002759)],
)
def test_few_counts_are_judged_exactly(a: tuple[int, int], b: tuple[int, int], expected: float) -> None:
    """Fisher's tea, and tables worked out by others."""
    assert judged.of_shares(*a, *b).p == pytest.approx(expected, abs=2e-6)
    assert judged.of_shares(*b, *a).p == pytest.approx(expected, abs=2e-6)


def test_many_counts_are_judged_by_the_pooled_test() -> None:
    assert judged.of_shares(100, 1000, 150, 1000).p == pytest.approx(0.000722, abs=2e-6)


def test_benjamini_and_hochberg() -> None:
    """The first example of their paper of 1995: four of the fifteen are found at 0.05."""
    ps = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    adjusted = judged.benjamini_hochberg([None, *reversed(ps)])
    assert adjusted[0] is None
    assert sum(p is not None and p < 0.05 for p in adjusted) == 4
    assert judged.benjamini_hochberg([]) == []


def exponential(dice: np.random.Generator, n: int) -> np.ndarray:
    return np.sort(dice.lognormal(6, 0.6, n))


@pytest.mark.parametrize(("at", "n"), [(0.5, 60), (0.5, 500), (0.95, 300), (0.95, 3000)])
def test_the_interval_of_a_difference_of_quantiles_covers_none_in_95_of_100_equal_pairs(at: float, n: int) -> None:
    dice = np.random.default_rng(17)
    pairs = [judged.of_estimates(*(judged.quantile(exponential(dice, n), at) for _ in range(2))) for _ in range(800)]
    covered = sum(pair.low is not None and pair.high is not None and pair.low <= 0 <= pair.high for pair in pairs)
    assert covered / len(pairs) >= 0.94
    assert sum(pair.p is not None and pair.p < 0.05 for pair in pairs) / len(pairs) <= 0.06


def test_the_interval_of_a_difference_of_means_covers_the_truth() -> None:
    dice = random.Random(4)

    def estimate(of: int, middle: float) -> Estimate:
        values = np.array([dice.gauss(middle, 3) for _ in range(of)])
        return judged.mean(float(values.mean()), float(values.var(ddof=1)), of)

    found = [judged.of_estimates(estimate(80, 10), estimate(50, 11)) for _ in range(600)]
    covered = sum(one.low is not None and one.high is not None and one.low <= 1 <= one.high for one in found)
    assert 0.93 <= covered / 600 <= 0.97


TOO_FEW: list[tuple[str, Callable[[], Difference]]] = [
    ("no calls", lambda: judged.of_shares(0, 0, 1, 2)),
    ("no values", lambda: judged.of_estimates(judged.quantile(np.array([]), 0.5), Estimate(1.0, 9, 0.5, 2.0))),
    ("few values", lambda: judged.of_estimates(judged.quantile(np.arange(10.0), 0.5), Estimate(1.0, 9, 0.5, 2.0))),
    ("a tail of few", lambda: judged.of_estimates(judged.quantile(np.arange(50.0), 0.95), Estimate(1.0, 9, 0.5, 2.0))),
    ("a mean of few", lambda: judged.of_estimates(judged.mean(1.0, 1.0, 19), Estimate(1.0, 9, 0.5, 2.0))),
    ("nothing priced", lambda: judged.of_estimates(judged.mean(None, None, 0), Estimate(1.0, 9, 0.5, 2.0))),
]


@pytest.mark.parametrize("difference", [make for _, make in TOO_FEW], ids=[name for name, _ in TOO_FEW])
def test_of_too_few_nothing_is_said(difference: Callable[[], Difference]) -> None:
    assert difference().p is None
    assert difference().low is None
