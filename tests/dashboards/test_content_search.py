"""A text looked for in all of what was said, and who may not look."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards import content_search
from spanward.dashboards.ask import QueryFailed, Table
from spanward.dashboards.view import Found, View, read
from spanward.tracer import semconv

from .conftest import NOW, Put, api_of
from .serving import app_of, nobody_but
from .test_calls import ask
from .traffic import Call, message, put

MINUTE = 60_000
HOUR = 60 * MINUTE
FAR = "x " * 300
"""More than a preview holds."""


def calls_of() -> list[Call]:
    escaped = {semconv.INPUT_MESSAGES: json.dumps([message("user", FAR + "größer als")])}
    plain = {semconv.INPUT_MESSAGES: json.dumps([message("user", FAR + "GRÖSSER, größer")], ensure_ascii=False)}
    system = {semconv.SYSTEM_INSTRUCTIONS: json.dumps([{"type": "text", "content": "You are Marvin"}])}
    return [
        Call(NOW - 1 * MINUTE, said=FAR + "order ORD-77 is lost"),
        Call(NOW - 2 * HOUR, answered=FAR + 'he said "no way"\nand left', service="desk"),
        Call(NOW - 30 * HOUR, attributes=escaped),
        Call(NOW - 31 * HOUR, attributes=plain, service="desk"),
        Call(NOW - 50 * HOUR, attributes=system),
    ]


@pytest.fixture(scope="module")
def said(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    calls = calls_of()
    put(shelf, tmp_path_factory.mktemp("said"), calls)
    return calls


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ORD-77", [0]),
        ("ord-77 IS", [0]),
        ("ORD-78", []),
        ('"no way"', [1]),
        ('way"\nand', [1]),
        ("größer", [2, 3]),
        ("marvin", [4]),
        ("x x", [0, 1, 2, 3]),
        ("%", []),
        ("\\", []),
        ("' OR 1=1 --", []),
    ],
)  # fmt: skip
def test_content_is_searched(shelf: Store, said: list[Call], text: str, expected: list[int]) -> None:
    params = {"from": "now-7d", "q": text, "in": "content"}
    answer = api_of(shelf).get("/api/calls", params=params).json()
    assert [row["span_id"] for row in answer["calls"]] == [said[i].span_id for i in expected]
    assert (answer["total"], answer["searched"]) == (len(expected), {"since": NOW - 7 * 24 * HOUR, "whole": True})


def test_previews_do_not_hold_it_and_other_filters_narrow_it(shelf: Store, said: list[Call]) -> None:
    api = api_of(shelf)
    assert ask(api, "/api/calls?from=now-7d&q=ORD-77")["calls"] == []
    assert ask(api, "/api/calls?from=now-7d&q=ORD-77")["searched"] == {"since": NOW - 7 * 24 * HOUR, "whole": True}
    narrow = ask(api, "/api/calls?from=now-7d&q=gr%C3%B6%C3%9Fer&in=content&service=desk")
    assert [row["span_id"] for row in narrow["calls"]] == [said[3].span_id]
    facets = ask(api, "/api/facets?from=now-7d&q=gr%C3%B6%C3%9Fer&in=content&service=desk")
    assert facets["service"] == [{"value": "desk", "calls": 1}, {"value": "shop", "calls": 1}]
    assert ask(api, "/api/overview?from=now-7d&q=marvin&in=content")["totals"]["calls"] == 1


def view(text: str) -> View:
    return read([("from", "now-7d"), ("q", text), ("in", "content")], NOW)


def test_a_search_ends_with_its_time_and_says_how_far_it_came(shelf: Store, said: list[Call]) -> None:
    times = iter([0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 6.0, 6.0])
    found = content_search.search(shelf.ask, view("x x"), seconds=5.0, clock=lambda: next(times))
    assert (len(found.keys), found.since, found.whole) == (2, NOW - 3 * HOUR, False)
    assert content_search.search(shelf.ask, view("x x"), seconds=0.0, clock=lambda: 0.0) == Found((), NOW, whole=False)


def test_a_slice_that_takes_too_long_ends_it_but_a_failure_is_told(said: list[Call]) -> None:
    def slow(sql: str, parameters: Mapping[str, Any] | None = None) -> Table:
        now[0] += 9.0
        raise QueryFailed("TIMEOUT_EXCEEDED")

    def broken(sql: str, parameters: Mapping[str, Any] | None = None) -> Table:
        raise QueryFailed("no such table")

    now = [0.0]
    assert content_search.search(slow, view("x"), seconds=5.0, clock=lambda: now[0]) == Found((), NOW, whole=False)
    with pytest.raises(QueryFailed):
        content_search.search(broken, view("x"), seconds=5.0, clock=lambda: 0.0)


def test_the_newest_are_kept_when_more_fit(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_search, "MOST", 3)
    calls = [Call(NOW - n * 20 * MINUTE, said=FAR + "needle") for n in range(1, 8)]
    put(store, tmp_path, calls)
    answer = ask(api_of(store), "/api/calls?from=now-7d&q=needle&in=content")
    assert [row["span_id"] for row in answer["calls"]] == [call.span_id for call in calls[:3]]
    assert answer["searched"] == {"since": calls[2].at, "whole": False}


@pytest.mark.parametrize(("query", "says"), [("q=a&in=tools", "in='tools' is unknown: look in previews or content")])
def test_bad_searches(shelf: Store, query: str, says: str) -> None:
    answer = api_of(shelf).get(f"/api/calls?{query}")
    assert (answer.status_code, answer.json()) == (400, {"message": says})


@pytest.fixture
def viewer(shelf: Store) -> TestClient:
    return TestClient(app_of(shelf, clock=lambda: NOW / 1000, authorize=nobody_but()))


def test_a_viewer_sees_calls_but_nothing_that_was_said(viewer: TestClient, shelf: Store, said: list[Call]) -> None:
    whole, blank = (ask(api, "/api/calls?from=now-7d") for api in (api_of(shelf), viewer))
    assert (whole["hidden"], blank["hidden"]) == (False, True)
    for row in whole["calls"]:
        row["input_preview"] = row["output_preview"] = ""
    assert blank["calls"] == whole["calls"]
    path = f"{said[0].trace_id}/{said[0].span_id}"
    page = ask(viewer, f"/api/calls/{path}?from=now-7d")
    assert (page["hidden"], page["content"], page["call"]["input_preview"]) == (True, None, "")
    assert ask(viewer, f"/api/spans/{path}/said") == {"content": None, "events": [], "hidden": True}
    for name in ("calls", f"calls/{path}", f"spans/{path}/said"):
        assert "ORD-77" not in viewer.get(f"/api/{name}?from=now-7d").text


@pytest.mark.parametrize(
    "path",
    [
        "calls?q=x", "calls?q=x&in=content", "facets?q=x", "overview?q=x", f"calls/{1:032x}/{1:016x}?q=x",
        "calls/export?q=x", "calls/tail?q=x", f"traces/{1:032x}/said",
    ],
)  # fmt: skip
def test_a_viewer_finds_nothing_out_by_searching(viewer: TestClient, said: list[Call], path: str) -> None:
    answer = viewer.get(f"/api/{path}")
    assert (answer.status_code, answer.json()) == (403, {"message": "see_content needs another key"})


def test_prompts_under_other_names_are_not_for_viewers(store: Store, stored: Put) -> None:
    """As OpenLLMetry and OpenInference write them."""
    names = (
        "gen_ai.prompt.0.content",
        "traceloop.entity.input",
        "input.value",
        "llm.prompts",
        "gen_ai.tool.description",
    )
    call = Call(NOW - 1000, attributes=dict.fromkeys(names, "my secret prompt"))
    stored([call])
    viewer = TestClient(app_of(store, clock=lambda: NOW / 1000, authorize=nobody_but()))
    told = viewer.get(f"/api/calls/{call.trace_id}/{call.span_id}")
    assert "secret" not in told.text
    assert told.json()["spans"][0]["attributes"][semconv.REQUEST_MODEL] == "gpt-4o"
    everything = api_of(store).get(f"/api/calls/{call.trace_id}/{call.span_id}").json()["spans"][0]["attributes"]
    assert set(names) <= everything.keys()
