"""How long detectors took lately, by length of text: what the next one of a check is expected to take."""

from collections import deque
from statistics import median
from threading import Lock

RECENT = 9
"""Times kept of a detector for each length; their median counts."""


class Pace:
    """Bounded: a detector has at most `RECENT` times for each power of two of characters. For several threads."""

    def __init__(self) -> None:
        self._times: dict[str, dict[int, deque[float]]] = {}
        self._lock = Lock()

    def note(self, detector: str, characters: int, ms: float) -> None:
        """It took `ms` for that many characters."""
        with self._lock:
            lengths = self._times.setdefault(detector, {})
            lengths.setdefault(_size(characters), deque(maxlen=RECENT)).append(ms / max(1, characters))

    def expected(self, detector: str, characters: int) -> float:
        """Milliseconds; 0 for a detector of which nothing is known, so that it is tried.

        A length that was not seen is judged by the nearest shorter one, whose time per character is no smaller, and
        without one by the nearest longer one.
        """
        with self._lock:
            per_character = self._nearest(detector, characters)
            return median(per_character) * max(1, characters) if per_character else 0.0

    def forget_one(self, detector: str, characters: int) -> None:
        """Drop the oldest of the times that `expected` went by: who is left out long enough is tried again."""
        with self._lock:
            if times := self._nearest(detector, characters):
                times.popleft()

    def _nearest(self, detector: str, characters: int) -> deque[float]:
        lengths, size = self._times.get(detector, {}), _size(characters)
        known = sorted((each for each in lengths if lengths[each]), key=lambda each: (each > size, abs(each - size)))
        return lengths[known[0]] if known else deque()


def _size(characters: int) -> int:
    return characters.bit_length()
