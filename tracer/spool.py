"""Finished spans on disk before the call returns: frames in files that outlive this process.

One file a process and turn: `PID-STARTED-N.open` while written, `.seg` once closed, never changed after. The owner
holds `flock` on `PID-STARTED.lock`; files whose owner is gone are adopted by whoever gets that lock.
"""

import contextlib
import fcntl
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from . import health, segment

TURN_BYTES = 4 * 1024 * 1024
"""A file is closed at this size, so that a request to the sidecar stays small."""

_NAME = re.compile(r"(\d+-\d+)-(\d+)\.(open|seg)")


class Spool:
    """The part of this process in the folder. Safe to use from many threads, and across `fork`.

    `on_append` is called after each frame (to wake whoever sends them).
    """

    def __init__(self, folder: Path, most_bytes: int, on_append: Callable[[], None] = lambda: None) -> None:
        self.folder = folder
        self.most_bytes = most_bytes
        self.on_append = on_append
        self._claim_anew()

    def _claim_anew(self) -> None:
        self._mutex = threading.RLock()
        self._busy = False
        """This thread is at it: whoever comes here within the lock broke in on it."""
        self._late: list[tuple[bytes, bool]] = []
        self._closed = False
        self._owner = ""
        self._lock_fd = self._fd = -1
        self._size = self._turn = 0
        self._stored = 0

    def append(self, frame: bytes, *, bounded: bool = True) -> bool:
        """Write a request body as `segment.frame` makes one of it. False (and counted as dropped) if it did not fit or
        could not be written.

        With `bounded` off it is written whatever the bound: for reports of what was dropped.
        """
        with self._mutex:
            if self._busy:
                self._late.append((frame, bounded))
                return True
            self._busy = True
            try:
                stored = self._append(frame, bounded=bounded)
                if self._late:
                    self._append_late()
                if self._closed:  # a call that outlived us: what it wrote is anybody's to send at once
                    self._abandon_turn()
                    self._give_up()
            finally:
                self._busy = False
        if stored:
            self.on_append()
        return stored

    def _append(self, frame: bytes, *, bounded: bool) -> bool:
        size = len(frame)
        try:
            if self._fd < 0:
                self._open()
            if bounded and self._stored + size > self.most_bytes:
                self._stored = stored_bytes(self.folder)
                if self._stored + size > self.most_bytes:
                    health.count("dropped", "spool_full")
                    return False
            self._write(frame)
        except OSError as error:
            self._abandon_turn()
            health.count("dropped", f"spool_unwritable: {type(error).__name__} {error.errno}")
            return False
        return True

    def _append_late(self) -> None:
        while self._late:
            frame, bounded = self._late.pop(0)
            self._append(frame, bounded=bounded)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether this thread may touch the files now: not in the midst of doing so, where a signal or a collection
        of garbage (a stream that nobody holds any more) broke in on it. What is appended meanwhile is written after.
        """
        with self._mutex:
            if self._busy:
                yield False
                return
            self._busy = True
            try:
                yield True
                self._append_late()
            finally:
                self._busy = False

    def close_turn(self) -> None:
        """Make what was written so far a segment that can be sent."""
        with self._alone() as alone:
            if alone:
                self._close_turn()

    def segments(self) -> list[Path]:
        """Our closed segments, oldest first."""
        if not self._owner:
            return []
        found = [
            (int(match[2]), path)
            for path in self.folder.glob(f"{self._owner}-*.seg")
            if (match := _NAME.fullmatch(path.name))
        ]
        return [path for _, path in sorted(found)]

    def adopt(self) -> int:
        """Take over the files of processes that are gone; how many there were."""
        with self._alone() as alone:
            try:
                if alone:
                    self._claim()
                    others = [lock for lock in self.folder.glob("*.lock") if lock.stem != self._owner]
                    return sum(map(self._adopt_from, others))
            except OSError as error:
                health.mishap("spool.adopt", error)
        return 0

    def close(self) -> None:
        """Give up ownership; what was not sent is left for the next process."""
        with self._alone() as alone:
            if not alone:
                return  # what is there is adopted when this process is gone
            try:
                self._append_late()
                self._close_turn()
                if self._owner and not any(self.folder.glob(f"{self._owner}-*")):
                    self._lock_path().unlink(missing_ok=True)
            finally:
                self._closed = True
                self._give_up()

    def after_fork(self) -> None:
        """In the child: leave the parent's files alone and claim our own at the next frame."""
        for fd in (self._fd, self._lock_fd):
            if fd >= 0:
                os.close(fd)
        self._claim_anew()

    def _lock_path(self) -> Path:
        return self.folder / f"{self._owner}.lock"

    def _path(self, ending: str) -> Path:
        return self.folder / f"{self._owner}-{self._turn}.{ending}"

    def _claim(self) -> None:
        if self._owner:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = f"{os.getpid()}-{time.time_ns()}"
        unborn = self.folder / f"{owner}.claim"  # locked before it has the name by which others try it
        self._lock_fd = os.open(unborn, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unborn.rename(self.folder / f"{owner}.lock")
        self._owner = owner
        self._stored = stored_bytes(self.folder)

    def _open(self) -> None:
        self._claim()
        try:
            self._fd = self._open_turn()
        except FileNotFoundError:  # somebody removed the folder
            self._give_up()
            self._claim()
            self._fd = self._open_turn()
        self._size = 0

    def _open_turn(self) -> int:
        self._turn += 1
        return os.open(self._path("open"), os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)

    def _give_up(self) -> None:
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
        self._lock_fd = -1
        self._owner = ""

    def _write(self, frame: bytes) -> None:
        written = os.write(self._fd, frame)
        if written != len(frame):
            os.ftruncate(self._fd, self._size)
            raise OSError(28, "no space left for a whole frame")
        self._size += written
        self._stored += written
        if self._size >= TURN_BYTES:
            self._close_turn()

    def _close_turn(self) -> None:
        if self._fd < 0:
            return
        os.close(self._fd)
        self._fd = -1
        if self._size:
            self._path("open").rename(self._path("seg"))
        else:
            self._path("open").unlink(missing_ok=True)

    def _abandon_turn(self) -> None:
        """The next frame starts a file of its own, as after a failed write."""
        try:
            self._close_turn()
        except OSError:
            self._fd = -1

    def _adopt_from(self, lock: Path) -> int:
        try:
            fd = os.open(lock, os.O_WRONLY)
        except FileNotFoundError:
            return 0  # somebody else was quicker
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0  # its owner lives
        else:
            adopted = sum(self._take_over(path) for path in sorted(self.folder.glob(f"{lock.stem}-*")))
            lock.unlink(missing_ok=True)
            return adopted
        finally:
            os.close(fd)

    def _take_over(self, path: Path) -> int:
        match = _NAME.fullmatch(path.name)
        if not match:
            return 0  # set aside as .bad
        if match[3] == "open":
            whole = segment.whole(path.read_bytes())
            if not whole:
                path.unlink()
                return 0
            os.truncate(path, whole)  # a write cut short by a crash
        self._close_turn()
        self._turn += 1
        path.rename(self._path("seg"))
        return 1


def stored_bytes(folder: Path) -> int:
    """How many bytes of spans wait in the folder, of all processes, set-aside ones included."""
    total = 0
    for entry in os.scandir(folder):
        if not entry.name.endswith((".lock", ".claim", ".json")):
            try:
                total += entry.stat().st_size
            except FileNotFoundError:
                continue  # sent and removed meanwhile
    return total
