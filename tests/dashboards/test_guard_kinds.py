"""What came of the guards for a call, though some rules speak only after the call was stored."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards.guard_kind import CALL_KINDS, FOUND, OF_CALL, OF_EVENT
from spanward.tracer import semconv

from .conftest import NOW, api_of
from .traffic import Call, put

MINUTE = 60_000
Api = tuple[TestClient, list[Call]]


def own(verdict: str, action: str) -> dict[str, Any]:
    return {semconv.GUARD_VERDICT: verdict, semconv.GUARD_ACTION: action}


def event(rule: str, verdict: str, action: str, mode: str = "enforce") -> dict[str, Any]:
    return {
        semconv.GUARDRAIL_RULE: rule,
        semconv.GUARDRAIL_VERDICT: verdict,
        semconv.GUARDRAIL_ACTION: action,
        semconv.GUARDRAIL_MODE: mode,
    }


RUDE = event("rude", "warn", "allow")
CASES: list[tuple[dict[str, Any], list[dict[str, Any]], list[str], list[str]]] = [
    (own("allow", "allow"), [], ["clean"], []),
    (own("allow", "allow"), [RUDE], ["flagged"], ["rude"]),
    (own("allow", "allow"), [event("quiet", "allow", "allow")], ["clean"], []),
    (own("modify", "modify"), [event("pii", "modify", "modify"), RUDE], ["modified", "flagged"], ["pii", "rude"]),
    (own("deny", "block"), [event("keys", "deny", "block")], ["blocked"], ["keys"]),
    (own("allow", "allow"), [event("trial", "deny", "block", "shadow")], ["shadow"], ["trial"]),
    (own("fail_open", "allow"), [event("pii", "fail_open", "allow")], ["failed_open"], ["pii"]),
    (own("modify", "modify"), [], ["modified"], []),
    (own("none", "none"), [], ["unguarded"], []),
    (own("none", "none"), [RUDE], ["flagged", "unguarded"], ["rude"]),
]


@pytest.fixture(scope="module")
def judged(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> Api:
    calls = [
        Call(NOW - (n + 1) * MINUTE, attributes=verdict, guards=events)
        for n, (verdict, events, _, _) in enumerate(CASES)
    ]
    put(shelf, tmp_path_factory.mktemp("judged"), calls)
    return api_of(shelf), calls


def ask(api: TestClient, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_row_says_what_guards_made_of_it_and_by_which_rules(judged: Api) -> None:
    rows = ask(judged[0], "/api/calls?from=now-1h")["calls"]
    assert [(row["guards"], row["rules"]) for row in rows] == [(kinds, rules) for _, _, kinds, rules in CASES]


def test_an_opened_call_says_the_same_as_its_row(judged: Api) -> None:
    api, calls = judged
    for call, (_, _, kinds, rules) in zip(calls, CASES, strict=True):
        opened = ask(api, f"/api/calls/{call.trace_id}/{call.span_id}")["call"]
        assert (opened["guards"], opened["rules"]) == (kinds, rules)


@pytest.mark.parametrize(
    "kinds", [("clean",), ("flagged",), ("modified",), ("blocked",), ("shadow",), ("failed_open",), ("unguarded",),
              ("flagged", "blocked"), ("clean", "shadow"), ("none-such",)],
)  # fmt: skip
def test_the_filter_finds_those_rows_and_turned_round_all_others(judged: Api, kinds: tuple[str, ...]) -> None:
    api, calls = judged
    fitting = [n for n, (_, _, mine, _) in enumerate(CASES) if set(mine) & set(kinds)]
    for sign, expected in (("", fitting), ("!", [n for n in range(len(CASES)) if n not in fitting])):
        condition = "&".join(f"guard{sign}={kind}" for kind in kinds)
        listed = ask(api, f"/api/calls?from=now-1h&{condition}")
        assert [row["span_id"] for row in listed["calls"]] == [calls[n].span_id for n in expected]
        assert listed["total"] == len(expected)


def test_the_facets_count_calls_and_not_events(judged: Api) -> None:
    api, _ = judged
    facets = ask(api, "/api/facets?from=now-1h")
    assert {v["value"]: v["calls"] for v in facets["guard"]} == {
        "clean": 2, "flagged": 3, "modified": 2, "blocked": 1, "shadow": 1, "failed_open": 1, "unguarded": 2,
    }  # fmt: skip
    assert {v["value"]: v["calls"] for v in facets["rule"]} == {
        "rude": 3, "pii": 2, "keys": 1, "trial": 1, "quiet": 1,
    }  # fmt: skip


def test_the_overview_names_the_rules_that_blocked(judged: Api) -> None:
    (blocked,) = ask(judged[0], "/api/overview?from=now-1h")["failures"]
    assert (blocked["status"], blocked["calls"], blocked["rules"]) == ("blocked", 1, ["keys"])


def test_bits_that_events_keep_are_those_of_the_words(judged: Api, shelf: Store) -> None:
    kinds = (
        f"bitAnd(call_bits, bitShiftLeft(1, indexOf({list(CALL_KINDS)}, {OF_CALL}) - 1)) = call_bits AND call_bits > 0"
    )
    found = f"if({FOUND}, bitShiftLeft(1, indexOf({list(CALL_KINDS)}, {OF_EVENT}) - 1), 0) = event_bits"
    (counted,) = shelf.ask(f"SELECT count(), countIf({kinds}), countIf({found}) FROM guard_events").rows
    assert counted[0] == counted[1] == counted[2] > 5
