"""From the log into the store, in order, exactly once."""

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..dashboards.ask import QueryFailed
from .store import SegmentUnreadable, Store, StoreUnavailable
from .wal import Segment, WriteAheadLog

logger = logging.getLogger(__name__)

Review = Callable[[bytes], bytes | None]
"""Of a segment's bytes, the bytes of a companion segment (run_guardrail spans of rules that only flag), or None."""

_LONGEST_PAUSE = 30.0
_REFUSALS = 8
"""A healthy store that refuses a segment this often (over a minute) will go on doing so."""


class Ingestor:
    """A thread between `start` and `stop` that moves segments from the log into the store.

    A segment is ingested under its id, its companion under the id with `.review`; both leave the disk only then, so a
    crash in between repeats and the store's deduplication makes it once. What the store cannot read is set aside.
    """

    def __init__(self, store: Store, wal: WriteAheadLog, review: Review) -> None:
        self._store = store
        self._wal = wal
        self._review = review
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spanward-ingest", daemon=True)
        self.ingested_segments = 0
        self.bad = 0
        """Set aside so far."""
        self.errors = 0
        """Tries that failed and are repeated."""
        self.review_errors = 0
        """Segments whose review failed: ingested, but not judged by the rules that only flag."""
        self.last_error = ""

    @property
    def lag_seconds(self) -> float:
        """Age of the oldest body that is acknowledged and not yet queryable; 0.0 when there is none."""
        oldest = self._wal.oldest
        return max(0.0, time.time() - oldest) if oldest else 0.0

    @property
    def queue_bytes(self) -> int:
        return self._wal.size

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 10) -> None:
        """Finish the segment in work; the rest stays in the log for the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def wait_empty(self, timeout: float) -> bool:
        """Whether all that was acknowledged before this call is queryable within `timeout` seconds."""
        self._wal.seal()
        waiting = {segment.id for segment in self._wal.ready()}
        return self._wal.wait_gone(waiting, timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            segment = self._wal.next(timeout=0.2)
            if segment:
                self._ingest(segment)

    def _ingest(self, segment: Segment) -> None:
        pause, refusals = 0.1, 0
        while not self._stopping.is_set():
            try:
                self._once(segment)
            except SegmentUnreadable as error:
                self._set_aside(segment, str(error))
                return
            except (QueryFailed, OSError) as error:
                self.errors += 1
                self.last_error = str(error)
                refusals += isinstance(error, QueryFailed) and not isinstance(error, StoreUnavailable)
                if refusals >= _REFUSALS and self._healthy():
                    self._set_aside(segment, str(error))
                    return
                logger.warning("segment %s is not in the store yet, next try in %.1f s: %s", segment.id, pause, error)
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self.ingested_segments += 1
                self.last_error = ""
                return

    def _once(self, segment: Segment) -> None:
        self._store.ingest(segment.path, segment.id)
        companion = segment.path.with_suffix(".review")
        if not companion.exists():
            self._write_companion(segment, companion)
        if companion.stat().st_size:
            try:
                self._store.ingest(companion, f"{segment.id}.review")
            except SegmentUnreadable as error:
                self._review_failed(segment, str(error))
        self._wal.remove(segment)
        companion.unlink()

    def _write_companion(self, segment: Segment, companion: Path) -> None:
        """Judge once: a repeat after a crash ingests what was written, not what another judgement would say."""
        try:
            judged = self._review(segment.path.read_bytes()) or b""
        except Exception as error:  # noqa: BLE001  guards of other people run here; their failure must not stop the queue
            self._review_failed(segment, f"{type(error).__name__}")
            judged = b""
        fresh = companion.with_suffix(".review-new")
        with fresh.open("wb") as file:
            file.write(judged)
            file.flush()
            os.fdatasync(file.fileno())
        fresh.replace(companion)

    def _review_failed(self, segment: Segment, why: str) -> None:
        self.review_errors += 1
        logger.error("rules that only flag did not judge segment %s: %s", segment.id, why)

    def _healthy(self) -> bool:
        try:
            self._store.ask("SELECT 1")
        except QueryFailed:
            return False
        return True

    def _set_aside(self, segment: Segment, why: str) -> None:
        self.bad += 1
        path = self._wal.set_aside(segment)
        segment.path.with_suffix(".review").unlink(missing_ok=True)
        logger.error("the store cannot take a segment, so it is set aside as %s: %s", path, why)
