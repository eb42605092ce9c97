"""On whose behalf the store is asked: one request with its limit of time, that may leave before the answer."""

import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import uuid4

from .ask import TookTooLong

LIMIT_SECONDS = 10.0
LEAST_SECONDS = 0.05
"""ClickHouse takes 0 for no limit."""


class AskerLeft(Exception):  # noqa: N818  a state of the world
    """Nobody waits for the answer any more."""


@dataclass(slots=True)
class Asker:
    """All statements of one request run under its name, and share its time from `begin` on. Thread-safe."""

    limit_seconds: float = LIMIT_SECONDS
    name: str = field(default_factory=lambda: uuid4().hex)
    _gone: threading.Event = field(default_factory=threading.Event)
    _end: float = 0.0

    def begin(self) -> None:
        """Until here it waited for its turn."""
        self._end = time.monotonic() + self.limit_seconds

    def leave(self) -> None:
        self._gone.set()

    @property
    def gone(self) -> bool:
        return self._gone.is_set()

    def left(self) -> float:
        """Seconds that the next statement may take. Raises `AskerLeft`, and `TookTooLong` when they are used up."""
        if self.gone:
            raise AskerLeft
        seconds = self._end - time.monotonic()
        if seconds < LEAST_SECONDS:
            raise TookTooLong(f"Timeout exceeded: the questions of one request may take {self.limit_seconds:g} s")
        return seconds


ASKER: ContextVar[Asker | None] = ContextVar("asker", default=None)
"""None: the sidecar itself."""
