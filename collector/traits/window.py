"""Which calls are looked at: a stretch of time after the other, of each a sample that no loud service fills alone."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SETTLE_US = 120_000_000
"""Calls younger than this may still be on their way into the store."""
LONGEST_US = 3_600_000_000
"""What is older than this is not made up for: it is counted as passed over."""


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in microseconds since 1970."""

    start: int
    end: int

    @property
    def token(self) -> str:
        """Under which the store takes the rows of this window once."""
        return f"traits-{self.start}-{self.end}"


class Watermark:
    """Up to where calls were looked at. A window that is begun is written down, so that a restart does the same one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.done = self.passed_over_us = 0
        self._begun: Window | None = None
        if path.exists():
            told = json.loads(path.read_text())
            self.done = int(told["done"])
            self._begun = Window(*told["begun"]) if told.get("begun") else None

    def next(self, now_us: int) -> Window | None:
        """None while nothing has settled. Begins the window."""
        if self._begun is None:
            end = now_us - SETTLE_US
            if self.done > now_us:  # the clock was ahead: else nothing is looked at until it is that late again
                self.done = end
            start = max(self.done, end - LONGEST_US)
            if start >= end:
                return None
            self.passed_over_us += start - self.done if self.done else 0
            self._begun = Window(start, end)
            self._write()
        return self._begun

    def finish(self, window: Window) -> None:
        self.done, self._begun = window.end, None
        self._write()

    def _write(self) -> None:
        draft = self._path.with_suffix(".tmp")
        begun = [self._begun.start, self._begun.end] if self._begun else None
        with draft.open("w") as file:
            json.dump({"done": self.done, "begun": begun}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)


def share_out(calls: Mapping[str, int], most: int) -> int:
    """The largest number for each service with which all together are at most `most`: small ones are taken whole."""
    left, cap = most, 0
    for place, n in enumerate(sorted(calls.values())):
        fair = left // (len(calls) - place)
        if n > fair:
            return max(fair, 1)
        left, cap = left - n, n
    return max(cap, 1)
