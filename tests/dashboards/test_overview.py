"""Totals and series against numbers worked out by hand or by Python on the same calls."""

import math
import random
from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.tracer import semconv

from .conftest import NOW, Put, api_of
from .traffic import Call, put

MINUTE = 60_000


def ask(api: TestClient, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def small_day() -> list[Call]:
    blocked = {semconv.GUARD_VERDICT: "deny", semconv.GUARD_ACTION: "block"}
    rule = {semconv.GUARDRAIL_VERDICT: "deny", semconv.GUARDRAIL_ACTION: "block"}
    return [
        Call(NOW - 50 * MINUTE, tokens=(100, 20), cached=40, cost=0.5),
        Call(NOW - 50 * MINUTE, tokens=(10, 2), cost=0.25, error="RateLimitError", message="429"),
        Call(NOW - 10 * MINUTE, model="house", tokens=(7, 3), cost=None),
        Call(NOW - 10 * MINUTE, cost=None, tokens=(0, 0), error="APITimeoutError", ttft_ms=0),
        Call(NOW - 5 * MINUTE, cost=None, tokens=(0, 0), attributes=blocked, guards=[rule]),
        Call(NOW - 90 * MINUTE, tokens=(1000, 1), cost=9.0),
        Call(NOW - 300 * MINUTE, tokens=(1000, 1), cost=9.0),
    ]  # fmt: skip


TOTALS = {
    "calls": 5, "errors": 2, "blocked": 1, "unpriced": 1, "input_tokens": 117, "cached_tokens": 40,
    "output_tokens": 25, "cost": 0.75,
}  # fmt: skip


@pytest.mark.parametrize("condition", ["", "&status=ok&status=error&status=blocked"])
def test_totals_of_the_range_and_of_the_one_before(api: TestClient, stored: Put, condition: str) -> None:
    stored(small_day())
    answer = ask(api, f"/api/overview?from=now-1h{condition}")
    assert {key: answer["totals"][key] for key in TOTALS} == TOTALS
    assert answer["previous"]["calls"] == 1
    assert answer["previous"]["cost"] == 9.0
    assert answer["totals"]["guards"] == {"blocked": 1, "modified": 0, "flagged": 0, "shadow": 0, "failed_open": 0}


@pytest.mark.parametrize(
    "path", ["from=now-1h", "from=now-1h&env=prod", "from=now-6h", "from=now-7d", "from=now-6h&operation=chat"]
)
def test_the_series_sum_up_to_the_totals_rolled_up_or_not(api: TestClient, stored: Put, path: str) -> None:
    stored(small_day())
    answer = ask(api, f"/api/overview?{path}")
    series, totals = answer["series"], answer["totals"]
    for name in ("calls", "errors", "blocked", "unpriced", "input_tokens", "cached_tokens", "output_tokens"):
        assert sum(series[name]) == totals[name], name
    assert sum(cost or 0 for cost in series["cost"]) == pytest.approx(totals["cost"])
    assert sum(answer["guards"]["blocked"]) == totals["guards"]["blocked"] == 1
    expected = list(range(answer["from"], answer["to"], answer["step"]))
    assert series["t"] == answer["guards"]["t"] == expected


def test_where_nothing_was_priced_the_cost_is_unknown_and_not_zero(api: TestClient, stored: Put) -> None:
    stored([Call(NOW - MINUTE, model="house", cost=None)])
    answer = ask(api, "/api/overview?from=now-1h")
    assert answer["totals"]["cost"] is None
    assert [cost for cost in answer["series"]["cost"] if cost != 0] == [None]
    assert [(m["model"], m["cost"]) for m in answer["models"]] == [("house", None)]


@pytest.mark.parametrize("path", ["from=now-30m", "from=now-24h"])
def test_percentiles_are_within_a_histogram_bin_of_the_exact_ones(api: TestClient, stored: Put, path: str) -> None:
    dice = random.Random(7)
    latencies = [math.exp(dice.gauss(6.5, 0.8)) for _ in range(400)]
    stored([Call(NOW - 20 * MINUTE, latency_ms=latency, ttft_ms=latency / 3) for latency in latencies])
    answer = ask(api, f"/api/overview?{path}")
    exact = sorted(latencies)
    bin_width = 2 ** (1 / 8)
    for i, share in enumerate((0.5, 0.95, 0.99)):
        true = exact[math.ceil(share * len(exact)) - 1]
        for key, divisor in (("latency", 1), ("ttft_ms", 3)):
            shown = answer["totals"][key][i] * divisor
            assert true / bin_width <= shown <= true * bin_width, (key, share)
    names = [("latency_p50", 0), ("latency_p95", 1), ("latency_p99", 2)]
    for name, i in names:
        assert [v for v in answer["series"][name] if v is not None] == [answer["totals"]["latency"][i]]


def test_an_empty_store_is_zeros_and_no_percentiles(api: TestClient) -> None:
    answer = ask(api, "/api/overview?from=now-24h")
    assert answer["totals"]["calls"] == 0
    assert answer["totals"]["cost"] == 0
    assert answer["totals"]["latency"] == answer["totals"]["ttft_ms"] == []
    assert set(answer["series"]["calls"]) == {0}
    assert set(answer["series"]["latency_p95"]) == {None}
    assert (answer["models"], answer["failures"]) == ([], [])


KINDS = [
    ({"verdict": "deny", "action": "block", "mode": "enforce"}, "blocked"),
    ({"verdict": "modify", "action": "modify", "mode": "enforce"}, "modified"),
    ({"verdict": "warn", "action": "allow", "mode": "enforce"}, "flagged"),
    ({"verdict": "deny", "action": "allow", "mode": "shadow"}, "shadow"),
    ({"verdict": "fail_open", "action": "allow", "mode": "enforce"}, "failed_open"),
    ({"verdict": "allow", "action": "allow", "mode": "enforce"}, None),
]


@pytest.fixture(scope="module")
def judged(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """One call of each kind, in an environment of its own: the number of the case."""
    names = {"verdict": semconv.GUARDRAIL_VERDICT, "action": semconv.GUARDRAIL_ACTION, "mode": semconv.GUARDRAIL_MODE}
    calls = [
        Call(NOW - MINUTE, env=str(n), guards=[{names[key]: value for key, value in event.items()}])
        for n, (event, _) in enumerate(KINDS)
    ]
    put(shelf, tmp_path_factory.mktemp("kinds"), calls)
    return api_of(shelf)


@pytest.mark.parametrize("path", ["from=now-1h", "from=now-24h", "from=now-24h&model=gpt-4o"])
@pytest.mark.parametrize("case", range(len(KINDS)))
def test_what_guards_did_is_one_of_five_kinds(judged: TestClient, case: int, path: str) -> None:
    kind = KINDS[case][1]
    answer = ask(judged, f"/api/overview?{path}&env={case}")
    assert {k: n for k, n in answer["totals"]["guards"].items() if n} == ({kind: 1} if kind else {})
    assert {k: sum(v) for k, v in answer["guards"].items() if k != "t" and sum(v)} == ({kind: 1} if kind else {})


def test_failures_are_grouped_and_name_their_latest(api: TestClient, stored: Put) -> None:
    stored([Call(NOW - n * MINUTE, error="RateLimitError", message=f"minute {n}", model=f"m{n}") for n in (3, 2, 1)])
    latest = Call(NOW - 9 * MINUTE, error="APITimeoutError", message="slow")
    stored([latest])
    first, second = ask(api, "/api/overview?from=now-1h")["failures"]
    assert (first["error_type"], first["calls"], first["models"], first["message"]) == (
        "RateLimitError",
        3,
        3,
        "minute 1",
    )
    assert second == {
        "status": "error", "error_type": "APITimeoutError", "calls": 1, "services": 1, "models": 1,
        "last_us": (NOW - 9 * MINUTE) * 1000, "last_model": "gpt-4o", "message": "slow",
        "trace_id": latest.trace_id, "span_id": latest.span_id, "rules": [],
    }  # fmt: skip
