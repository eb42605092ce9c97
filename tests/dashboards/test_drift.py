"""A planted drift in a real store: the API says which stream, since when, who carries it and what else changed."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards.ask import Table
from spanward.dashboards.drift import rounds
from spanward.dashboards.drift.streams import STREAMS

from .drifting import CLOCK, HOUR, LAST, SINCE, calls, put_all
from .serving import app_of, nobody_but


@pytest.fixture(scope="module")
def drifted(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    put_all(shelf, tmp_path_factory.mktemp("drift"), calls())
    return shelf


@pytest.fixture
def api(drifted: Store) -> TestClient:
    return TestClient(app_of(drifted, clock=lambda: CLOCK / 1000))


def ask(api: TestClient, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_page_names_the_stream_that_drifts_and_since_when(api: TestClient) -> None:
    page = ask(api, "/api/drift")
    drifting = [(s["service"], s["stream"]) for s in page["streams"] if s["state"] == "drifting"]
    assert drifting == [("shop", "finish_reason")]
    (alarm,) = page["alarms"]
    assert (alarm["service"], alarm["stream"], alarm["until"]) == ("shop", "finish_reason", None)
    assert abs(alarm["since"] // HOUR - SINCE) <= 13  # a window of 500 calls at 40 an hour
    assert alarm["text"].startswith("share of length rose from 3.7% to ")
    states = {(s["service"], s["stream"]): s["state"] for s in page["streams"]}
    assert states["desk", "finish_reason"] == "too few calls"
    assert states["shop", "latency"] == states["shop", "input_length"] == "steady"
    assert page["left_out"] == 0
    assert page["until"] == LAST * HOUR


def test_the_alarm_names_who_carries_it_and_what_changed(api: TestClient) -> None:
    (row,) = ask(api, "/api/drift")["alarms"]
    page = ask(api, f"/api/drift/{row['id']}")
    assert (page["cause"]["key"], page["cause"]["value"]) == ("prompt_version", "triage 4")
    assert page["cause"]["text"].startswith("Prompt version triage 4 carries it: without it the change would be")
    first = page["cause"]["segments"][0]
    assert (first["value"], first["part_before"] < 0.1) == ("triage 4", True)
    changed = {change["name"]: change["new"] for change in page["changes"] if change["changed"]}
    assert changed == {"Prompt version": ["triage 4"]}
    same = {change["name"]: change["kept"] for change in page["changes"] if not change["changed"]}
    assert (same["Guard policy"], same["Prices"], same["Model that answered"]) == (["a1b2c3"], ["2026-11"], ["gpt-4o"])
    assert {"contract"} <= set.intersection(*(set(one["words"]) for one in page["typical"]))
    assert len(page["typical"]) == 3  # there are no more different ones
    moved = [(b["bucket"], b["filters"]) for b in page["buckets"] if b["in_change"]]
    assert moved == [("length", {"finish_reason": "length"})]


def test_without_the_right_to_read_there_are_no_inputs(drifted: Store) -> None:
    api = TestClient(app_of(drifted, clock=lambda: CLOCK / 1000, authorize=nobody_but("configure")))
    (row,) = ask(api, "/api/drift")["alarms"]
    answer = api.get(f"/api/drift/{row['id']}")
    assert answer.json()["typical"] is None
    assert "contract" not in answer.text


def test_a_round_is_one_question_and_serves_for_a_while(drifted: Store) -> None:
    asked: list[str] = []

    def counting(sql: str, parameters: Any = None) -> Table:
        asked.append(sql)
        return drifted.ask(sql, parameters)

    first = rounds.drifting(counting, CLOCK)
    assert len(asked) == 1
    assert rounds.drifting(counting, CLOCK + 1000) == first
    assert len(asked) == 1
    assert [(a.stream, a.service) for a in first] == [("finish_reason", "shop")]
    assert rounds.drifting(counting, CLOCK + rounds.KEPT_MS - 1) == first
    assert len(asked) == 1
    assert rounds.drifting(counting, CLOCK + rounds.KEPT_MS) == first
    assert len(asked) == 2
    rounds.drifting(counting, CLOCK - HOUR)  # of another hour
    assert len(asked) == 3


def test_an_accepted_change_is_the_new_normal_and_learnt_anew(drifted: Store) -> None:
    audit: list[Any] = []
    api = TestClient(app_of(drifted, clock=lambda: CLOCK / 1000, authorize=nobody_but("configure"), audit=audit))
    (row,) = ask(api, "/api/drift")["alarms"]
    answer = api.post(f"/api/drift/{row['id']}/accept", json={"reason": "the new prompt"})
    assert answer.json() == {"service": "shop", "stream": "finish_reason", "since": row["since"]}
    assert audit == [("kim", "accept_drift", "shop finish_reason", {"reason": "the new prompt"})]
    after = ask(api, "/api/drift")
    assert after["alarms"] == []
    (accepted,) = (s for s in after["streams"] if (s["service"], s["stream"]) == ("shop", "finish_reason"))
    assert (accepted["state"], accepted["left"]) == ("learning", 14 * 24 - (LAST - row["since"] // HOUR))
    assert api.get(f"/api/drift/{row['id']}").status_code == 404


def test_accepting_needs_the_right_to_configure(drifted: Store) -> None:
    api = TestClient(app_of(drifted, clock=lambda: CLOCK / 1000, authorize=nobody_but("see_content")))
    (row,) = ask(api, "/api/drift")["alarms"]
    assert api.post(f"/api/drift/{row['id']}/accept", json={}).status_code == 403


def test_what_is_no_alarm_is_not_there(api: TestClient) -> None:
    for name in ("nonsense", "finish_reason-1-00000000"):
        assert api.get(f"/api/drift/{name}").status_code == 404


def test_in_the_first_two_weeks_it_says_how_long_it_still_learns(drifted: Store) -> None:
    early = (LAST - 10 * 24) * HOUR + 10 * 60_000
    page = ask(TestClient(app_of(drifted, clock=lambda: early / 1000)), "/api/drift")
    assert {s["state"] for s in page["streams"]} == {"learning"}
    assert {s["left"] for s in page["streams"]} == {7 * 24}
    assert page["alarms"] == []


@pytest.mark.parametrize("stream", [name for name, one in STREAMS.items() if one.source != "traits"])
def test_the_rollup_counts_what_the_streams_say(drifted: Store, stream: str) -> None:
    told = STREAMS[stream]
    rolled = drifted.ask(
        "SELECT service, toString(bucket) AS b, sum(n) FROM drift_1h WHERE stream = {s:String} "
        "GROUP BY service, b ORDER BY ALL",
        {"s": stream},
    ).rows
    counted = drifted.ask(
        f"SELECT service, leftUTF8({told.bucket}, 100) AS b, count() FROM {told.source} WHERE b != '' "
        "GROUP BY service, b ORDER BY ALL"
    ).rows
    assert rolled == counted
    assert bool(rolled) == (stream != "guard_rule")
