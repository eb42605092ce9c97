"""Sends closed segments of the spool to the sidecar, from a thread of its own; never in the application's way."""

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import health, segment
from .sidecar import SEND_TIMEOUT_S
from .spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable

GATHER_S = 0.15
"""Frames of this long go into one segment."""
BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
ADOPT_EVERY_S = 30.0
REFUSED = (400, 413, 415, 422)
"""Answers that will not change: the same bytes are never sent again."""


class Shipper:
    """`post(path, body, content_type, timeout_s) -> status` sends one request and raises OSError (or a subclass) if
    no answer came.

    `chores` run in the thread before each round (reports, policy refresh).
    """

    def __init__(
        self,
        spool: Spool,
        post: "Callable[[str, bytes, str, float], int]",
        chores: "tuple[Callable[[], Any], ...]" = (),
    ) -> None:
        self._spool = spool
        self._post = post
        self._chores = chores
        self._reset()

    def _reset(self) -> None:
        self._wake = threading.Event()
        self._turn = threading.Lock()
        self._stopping = threading.Event()
        self._failures = 0
        self._adopt_at = 0.0
        self._thread: threading.Thread | None = None
        self._starting = threading.RLock()  # a stream that is collected as garbage may wake it in the midst of that

    def wake(self) -> None:
        """There is something to send. Starts the thread at the first time."""
        if self._thread is None and not self._stopping.is_set():
            with self._starting:
                if self._thread is None:
                    thread = threading.Thread(target=self._run, name="spanward-shipper", daemon=True)
                    thread.start()
                    self._thread = thread  # only now: who stops us waits for its end
        if not self._wake.is_set():  # setting it takes its lock, and most calls find it set
            self._wake.set()

    def after_fork(self) -> None:
        self._reset()

    def stop(self, deadline_s: float) -> bool:
        """Send what there is, for at most `deadline_s`; whether all was sent. The rest waits in the spool."""
        self._stopping.set()
        self._wake.set()
        ends = time.monotonic() + deadline_s
        if self._thread is not None:
            self._thread.join(deadline_s)
            if self._thread.is_alive():
                return False
        self._spool.close_turn()
        return self._send_all(ends)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(ADOPT_EVERY_S)
            self._wake.clear()
            self._stopping.wait(GATHER_S)
            if self._stopping.is_set():
                return
            health.fenced("shipper", self._round)
            if self._failures:
                self._stopping.wait(BACKOFF_S[min(self._failures, len(BACKOFF_S)) - 1])
                self._wake.set()

    def _round(self) -> None:
        if time.monotonic() >= self._adopt_at:
            self._adopt_at = time.monotonic() + ADOPT_EVERY_S
            self._spool.adopt()
        for chore in self._chores:
            health.fenced("shipper.chore", chore)
        self._spool.close_turn()
        self._send_all(float("inf"))

    def _send_all(self, ends: float) -> bool:
        with self._turn:
            for path in self._spool.segments():
                left = ends - time.monotonic()
                if left <= 0 or not self._send(path, min(left, SEND_TIMEOUT_S)):
                    return False
        return True

    def _send(self, path: Path, timeout_s: float) -> bool:
        try:
            body = b"".join(segment.bodies(path.read_bytes()))
            status = self._post("/v1/traces", body, "application/x-protobuf", timeout_s)
        except OSError:
            self._failures += 1
            return False
        if status in REFUSED:
            path.rename(path.with_suffix(".bad"))
            health.count("unsent", f"refused with {status}")
        elif status >= 300:  # busy, full, or no sidecar at all: the same bytes again later
            self._failures += 1
            return False
        else:
            path.unlink(missing_ok=True)
        self._failures = 0
        return True
