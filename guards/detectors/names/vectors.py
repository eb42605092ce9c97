"""Word vectors, each worked out once: a bounded ring of the words seen last."""

from collections.abc import Collection, Sequence
from itertools import accumulate
from threading import Lock

import numpy as np

from .features import rows_of
from .gazetteer import KNOWN
from .network import DIMENSIONS, Floats
from .weights import Weights

BOUND = 20_000
LONGEST = 48
"""Of a longer word the two ends are looked at, so that the ring stays small whatever is sent."""


class WordVectors:
    """Asked from several threads at a time; `bound` is at least three times what is asked for at once."""

    def __init__(self, weights: Weights, bound: int = BOUND) -> None:
        self._weights = weights
        self._places: dict[str, int] = {}
        self._words = [""] * bound
        self._vectors = np.zeros((bound, DIMENSIONS), np.float32)
        self._next = 0
        self._lock = Lock()

    def of(self, words: Sequence[str]) -> Floats:
        """(words x `DIMENSIONS`), before the context is added."""
        if max(map(len, words)) > LONGEST:
            words = [word if len(word) <= LONGEST else word[: LONGEST // 2] + word[-LONGEST // 2 :] for word in words]
        with self._lock:
            # adding the new ones may push out some that are asked for as well
            while new := set(words).difference(self._places):
                self._add(sorted(new))
            places = self._places
            return self._vectors[[places[word] for word in words]]

    def _add(self, words: Collection[str]) -> None:
        vectors = self._made(list(words))
        for word, vector in zip(words, vectors, strict=True):
            self._places.pop(self._words[self._next], None)
            self._places[word] = self._next
            self._words[self._next] = word
            self._vectors[self._next] = vector
            self._next = (self._next + 1) % len(self._words)

    def _made(self, words: Sequence[str]) -> Floats:
        table, scales = self._weights.table, self._weights.scales
        flags = self._weights.gazetteer.look_up(words)
        rows = [rows_of(word, flag & ~KNOWN, known=bool(flag & KNOWN)) for word, flag in zip(words, flags, strict=True)]
        flat = np.array([row for one in rows for row in one])
        starts = [0, *accumulate(len(one) for one in rows[:-1])]
        sums: Floats = np.add.reduceat(table[flat] * scales[flat, None], starts, axis=0)
        return sums
