"""Long ranges are answered by rollups of whole hours and the calls of begun ones: the same numbers as call by call."""

import pytest
from starlette.testclient import TestClient

from spanward.tracer import semconv

from .conftest import NOW, Put
from .traffic import Call

MINUTE = 60_000
OFFSETS = (0, 17 * MINUTE + 123)


@pytest.mark.parametrize("offset", OFFSETS)
def test_rollups_say_what_the_calls_say(api: TestClient, stored: Put, offset: int) -> None:
    guard = {semconv.GUARDRAIL_VERDICT: "deny", semconv.GUARDRAIL_ACTION: "block", semconv.GUARDRAIL_RULE: "no-keys"}
    warned = {semconv.GUARD_VERDICT: "warn", semconv.GUARD_ACTION: "allow"}
    stored([
        Call(
            NOW - n * 41 * MINUTE - n, latency_ms=50 + n, ttft_ms=n % 5, model="ab"[n % 2], service="xy"[n % 3 > 0],
            error="RateLimitError" if n % 11 == 0 else "", cost=None if n % 7 == 0 else 0.01,
            attributes=warned if n % 13 == 0 else {}, guards=[guard] if n % 9 == 0 else [{}] if n % 13 == 0 else [],
        )
        for n in range(200)
    ])  # fmt: skip
    span = f"from={NOW - offset - 5 * 24 * 60 * MINUTE}&to={NOW - offset}"
    one_by_one = "&user_group!=nobody&min_latency=0"  # what no rollup knows, and every call meets
    rolled, counted = (api.get(f"/api/overview?{span}{more}").json() for more in ("", one_by_one))
    assert (rolled.pop("rolled"), counted.pop("rolled")) == (True, False)
    for side in (rolled, counted):
        side["series"].pop("cost")
        for totals in (side["totals"], side["previous"], *side["models"]):
            totals["cost"] = totals["cost"] and round(totals["cost"], 9)
            totals["latency"] = [round(one, 9) for one in totals["latency"]]
    assert rolled == counted
    assert rolled["totals"]["calls"] > 100
    facets, facets_counted = (api.get(f"/api/facets?{span}{more}").json() for more in ("", one_by_one))
    assert facets == facets_counted
    lists = [api.get(f"/api/calls?{span}&limit=7&sort={sort}").json() for sort in ("-time", "time", "-latency", "cost")]
    exact = api.get(f"/api/calls?{span}{one_by_one}").json()["total"]  # an overview is widened to whole steps
    assert {one["total"] for one in lists} == {exact}
