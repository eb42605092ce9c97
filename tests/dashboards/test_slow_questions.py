"""A question that takes long: stopped at its limit with an offer, or when the page leaves. In real ClickHouse."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from spanward.collector.gate import ANSWERS, Gate
from spanward.collector.store import Store
from spanward.dashboards import static_files
from spanward.dashboards.api.operation import Operation, Question
from spanward.dashboards.api.routes import AT_ONCE, routes
from spanward.dashboards.ask import QueryFailed, TookTooLong
from spanward.dashboards.asker import ASKER, Asker, AskerLeft

from .browser import served
from .serving import means_of

FOREVER = "SELECT count() FROM numbers(2000000000000) WHERE cityHash64(number) % 7 = {rest:UInt8}"
WAIT = 20.0


def slow(question: Question) -> Any:
    if question.operation.view:
        question.view()
    return question.means.ask(FOREVER, {"rest": 3}).records()


OPERATIONS = (
    Operation("GET", "/api/slow", "Never ends", slow, limit_seconds=600),
    Operation("POST", "/api/slow", "Never ends", slow, limit_seconds=600),
    Operation("GET", "/api/limited", "Stopped", slow, view=True, limit_seconds=0.3),
    Operation("GET", "/api/rangeless", "Stopped", slow, limit_seconds=0.3),
    Operation("GET", "/api/quick", "Ends", lambda q: q.means.ask("SELECT 1 AS one").records()),
)


@pytest.fixture(scope="module")
def address(shelf: Store) -> Iterator[str]:
    app = Starlette(routes=routes(means_of(shelf), OPERATIONS, static=static_files.STATIC), exception_handlers=ANSWERS)
    with served(Gate(app, loopback=True, key="", body_bytes=1000)) as where:
        yield where


def running(store: Store) -> int:
    ours = "query LIKE '%FROM numbers(2000000000000)%' AND query NOT LIKE '%processes%'"
    sql = f"SELECT count() FROM system.processes WHERE {ours}"
    counted: int = store.ask(sql).rows[0][0]
    return counted


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def opened(address: str, method: str, path: str, body: bytes = b"") -> socket.socket:
    host, port = address.removeprefix("http://").split(":")
    asking = socket.create_connection((host, int(port)))
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
    asking.sendall(head.encode() + body)
    return asking


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_when_the_page_leaves_its_statement_is_stopped_and_its_thread_ends(
    address: str, shelf: Store, method: str
) -> None:
    httpx.get(f"{address}/api/quick")
    asking = opened(address, method, "/api/slow", b"{}" if method == "POST" else b"")
    until(lambda: running(shelf) == 1, "the statement never ran")
    asking.close()
    until(lambda: running(shelf) == 0, "the statement goes on")
    assert httpx.get(f"{address}/api/quick").json() == [{"one": 1}]


def test_those_who_left_hold_no_turn_neither_when_they_ran_nor_when_they_waited(address: str, shelf: Store) -> None:
    httpx.get(f"{address}/api/quick")
    askers = [opened(address, "GET", "/api/slow") for _ in range(AT_ONCE + 3)]
    until(lambda: running_at_least(address), "they never ran")
    for asking in askers:
        asking.close()
    assert httpx.get(f"{address}/api/quick", timeout=WAIT).json() == [{"one": 1}]
    until(lambda: running(shelf) == 0, "a statement goes on")
    working = [thread for thread in threading.enumerate() if "AnyIO worker" in thread.name]
    assert len(working) <= AT_ONCE + 2  # the pool's idle ones; nothing piles up


def running_at_least(address: str) -> bool:
    """Every turn is taken: a quick question has to wait."""
    try:
        httpx.get(f"{address}/api/quick", timeout=0.3)
    except httpx.TimeoutException:
        return True
    return False


@pytest.mark.parametrize(
    ("query", "offer"),
    [
        ("from=now-30d", {"from": "now-7d", "to": "now"}),
        ("", {"from": "now-6h", "to": "now"}),
        ("from=now-15m", None),
        ("from=now-30d&q=x&in=content", {"from": "now-7d", "to": "now"}),
        ("from=2026-11-01T00:00:00Z&to=2026-11-05T00:00:00Z", {"from": "1793750400000", "to": "1793836800000"}),
    ],
)
def test_a_question_past_its_limit_says_so_and_offers_a_shorter_range(address: str, query: str, offer: Any) -> None:
    answer = httpx.get(f"{address}/api/limited?{query}", timeout=WAIT)
    assert (answer.status_code, answer.json()["narrower"]) == (504, offer)
    assert answer.json()["message"].startswith("This took longer than 0.3 s, so it was stopped.")


def test_without_a_range_there_is_nothing_to_offer(address: str) -> None:
    answer = httpx.get(f"{address}/api/rangeless", timeout=WAIT)
    message = "This took longer than 0.3 s, so it was stopped. Ask for less."
    assert (answer.status_code, answer.json()) == (504, {"message": message, "narrower": None})


def test_the_statements_of_one_request_share_its_time(store: Store) -> None:
    asker = Asker(0.2)
    asker.begin()
    token = ASKER.set(asker)
    try:
        with pytest.raises(TookTooLong):
            store.ask(FOREVER, {"rest": 1})
        with pytest.raises(TookTooLong, match=r"may take 0\.2 s"):
            store.ask("SELECT 1")
        asker.leave()
        with pytest.raises(AskerLeft):
            store.ask("SELECT 1")
    finally:
        ASKER.reset(token)


def test_only_the_statements_of_that_asker_are_stopped(store: Store) -> None:
    ended: list[str] = []

    def ask(name: str) -> None:
        asker = Asker(600, name)
        asker.begin()
        ASKER.set(asker)
        try:
            store.ask(FOREVER, {"rest": 2})
        except QueryFailed:
            ended.append(name)

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("it's one", "other")]
    for thread in threads:
        thread.start()
    until(lambda: running(store) == 2, "they never ran")
    store.stop("it's one")
    threads[0].join(WAIT)
    assert (ended, running(store)) == (["it's one"], 1)
    store.stop("other")
    threads[1].join(WAIT)
    assert ended == ["it's one", "other"]
