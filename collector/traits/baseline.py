"""What is usual in the texts of one service: words that were there, the middle of the texts, topics. Kept on disk."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .text import DIMENSIONS, Vector
from .topics import Centroids, learn, topic_of, unit

LEARNED_FROM = 400
"""Texts of which the topics and the middle are learned; no more than these are ever held, as vectors."""
BYTES = 1 << 17
FEWEST_WORDS = 3
DAY_US = 86_400_000_000


@dataclass(slots=True)
class Baseline:
    """`known` has a bit for each hash of a word. While `learning_until_us` is not over, words become known."""

    first_us: int = 0
    texts: int = 0
    known: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(BYTES, dtype=np.uint8))
    vectors: list[Vector] = field(default_factory=list)
    middle: Vector | None = None
    centroids: Centroids | None = None
    floors: Vector | None = None

    def topic(self, vector: Vector) -> str:
        """Empty while the topics are learned, and for a text without words."""
        if self.centroids is None or self.floors is None or not vector.any():
            return ""
        return topic_of(vector, self.centroids, self.floors)

    def distance(self, vector: Vector) -> float | None:
        """1 - cosine to the middle of the texts of the baseline; None while it is learned."""
        return round(float(1 - self.middle @ vector), 4) if self.middle is not None and vector.any() else None

    def new_words(self, hashed: Sequence[int], us: int, days: int) -> float | None:
        """The share of words that were in no text of the first `days`; None within them, and for hardly any word."""
        if us < self.first_us + days * DAY_US or self.texts < LEARNED_FROM or len(hashed) < FEWEST_WORDS:
            return None
        byte, bit = _places(hashed)
        return round(1 - float((self.known[byte] & bit > 0).mean()), 4)

    def learn(self, vector: Vector, hashed: Sequence[int], us: int, days: int) -> bool:
        """Take a text in, as long as the baseline is learned; whether that changed anything."""
        self.first_us = self.first_us or us
        self.texts += 1
        changed = self.middle is None
        if us < self.first_us + days * DAY_US or self.texts <= LEARNED_FROM:
            byte, bit = _places(hashed)
            np.bitwise_or.at(self.known, byte, bit)
            changed = True
        if self.middle is None and vector.any():
            self.vectors.append(vector)
            if len(self.vectors) >= LEARNED_FROM:
                texts = np.stack(self.vectors)
                self.middle = unit(texts.sum(axis=0))
                self.centroids, self.floors = learn(texts)
                self.vectors = []
        return changed

    def save(self, path: Path) -> None:
        """All of it or nothing, also when the machine stops meanwhile."""
        none = np.zeros((0, DIMENSIONS), dtype=np.float32)
        draft = path.with_suffix(".tmp")
        with draft.open("wb") as file:
            np.savez_compressed(
                file,
                numbers=np.array([self.first_us, self.texts], dtype=np.int64),
                known=self.known,
                vectors=np.stack(self.vectors) if self.vectors else none,
                middle=none if self.middle is None else self.middle[None],
                centroids=none if self.centroids is None else self.centroids,
                floors=none[:, 0] if self.floors is None else self.floors,
            )
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Baseline":
        """Raises OSError, ValueError."""
        with np.load(path, allow_pickle=False) as kept:
            first, texts = map(int, kept["numbers"])
            middle, centroids = kept["middle"], kept["centroids"]
            return cls(
                first,
                texts,
                kept["known"],
                list(kept["vectors"]),
                middle[0] if len(middle) else None,
                centroids if len(centroids) else None,
                kept["floors"] if len(centroids) else None,
            )


def _places(hashed: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    places = np.asarray(hashed, dtype=np.int64) % (8 * BYTES)
    return places >> 3, np.left_shift(1, places & 7).astype(np.uint8)
