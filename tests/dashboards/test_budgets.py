"""Budgets and the outlook: whole periods in UTC, and intervals that hold what they promise."""

import math
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards.cost.budgets import budget_state
from spanward.dashboards.cost.forecast import forecast
from spanward.dashboards.cost.periods import Period, period
from spanward.tracer import semconv

from .conftest import NOW, Put
from .serving import app_of, nobody_but
from .traffic import Call, put

HOUR = 3_600_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("kind", "now", "start", "end"),
    [
        ("day", "2026-11-21T00:00:00", "2026-11-21", "2026-11-22"),
        ("day", "2026-12-31T23:59:59.999", "2026-12-31", "2027-01-01"),
        ("week", "2026-11-22T23:59:59", "2026-11-16", "2026-11-23"),  # a Sunday
        ("week", "2026-11-23T00:00:00", "2026-11-23", "2026-11-30"),
        ("month", "2026-11-30T23:59:59.999", "2026-11-01", "2026-12-01"),
        ("month", "2026-12-01T00:00:00", "2026-12-01", "2027-01-01"),
        ("month", "2028-02-29T12:00:00", "2028-02-01", "2028-03-01"),
    ],
)
def test_periods_begin_and_end_in_utc(kind: Period, now: str, start: str, end: str) -> None:
    assert period(kind, ms(now)) == (ms(start), ms(end))


def test_only_the_running_month_counts(store: Store, tmp_path: Path) -> None:
    begin, _ = period("month", NOW)
    put(store, tmp_path, [Call(begin - 1, cost=100.0), Call(begin, cost=1.0), Call(NOW - 1, cost=2.0)])
    budget = {"name": "all", "scope": {}, "amount_usd": 2.0, "period": "month"}
    state = budget_state(store.ask, budget, NOW)
    assert (state["spent"], state["share"], state["over"]) == (3.0, 1.5, True)
    # the first moment of the next month: nothing is spent yet
    _, end = period("month", NOW)
    assert budget_state(store.ask, budget, end)["spent"] == 0.0
    assert budget_state(store.ask, budget, end)["start"] == end


def test_a_scope_narrows_and_unpriced_calls_are_told(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, [
        Call(NOW - HOUR, cost=1.0, service="shop"),
        Call(NOW - HOUR, cost=2.0, service="desk", attributes={semconv.TAGS: ["x"]}),
        Call(NOW - HOUR, cost=None, service="desk", model="house"),
    ])  # fmt: skip
    for scope, spent, unpriced in (
        ({"service": ["desk"]}, 2.0, 1), ({"service": ["desk", "shop"]}, 3.0, 1), ({"tag": ["x"]}, 2.0, 0),
        ({"model": ["house"]}, 0.0, 1),
    ):  # fmt: skip
        budget = {"name": "b", "scope": scope, "amount_usd": 10, "period": "month"}
        state = budget_state(store.ask, budget, NOW)
        assert (state["spent"], state["unpriced"], state["projected"]) == (spent, unpriced, None)


def test_four_weeks_of_the_same_are_projected_to_the_end(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, [Call(NOW - n * HOUR - 1000, cost=1.0) for n in range(28 * 24 + 24)])
    start, end = period("month", NOW)
    state = budget_state(store.ask, {"name": "b", "scope": {}, "amount_usd": 715, "period": "month"}, NOW)
    whole = (end - start) / HOUR
    assert state["projected"] == pytest.approx(whole, rel=0.01)
    assert (state["over"], state["projected_over"]) == (False, True)
    assert state["low"] is not None
    assert state["high"] is not None
    assert state["low"] < whole < state["high"]


def test_budgets_are_kept_changed_and_removed(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, [Call(NOW - HOUR, cost=1.0)])
    audit: list[Any] = []
    api = TestClient(app_of(store, clock=lambda: NOW / 1000, audit=audit))
    body = {"name": "Shop", "scope": {"service": ["shop"]}, "amount_usd": 4, "period": "week"}
    made = api.put("/api/cost/budgets/shop", json=body | {"version": 0})
    assert made.status_code == 200
    assert made.json()["state"]["share"] == 0.25
    assert api.put("/api/cost/budgets/shop", json=body | {"version": 0}).status_code == 409
    listed = api.get("/api/cost/budgets").json()["budgets"]
    assert [(b["id"], b["name"], b["scope"], b["amount_usd"], b["period"], b["version"]) for b in listed] == [
        ("shop", "Shop", {"service": ["shop"]}, 4.0, "week", 1)
    ]
    assert api.delete("/api/cost/budgets/shop").json() == {"removed": True}
    assert api.delete("/api/cost/budgets/shop").status_code == 404
    assert [entry[1:3] for entry in audit] == [
        ("budget.put", "shop"), ("budget.put", "shop"), ("budget.remove", "shop")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_usd": 0}, {"amount_usd": -1}, {"period": "year"}, {"name": ""}, {"scope": {"moon": ["x"]}},
        {"scope": {"model": []}}, {"more": 1},
        {"amount_usd": True}, {"amount_usd": "4"}, {"version": False},
    ],
)  # fmt: skip
def test_a_wrong_budget_is_refused(api: TestClient, wrong: dict[str, Any]) -> None:
    body = {"name": "b", "scope": {}, "amount_usd": 4, "period": "day"} | wrong
    assert api.put("/api/cost/budgets/b", json=body).status_code == 400


def test_budgets_need_the_right_to_configure(store: Store) -> None:
    api = TestClient(app_of(store, authorize=nobody_but("keep")))
    body = {"name": "b", "scope": {}, "amount_usd": 4, "period": "day"}
    assert api.put("/api/cost/budgets/b", json=body).status_code == 403
    assert api.get("/api/cost/budgets").status_code == 200


def simulated(chance: random.Random, *, daily: float, hang: float, hourly: float, growth: float = 0.0) -> list[float]:
    """Hours of nine weeks: by day and week, days that scatter and hang together, hours that scatter."""
    hours, level = [], 0.0
    for i in range(9 * 168):
        usual = (1 + 0.8 * math.sin((i % 24 - 8) / 24 * 2 * math.pi)) * (0.4 if i // 24 % 7 in (2, 3) else 1)
        if i % 24 == 0:
            level = hang * level + math.sqrt(1 - hang**2) * chance.gauss(0, daily)
        hours.append(usual * math.exp(level + chance.gauss(0, hourly)) * (1 + growth) ** (i / 168))
    return hours


@pytest.mark.parametrize(
    "traffic",
    [
        {"daily": 0.1, "hang": 0.0, "hourly": 0.3}, {"daily": 0.25, "hang": 0.5, "hourly": 0.3},
        {"daily": 0.3, "hang": 0.8, "hourly": 0.2}, {"daily": 0.25, "hang": 0.5, "hourly": 0.3, "growth": 0.05},
    ],
)  # fmt: skip
@pytest.mark.parametrize("ahead", [6, 24, 24 * 7, 24 * 20])
def test_nine_of_ten_futures_lie_in_the_interval(traffic: dict[str, float], ahead: int) -> None:
    chance = random.Random(20261121)
    inside = 0
    for _ in range(150):
        hours = simulated(chance, **traffic)
        told = forecast(hours[: 28 * 24], 0, ahead)
        assert told is not None
        inside += told.low <= sum(hours[28 * 24 : 28 * 24 + ahead]) <= told.high
    assert inside / 150 >= 0.85


def test_calm_traffic_has_a_narrow_interval() -> None:
    told = forecast(simulated(random.Random(1), daily=0.05, hang=0, hourly=0.1)[: 28 * 24], 0, 168)
    assert told is not None
    assert (told.high - told.low) / told.expected < 0.3


def test_too_little_history_is_no_forecast() -> None:
    assert forecast([0.0] * 500 + [1.0] * (14 * 24 - 1), 0, 24) is None
    assert forecast([0.0] * 500 + [1.0] * (14 * 24), 0, 24) is not None
    assert forecast([], 0, 24) is None
    assert forecast([0.0] * 700, 0, 24) is None


def test_the_outlook_of_the_filters(api: TestClient, stored: Put) -> None:
    stored([Call(NOW - HOUR, cost=1.0), Call(NOW - HOUR, model="other", cost=3.0)])
    told = api.get("/api/cost/outlook?period=week&model=other").json()
    assert (told["spent"], told["projected"]) == (3.0, None)
