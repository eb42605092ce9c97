"""The write-ahead log: what a sender was told is kept, is on disk.

`DIR/ID.open` is being written, `ID.ready` waits for the ingestor and is never changed, `ID.bad` was set aside.
A segment that is in the store stays until its calls are judged: judging is slower, and must not keep others waiting.
Frames are `bodies.mark`ed, so a tail torn by a crash is recognised and cut; it was never acknowledged.
"""

import logging
import math
import os
import queue
import secrets
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from ..tracer.segment import bodies, frame
from .bodies import DigestFile, digest_of, digests_in, mark

logger = logging.getLogger(__name__)
MOST_STORED = 200
"""Segments that may wait in the log for their judgement. After a crash they are put into the store again, which knows
the last 1000 blocks by their tokens; a segment and its companion are one each."""


class LogFull(Exception):  # noqa: N818  a state of the world
    """The log has reached its bound, or the disk refused the write. Nothing of this body was kept."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A closed file of frames. `id` is its deduplication token, unique over all runs; `since` is Unix time."""

    id: str
    path: Path
    size: int
    since: float


@dataclass(slots=True)
class _Open:
    file: FileIO
    path: Path
    since: float
    opened: float
    """By the clock that never goes back."""
    size: int = 0


_Waiting = tuple[bytes, "Future[None]"]


class WriteAheadLog:
    """Appends bodies to segment files in `directory`; one writer thread syncs for all who wait (group commit).

    A segment is closed at `segment_bytes`, or once it is `segment_seconds` old and the ingestor has nothing else to do
    and the segment before it was closed at least `between_seconds` ago: a first call shows at once, and steady traffic
    comes in few, larger inserts. `limit_bytes` bounds all that is not yet ingested.
    """

    def __init__(
        self,
        directory: Path,
        *,
        segment_bytes: int = 16 << 20,
        segment_seconds: float = 0.3,
        between_seconds: float = 1.0,
        limit_bytes: int = 2 << 30,
    ) -> None:
        self.directory = directory
        self._segment_bytes = segment_bytes
        self._segment_seconds = segment_seconds
        self._between_seconds = between_seconds
        self._limit_bytes = limit_bytes
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._known = DigestFile(directory / "known")
        self._changed = threading.Condition()
        self._ready: OrderedDict[str, Segment] = OrderedDict()
        self._stored: set[str] = set()
        self._open: _Open | None = None
        self._queued_bytes = 0
        self._closed_at = -math.inf
        self._last_id = 0
        self._closing = False
        self._refusing = False
        self._recover()
        self._queue: queue.SimpleQueue[_Waiting | threading.Event | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="spanward-log", daemon=True)
        self._writer.start()

    def append(self, body: bytes, digest: bytes) -> "Future[None]":
        """Completes when the body is on disk (fdatasync). Raises `LogFull`, and so may the future.

        `digest` is 32 bytes that tell this body from others, known again after a restart. In asyncio, wrap the future.
        """
        data = frame(mark(body, digest))
        future: Future[None] = Future()
        with self._changed:
            if self._closing:
                raise LogFull("the log is closed")
            self._refusing = self._size() + len(data) > self._limit_bytes
            if self._refusing:
                raise LogFull(f"the log is full: it holds {self._size()} bytes of at most {self._limit_bytes}")
            self._queued_bytes += len(data)
            self._queue.put((data, future))
        return future

    @property
    def size(self) -> int:
        """Bytes in the log, those included that are in the store and not yet judged."""
        with self._changed:
            return self._size()

    @property
    def full(self) -> bool:
        """Whether senders are being turned away."""
        with self._changed:
            return self._refusing

    @property
    def oldest(self) -> float | None:
        """Unix time of the oldest append that is not yet in the store."""
        with self._changed:
            times = [segment.since for segment in self._unstored()] + ([self._open.since] if self._open else [])
            return min(times, default=None)

    def ready(self) -> list[Segment]:
        """Closed segments that are still in the log, oldest first."""
        with self._changed:
            return list(self._ready.values())

    def next(self, timeout: float) -> Segment | None:
        """The oldest segment that is to be put into the store; waits up to `timeout` seconds for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._unstored() and len(self._stored) < MOST_STORED, timeout)
            return next(iter(self._unstored()), None) if len(self._stored) < MOST_STORED else None

    def stored(self, segment: Segment) -> None:
        """Say that a segment is in the store; it stays in the log until `remove`."""
        with self._changed:
            self._stored.add(segment.id)
            self._changed.notify_all()

    @property
    def unjudged(self) -> int:
        """How many segments are in the store and wait for their judgement."""
        with self._changed:
            return len(self._stored)

    def next_stored(self, timeout: float) -> Segment | None:
        """The oldest segment that is in the store; waits up to `timeout` seconds for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._stored, timeout)
            return self._ready[min(self._stored)] if self._stored else None

    def wait_gone(self, ids: set[str], timeout: float) -> bool:
        """Whether all these segments left the log within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not ids & self._ready.keys(), timeout)

    def seal(self) -> None:
        """Make all that was appended before this call ready now."""
        done = threading.Event()
        with self._changed:
            closing = self._closing
            if not closing:
                self._queue.put(done)
        if closing:
            self._writer.join()
        else:
            done.wait()

    def remove(self, segment: Segment) -> None:
        """Forget a segment that is ingested; its digests stay known."""
        self._known.append(digests_in(segment.path.read_bytes()))
        segment.path.unlink()
        self._leave(segment)

    def set_aside(self, segment: Segment) -> Path:
        """Take a segment out of the way without losing it, and say where it is."""
        self._known.append(digests_in(segment.path.read_bytes()))
        bad = segment.path.with_suffix(".bad")
        segment.path.replace(bad)
        self._leave(segment)
        return bad

    def close(self) -> None:
        """Sync and close; what is open becomes ready. Idempotent."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._queue.put(None)
            self._changed.notify_all()
        self._writer.join()

    def _unstored(self) -> list[Segment]:
        return [segment for segment in self._ready.values() if segment.id not in self._stored]

    def _size(self) -> int:
        return self._queued_bytes + sum(s.size for s in self._ready.values()) + (self._open.size if self._open else 0)

    def _leave(self, segment: Segment) -> None:
        with self._changed:
            del self._ready[segment.id]
            self._stored.discard(segment.id)
            self._refusing = False
            self._changed.notify_all()

    def _recover(self) -> None:
        for path in sorted(self.directory.glob("*.open")):
            data = path.read_bytes()
            size = _intact(data)
            if size < len(data):
                logger.info(
                    "cut %d bytes of a torn write from %s; they were never acknowledged", len(data) - size, path
                )
                os.truncate(path, size)
            if size == 0:
                path.unlink()
                continue
            _sync(path)
            path.replace(path.with_suffix(".ready"))
        for path in sorted(self.directory.glob("*.ready")):
            state = path.stat()
            self._ready[path.stem] = Segment(path.stem, path, state.st_size, state.st_mtime)
        for path in self.directory.glob("*.review*"):
            if path.name.partition(".")[0] not in self._ready:
                path.unlink()
        names = (path.name.partition("-")[0] for path in self.directory.iterdir())
        self._last_id = max((int(name) for name in names if name.isdigit()), default=0)
        _sync(self.directory)

    def _write(self) -> None:
        closing = False
        while not closing:
            batch, sealed, closing = self._collect()
            if batch:
                self._commit(batch)
            if sealed or closing or self._due():
                self._rotate()
            for event in sealed:
                event.set()

    def _collect(self) -> tuple[list[_Waiting], list[threading.Event], bool]:
        """All that is queued now; waits for a first item, but not beyond the open segment's time."""
        batch: list[_Waiting] = []
        sealed: list[threading.Event] = []
        size = 0
        wait = self._segment_seconds / 4 if self._open else None
        while True:
            try:
                item = self._queue.get(timeout=wait) if wait != 0 else self._queue.get_nowait()
            except queue.Empty:
                return batch, sealed, False
            if item is None:
                return batch, sealed, True
            if isinstance(item, threading.Event):
                sealed.append(item)
            else:
                batch.append(item)
                size += len(item[0])
                if size >= self._segment_bytes:
                    return batch, sealed, False
            wait = 0

    def _commit(self, batch: list[_Waiting]) -> None:
        data = b"".join(data for data, _ in batch)
        error: LogFull | None = None
        try:
            segment = self._open or self._start()
            _write_all(segment.file, data)
            os.fdatasync(segment.file.fileno())
        except OSError as refused:
            error = LogFull(f"the disk refused the write: {refused.strerror}")
            logger.warning("%s", error)
            self._abandon_write()
        with self._changed:
            self._queued_bytes -= len(data)
            self._refusing = error is not None
            if self._open and not error:
                self._open.size += len(data)
        for _, future in batch:
            if error:
                future.set_exception(error)
            else:
                future.set_result(None)

    def _start(self) -> _Open:
        now = time.time_ns()
        self._last_id = max(now, self._last_id + 1)
        path = self.directory / f"{self._last_id:020d}-{secrets.token_hex(4)}.open"
        opened = _Open(path.open("xb", buffering=0), path, now / 1e9, time.monotonic())
        _sync(self.directory)
        with self._changed:
            self._open = opened
        return opened

    def _abandon_write(self) -> None:
        """Cut what was not acknowledged, and go on in a new file: after a failed sync this one is not to be trusted."""
        if self._open:
            try:
                self._open.file.truncate(self._open.size)
            except OSError as refused:
                logger.warning("cannot cut an unfinished write from %s: %s", self._open.path, refused.strerror)
            self._rotate()

    def _due(self) -> bool:
        if not self._open:
            return False
        if self._open.size >= self._segment_bytes:
            return True
        now = time.monotonic()
        old = now - self._open.opened >= self._segment_seconds
        return old and now - self._closed_at >= self._between_seconds and not self._unstored()

    def _rotate(self) -> None:
        if not self._open:
            return
        done = self._open
        with self._changed:
            self._open = None
            self._closed_at = time.monotonic()
        path = done.path.with_suffix(".ready")
        try:
            done.file.close()
            if done.size == 0:
                done.path.unlink(missing_ok=True)
                return
            done.path.replace(path)
        except OSError as refused:
            logger.error("%s is safe, but taken up only at the next start: %s", done.path, refused.strerror)  # noqa: TRY400  the reason is all there is
            return
        with self._changed:
            self._ready[path.stem] = Segment(path.stem, path, done.size, done.since)
            self._changed.notify_all()


def _write_all(file: FileIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _intact(data: bytes) -> int:
    """Bytes up to which `data` is frames as they were written."""
    size = 0
    for body in bodies(data):
        if digest_of(body) is None:
            break
        size += len(frame(body))
    return size


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
