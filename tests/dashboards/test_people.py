"""Sessions and users against planted conversations."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.tracer import semconv

from .conftest import NOW, Put, api_of
from .serving import app_of, nobody_but
from .traffic import Call, message, operation, put

MINUTE = 60_000
HOUR = 3_600_000


def ask(api: TestClient, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def of(session: str, user: str = "u1", **more: Any) -> dict[str, Any]:
    return {semconv.CONVERSATION: session, semconv.USER_ID: user, **more}


def talk() -> list[Call]:
    """Three turns: a question and an answer, a tool, a failure."""
    first = [message("system", "be kind"), message("user", "where is my parcel?")]
    asks = {"role": "assistant", "parts": [{"type": "tool_call", "name": "find_parcel", "id": "1", "arguments": {}}]}
    second = [
        *first,
        asks,
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "at noon"}]},
    ]
    return [
        Call(NOW - 9 * MINUTE, latency_ms=2000, tokens=(100, 20), cost=0.5, attributes=of(
            "talk", **{semconv.INPUT_MESSAGES: json.dumps(first), semconv.OUTPUT_MESSAGES: json.dumps([asks])}
        )),
        Call(NOW - 8 * MINUTE, latency_ms=1000, tokens=(200, 30), cost=0.25, attributes=of(
            "talk", **{semconv.INPUT_MESSAGES: json.dumps(second), semconv.GUARD_VERDICT: "modify",
                       semconv.GUARD_ACTION: "modify"}
        ), answered="it comes at noon", guards=[{}]),
        Call(NOW - 7 * MINUTE, model="house", cost=None, tokens=(10, 1), error="Timeout", attributes=of("talk")),
    ]  # fmt: skip


def test_a_list_of_sessions_says_what_each_was(api: TestClient, stored: Put) -> None:
    stored([*talk(), Call(NOW - 2 * HOUR, attributes=of("old", "u2")), Call(NOW - MINUTE)])
    answer = ask(api, "/api/sessions")
    assert [row["session_id"] for row in answer["sessions"]] == ["talk", "old"]
    assert answer["sessions"][0] == {
        "session_id": "talk", "first_us": (NOW - 9 * MINUTE) * 1000, "last_us": (NOW - 7 * MINUTE) * 1000, "calls": 3,
        "errors": 1, "blocked": 0, "unpriced": 1, "found": 1, "input_tokens": 310, "output_tokens": 51, "cost": 0.75,
        "users": ["u1"], "services": ["shop"], "models": ["gpt-4o", "house"], "said": "hello", "answered": "hi there",
    }  # fmt: skip
    assert answer["next"] is None
    assert [row["session_id"] for row in ask(api, "/api/sessions?user=u2")["sessions"]] == ["old"]
    assert [row["session_id"] for row in ask(api, "/api/sessions?status=error")["sessions"]] == ["talk"]
    assert ask(api, "/api/sessions?from=now-5m")["sessions"] == []


@pytest.mark.parametrize("condition", ["", "&status=ok"])
def test_pages_of_sessions_neither_repeat_nor_skip(api: TestClient, stored: Put, condition: str) -> None:
    calls = [Call(NOW - n * 3 * HOUR - k * MINUTE, attributes=of(f"s{n % 23:02}")) for n in range(60) for k in range(2)]
    stored(calls)
    latest: dict[str, int] = {}
    for call in calls:
        name = call.attributes[semconv.CONVERSATION]
        latest[name] = max(latest.get(name, 0), call.at)
    seen, cursor = [], ""
    while True:
        page = ask(api, f"/api/sessions?from=now-30d&limit=5{condition}&cursor={cursor}")
        seen += [row["session_id"] for row in page["sessions"]]
        cursor = page["next"]
        if not cursor:
            break
    assert seen == sorted(latest, key=lambda name: -latest[name])


def test_a_session_is_told_in_order_with_gaps_and_running_cost(store: Store, tmp_path: Path) -> None:
    calls = talk()
    put(store, tmp_path, calls)
    tool = operation(store, tmp_path, Call(calls[0].at + 3000, trace=calls[0].trace), "execute_tool", "find_parcel", {})
    answer = ask(api_of(store), "/api/sessions/talk")
    turns = answer["turns"]
    assert [turn["call"]["span_id"] for turn in turns] == [call.span_id for call in calls]
    assert [turn["gap_ms"] for turn in turns] == [None, 58_000, 59_000]
    assert [turn["so_far"] for turn in turns] == [0.5, 0.75, 0.75]
    assert [turn["call"]["guards"] for turn in turns] == [["clean"], ["modified"], ["clean"]]
    assert turns[0]["said"] == {
        "asked": [{"role": "user", "text": "where is my parcel?", "calls": [], "cut": False}],
        "answered": [{"role": "assistant", "text": "", "calls": ["find_parcel"], "cut": False}],
    }
    assert turns[1]["said"]["asked"] == [{"role": "tool", "text": "at noon", "calls": [], "cut": False}]
    assert turns[1]["said"]["answered"][0]["text"] == "it comes at noon"
    assert [t["span_id"] for t in turns[0]["tools"]] == [tool]
    assert turns[2]["call"]["error_type"] == "Timeout"
    assert (answer["session"]["cost"], answer["next"], answer["withheld"]) == (0.75, None, False)
    assert api_of(store).get("/api/sessions/nobody").status_code == 404


def test_a_long_session_comes_in_pages(api: TestClient, stored: Put) -> None:
    stored([Call(NOW - n * MINUTE, latency_ms=1000, cost=1.0, attributes=of("long")) for n in range(1, 24)])
    seen, cursor = [], ""
    while True:
        page = ask(api, f"/api/sessions/long?limit=10&cursor={cursor}")
        seen += page["turns"]
        cursor = page["next"]
        if not cursor:
            break
    assert [turn["so_far"] for turn in seen] == [float(n) for n in range(1, 24)]
    assert [turn["gap_ms"] for turn in seen] == [None, *[59_000.0] * 22]


def test_words_are_only_for_who_may_see_content(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, talk())
    blind = TestClient(app_of(store, clock=lambda: NOW / 1000, authorize=nobody_but("keep")))
    listed = ask(blind, "/api/sessions")
    opened = ask(blind, "/api/sessions/talk")
    assert {(row["said"], row["answered"]) for row in listed["sessions"]} == {(None, None)}
    assert opened["withheld"] is True
    assert {turn["said"] for turn in opened["turns"]} == {None}
    for text in ("parcel", "noon", "hello", "hi there"):
        assert text not in json.dumps(opened) + json.dumps(listed)


@pytest.mark.parametrize("path", ["from=now-24h", "from=now-90d", "from=now-90d&status=ok&status=error"])
def test_users_by_cost_calls_and_failures(api: TestClient, stored: Put, path: str) -> None:
    stored(
        [
            Call(NOW - HOUR, cost=1.0, attributes=of("a", "rich")),
            *(Call(NOW - HOUR - n, cost=0.1, attributes=of("b", "busy")) for n in range(3)),
            Call(
                NOW - 2 * HOUR, cost=None, tokens=(1, 1), model="house", error="Timeout", attributes=of("c", "unlucky")
            ),
            Call(NOW - HOUR, cost=9.0),
        ]
    )
    for sort, expected in {
        "cost": ["rich", "busy", "unlucky"], "calls": ["busy", "unlucky", "rich"],
        "failures": ["unlucky", "rich", "busy"],
    }.items():  # fmt: skip
        answer = ask(api, f"/api/users?{path}&sort={sort}")
        assert [row["user"] for row in answer["users"]] == expected
        assert (answer["total"], answer["anonymous"]) == (3, 1)
        paged = ask(api, f"/api/users?{path}&sort={sort}&limit=2")
        rest = ask(api, f"/api/users?{path}&sort={sort}&limit=2&cursor={paged['next']}")
        assert [row["user"] for row in (*paged["users"], *rest["users"])] == expected
    rows = {row["user"]: row for row in ask(api, f"/api/users?{path}")["users"]}
    assert (rows["unlucky"]["cost"], rows["rich"]["last_us"]) == (None, (NOW - HOUR) * 1000)


def test_a_page_of_a_user(api: TestClient, stored: Put) -> None:
    prompt = {semconv.PROMPT_NAME: "answer"}
    stored([
        Call(NOW - HOUR, cost=1.0, attributes=of("a", "u/1", **prompt), guards=[{}]),
        Call(NOW - 2 * HOUR, model="house", cost=None, error="Timeout", message="slow", attributes=of("a", "u/1")),
        Call(NOW - 30 * HOUR, cost=4.0, attributes=of("a", "u/1")),
        Call(NOW - HOUR, cost=7.0, attributes=of("a", "u2")),
    ])  # fmt: skip
    answer = ask(api, "/api/users/u%2F1?from=now-24h")
    assert (answer["user"], answer["totals"]["cost"], answer["previous"]["cost"]) == ("u/1", 1.0, 4.0)
    assert (sum(answer["series"]["calls"]), sum(answer["series"]["cost"])) == (2, 1.0)
    assert {part["value"]: part["cost"] for part in answer["models"]} == {"gpt-4o": 1.0, "house": None}
    assert {part["value"]: part["calls"] for part in answer["prompts"]} == {"answer": 1, "": 1}
    assert [(f["error_type"], f["message"]) for f in answer["failures"]] == [("Timeout", "slow")]
    assert answer["findings"] == [{"rule": "pii-out", "kind": "modified", "events": 1}]
