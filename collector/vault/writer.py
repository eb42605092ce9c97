"""One thread writes the vault's file; whoever waits at the same time shares one commit."""

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from typing import Any, TypeVar

from .file import VaultFile

log = logging.getLogger(__name__)
T = TypeVar("T")
PATIENCE_SECONDS = 2.0
"""How long a call waits for the disk."""
REST_SECONDS = 1.0
"""After a failure nobody waits for the disk for this long."""
SWEEP_SECONDS = 60.0
SYNC_SECONDS = 1.0
_BATCH = 256
_Job = tuple[Callable[[], Any], "Future[Any]"]


class NotWritten(Exception):  # noqa: N818  a state of the world
    """The disk did not take it, or not in time. The text says why, and holds no content."""


class VaultWriter:
    """Runs from the start until `stop`. `sweep` is run now and then, in a transaction of its own."""

    def __init__(self, file: VaultFile, sweep: Callable[[], None]) -> None:
        self._file, self._sweep = file, sweep
        self.problem = ""
        self._rest_until = 0.0
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._swept = self._synced = 0.0
        self._unsynced = False
        self._thread = threading.Thread(target=self._run, name="spanward-vault", daemon=True)
        self._thread.start()

    def ask(self, job: Callable[[], T]) -> T:
        """What `job` answers, once it is on disk. Raises `NotWritten`."""
        if time.monotonic() < self._rest_until:
            raise NotWritten(self.problem)
        try:
            return self._put(job).result(PATIENCE_SECONDS)
        except Late:
            self._failed(OSError(f"no answer within {PATIENCE_SECONDS:.0f} s"))
            raise NotWritten(self.problem) from None
        except sqlite3.Error as problem:
            raise NotWritten(f"the vault cannot be written: {problem}") from None

    def post(self, job: Callable[[], object]) -> None:
        """Have it done some time; nobody waits, and a failure is told by `problem` only."""
        if time.monotonic() >= self._rest_until:
            self._put(job)

    def flush(self) -> None:
        """Leave nothing of what was deleted in the file's log. Raises `NotWritten`."""
        done: Future[Any] = Future()
        self._jobs.put((self._file.flush, done))
        try:
            done.result(PATIENCE_SECONDS * 5)
        except (Late, sqlite3.Error) as problem:
            raise NotWritten(f"erased, but the vault's own log still holds it: {problem}") from None

    def stop(self, timeout: float = 10) -> None:
        """Do what is asked already, and no more."""
        self._jobs.put(None)
        self._thread.join(timeout)

    def _put(self, job: Callable[[], T]) -> "Future[T]":
        done: Future[T] = Future()
        self._jobs.put((job, done))
        return done

    def _run(self) -> None:
        stopping = False
        while not stopping:
            batch, stopping = self._collect()
            alone = [job for job in batch if job[0] == self._file.flush]
            self._together([job for job in batch if job not in alone])
            for job in alone:
                self._outside(job)
            self._sync()
            if time.monotonic() - self._swept > SWEEP_SECONDS and not stopping:
                self._swept = time.monotonic()
                self._together([(self._sweep, Future())])

    def _collect(self) -> tuple[list[_Job], bool]:
        batch: list[_Job] = []
        wait = SYNC_SECONDS if self._unsynced else SWEEP_SECONDS
        while len(batch) < _BATCH:
            try:
                job = self._jobs.get(timeout=wait) if wait else self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return batch, True
            batch.append(job)
            wait = 0
        return batch, False

    def _together(self, batch: list[_Job]) -> None:
        if not batch:
            return
        try:
            with self._file.transaction():
                answers = [job() for job, _ in batch]
        except Exception as problem:  # noqa: BLE001  the thread must outlive whatever the disk does
            self._failed(problem)
            for _, done in batch:
                done.set_exception(problem if isinstance(problem, sqlite3.Error) else sqlite3.Error(str(type(problem))))
        else:
            self.problem, self._unsynced = "", True
            for (_, done), answer in zip(batch, answers, strict=True):
                done.set_result(answer)

    def _sync(self) -> None:
        if not self._unsynced or time.monotonic() - self._synced < SYNC_SECONDS:
            return
        try:
            self._file.sync()
        except OSError as problem:
            self._failed(problem)
        self._unsynced, self._synced = False, time.monotonic()

    def _outside(self, job: _Job) -> None:
        try:
            job[1].set_result(job[0]())
        except sqlite3.Error as problem:
            job[1].set_exception(problem)

    def _failed(self, problem: Exception) -> None:
        said = str(problem) if isinstance(problem, sqlite3.Error | OSError) else type(problem).__name__
        told = f"the vault cannot be written: {said}"
        if told != self.problem:
            log.error("%s; new placeholders are known to this process only", told)
        self.problem = told
        self._rest_until = time.monotonic() + REST_SECONDS
