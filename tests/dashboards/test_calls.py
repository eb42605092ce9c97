"""The list, its pages, facets and filters, and the one call opened."""

import itertools
from pathlib import Path
from typing import Any
from urllib.parse import quote

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


def mixed() -> list[Call]:
    prompted = {semconv.PROMPT_NAME: "triage"}
    talk = {semconv.CONVERSATION: "s1", semconv.USER_ID: "u1"}
    guarded = {semconv.GUARD_VERDICT: "modify", semconv.GUARD_ACTION: "modify", semconv.TAGS: ["vip", "eu"]}
    return [
        Call(NOW - 1 * MINUTE, said="my card is <CREDIT_CARD_1>", latency_ms=50, attributes=talk),
        Call(NOW - 2 * MINUTE, "gpt-4o-mini", service="desk", latency_ms=500, cost=0.5, attributes=prompted),
        Call(NOW - 3 * MINUTE, "claude", "anthropic", 5, 0, (0, 0), None, "RateLimitError", "slow down"),
        Call(NOW - 4 * MINUTE, "house", env="demo", cost=None, answered="Über die CARD", latency_ms=900, ttft_ms=90),
        Call(NOW - 5 * MINUTE, guards=[{}], attributes=guarded),
    ]


@pytest.fixture(scope="module")
def mix(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[TestClient, list[Call]]:
    calls = mixed()
    put(shelf, tmp_path_factory.mktemp("mix"), calls)
    return api_of(shelf), calls


FILTERS = [
    ("", [0, 1, 2, 3, 4]),
    ("status=error", [2]),
    ("status!=error", [0, 1, 3, 4]),
    ("status=error&status=ok", [0, 1, 2, 3, 4]),
    ("service=desk", [1]),
    ("service=Desk", []),
    ("env=demo", [3]),
    ("provider=anthropic", [2]),
    ("model=gpt-4o", [0, 4]),
    ("model=gpt-4o&env=demo", []),
    ("error_type=RateLimitError", [2]),
    ("operation=chat", [0, 1, 2, 3, 4]),
    ("operation=embeddings", []),
    ("guard_verdict=modify", [4]),
    ("guard_action!=modify", [0, 1, 2, 3]),
    ("session=s1", [0]),
    ("user=u1", [0]),
    ("prompt=triage", [1]),
    ("tag=vip", [4]),
    ("tag=vip&tag=nobody", [4]),
    ("tag!=vip", [0, 1, 2, 3]),
    ("rule=pii-out", [4]),
    ("rule!=pii-out", [0, 1, 2, 3]),
    ("rule=none-such", []),
    ("priced=no", [3]),
    ("priced=yes", [0, 1, 4]),
    ("min_latency=500", [1, 3]),
    ("min_latency=500.5", [3]),
    ("max_latency=50", [0, 2]),
    ("min_ttft=1", [3]),
    ("min_tokens=15", [0, 1, 3, 4]),
    ("min_cost=0.02", [1]),
    ("q=card", [0, 3]),
    ("q=über", [3]),
    ("q=slow down", [2]),
    ("q=u1", [0]),
    ("q=u", []),
    ("q=%25", []),
    ("q=' OR 1=1 --", []),
    ("to=now-2m", [2, 3, 4]),
]


@pytest.mark.parametrize(("condition", "expected"), FILTERS)
def test_filters(mix: tuple[TestClient, list[Call]], condition: str, expected: list[int]) -> None:
    api, calls = mix
    answer = ask(api, f"/api/calls?from=now-1h&{condition}")
    assert [row["span_id"] for row in answer["calls"]] == [calls[i].span_id for i in expected]
    assert (answer["total"], answer["next"]) == (len(expected), None)


def test_a_row_says_what_the_call_was(api: TestClient, stored: Put) -> None:
    call = Call(NOW - MINUTE, ttft_ms=25, cached=4, said="where is it?", answered="on its way", tokens=(12, 7))
    stored([call])
    (row,) = ask(api, "/api/calls?from=now-1h")["calls"]
    assert row.pop("cost") == pytest.approx(0.01)
    assert row == {
        "trace_id": call.trace_id, "span_id": call.span_id, "us": call.at * 1000, "service": "shop", "env": "prod",
        "operation": "chat", "provider": "openai", "request_model": "gpt-4o", "model": "gpt-4o", "status": "ok",
        "error_type": "", "finish_reason": "", "stream": 1, "stream_end": "", "input_tokens": 12, "cached_tokens": 4,
        "output_tokens": 7, "reasoning_tokens": 0, "usage_source": "provider", "latency_ms": 100.0, "ttft_ms": 25.0,
        "guard_verdict": "allow", "guard_action": "allow", "degraded": 0, "content_withheld": "", "session_id": "",
        "user_id": "", "prompt_name": "", "prompt_version": "", "tags": [], "input_preview": "where is it?",
        "output_preview": "on its way", "failure": "", "guards": ["clean"], "rules": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    "sort",
    [f"{sign}{key}" for key in ("time", "latency", "ttft", "cost", "tokens", "input", "output") for sign in ("", "-")],
)
def test_pages_join_to_the_whole_list_though_values_repeat_and_calls_arrive(
    shelf: Store, mix: tuple[TestClient, list[Call]], tmp_path: Path, sort: str
) -> None:
    api, env = mix[0], f"pages of {sort}"
    same = [
        Call(
            NOW - (n // 4 + 121) * MINUTE, env=env, latency_ms=100 * (n % 3) + 0.1, cost=[None, 0.1, 0.2][n % 3],
            tokens=(n % 2, 3),
        )
        for n in range(23)
    ]  # fmt: skip
    put(shelf, tmp_path, same)
    list_of = f"/api/calls?from=now-3h&env={quote(env)}&sort={sort}"
    whole = [row["span_id"] for row in ask(api, list_of)["calls"]]
    assert sorted(whole) == sorted(call.span_id for call in same)
    seen: list[str] = []
    cursor = ""
    for turn in itertools.count():
        answer = ask(api, f"{list_of}&limit=5" + (f"&cursor={cursor}" if cursor else ""))
        seen += [row["span_id"] for row in answer["calls"]]
        if turn == 0 and sort == "-time":
            put(
                shelf, tmp_path, [Call(NOW - 120 * MINUTE, env=env)]
            )  # newer than all pages that follow: it moves none of them
        if not (cursor := answer["next"]):
            break
    assert seen == whole


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("sort=beauty", "sort='beauty' is unknown"),
        ("cursor=nonsense", "was not made by this list"),
        ("cursor=WyJjb3N0IiwgWzEsIDEsICJhIiwgImIiXSwgbnVsbCwgbnVsbCwgMF0", "belongs to a list sorted by cost"),
        ("cursor=WyJ0aW1lIiwgWzEsIDEsICJhIl0sIG51bGwsIG51bGwsIDBd", "was not made by this list"),
        ("cursor=WyJ0aW1lIiwgW10sICJhIiwgbnVsbCwgMF0", "was not made by this list"),
        ("cursor=WyJ0aW1lIiwgW10sIFtdLCAwXQ", "was not made by this list"),
        ("limit=0", "no number from 1 to 200"),
        ("limit=201", "no number from 1 to 200"),
        ("limit=many", "no number from 1 to 200"),
    ],
)
def test_bad_pages_are_refused(api: TestClient, query: str, says: str) -> None:
    answer = api.get(f"/api/calls?{query}")
    assert answer.status_code == 400
    assert says in answer.json()["message"]


def test_a_facet_counts_as_if_it_had_no_filter_of_its_own(api: TestClient, stored: Put) -> None:
    stored(mixed())
    free = ask(api, "/api/facets?from=now-1h")
    assert free["env"] == [{"value": "prod", "calls": 4}, {"value": "demo", "calls": 1}]
    assert "user_group" not in free
    narrowed = ask(api, "/api/facets?from=now-1h&env=demo&status=ok")
    assert narrowed["env"] == [{"value": "prod", "calls": 3}, {"value": "demo", "calls": 1}]
    assert narrowed["status"] == [{"value": "ok", "calls": 1}]
    assert narrowed["model"] == [{"value": "house", "calls": 1}]
    for facet, values in free.items():
        for value in values:
            total = ask(api, f"/api/calls?from=now-1h&{facet}={quote(value['value'])}")["total"]
            assert total == value["calls"], (facet, value)


def test_a_call_opened_holds_all_that_is_known_of_it(api: TestClient, stored: Put) -> None:
    calls = mixed()
    stored(calls)
    call = calls[4]
    page = ask(api, f"/api/calls/{call.trace_id}/{call.span_id}?from=now-1h")
    assert page["call"]["span_id"] == call.span_id
    assert page["call"]["price_version"] == "2026-11"
    assert "hello" in page["content"]["input"]
    assert "hi there" in page["content"]["output"]
    assert page["content"]["cut"] == []
    (event,) = page["events"]
    assert (event["rule"], event["label"], event["score"], event["mode"], event["verdict"]) == (
        "pii-out",
        "EMAIL_ADDRESS",
        0.5,
        "enforce",
        "modify",
    )
    assert [(s["name"], s["parent_span_id"], bool(s["is_call"])) for s in page["spans"]] == [
        ("chat gpt-4o", "", True),
        ("run_guardrail", call.span_id, False),
    ]
    own = next(s for s in page["spans"] if s["span_id"] == call.span_id)
    assert own["resource"]["service.name"] == "shop"
    assert semconv.INPUT_MESSAGES not in own["attributes"]
    assert page["more_spans"] is False


@pytest.mark.parametrize(
    ("query", "before", "after"),
    [
        ("", 0, 2),
        ("&status=ok", 0, 3),
        ("&model=gpt-4o", 0, 4),
        ("&sort=time", 2, 0),
        ("&sort=-latency", 3, 4),
        ("&q=nothing", None, None),
    ],
)
def test_neighbours_follow_filter_and_order(
    mix: tuple[TestClient, list[Call]], query: str, before: int | None, after: int | None
) -> None:
    api, calls = mix
    here = calls[1]
    page = ask(api, f"/api/calls/{here.trace_id}/{here.span_id}?from=now-1h{query}")
    found = [page[name] and page[name]["span_id"] for name in ("previous", "next")]
    assert found == [i if i is None else calls[i].span_id for i in (before, after)]


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        (f"{1:032x}/{1:016x}", 404, "no such call"),
        ("abc/def", 400, "32 hex digits"),
        (f"{1:032X}g/{1:016x}", 400, "32 hex digits"),
    ],
)
def test_calls_that_are_not_there(api: TestClient, path: str, status: int, says: str) -> None:
    answer = api.get(f"/api/calls/{path}")
    assert answer.status_code == status
    assert says in answer.json()["message"]
