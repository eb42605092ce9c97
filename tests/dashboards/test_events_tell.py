"""Counts that are asked of guard events and rollups are those of the calls, looked at one by one."""

import itertools
from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.schema import KEPT
from spanward.collector.store import Store
from spanward.dashboards import calls_of_events
from spanward.tracer import semconv

from .conftest import NOW, api_of
from .traffic import Call, put

MINUTE, HOUR = 60_000, 3_600_000
OWN = [
    ("allow", "allow"),
    ("none", "none"),
    ("modify", "modify"),
    ("deny", "block"),
    ("warn", "allow"),
    ("fail_open", "allow"),
]
EVENTS: list[list[tuple[str, str, str, str]]] = [
    [],
    [("rude", "warn", "allow", "enforce")],
    [("quiet", "allow", "allow", "enforce")],
    [
        ("pii", "modify", "modify", "enforce"),
        ("pii", "modify", "modify", "enforce"),
        ("rude", "warn", "allow", "enforce"),
    ],
    [("trial", "deny", "block", "shadow")],
    [("pii", "fail_open", "allow", "enforce"), ("trial", "warn", "allow", "shadow")],
]
BEGIN, END = NOW - 50 * HOUR - 7 * MINUTE, NOW - 2 * HOUR - 11 * MINUTE
VIEWS = [
    "", "model=a", "status=error", "status=ok&status=blocked", "status!=ok", "tag=web", "tag!=web", "user=ada",
    "prompt=p&prompt_version=1", "guard=clean", "guard=flagged", "guard=shadow&guard=clean",
    "guard=unguarded&guard=modified", "guard=blocked", "guard=failed_open", "rule=rude",
    "rule=pii&event_action=allow", "rule=trial&guard=flagged", "rule=quiet&guard=clean",
    "event_verdict=warn&guard=unguarded", "guard=clean&model=a&status=ok", "guard=flagged&tag=web",
    "guard=clean&user=ada", "rule=rude&tag!=web&model!=a", "guard=flagged&failure=rate_limit", "guard!=flagged",
    "rule!=rude", "guard=shadow&min_latency=1", "rule=rude&policy=x", "prompt=p&prompt_version=1&model=a",
    "prompt_version!=1", "tag=web&tag=new", "tag=web&status=error&model=a",
    "user=ada&guard=flagged", "user=ada&rule=rude", "user=nobody", "user!=ada",
]  # fmt: skip


def event(rule: str, verdict: str, action: str, mode: str) -> dict[str, Any]:
    return {
        semconv.GUARDRAIL_RULE: rule, semconv.GUARDRAIL_VERDICT: verdict, semconv.GUARDRAIL_ACTION: action,
        semconv.GUARDRAIL_MODE: mode,
    }  # fmt: skip


def traffic() -> list[Call]:
    """Every kind by itself with every set of events, twice; and calls just inside and outside of the range."""
    made = []
    for n, ((verdict, action), events) in enumerate(list(itertools.product(OWN, EVENTS)) * 2):
        told = {
            semconv.GUARD_VERDICT: verdict, semconv.GUARD_ACTION: action, semconv.USER_ID: ("ada", "bob")[n % 2],
            semconv.TAGS: [["web", "web"], ["web", "new"], []][n % 3], semconv.PROMPT_NAME: "pq"[n % 2],
            semconv.PROMPT_VERSION: "12"[n // 2 % 2],
        }  # fmt: skip
        made.append(
            Call(
                BEGIN + (n + 1) * 35 * MINUTE, model="ab"[n // 6 % 2], error="RateLimitError" if n % 5 == 0 else "",
                attributes=told, guards=[event(*one) for one in events],
            )
        )  # fmt: skip
    rude = [event(*EVENTS[1][0])]
    made += [Call(at, guards=rude, attributes={semconv.USER_ID: "ada"}) for at in (BEGIN - 1, BEGIN, END - 1, END)]
    return made


@pytest.fixture(scope="module", params=["told", "strays", "both"])
def api(request: pytest.FixtureRequest, shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    calls, folder = traffic(), tmp_path_factory.mktemp("traffic")
    for table in KEPT:
        shelf.command(f"TRUNCATE TABLE {table}")
    told = {"told": len(calls), "strays": 0, "both": len(calls) // 2}[request.param]
    put(shelf, folder, calls[:told])
    put(shelf, folder, calls[told:], told=False)
    return api_of(shelf)


@pytest.mark.parametrize("more", VIEWS)
def test_counts_are_those_of_the_calls(api: TestClient, monkeypatch: pytest.MonkeyPatch, more: str) -> None:
    span = f"from={BEGIN}&to={END}&{more}"
    listed, facets = answers(api, span)
    monkeypatch.setattr(calls_of_events, "answers", lambda _: False)
    # what no rollup knows, and every call meets
    plain, plain_facets = answers(api, f"{span}{'' if 'min_latency' in more else '&min_latency=0'}")
    assert listed["total"] == plain["total"] == len(plain["calls"]) == len(listed["calls"])
    assert facets == plain_facets
    assert listed["total"] or "nobody" in more or "failure" in more or "policy" in more


def answers(api: TestClient, query: str) -> tuple[Any, Any]:
    told = [api.get(f"/api/{page}{query}") for page in ("calls?limit=200&", "facets?")]
    assert [one.status_code for one in told] == [200, 200], told
    return told[0].json(), told[1].json()
