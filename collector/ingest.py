"""From the log into the store, in order, exactly once."""

import logging
import os
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..dashboards.ask import QueryFailed
from .gate import place_of
from .store import SegmentUnreadable, Store, StoreUnavailable
from .wal import Segment, WriteAheadLog

logger = logging.getLogger(__name__)

Review = Callable[[bytes], bytes | None]
"""Of a segment's bytes, the bytes of a companion segment (run_guardrail spans of rules that only flag), or None."""

FAR_BEHIND = 100
"""Segments that may wait for their judgement; beyond, the oldest is not judged: storing goes before flagging."""
_LONGEST_PAUSE = 30.0
_REFUSALS = 8
"""A healthy store that refuses a segment this often (over half a minute) will go on doing so."""
_CODE = re.compile(r"Code: \d+")
_NAME = re.compile(r"\([A-Z][A-Z_]+\)\s*$")


class Ingestor:
    """Two threads between `start` and `stop`: one moves segments from the log into the store, one has them judged.

    A segment is ingested under its id, its companion under the id with `.review`; both leave the disk only then, so a
    crash in between repeats and the store's deduplication makes it once. What the store cannot read is set aside.
    """

    def __init__(self, store: Store, wal: WriteAheadLog, review: Review) -> None:
        self._store = store
        self._wal = wal
        self._review = review
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=work, name=name, daemon=True)
            for name, work in (
                ("spanward-ingest", (wal.next, self._put_in)),
                ("spanward-review", (wal.next_stored, self._judge)),
            )
        ]
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
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 10) -> None:
        """Finish what is in work; the rest stays in the log for the next start."""
        self._stopping.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout)

    def wait_empty(self, timeout: float) -> bool:
        """Whether all that was acknowledged before this call is queryable and judged within `timeout` seconds."""
        self._wal.seal()
        waiting = {segment.id for segment in self._wal.ready()}
        return self._wal.wait_gone(waiting, timeout)

    def _run(self, following: Callable[[float], Segment | None], work: Callable[[Segment], None]) -> None:
        while not self._stopping.is_set():
            segment = following(0.2)
            if segment:
                self._until_done(segment, work)

    def _until_done(self, segment: Segment, work: Callable[[Segment], None]) -> None:
        pause, refusals, why = 0.1, 0, ""
        while not self._stopping.is_set():
            try:
                if refusals >= _REFUSALS and self._healthy():
                    self._set_aside(segment, why)
                else:
                    work(segment)
            except Exception as error:  # noqa: BLE001  nothing may end the thread: what follows would never be stored
                self.errors += 1
                self.last_error = why = reason(error)
                if isinstance(error, SegmentUnreadable):
                    refusals = _REFUSALS
                    continue
                refusals += not isinstance(error, StoreUnavailable | OSError)
                logger.warning("segment %s is not in the store yet, next try in %.1f s: %s", segment.id, pause, why)
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self.last_error = ""
                return

    def _put_in(self, segment: Segment) -> None:
        self._store.ingest(segment.path, segment.id)
        self.ingested_segments += 1
        self._wal.stored(segment)

    def _judge(self, segment: Segment) -> None:
        companion = segment.path.with_suffix(".review")
        if not companion.exists():
            self._write_companion(segment, companion)
        if companion.stat().st_size:
            try:
                self._store.ingest(companion, f"{segment.id}.review")
            except SegmentUnreadable as error:
                self._review_failed(segment, reason(error))
        self._wal.remove(segment)
        with suppress(OSError):  # the next start looks for companions that were left behind
            companion.unlink()

    def _write_companion(self, segment: Segment, companion: Path) -> None:
        """Judge once: a repeat after a crash ingests what was written, not what another judgement would say."""
        judged = b""
        if self._wal.unjudged > FAR_BEHIND:
            self._review_failed(segment, "the guards are too far behind")
        else:
            try:
                judged = self._review(segment.path.read_bytes()) or b""
            except Exception as error:  # noqa: BLE001  guards of other people run here; they must not stop the queue
                self._review_failed(segment, place_of(error))
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
        path = self._wal.set_aside(segment)
        self.bad += 1
        logger.error("the store cannot take a segment, so it is set aside as %s: %s", path, why)
        segment.path.with_suffix(".review").unlink(missing_ok=True)


def reason(error: Exception) -> str:
    """What went wrong, without what the store quotes of the data."""
    told = _CODE.search(str(error)), _NAME.search(str(error))
    if isinstance(error, QueryFailed | SegmentUnreadable) and all(told):
        return " ".join(found[0].strip() for found in told if found)
    return error.strerror or "" if isinstance(error, OSError) else place_of(error)
