"""What people did to the guards: on disk before the deed is done, then a row of the table `audit`.

The log is `audit.log` in the data directory, one JSON object a line, never rewritten. Each line names the SHA-256 of
the line before it, so that a line which was changed, taken out or put in shows.
"""

import json
import os
import secrets
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

NAME = "audit.log"
"""In the data directory."""
LONGEST_TEXT = 2000
"""Characters of one field; what is longer is cut, and says so."""
MOST_DETAILS = 40


class AuditUnavailable(Exception):  # noqa: N818  a state of the world
    """The entry is not on disk, so what it tells of must not be done. The text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `seq` counts lines from 1; `line` is without its end."""

    seq: int
    line: bytes

    @property
    def hash(self) -> str:
        return sha256(self.line).hexdigest()


class Audit:
    """The log of one data directory, which is ours. Safe for several threads.

    Raises OSError when made where it cannot be read or written.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.problem = ""
        """What is wrong with lines that were there before, for `/healthz`; else empty."""
        self._clock = clock
        self._changed = threading.Condition()
        new = not path.exists()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if new:
            _sync_folder(path.parent)
        self._size = self._seq = 0
        self._starts = array("Q")
        self._prev = self.chain = ""
        self._read()

    def write(
        self, action: str, subject: str, detail: Mapping[str, str], actor: str = "", *, tenant: str = "default"
    ) -> None:
        """On disk (fsync) when it returns. Raises `AuditUnavailable`, and then nothing of it is kept.

        No field may hold content of a call.
        """
        with self._changed:
            told = {
                "ts": self._clock(), "tenant": _text(tenant), "actor": _text(actor), "action": _text(action),
                "subject": _text(subject), "detail": _texts(detail),
                "prev": self._prev or secrets.token_hex(32),
            }  # fmt: skip
            self._append(json.dumps(told).encode())

    def after(self, seq: int) -> Iterator[Entry]:
        """The entries behind number `seq`, as they are on disk."""
        with self._changed:
            last, size = self._seq, self._size
            start = self._starts[seq] if seq < last else size
        with self.path.open("rb") as file:
            file.seek(start)
            for number, line in zip(range(seq + 1, last + 1), file, strict=False):
                yield Entry(number, line.rstrip(b"\n"))

    @property
    def last(self) -> int:
        """The number of the newest entry; 0 for none."""
        with self._changed:
            return self._seq

    def wait(self, seq: int, timeout: float) -> bool:
        """Whether there are entries behind number `seq`; waits up to `timeout` seconds for one."""
        with self._changed:
            return self._changed.wait_for(lambda: self._seq > seq, timeout)

    def close(self) -> None:
        with self._changed:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _append(self, line: bytes) -> None:
        if self._file < 0:
            raise AuditUnavailable("the audit log is closed, so nothing was done; try again")
        try:
            os.ftruncate(self._file, self._size)  # what a write that failed before could not take back
            _write_all(self._file, line + b"\n")
            os.fsync(self._file)
        except OSError as refused:
            self._take_back()
            raise AuditUnavailable(
                f"the audit log {self.path} cannot be written ({refused.strerror}), so nothing was done; "
                "make room or put the disk in order, and try again"
            ) from None
        self._starts.append(self._size)
        self._size += len(line) + 1
        self._seq += 1
        self._prev = sha256(line).hexdigest()
        self.chain = self.chain or json.loads(line)["prev"]
        self._changed.notify_all()

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._file, self._size)
        except OSError:  # the next write tries again before it writes
            return

    def _read(self) -> None:
        """Cut a torn tail, which nobody was told is kept, and go through the chain."""
        data = self.path.read_bytes()
        self._size = data.rfind(b"\n") + 1
        if self._size < len(data):
            os.ftruncate(self._file, self._size)
        start = 0
        for number, line in enumerate(data[: self._size].split(b"\n")[:-1], 1):
            self._starts.append(start)
            start += len(line) + 1
            prev = str(_loaded(line).get("prev", ""))
            if number == 1:
                self.chain = prev
            elif prev != self._prev and not self.problem:
                self.problem = f"{self.path}: line {number - 1} or {number} is not as it was written"
            self._seq, self._prev = number, sha256(line).hexdigest()
        if self._seq and not self.chain:
            self.problem = f"{self.path}: line 1 is not as it was written"


def _loaded(line: bytes) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _texts(detail: Mapping[str, str]) -> dict[str, str]:
    kept = {_text(name): _text(value) for name, value in list(detail.items())[:MOST_DETAILS]}
    left = len(detail) - MOST_DETAILS
    return kept | ({"more": f"{left} further details are left out"} if left > 0 else {})


def _text(value: str) -> str:
    """Bounded, and without halves of characters, which no store keeps."""
    whole = str(value).encode(errors="replace").decode()
    cut = len(whole) - LONGEST_TEXT
    return f"{whole[:LONGEST_TEXT]}… ({cut} characters more)" if cut > 0 else whole


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
