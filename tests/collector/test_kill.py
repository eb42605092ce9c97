"""kill -9 while spans are taken in and ingested: what was acknowledged is there once, in every table and rollup."""

import queue
import threading
import time
from pathlib import Path

import httpx
import pytest

from .otlp import body, call, said
from .sidecar_process import PATIENCE, Running, serving, until

BODIES, CALLS = 120, 10
PACE = 0.05
"""Seconds between a sender's bodies, so that there is traffic for as long as there are kills."""
ANSWER = said("assistant", "write to ada@example.com")


class Sender:
    """Sends every body until it is acknowledged, as the tracer's spool does: the same bytes again."""

    def __init__(self) -> None:
        self.address = ""
        self.acknowledged = 0
        self.unanswered = 0
        self._waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        for number in range(BODIES):
            first = number * CALLS + 1
            spans = [call(first + n, OUTPUT_MESSAGES=ANSWER) for n in range(CALLS)]
            self._waiting.put(body("killed", *spans))
        self._counting = threading.Lock()
        self.threads = [threading.Thread(target=self._run) for _ in range(3)]

    def _run(self) -> None:
        with httpx.Client(trust_env=False, timeout=30) as http:
            while True:
                try:
                    sent = self._waiting.get_nowait()
                except queue.Empty:
                    return
                self._send(http, sent)

    def _send(self, http: httpx.Client, sent: bytes) -> None:
        headers = {"content-type": "application/x-protobuf"}
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = http.post(f"{self.address}/v1/traces", content=sent, headers=headers)
            except httpx.TransportError:
                with self._counting:
                    self.unanswered += 1
                time.sleep(0.02)
                continue
            assert answer.status_code == 200
            with self._counting:
                self.acknowledged += 1
            time.sleep(PACE)
            return


def counts(running: Running) -> dict[str, int]:
    asked = {
        "spans": "SELECT count() FROM spans WHERE service = 'killed' AND name != 'run_guardrail'",
        "distinct spans": "SELECT uniqExact(span_id) FROM spans WHERE service = 'killed' AND name != 'run_guardrail'",
        "llm_calls": "SELECT count() FROM llm_calls WHERE service = 'killed'",
        "content": "SELECT count() FROM content WHERE output LIKE '%ada@example.com%'",
        "llm_1m": "SELECT sum(calls) FROM llm_1m WHERE service = 'killed'",
        "tokens in llm_1m": "SELECT sum(input_tokens) / 100 FROM llm_1m WHERE service = 'killed'",
        "guard_events": "SELECT count() FROM guard_events WHERE service = 'killed'",
        "guard_1m": "SELECT sum(events) FROM guard_1m WHERE service = 'killed'",
    }
    return {name: int(running.query(sql)[0][0]) for name, sql in asked.items()}


def in_the_middle(running: Running) -> bool:
    """This process has put something into the store, and something waits."""
    return running.metric("spanward_segments_ingested_total") > 0 and running.metric("spanward_queue_bytes") > 0


@pytest.mark.slow
def test_every_acknowledged_span_is_there_once(tmp_path: Path, policy_file: Path) -> None:
    data, sender = tmp_path / "data", Sender()
    kills = [BODIES // 6, BODIES // 2, BODIES * 5 // 6]
    for started, at in enumerate(kills):
        with serving(data, "--policy", policy_file) as running:
            sender.address = running.address
            if not started:
                for thread in sender.threads:
                    thread.start()
            until(lambda: sender.acknowledged, lambda acknowledged, at=at: acknowledged >= at)  # type: ignore[misc]
            assert until(lambda: in_the_middle(running), bool)
            running.kill()
    with serving(data, "--policy", policy_file) as running:
        sender.address = running.address
        for thread in sender.threads:
            thread.join(PATIENCE)
        assert sender.acknowledged == BODIES
        assert sender.unanswered > 0
        expected = dict.fromkeys(counts(running), BODIES * CALLS)
        assert until(lambda: counts(running), lambda seen: seen == expected) == expected
        assert until(running.health, lambda told: told["queue_bytes"] == 0)["segments_set_aside"] == 0
