"""Spool files of applications that died before they could send: taken over by whoever gets their lock.

The tracer's spool says what the files are: `PID-STARTED-N.open` or `.seg`, under `flock` on `PID-STARTED.lock`.
"""

import fcntl
import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..tracer.segment import bodies
from .gate import place_of
from .metrics import Metrics
from .receiver import Malformed, Receiver
from .wal import LogFull

logger = logging.getLogger(__name__)

_NAME = re.compile(r"\d+-\d+-(\d+)\.(?:open|seg)")
_PATIENCE_SECONDS = 30.0
SWEEP_SECONDS = 2.0
"""How often spools of dead applications are looked for."""
STOP_SECONDS = 5


class Adoption:
    """Sends each file as its owner would have: the same bytes in one body, so a file that was sent is known again."""

    def __init__(self, spool: Path, receiver: Receiver) -> None:
        self._spool = spool
        self._receiver = receiver

    def sweep(self) -> int:
        """Take what is orphaned now; how many files were stored and removed. A full log leaves the rest for later."""
        taken = 0
        for lock in sorted(self._spool.glob("*.lock")):
            with _held(lock) as held:
                if not held:
                    continue
                try:
                    for path in self._files(lock.stem):
                        taken += self._take(path)
                except LogFull:
                    return taken
                lock.unlink(missing_ok=True)
        return taken

    def _files(self, owner: str) -> list[Path]:
        found = [
            (int(match[1]), path) for path in self._spool.glob(f"{owner}-*") if (match := _NAME.fullmatch(path.name))
        ]
        return [path for _, path in sorted(found)]

    def _take(self, path: Path) -> bool:
        body = b"".join(bodies(path.read_bytes()))  # a tail torn by the crash is left out
        try:
            if body:
                self._receiver.accept(body).result(_PATIENCE_SECONDS)
        except Malformed as why:
            path.replace(path.with_suffix(".bad"))
            logger.warning("%s cannot be read and is set aside: %s", path, why)
            return False
        path.unlink()
        return bool(body)


class Adopting:
    """Looks for spools of dead applications, in a thread of its own."""

    def __init__(self, adoption: Adoption, metrics: Metrics) -> None:
        self._adoption = adoption
        self._metrics = metrics
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="adoption", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._metrics.adopted.inc(self._adoption.sweep())
            except Exception as failure:  # noqa: BLE001  the spool keeps the data; the next sweep tries again
                logger.error("spools could not be taken over: %s", place_of(failure))  # noqa: TRY400
            self._stopping.wait(SWEEP_SECONDS)


@contextmanager
def _held(lock: Path) -> Iterator[bool]:
    """Whether the lock's owner is gone and it is ours meanwhile."""
    try:
        descriptor = os.open(lock, os.O_WRONLY)
    except FileNotFoundError:
        yield False  # someone else was quicker
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
