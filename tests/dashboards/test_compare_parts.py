"""Of very many calls whole stretches of time are compared: near the truth, with intervals that hold it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spanward.collector.store import Store
from spanward.dashboards.compare import alike, measured
from spanward.dashboards.compare.difference import Estimate, mean, of_shares, quantile, share
from spanward.dashboards.view import View
from spanward.tracer import semconv

from .conftest import NOW, Put
from .traffic import Call

Floats = NDArray[np.float64]
MINUTE = 60_000
STRETCHES, DRAWN, TURNS = 1200, 120, 500


def traffic(dice: np.random.Generator, bad: float = 0.15) -> tuple[NDArray[np.int64], Floats]:
    """Calls and failing share of each stretch: some are `bad` as a whole, and nights are quiet."""
    calls = dice.poisson(20 + 15 * np.sin(np.arange(STRETCHES) / 24 * 2 * np.pi)) + 1
    return calls, np.where(dice.random(STRETCHES) < bad, 0.5, 0.02)


def lots(values: NDArray[Any], lot: NDArray[np.int64]) -> Floats:
    return np.asarray(np.bincount(lot, values, alike.LOTS), dtype=np.float64)


def within(estimate: Estimate, true: float) -> bool:
    assert None not in (estimate.low, estimate.high)
    return bool((estimate.low or 0) <= true <= (estimate.high or 0))


def coverage(holds: Callable[[np.random.Generator], tuple[bool, bool]]) -> tuple[float, float]:
    """How often an interval holds the truth: told as it is, and as if each call had been drawn by itself."""
    dice = np.random.default_rng(7)
    told = np.array([holds(dice) for _ in range(TURNS)])
    return float(told[:, 0].mean()), float(told[:, 1].mean())


@pytest.mark.parametrize(("bad", "least"), [(0.04, 0.9), (0.15, 0.93)])
def test_a_share_lies_in_its_interval(bad: float, least: float) -> None:
    """Of few bad stretches hardly any is drawn: then intervals are a little narrow still."""

    def holds(dice: np.random.Generator) -> tuple[bool, bool]:
        calls, failing = traffic(dice, bad)
        failed = dice.binomial(calls, failing)
        true = failed.sum() / calls.sum()
        chosen = dice.permutation(STRETCHES)[:DRAWN]
        lot = dice.integers(0, alike.LOTS, DRAWN)
        count, of = lots(failed[chosen], lot), lots(calls[chosen], lot)
        worth = alike.of_share(count, of)
        honest, bold = (share(int(count.sum()), int(of.sum()), one) for one in (worth, 1.0))
        return within(honest, true), within(bold, true)

    honest, bold = coverage(holds)
    assert honest >= least
    assert bold < 0.75


def test_a_mean_and_a_quantile_lie_in_theirs() -> None:
    of_quantiles = []

    def holds(dice: np.random.Generator) -> tuple[bool, bool]:
        calls, failing = traffic(dice)
        slow = np.where(failing > 0.1, 3.0, 1.0)
        values = [dice.lognormal(np.log(one), 0.3, n) for one, n in zip(slow, calls, strict=True)]
        whole = np.concatenate(values)
        chosen = dice.permutation(STRETCHES)[:DRAWN]
        lot = dice.integers(0, alike.LOTS, DRAWN)
        seen = [values[at] for at in chosen]
        of, means, variances = (np.array([f(one) for one in seen], dtype=float) for f in (len, np.mean, np.var))
        amount = alike.amount(of, means, variances, lot)
        drawn = np.concatenate(seen)
        honest = mean(amount.mean, amount.variance, amount.of)
        bold = mean(float(drawn.mean()), float(drawn.var(ddof=1)), len(drawn))
        value = np.quantile(drawn, 0.95)
        below = np.array([np.count_nonzero(one <= value) for one in seen], dtype=float)
        high = quantile(np.sort(drawn), 0.95, alike.of_share(lots(below, lot), lots(of, lot)))
        of_quantiles.append((high.low or 0) <= np.quantile(whole, 0.95) <= (high.high or np.inf))
        true = whole.mean()
        return within(honest, true), within(bold, true)

    honest, bold = coverage(holds)
    assert honest >= 0.92
    assert bold < 0.8
    assert np.mean(of_quantiles) >= 0.92


def test_two_sides_alike_are_seldom_told_apart() -> None:
    dice = np.random.default_rng(11)
    alarms = np.zeros(2)
    for _ in range(TURNS):
        told = []
        for _side in range(2):
            calls, failing = traffic(dice)
            failed = dice.binomial(calls, failing)
            lot = dice.integers(0, alike.LOTS, DRAWN)
            count, of = lots(failed[:DRAWN], lot), lots(calls[:DRAWN], lot)
            told.append((int(count.sum()), int(of.sum()), alike.of_share(count, of)))
        (a, of_a, alike_a), (b, of_b, alike_b) = told
        for at, difference in enumerate((of_shares(a, of_a, b, of_b, alike_a, alike_b), of_shares(a, of_a, b, of_b))):
            alarms[at] += (difference.p or 0) < 0.05
    honest, bold = alarms / TURNS
    assert honest <= 0.08
    assert bold > 0.2


def test_what_is_alone_is_worth_itself() -> None:
    nothing = np.zeros(3)
    assert alike.of_share(nothing, nothing) == alike.of_share(nothing, nothing + 5) == 1.0
    assert alike.of_share(np.array([3.0]), np.array([7.0])) == 1.0
    assert alike.amount(nothing, nothing, nothing, np.arange(3)) == alike.Amount(0, None, None)
    one = alike.amount(np.array([1.0]), np.array([4.0]), np.array([0.0]), np.zeros(1, dtype=np.int64))
    assert one == alike.Amount(1, 4.0, None)


@pytest.mark.parametrize("narrowed", [{}, {"usage": ("provider",)}])
def test_a_part_stands_for_the_side(
    store: Store, stored: Put, monkeypatch: pytest.MonkeyPatch, narrowed: dict[str, tuple[str, ...]]
) -> None:
    stored([
        Call(
            NOW - n * MINUTE, latency_ms=100 + n % 50, tokens=(n % 40, 5), cost=0.01 * (n % 3), model="ab"[n % 10 == 0],
            error="Timeout" if n % 20 == 3 else "", service=f"app-{n % 2}",
            attributes={semconv.USAGE_SOURCE: "provider", semconv.FINISH_REASONS: ["stop" if n % 4 else "length"]},
        )
        for n in range(4000)
    ])  # fmt: skip
    view = View(NOW - 4000 * MINUTE, NOW, chosen={"model": ("a",)} | narrowed)
    whole = measured.measure(store.ask, view)
    monkeypatch.setattr(measured, "MOST_COUNTED", 900)
    part = measured.measure(store.ask, view)
    assert (whole.every, whole.counted, dict(whole.alike) | dict.fromkeys(whole.alike, 1.0)) == (1, 3600, whole.alike)
    assert part.calls == whole.calls == 3600
    assert 3 <= part.every <= 5
    assert 600 < part.counted < 1200
    for name in ("failed", "failure:timeout", "text"):
        told = share(part.counts[name], part.counted, part.alike[name])
        assert (told.low or 0) <= whole.counts[name] / whole.counted <= (told.high or 1)
    assert part.reasons["length"] / part.counted == pytest.approx(whole.reasons["length"] / whole.counted, rel=0.1)
    assert part.amounts["input"].mean == pytest.approx(whole.amounts["input"].mean, rel=0.1)
    assert sum(whole.spread["service"].values()) == sum(whole.spread["day"].values()) == 3600
    assert (sum(part.spread["service"].values()) == 3600) == (not narrowed)
    assert len(part.latency) == part.counted - part.counts["failure:timeout"]
