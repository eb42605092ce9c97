"""Who follows new calls, and what each was given: so many at once, nothing twice."""

import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio

TAILS = 16
BACK_S = 120
"""How long after its end a call may be stored and still be given."""
KEEP_S = 60
"""How long a tail whose reader is gone may be taken up again."""
_TOLD = re.compile(r"\d{1,18}", re.ASCII)
"""The time in an event's id, in microseconds."""


class TooManyTails(Exception):  # noqa: N818  a state of the world
    """No further tail may be begun; the text says what to do."""


@dataclass(slots=True)
class Memory:
    """What one tail has given: key of a call -> its end in microseconds. Nothing that ended before `after` is given.

    `fresh`: it has not looked yet, and what its first look sees is on the page already.
    """

    after: int
    fresh: bool = True
    known: dict[int, int] = field(default_factory=dict)
    left: float = 0.0

    def news(self, seen: list[tuple[int, int]], back: int) -> list[int]:
        """The keys not given yet, the last to end first; forgets what ended before `back`: it is not seen again."""
        new = [] if self.fresh else [key for key, _ in seen if key not in self.known]
        self.fresh = False
        self.known = {key: ended for key, ended in self.known.items() if ended > back} | dict(seen)
        self.after = max(self.after, back)
        return new


class Tails:
    """All tails of one sidecar: so many at most, and one of them at a time with the store."""

    def __init__(self, most: int = TAILS, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._running = 0
        self._left: OrderedDict[str, Memory] = OrderedDict()
        self._lock = threading.Lock()
        self.turn = anyio.CapacityLimiter(1)
        self.closed = False

    def close(self) -> None:
        """Every tail ends within a second: the sidecar stops, and must not wait for readers that never leave."""
        self.closed = True

    def begin(self, last: str, now_us: int) -> tuple[str, Memory]:
        """Takes up the tail that `last`, an event's id, names, or starts one. Raises `TooManyTails`."""
        ended, _, name = last.partition(".")
        with self._lock:
            if self._running >= self._most:
                raise TooManyTails(f"{self._most} pages follow new calls already; close one, or reload to look")
            self._running += 1
            self._forget()
            memory = self._left.pop(name, None)
        if memory:
            return name, memory
        if _TOLD.fullmatch(ended):  # whatever else a reader sends as its last event is none of ours
            return secrets.token_hex(8), Memory(int(ended), fresh=False)
        return secrets.token_hex(8), Memory(now_us - BACK_S * 1_000_000)

    def end(self, name: str, memory: Memory) -> None:
        with self._lock:
            self._running -= 1
            memory.left = self._clock()
            self._left[name] = memory
            self._forget()

    def _forget(self) -> None:
        gone = self._clock() - KEEP_S
        while self._left and (len(self._left) > self._most or next(iter(self._left.values())).left < gone):
            self._left.popitem(last=False)
