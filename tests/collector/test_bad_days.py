"""What a sidecar meets on a bad day: a full disk, senders that stop half-way, greedy questions, its end."""

import ctypes
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from .otlp import body, call, said
from .sidecar_process import PATIENCE, Running, serving, until

WEEK = 7 * 86_400 * 10**9
GREEDY = (
    "SELECT count() FROM (SELECT arrayJoin(range(1000000)) AS a) AS x "
    "CROSS JOIN (SELECT arrayJoin(range(1000000)) AS b) AS y WHERE a * b = 7"
)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    place, libc = tmp_path / "disk", ctypes.CDLL(None, use_errno=True)
    place.mkdir()
    if libc.mount(b"tmpfs", bytes(place), b"tmpfs", 0, b"size=24m"):
        pytest.skip(f"a small disk cannot be mounted here: {os.strerror(ctypes.get_errno())}")
    yield place
    libc.umount2(bytes(place), 2)


def grow(disk: Path) -> None:
    remount = 32
    assert not ctypes.CDLL(None).mount(b"tmpfs", bytes(disk), b"tmpfs", remount, b"size=200m")


def test_a_full_disk_refuses_keeps_what_it_has_and_sets_nothing_aside(small_disk: Path) -> None:
    kept = 0
    with serving(small_disk / "data", "--policy", "observe-only") as running:
        for number in range(200):
            noise = os.urandom(150_000).hex()
            spans = [call(10 * number + n + 1, SYSTEM_INSTRUCTIONS=noise) for n in range(3)]
            answer = running.post(body("full disk", *spans))
            if answer.status_code != 200:
                break
            kept += len(spans)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "No space left on device; nothing of this request was kept" in answer.json()["message"]
        assert running.http.get("/healthz").status_code == 503
        until(lambda: running.metric("spanward_ingest_errors_total"), bool)
        grow(small_disk)
        assert running.post(body("full disk", call(9_999))).status_code == 200
        assert until(lambda: running.count("llm_calls", "full disk"), lambda count: count == kept + 1) == kept + 1
        assert running.health()["segments_set_aside"] == 0
        assert not list((running.data / "log").glob("*.bad"))


def half_a_post(running: Running) -> socket.socket:
    host, port = running.address.removeprefix("http://").split(":")
    sender = socket.create_connection((host, int(port)))
    sender.sendall(
        b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
        b"Content-Length: 100000\r\n\r\n" + b"\n" * 50_000
    )
    return sender


@pytest.mark.slow
def test_senders_that_stop_half_way_delay_nobody_and_not_the_end(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--policy", "observe-only") as running:
        senders = [half_a_post(running) for _ in range(100)]
        started = time.monotonic()
        assert running.post(body("patient")).status_code == 200
        assert time.monotonic() - started < 20  # the half-sent bodies are given 30
        assert running.end() == 0
        assert b"503" in senders[0].recv(100)
        for sender in senders:
            sender.close()
        assert "Exception" not in running.log.read_text()


@pytest.mark.slow
def test_greedy_questions_keep_nobody_waiting(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--policy", "observe-only") as running, ThreadPoolExecutor(6) as asking:

        def ask(sql: str) -> None:
            with suppress(httpx.TransportError):  # the sidecar ends
                httpx.post(f"{running.address}/api/query", json={"sql": sql}, trust_env=False, timeout=PATIENCE)

        for _ in range(6):
            asking.submit(ask, GREEDY)
        until(lambda: running.metric("process_cpu_seconds_total"), lambda seconds: seconds > 0)
        started = time.monotonic()
        assert running.health()["store"] == "ok"
        assert running.post(body("meanwhile")).status_code == 200
        assert until(lambda: running.health()["ingest_lag_seconds"], lambda lag: lag == 0) == 0
        assert time.monotonic() - started < 10
        running.kill()


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT groupArray(x) FROM (SELECT arrayJoin(range(50000000)) AS x)", "memory limit|Limit for result"),
        ("SELECT arrayMap(x -> repeat('a', 1000000), range(1000))", "memory limit|Limit for result"),
        ("SELECT '\ud800'", "lone surrogate"),
    ],
)
def test_a_question_that_asks_for_too_much_is_refused(sidecar: Running, sql: str, says: str) -> None:
    answer = sidecar.http.post("/api/query", content=json.dumps({"sql": sql}))
    assert answer.status_code in {400, 422}
    assert any(word in answer.json()["message"] for word in says.split("|")), answer.text


@pytest.mark.parametrize("sent", [b"[" * 200_000, b'{"sql": ' + b"[" * 100_000])
def test_json_that_is_nested_without_end_is_malformed(sidecar: Running, sent: bytes) -> None:
    assert sidecar.http.post("/api/query", content=sent).status_code == 400


def test_spans_of_all_weeks_since_1970_hold_up_nobody(sidecar: Running) -> None:
    """Each week would be a partition in each table: one body of them held the store for two minutes."""
    before = sidecar.metric("spanward_spans_redated_total")
    spans = [call(number) for number in range(1, 15_001)]
    for number, span in enumerate(spans):
        span.start_time_unix_nano = number * WEEK
        span.end_time_unix_nano = number * WEEK + 10**9
    assert sidecar.post(body("all weeks", *spans)).status_code == 200
    assert until(lambda: sidecar.count("llm_calls", "all weeks"), lambda count: count > 14_900) > 14_900
    assert sidecar.metric("spanward_spans_redated_total") - before > 14_900
    claim = "attributes['spanward.time.claimed']"
    asked = f"SELECT {claim} FROM spans WHERE service = 'all weeks' AND span_id = '{8:016x}'"
    assert until(lambda: sidecar.query(asked), bool) == [[str(7 * WEEK)]]


def test_a_span_of_enormous_parts_is_kept(sidecar: Running) -> None:
    many, long = call(1), call(2, USER_ID="u" * 5_000_000, REQUEST_MODEL="m" * 5_000_000)
    for number in range(100_000):
        many.attributes.add(key=f"k{number}").value.int_value = number
    assert sidecar.post(body("enormous", many, long)).status_code == 200
    assert until(lambda: sidecar.count("spans", "enormous"), lambda count: count == 2) == 2
    asked = "SELECT max(length(attributes)), max(length(attributes['user.id'])) FROM spans WHERE service = 'enormous'"
    assert sidecar.query(asked) == [[len(many.attributes) + 2, 5_000_000]], "all, and its price"


@pytest.mark.slow
def test_it_ends_in_time_under_load_again_and_again(tmp_path: Path) -> None:
    """An end that waited for the log's own writer once hung for good."""
    kept, counting = 0, threading.Lock()
    for turn in range(4):
        with serving(tmp_path / "data", "--policy", "observe-only") as running:
            ended = threading.Event()

            def send(first: int, address: str = running.address, ended: threading.Event = ended) -> None:
                nonlocal kept
                with httpx.Client(trust_env=False, timeout=PATIENCE) as http:
                    number = first
                    while not ended.is_set():
                        number += 10
                        spans = [call(number + n, INPUT_MESSAGES=said("user", "hello")) for n in range(5)]
                        headers = {"content-type": "application/x-protobuf"}
                        try:
                            sent = http.post(f"{address}/v1/traces", content=body("ending", *spans), headers=headers)
                        except httpx.TransportError:
                            return
                        with counting:
                            kept += 5 * (sent.status_code == 200)

            before = kept
            senders = [threading.Thread(target=send, args=((turn * 3 + n + 1) << 32,)) for n in range(3)]
            for sender in senders:
                sender.start()
            until(lambda: kept, lambda now, before=before: now > before + 200)  # type: ignore[misc]
            started = time.monotonic()
            assert running.end() == 0
            assert time.monotonic() - started < 30
            ended.set()
            for sender in senders:
                sender.join(PATIENCE)
            assert "Traceback" not in running.log.read_text()
    with serving(tmp_path / "data", "--policy", "observe-only") as running:
        asked = "SELECT count(), uniqExact(span_id) FROM llm_calls WHERE service = 'ending'"
        seen = until(lambda: running.query(asked)[0], lambda row: row[0] >= kept)
        assert seen[0] == seen[1], "nothing is there twice"
        assert seen[0] >= kept, "nothing acknowledged is missing"
