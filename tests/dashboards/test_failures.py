"""The API of failures names a planted burst: its kind, its group, the version of the prompt, and since when."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store

from .burst import DAYS, MINUTE, Burst, burst
from .conftest import NOW, Put, api_of
from .traffic import Call, put

HOUR = 60 * MINUTE
RANGE = f"from=now-{DAYS}d"


@pytest.fixture(scope="module")
def planted() -> Burst:
    return burst(NOW)


@pytest.fixture(scope="module")
def told(shelf: Store, planted: Burst, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    put(shelf, tmp_path_factory.mktemp("burst"), planted.calls)
    return api_of(shelf)


def ask(api: TestClient, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def groups(answer: Any) -> dict[str, Any]:
    return {group["kind"]: group for group in answer["groups"]}


@pytest.mark.parametrize("path", [RANGE, f"{RANGE}&operation=chat"])
def test_the_page_counts_kinds_and_groups_rolled_up_or_not(told: TestClient, planted: Burst, path: str) -> None:
    answer = ask(told, f"/api/failures?{path}")
    limited, fenced = len(planted.limited), len(planted.fenced)
    assert answer["rolled"] is (path == RANGE)
    assert (answer["calls"], answer["failed"]) == (len(planted.calls), limited + fenced)
    assert answer["kinds"] == [
        {"kind": "rate_limit", "calls": limited, "before": 0},
        {"kind": "invalid_json", "calls": fenced, "before": 0},
    ]
    assert sum(answer["series"]["invalid_json"]) == fenced
    assert sum(answer["all"]) == len(planted.calls)
    assert sum(groups(answer)["rate_limit"]["spark"]) == limited
    assert (answer["more"], len(answer["groups"])) == (0, 2)


def test_it_names_the_cause(told: TestClient, planted: Burst) -> None:
    found = groups(ask(told, f"/api/failures?{RANGE}"))["invalid_json"]
    seven = [call for call in planted.fenced if call in planted.of_seven]
    others = len(planted.calls) - len(planted.of_seven)
    assert (found["text"], found["calls"], found["new"]) == ("JSON in a code fence", len(planted.fenced), True)
    assert found["where"] == {
        "dimension": "prompt", "value": "answer", "version": "7", "calls": len(planted.of_seven), "failed": len(seven),
        "share": len(seven) / len(planted.fenced), "base": len(planted.of_seven) / len(planted.calls),
        "rate": len(seven) / len(planted.of_seven), "elsewhere": (len(planted.fenced) - len(seven)) / others,
    }  # fmt: skip
    assert found["first"] == min(call.at for call in planted.fenced)
    assert found["last"] == max(call.at for call in planted.fenced)


def test_what_is_spread_evenly_is_blamed_on_nothing(told: TestClient, planted: Burst) -> None:
    found = groups(ask(told, f"/api/failures?{RANGE}"))["rate_limit"]
    assert (found["where"], found["new"]) == (None, False)
    assert found["text"].startswith("RateLimitError: Rate limit reached for <model> in organization <id>")
    assert found["calls"] == len(planted.limited)


def test_a_group_tells_where_since_when_and_what_changed(told: TestClient, planted: Burst) -> None:
    name = groups(ask(told, f"/api/failures?{RANGE}"))["invalid_json"]["group"]
    answer = ask(told, f"/api/failures/{name}?{RANGE}")
    assert (answer["kind"], answer["failed"], answer["calls"]) == (
        "invalid_json",
        len(planted.fenced),
        len(planted.calls),
    )
    assert answer["low"] < len(planted.fenced) / len(planted.calls) < answer["high"]
    first = answer["breakdowns"]["prompt"][0]
    assert (first["value"], first["version"], first["calls"]) == ("answer", "7", len(planted.of_seven))
    assert sum(share["failed"] for share in answer["breakdowns"]["user_group"]) == len(planted.fenced)
    assert [share["value"] for share in answer["breakdowns"]["user_group"]] in (["paid", "free"], ["free", "paid"])
    (change,) = answer["changes"]
    assert (change["what"], change["value"], change["version"]) == ("prompt", "answer", "7")
    assert change["us"] == min(call.at for call in planted.of_seven) * 1000
    assert change["share"] == first["failed"] / len(planted.fenced)
    newest = max(call.at for call in planted.fenced) * 1000
    examples = answer["examples"]
    assert len(examples) == 5
    assert examples[0]["us"] == newest
    assert len({(row["service"], row["model"], row["prompt_version"]) for row in examples}) == 5
    assert {row["span_id"] for row in examples} <= {call.span_id for call in planted.fenced}


@pytest.mark.parametrize("kind", ["invalid_json", "rate_limit"])
@pytest.mark.parametrize(
    "narrowed", ["", "&prompt_version=7", "&prompt_version!=7&user_group=paid", "&user_group!=paid&service=search"]
)
def test_what_failed_is_the_same_call_by_call(told: TestClient, kind: str, narrowed: str) -> None:
    name = groups(ask(told, f"/api/failures?{RANGE}"))[kind]["group"]
    span = f"from={NOW - 60 * HOUR - 7 * MINUTE}&to={NOW - 2 * HOUR - 11}{narrowed}"
    one_by_one = "&min_latency=0"  # what no rollup knows, and every call meets
    rolled, counted = (ask(told, f"/api/failures/{name}?{span}{more}") for more in ("", one_by_one))
    for told_of in ("failed", "examples"):
        assert rolled[told_of] == counted[told_of]
    assert rolled["breakdowns"]["user_group"] == counted["breakdowns"]["user_group"]
    assert rolled["failed"] == sum(share["failed"] for share in rolled["breakdowns"]["user_group"])
    rolled, counted = (
        ask(told, f"/api/overview?{span}&failure_group={name}{more}")["failures"] for more in ("", one_by_one)
    )
    assert rolled == counted


def test_every_number_leads_to_as_many_calls(told: TestClient, planted: Burst) -> None:
    answer = ask(told, f"/api/failures?{RANGE}")
    for group in answer["groups"]:
        assert ask(told, f"/api/calls?{RANGE}&failure_group={group['group']}")["total"] == group["calls"]
    assert (
        ask(told, f"/api/calls?{RANGE}&failure=invalid_json&prompt_version=7")["total"]
        == groups(answer)["invalid_json"]["where"]["failed"]
    )
    assert ask(told, f"/api/calls?{RANGE}&failure!=")["total"] == answer["failed"]
    facets = ask(told, f"/api/facets?{RANGE}&failure=rate_limit")
    assert {value["value"]: value["calls"] for value in facets["failure"]}["invalid_json"] == len(planted.fenced)


def test_a_filter_narrows_the_groups_and_not_what_rates_are_of(told: TestClient, planted: Burst) -> None:
    answer = ask(told, f"/api/failures?{RANGE}&failure=rate_limit")
    assert [group["kind"] for group in answer["groups"]] == ["rate_limit"]
    assert answer["calls"] == len(planted.calls)
    answer = ask(told, f"/api/failures?{RANGE}&prompt_version=7")
    assert answer["calls"] == len(planted.of_seven)


def test_new_is_what_was_first_seen_since_a_chosen_time(told: TestClient) -> None:
    def new(query: str) -> bool:
        return bool(groups(ask(told, f"/api/failures?{query}"))["invalid_json"]["new"])

    assert new(f"{RANGE}&since=now-6h")
    assert not new(f"{RANGE}&since=now-4h")
    assert not new("from=now-4h")


def test_the_list_is_bounded_and_says_what_it_left_out(told: TestClient) -> None:
    answer = ask(told, f"/api/failures?{RANGE}&limit=1")
    assert (len(answer["groups"]), answer["more"]) == (1, 1)


def test_a_group_that_nobody_saw_is_not_there(told: TestClient) -> None:
    assert told.get("/api/failures/0123456789ab").status_code == 404
    assert told.get(f"/api/failures?{RANGE}&since=soon").status_code == 400


def test_an_empty_store_has_no_failures(api: TestClient) -> None:
    answer = ask(api, f"/api/failures?{RANGE}")
    assert (answer["calls"], answer["kinds"], answer["groups"]) == (0, [], [])


def test_the_stretch_before_is_counted_beside(api: TestClient, stored: Put) -> None:
    stored(
        [Call(NOW - 90 * MINUTE, error="E", message="HTTP 500"), Call(NOW - 80 * MINUTE)]
        + [Call(NOW - n * MINUTE, error="E", message="HTTP 500") for n in (5, 6)]
    )
    answer = ask(api, "/api/failures?from=now-1h")
    assert answer["kinds"] == [{"kind": "provider_error", "calls": 2, "before": 1}]
    assert (answer["calls"], answer["calls_before"], answer["failed_before"]) == (2, 2, 1)
    assert answer["groups"][0]["before"] == 1
