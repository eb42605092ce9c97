"""Long ranges are answered by rollups of whole hours and the calls of begun ones: the same numbers as call by call."""

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.tracer import semconv

from .conftest import NOW, Put, api_of
from .traffic import Call, put

MINUTE, HOUR = 60_000, 3_600_000
OFFSETS = (0, 17 * MINUTE + 123)


TAGS: tuple[list[str], ...] = (["web"], ["web", "beta"], ["beta", "beta"], [], ["webs"], ["a", "web", "b"])


@pytest.mark.parametrize("narrowed", ["", "&tag=web", "&tag=beta&model=a", "&tag=web&service!=y", "&tag=none"])
@pytest.mark.parametrize("offset", OFFSETS)
def test_rollups_say_what_the_calls_say(api: TestClient, stored: Put, offset: int, narrowed: str) -> None:
    guard = {semconv.GUARDRAIL_VERDICT: "deny", semconv.GUARDRAIL_ACTION: "block", semconv.GUARDRAIL_RULE: "no-keys"}
    warned = {semconv.GUARD_VERDICT: "warn", semconv.GUARD_ACTION: "allow"}
    stored([
        Call(
            NOW - n * 41 * MINUTE - n, latency_ms=50 + n, ttft_ms=n % 5, model="ab"[n % 2], service="xy"[n % 3 > 0],
            error="RateLimitError" if n % 11 == 0 else "", cost=None if n % 7 == 0 else 0.01,
            attributes={semconv.TAGS: json.dumps(TAGS[n % 17 % 6])} | (warned if n % 13 == 0 else {}),
            guards=[guard] if n % 9 == 0 else [{}] if n % 13 == 0 else [],
        )
        for n in range(200)
    ])  # fmt: skip
    span = f"from={NOW - offset - 5 * 24 * 60 * MINUTE}&to={NOW - offset}{narrowed}"
    one_by_one = "&user_group!=nobody&min_latency=0"  # what no rollup knows, and every call meets
    rolled, counted = (api.get(f"/api/overview?{span}{more}").json() for more in ("", one_by_one))
    assert (rolled.pop("rolled"), counted.pop("rolled")) == (not narrowed, False)
    for side in (rolled, counted):
        side["series"].pop("cost")
        for totals in (side["totals"], side["previous"], *side["models"]):
            totals["cost"] = totals["cost"] and round(totals["cost"], 9)
            totals["latency"] = [round(one, 9) for one in totals["latency"]]
    assert rolled == counted
    assert rolled["totals"]["calls"] > (100 if not narrowed else 0) or narrowed == "&tag=none"
    facets, facets_counted = (api.get(f"/api/facets?{span}{more}").json() for more in ("", one_by_one))
    assert facets == facets_counted
    lists = [api.get(f"/api/calls?{span}&limit=7&sort={sort}").json() for sort in ("-time", "time", "-latency", "cost")]
    exact = api.get(f"/api/calls?{span}{one_by_one}").json()["total"]  # an overview is widened to whole steps
    assert {one["total"] for one in lists} == {exact}


@pytest.mark.parametrize(
    "more", ["", "&priced=no", "&priced!=no", "&min_cost=0.001", "&min_tokens=1", "&user=u&priced=no"]
)
@pytest.mark.parametrize("hours", [1, 48])
def test_every_page_counts_the_same_calls(shelf: Store, tmp_path: Path, more: str, hours: int) -> None:
    """Over whole hours, to which some pages widen their range."""
    if not shelf.ask("SELECT count() FROM llm_calls").rows[0][0]:
        put(shelf, tmp_path, (
            Call(
                NOW - n * 7 * MINUTE, cost=(None, 0.0, 0.013, 2.5)[n % 4], tokens=((0, 0), (10, 5))[n % 3 > 0],
                error="Timeout" if n % 5 == 0 else "", attributes={semconv.USER_ID: ("u", "v", "")[n % 7 % 3]},
            )
            for n in range(500)
        ))  # fmt: skip
    api = api_of(shelf)
    end = NOW // HOUR * HOUR
    span = f"from={end - hours * HOUR}&to={end}{more}"
    overview, cost, listed, failures, guards = (
        api.get(f"/api/{page}?{span}").json() for page in ("overview", "cost", "calls", "failures", "guards")
    )
    calls = {
        "overview": overview["totals"]["calls"], "cost": cost["totals"]["calls"], "calls": listed["total"],
        "failures": failures["calls"], "guards": guards["totals"]["calls"],
        "export": int(api.get(f"/api/calls/export?{span}").headers["x-spanward-calls"]),
    }  # fmt: skip
    assert calls == dict.fromkeys(calls, calls["calls"])
    assert calls["calls"] or more == "&user=u&priced=no"
    assert cost["totals"]["cost"] == pytest.approx(overview["totals"]["cost"])
    assert cost["totals"]["unpriced"] == overview["totals"]["unpriced"]
