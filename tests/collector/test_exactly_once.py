"""A segment counts once in every table and rollup, however often and however badly it was put in before."""

from pathlib import Path

import pytest

from spanward.collector.bodies import KnownBodies
from spanward.collector.ingest import Ingestor
from spanward.collector.pricing import Pricing
from spanward.collector.receiver import Receiver
from spanward.collector.schema import TABLES
from spanward.collector.store import Store
from spanward.collector.wal import WriteAheadLog
from spanward.dashboards.ask import QueryFailed
from spanward.tracer import semconv
from spanward.tracer.segment import frame

from .otlp import body, call, said

CALLS = 5
CONTENT = {"INPUT_MESSAGES": said("user", "hello"), "COST_USD": 0.5, "FINISH_REASONS": "length"}
COUNTS = {
    "spans": "SELECT count() FROM spans",
    "llm_calls": "SELECT count() FROM llm_calls",
    "content": "SELECT count() FROM content",
    "guard_events": "SELECT count() FROM guard_events",
    "reports": "SELECT sum(count) FROM reports",
    "llm_1m": "SELECT sum(calls) FROM llm_1m",
    "llm_1m histograms": "SELECT arraySum(mapValues(sumMap(in_hist))) FROM llm_1m",
    "llm_1m cost": "SELECT sum(cost_usd) * 2 FROM llm_1m",
    "guard_1m": "SELECT sum(events) FROM guard_1m",
    "failures_1h": "SELECT sum(calls) FROM failures_1h",
    "failure_groups": "SELECT sum(calls) FROM failure_groups",
    "guard_1h": "SELECT sum(events) FROM guard_1h",
    "guarded_1h": "SELECT sum(calls) FROM guarded_1h",
    "facets_1h": "SELECT sum(calls) FROM facets_1h",
    "facets_1d": "SELECT sum(calls) FROM facets_1d",
    "cost_1h": "SELECT sum(calls) FROM cost_1h",
    "cost_1d": "SELECT sum(calls) FROM cost_1d",
    "drift_1h": "SELECT sum(n) FROM drift_1h WHERE stream = 'error'",
}
ONCE = {
    "spans": CALLS + 2,
    "llm_calls": CALLS,
    "content": CALLS,
    "guard_events": 1,
    "reports": 1,
    "llm_1m": CALLS,
    "llm_1m histograms": CALLS,
    "llm_1m cost": CALLS,
    "guard_1m": 1,
    "failures_1h": CALLS,
    "failure_groups": CALLS,
    "guard_1h": 1,
    "guarded_1h": CALLS,
    "facets_1h": CALLS,
    "facets_1d": CALLS,
    "cost_1h": CALLS,
    "cost_1d": CALLS,
    "drift_1h": CALLS,
}


def counts(store: Store) -> dict[str, int]:
    return {name: int(store.ask(sql).rows[0][0] or 0) for name, sql in COUNTS.items()}


def everything(first: int = 1) -> bytes:
    """A body with calls, a guardrail and a report: something for every table."""
    guardrail = call(first + 1000, OPERATION=semconv.RUN_GUARDRAIL)
    report = call(first + 2000, OPERATION="", REPORT_COUNT=1)
    report.name = semconv.REPORT
    calls = [call(first + n, **CONTENT) for n in range(CALLS)]
    return body("once", *calls, guardrail, report)


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    path = tmp_path / "segment"
    path.write_bytes(frame(everything()))
    return path


def test_a_segment_under_its_token_counts_once(store: Store, segment: Path) -> None:
    for _ in range(4):
        store.ingest(segment, "token")
        assert counts(store) == ONCE
    store.ingest(segment, "another token")
    assert counts(store) == {name: 2 * count for name, count in ONCE.items()}


@pytest.mark.parametrize("table", [*TABLES[1:8], "failures_1h", "failure_groups"])
def test_what_a_broken_insert_left_out_is_made_up_for_and_nothing_else(store: Store, segment: Path, table: str) -> None:
    """One table refuses, so tables before it in the cascade have the rows and those after it have not."""
    store.command(f"ALTER TABLE {table} ADD CONSTRAINT refused CHECK 0")
    with pytest.raises(QueryFailed, match="refused"):
        store.ingest(segment, "token")
    store.command(f"ALTER TABLE {table} DROP CONSTRAINT refused")
    store.ingest(segment, "token")
    assert counts(store) == ONCE


def test_a_segment_with_a_torn_tail_adds_nothing(store: Store, segment: Path) -> None:
    from spanward.collector.store import SegmentUnreadable

    whole = segment.read_bytes()
    segment.write_bytes(whole + frame(everything(10_000))[:-5])
    with pytest.raises(SegmentUnreadable):
        store.ingest(segment, "token")
    assert set(counts(store).values()) == {0}
    segment.write_bytes(whole)
    store.ingest(segment, "token")
    assert counts(store) == ONCE


@pytest.mark.parametrize("survived", [1, 2])
def test_a_crash_between_insert_and_removal_is_repeated_once(store: Store, tmp_path: Path, survived: int) -> None:
    """After insert `survived` (the segment, then its companion) the process ends; the next one finds the same log."""
    judged = []

    def review(_segment: bytes) -> bytes:
        judged.append(1)
        return frame(body("once", call(5000 + len(judged), OPERATION=semconv.RUN_GUARDRAIL)))

    log = tmp_path / "log"
    wal = WriteAheadLog(log)
    Receiver(wal, KnownBodies(log), Pricing()).accept(everything()).result(5)
    wal.close()
    (segment,) = wal.ready()
    inserts = [(segment.path, segment.id), (segment.path.with_suffix(".review"), f"{segment.id}.review")]
    if survived == 2:
        segment.path.with_suffix(".review").write_bytes(review(b""))
    for path, token in inserts[:survived]:
        store.ingest(path, token)

    again = WriteAheadLog(log)
    ingestor = Ingestor(store, again, review)
    ingestor.start()
    assert ingestor.wait_empty(20)
    ingestor.stop()
    again.close()
    assert counts(store) == {**ONCE, "spans": ONCE["spans"] + 1, "guard_events": 2, "guard_1m": 2, "guard_1h": 2}
    assert len(judged) == 1
    assert [path.name for path in log.iterdir()] == ["known"]
