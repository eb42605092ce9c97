"""Facets of very many calls are reckoned from a part of them, near the truth, and say so."""

import pytest
from starlette.testclient import TestClient

from spanward.dashboards import sample

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
