"""Facets of very many calls are reckoned from a part of them, near the truth, and say so."""

import pytest
from starlette.testclient import TestClient

from spanward.dashboards import sample
from spanward.tracer.semconv import GUARDRAIL_RULE

from .conftest import NOW, Put
from .traffic import Call

MINUTE = 60_000
BEYOND = "&min_latency=0"
"""What no rollup knows, and every call meets."""


def test_a_part_stands_for_the_whole_and_says_so(api: TestClient, stored: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    stored([Call(NOW - n * 5 * MINUTE, latency_ms=5, model="abc"[n % 3]) for n in range(1, 600)])
    path = f"/api/facets?from={NOW - 3000 * MINUTE}&to={NOW}"
    whole = api.get(path + BEYOND).json()["model"]
    assert [value.get("about") for value in whole] == [None] * 3
    monkeypatch.setattr(sample, "MOST_CALLS", 150)
    part = {value["value"]: value for value in api.get(path + BEYOND).json()["model"]}
    assert [value["about"] for value in part.values()] == [True] * 3
    assert all(100 < value["calls"] < 300 for value in part.values())
    assert sum(value["calls"] for value in part.values()) == pytest.approx(599, rel=0.1)
    assert api.get(path).json()["model"] == whole  # a rollup knows these


def test_events_of_a_part_of_the_calls_stand_for_all(
    api: TestClient, stored: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    def guarded(n: int) -> Call:
        return Call(NOW - n * MINUTE, trace=n, span=n, guards=[{GUARDRAIL_RULE: "abc"[n % 3]}] if n % 2 else [])

    stored([guarded(n) for n in range(5, 3000)])
    path = f"/api/facets?from={NOW - 3000 * MINUTE}&to={NOW}&guard=modified"
    whole = api.get(path).json()["rule"]
    assert [(value["value"], value["calls"]) for value in whole] == [("c", 500), ("a", 499), ("b", 499)]
    monkeypatch.setattr(sample, "MOST_EVENTS", 150)
    part = {value["value"]: value for value in api.get(path).json()["rule"]}
    assert [value["about"] for value in part.values()] == [True] * 3
    assert all(300 < value["calls"] < 700 for value in part.values())
    assert sum(value["calls"] for value in part.values()) == pytest.approx(1498, rel=0.15)
