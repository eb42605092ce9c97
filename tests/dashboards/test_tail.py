"""New calls as they come: each once, however late, and so many readers at most."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards import tail
from spanward.dashboards.api.asking_calls import OPERATIONS
from spanward.dashboards.api.operation import Question
from spanward.dashboards.api.routes import routes
from spanward.dashboards.tails import BACK_S, KEEP_S, TAILS, Memory, Tails, TooManyTails

from .browser import served
from .conftest import NOW, Put
from .serving import app_of, means_of, nobody_but
from .traffic import Call

SECOND = 1000
OPERATION = next(one for one in OPERATIONS if one.path == "/api/calls/tail")


class Watch:
    """A tail looked at by hand: the clock is ours."""

    def __init__(self, store: Store, query: str = "", **how: Any) -> None:
        self.now = NOW
        means = means_of(store, clock=lambda: self.now / 1000, **how)
        scope = {"type": "http", "query_string": query.encode(), "headers": []}
        self._question = Question(means, Request(scope), OPERATION)
        self._view = self._question.view()
        self.memory = Tails().begin("", NOW * 1000)[1]

    def look(self, after_s: float = 1) -> dict[str, Any] | None:
        self.now += round(after_s * SECOND)
        return tail.look(self._question, self._view, self.memory)

    def spans(self, after_s: float = 1) -> list[str]:
        told = self.look(after_s)
        return [row["span_id"] for row in told["calls"]] if told else []


def test_what_is_there_is_not_new_and_what_comes_is_told_once(store: Store, stored: Put) -> None:
    stored([Call(NOW - 5 * SECOND)])
    watch = Watch(store)
    assert watch.look(0) is None
    first, second = Call(NOW), Call(NOW + SECOND, said="where is it?")
    stored([first, second])
    told = watch.look(2)
    assert told is not None
    assert [row["span_id"] for row in told["calls"]] == [second.span_id, first.span_id]
    assert (told["more"], told["hidden"], told["ended"]) == (0, False, second.at * 1000 + 100_000)
    assert told["calls"][0]["input_preview"] == "where is it?"
    assert told["calls"][0]["guards"] == ["clean"]
    assert watch.look() is None


def test_a_call_that_is_stored_late_is_told_after_newer_ones(store: Store, stored: Put) -> None:
    watch = Watch(store)
    watch.look(0)
    newer, late = Call(NOW + 20 * SECOND), Call(NOW - 60 * SECOND)
    stored([newer])
    assert watch.spans(21) == [newer.span_id]
    stored([late])
    assert watch.spans() == [late.span_id]
    assert watch.look(BACK_S) is None


def test_a_long_call_is_told_when_it_ends_and_one_stored_too_late_is_not(store: Store, stored: Put) -> None:
    watch = Watch(store)
    watch.look(0)
    long = Call(NOW - 1800 * SECOND, latency_ms=1801 * SECOND)
    stored([long, Call(NOW - (BACK_S + 5) * SECOND)])
    assert watch.spans(2) == [long.span_id]


def test_nothing_is_told_again_when_it_leaves_the_window(store: Store, stored: Put) -> None:
    watch = Watch(store)
    watch.look(0)
    calls = [Call(NOW + n * 30 * SECOND) for n in range(12)]
    told: list[str] = []
    for call in calls:
        stored([call])
        told += watch.spans(30)
    assert told == [call.span_id for call in calls]
    assert len(watch.memory.known) <= BACK_S // 30 + 1


def test_only_calls_of_the_view_are_told(store: Store, stored: Put) -> None:
    watch = Watch(store, "model=house&q=lost")
    watch.look(0)
    wanted = Call(NOW, model="house", said="it is lost")
    stored([Call(NOW, said="it is lost"), Call(NOW, model="house"), wanted])
    assert watch.spans() == [wanted.span_id]


def test_a_flood_is_told_by_its_newest(store: Store, stored: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "MOST_ROWS", 2)
    watch = Watch(store)
    watch.look(0)
    calls = [Call(NOW + n) for n in range(5)]
    stored(calls)
    told = watch.look()
    assert told is not None
    assert ([row["span_id"] for row in told["calls"]], told["more"]) == ([calls[4].span_id, calls[3].span_id], 3)
    assert watch.look() is None


def test_a_viewer_is_told_of_calls_but_not_what_was_said(store: Store, stored: Put) -> None:
    watch = Watch(store, authorize=nobody_but())
    watch.look(0)
    stored([Call(NOW, said="secret", answered="secret")])
    told = watch.look()
    assert told is not None
    assert told["hidden"] is True
    assert "secret" not in json.dumps(told)


def test_so_many_tails_and_no_more_and_one_that_is_left_can_be_taken_up() -> None:
    now = [0.0]
    tails = Tails(most=2, clock=lambda: now[0])
    name, memory = tails.begin("", 5_000_000_000)
    tails.begin("", 0)
    with pytest.raises(TooManyTails, match="2 pages follow new calls already"):
        tails.begin("", 0)
    memory.known = {1: 2}
    tails.end(name, memory)
    now[0] = KEEP_S - 1.0
    assert tails.begin(f"7.{name}", 0) == (name, memory)
    tails.end(name, memory)
    now[0] += KEEP_S + 1
    other, fresh = tails.begin(f"7.{name}", 0)
    assert (other != name, fresh) == (True, Memory(7, fresh=False))  # from what it was told last, nothing twice


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    with served(app_of(store, clock=lambda: NOW / 1000)) as where:
        yield where


def test_a_stream_begins_tells_and_is_taken_up(address: str, stored: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "EVERY_S", 0.05)
    monkeypatch.setattr(tail, "HEARTBEAT_S", 0.2)
    call, second = Call(NOW - SECOND), Call(NOW - 2 * SECOND)
    with httpx.stream("GET", f"{address}/api/calls/tail", timeout=20) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        lines = answer.iter_lines()
        hello = [next(lines) for _ in range(4)]
        assert (hello[0], hello[2], hello[3]) == ("retry: 3000", "data: {}", "")
        assert next(line for line in lines if line.startswith(":")) == ": still here"
        threading.Thread(target=stored, args=([call],)).start()
        event = next(line for line in lines if line.startswith("event:"))
        id_, data = next(lines), next(lines)
        assert event == "event: calls"
        assert [row["span_id"] for row in json.loads(data.removeprefix("data: "))["calls"]] == [call.span_id]
    stored([second])
    last = {"Last-Event-ID": id_.removeprefix("id: ")}
    with httpx.stream("GET", f"{address}/api/calls/tail", headers=last, timeout=20) as answer:
        data = next(line for line in answer.iter_lines() if line.startswith('data: {"'))
        assert [row["span_id"] for row in json.loads(data.removeprefix("data: "))["calls"]] == [second.span_id]


def test_a_reader_that_leaves_frees_its_place(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "EVERY_S", 0.05)
    monkeypatch.setattr(tail, "HEARTBEAT_S", 0.1)
    for _ in range(40):  # more than may run at once
        with httpx.stream("GET", f"{address}/api/calls/tail", timeout=20) as answer:
            assert answer.status_code in (200, 503)
            if answer.status_code == 200:
                next(answer.iter_lines())


def test_streams_end_when_the_sidecar_does(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "EVERY_S", 0.05)
    means = means_of(store)
    with (
        served(Starlette(routes=routes(means))) as where,
        httpx.stream("GET", f"{where}/api/calls/tail", timeout=20) as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines) == "retry: 3000"
        means.tails.close()
        assert [line for line in lines if line.startswith("event:")] == []  # it came to an end


@pytest.mark.parametrize(
    ("query", "says"),
    [("to=now-1m", "only a view whose end is now"), ("q=a&in=content", "a tail does not search content")],
)
def test_views_without_news(store: Store, query: str, says: str) -> None:
    answer = TestClient(app_of(store)).get(f"/api/calls/tail?{query}")
    assert answer.status_code == 400
    assert says in answer.json()["message"]


def test_an_answer_that_nobody_begins_to_read_frees_its_place(store: Store) -> None:
    """Its reader left while it was being made."""
    means = means_of(store, clock=lambda: NOW / 1000)
    question = Question(means, Request({"type": "http", "query_string": b"", "headers": []}), OPERATION)
    for _ in range(3 * TAILS):
        tail.tail(question)


@pytest.mark.parametrize("last", ["9" * 5000, "9" * 30 + ".x", "\u0661.x", "-1.x", "1e9"])
def test_an_id_that_is_none_of_ours_begins_anew_and_takes_no_place_for_good(last: str) -> None:
    tails = Tails(most=1)
    name, memory = tails.begin(last, 5_000_000_000)
    assert memory == Memory(5_000_000_000 - BACK_S * 1_000_000)
    tails.end(name, memory)
    tails.begin("", 0)
