"""The ingestor against a real store: in order, again after errors, around what cannot be read."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spanward.collector import ingest
from spanward.collector.bodies import KnownBodies
from spanward.collector.ingest import Ingestor
from spanward.collector.pricing import Pricing
from spanward.collector.receiver import Receiver
from spanward.collector.store import Store
from spanward.collector.wal import WriteAheadLog
from spanward.tracer import semconv
from spanward.tracer.segment import frame

from .otlp import body, call

PATIENCE = 60

Start = Callable[..., "Setup"]


def nothing(_segment: bytes) -> None:
    """Judges nothing."""


class Setup:
    """Log, receiver and ingestor on one store."""

    def __init__(self, store: Store, log: Path, review: Callable[[bytes], bytes | None] = nothing) -> None:
        self.store = store
        self.log = log
        self.wal = WriteAheadLog(log)
        self.receiver = Receiver(self.wal, KnownBodies(log), Pricing())
        self.ingestor = Ingestor(store, self.wal, review)

    def accept(self, first: int, count: int = 1) -> None:
        self.receiver.accept(body("svc", *map(call, range(first, first + count)))).result(PATIENCE)

    def put(self, name: str, data: bytes) -> None:
        """A segment that lies in the log when it is opened."""
        self.wal.close()
        (self.log / f"{name}.ready").write_bytes(data)
        self.__init__(self.store, self.log, self.ingestor._review)  # type: ignore[misc]  # as a restart would

    def stop(self) -> None:
        self.ingestor.stop()
        self.wal.close()

    def spans(self) -> int:
        return int(self.store.ask("SELECT count() FROM spans").rows[0][0])


@pytest.fixture
def start(store: Store, tmp_path: Path) -> Iterator[Start]:
    started: list[Setup] = []

    def begin(**options: Callable[[bytes], bytes | None]) -> Setup:
        started.append(Setup(store, tmp_path / "log", **options))
        return started[-1]

    yield begin
    for one in started:
        one.stop()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_a_call_is_queryable_after_it_was_acknowledged_and_nothing_else_has_to_come(start: Start) -> None:
    setup = start()
    setup.ingestor.start()
    setup.accept(1)
    until(lambda: setup.spans() == 1)
    until(lambda: setup.ingestor.lag_seconds == 0)
    until(lambda: setup.ingestor.queue_bytes == 0)
    assert setup.ingestor.ingested_segments == 1
    until(lambda: [path.name for path in setup.log.iterdir()] == ["known"])


def test_waiting_for_all_that_was_acknowledged(start: Start) -> None:
    setup = start()
    setup.ingestor.start()
    for n in range(20):
        setup.accept(1 + 10 * n, 10)
    assert setup.ingestor.wait_empty(PATIENCE)
    assert setup.spans() == 200


def test_waiting_ends_when_nothing_is_ingested(start: Start) -> None:
    setup = start()
    setup.accept(1)
    assert not setup.ingestor.wait_empty(0.05)
    assert setup.ingestor.lag_seconds > 0
    assert setup.ingestor.queue_bytes > 0


def test_a_store_that_fails_is_asked_again(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    setup = start()
    setup.store.command("ALTER TABLE llm_calls ADD CONSTRAINT refused CHECK 0")
    setup.ingestor.start()
    with caplog.at_level(logging.WARNING):
        setup.accept(1, 3)
        until(lambda: setup.ingestor.errors >= 2)
    assert "next try in" in caplog.text
    assert setup.ingestor.last_error == "Code: 469 (VIOLATED_CONSTRAINT)"
    assert "gpt-4o" not in caplog.text, "the store quotes the row that it refuses"
    setup.store.command("ALTER TABLE llm_calls DROP CONSTRAINT refused")
    assert setup.ingestor.wait_empty(PATIENCE)
    assert setup.store.ask("SELECT count(), sum(calls) FROM llm_calls, llm_1m").rows[0][0] == 3
    assert (setup.spans(), setup.ingestor.bad, setup.ingestor.last_error) == (3, 0, "")


def test_a_segment_that_cannot_be_read_is_set_aside_and_the_next_goes_in(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    setup = start()
    setup.put("00000000000000000001-bad", b"\x05hello")
    setup.accept(1)
    with caplog.at_level(logging.ERROR):
        setup.ingestor.start()
        assert setup.ingestor.wait_empty(PATIENCE)
    assert (setup.spans(), setup.ingestor.bad) == (1, 1)
    assert (setup.log / "00000000000000000001-bad.bad").read_bytes() == b"\x05hello"
    assert "set aside" in caplog.text


def test_what_a_healthy_store_keeps_refusing_is_set_aside(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = start()
    setup.store.command("ALTER TABLE spans ADD CONSTRAINT refused CHECK 0")
    monkeypatch.setattr(setup.ingestor._stopping, "wait", lambda _seconds: False)
    setup.ingestor.start()
    setup.accept(1)
    until(lambda: setup.ingestor.bad == 1)
    setup.store.command("ALTER TABLE spans DROP CONSTRAINT refused")
    setup.accept(2)
    assert setup.ingestor.wait_empty(PATIENCE)
    assert setup.spans() == 1
    assert len(list(setup.log.glob("*.bad"))) == 1


def test_a_segment_that_cannot_be_moved_is_tried_again_and_the_thread_lives(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception on the way to setting aside once ended the ingest for good, and nothing said so."""
    setup = start()
    setup.put("00000000000000000001-bad", b"\x05hello")
    tries: list[Path] = []

    def full_disk(self: Path, target: Path) -> Path:
        if target.suffix == ".bad":
            tries.append(self)
            if len(tries) == 1:
                raise OSError(28, "No space left on device")
        return self.rename(target)

    monkeypatch.setattr(Path, "replace", full_disk)
    setup.accept(1)
    setup.ingestor.start()
    assert setup.ingestor.wait_empty(PATIENCE)
    assert (setup.spans(), setup.ingestor.bad) == (1, 1)


def test_a_defect_of_ours_does_not_end_the_thread(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = start()
    put_in, tries = setup.store.ingest, iter(range(100))

    def failing_once(segment: Path, token: str) -> None:
        if next(tries) == 0:
            raise KeyError("canary")
        put_in(segment, token)

    monkeypatch.setattr(setup.store, "ingest", failing_once)
    setup.ingestor.start()
    setup.accept(1)
    assert setup.ingestor.wait_empty(PATIENCE)
    assert (setup.spans(), setup.ingestor.errors) == (1, 1)


def test_slow_guards_keep_no_span_from_the_page(start: Start) -> None:
    """Judging was between one segment and the next: a hundred calls a second were minutes behind."""
    go_on = threading.Event()

    def review(_segment: bytes) -> None:
        go_on.wait(PATIENCE)

    setup = start(review=review)
    setup.ingestor.start()
    for number in range(1, 4):
        setup.accept(number)
        setup.wal.seal()
    until(lambda: setup.spans() == 3)
    until(lambda: setup.ingestor.lag_seconds == 0)
    assert setup.ingestor.queue_bytes > 0, "the log keeps what is not judged"
    go_on.set()
    assert setup.ingestor.wait_empty(PATIENCE)


def test_guards_that_are_far_behind_skip_and_say_so(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "FAR_BEHIND", 1)
    go_on, judged = threading.Event(), []

    def review(segment: bytes) -> None:
        judged.append(segment)
        go_on.wait(PATIENCE)

    setup = start(review=review)
    setup.ingestor.start()
    for number in range(1, 5):
        setup.accept(number)
        setup.wal.seal()
    until(lambda: setup.wal.unjudged == 4)
    go_on.set()
    assert setup.ingestor.wait_empty(PATIENCE)
    assert (setup.spans(), len(judged), setup.ingestor.review_errors) == (4, 2, 2)


def test_what_is_in_the_store_but_not_judged_is_there_once_after_a_restart(start: Start) -> None:
    go_on = threading.Event()
    setup = start(review=lambda _segment: go_on.wait(PATIENCE) and None)
    setup.ingestor.start()
    for number in range(1, 4):
        setup.accept(number)
        setup.wal.seal()
    until(lambda: setup.spans() == 3)
    setup.ingestor._stopping.set()
    go_on.set()
    setup.stop()
    assert len(setup.wal.ready()) == 2
    judged: list[bytes] = []
    again = start(review=judged.append)
    again.ingestor.start()
    assert again.ingestor.wait_empty(PATIENCE)
    assert (again.spans(), len(judged)) == (3, 2)


def test_what_the_review_says_is_ingested_too(start: Start) -> None:
    judged: list[bytes] = []

    def review(segment: bytes) -> bytes:
        judged.append(segment)
        return frame(body("svc", call(99, OPERATION=semconv.RUN_GUARDRAIL, GUARDRAIL_RULE="late")))

    setup = start(review=review)
    setup.ingestor.start()
    setup.accept(1)
    assert setup.ingestor.wait_empty(PATIENCE)
    assert setup.store.ask("SELECT rule FROM guard_events").rows == (("late",),)
    assert setup.spans() == 2
    assert len(judged) == 1


def test_a_review_that_fails_does_not_stop_the_queue_or_quote_content(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    def review(_segment: bytes) -> bytes:
        raise ValueError("canary")

    setup = start(review=review)
    setup.ingestor.start()
    with caplog.at_level(logging.ERROR):
        setup.accept(1)
        assert setup.ingestor.wait_empty(PATIENCE)
    assert (setup.spans(), setup.ingestor.review_errors, setup.ingestor.bad) == (1, 1, 0)
    assert "ValueError" in caplog.text
    assert "canary" not in caplog.text


def test_a_companion_that_cannot_be_read_does_not_stop_the_queue(start: Start) -> None:
    setup = start(review=lambda _segment: b"\x05hello")
    setup.ingestor.start()
    setup.accept(1)
    assert setup.ingestor.wait_empty(PATIENCE)
    assert (setup.spans(), setup.ingestor.review_errors) == (1, 1)


def test_stopping_leaves_the_rest_for_the_next_start(start: Start, store: Store, tmp_path: Path) -> None:
    setup = start()
    held, go_on = threading.Event(), threading.Event()

    def review(_segment: bytes) -> None:
        held.set()
        go_on.wait(PATIENCE)

    setup = start(review=review)
    setup.accept(1)
    setup.wal.seal()
    setup.ingestor.start()
    assert held.wait(PATIENCE)
    setup.accept(2)
    setup.wal.seal()
    stopping = threading.Thread(target=setup.ingestor.stop)
    stopping.start()
    until(setup.ingestor._stopping.is_set)
    go_on.set()
    stopping.join(PATIENCE)
    assert len(setup.wal.ready()) == 1
    setup.wal.close()
    again = Setup(store, tmp_path / "log")
    again.ingestor.start()
    assert again.ingestor.wait_empty(PATIENCE)
    assert again.spans() == 2
    again.stop()
