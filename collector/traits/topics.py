"""Topics of one service: groups of texts with like words, learned once, so that their shares can be compared."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from .text import Vector

MOST = 12
TEXTS_A_TOPIC = 25
ROUNDS = 25
OTHER = "other"
"""Less like every topic than nearly all texts that they were learned from: grows when people ask for something new."""
LEAST_LIKE = 0.02
"""Share of a topic's own texts that are as little like it as `other` ones."""
LEAST, FULLY = 0.15, 0.6
"""Cosines: below, nothing is like; above, it is like whatever the texts it was learned from were."""
NAMED_BY = 5
MOST_WORDS = 3000

Centroids = NDArray[np.float32]


def learn(vectors: Centroids) -> tuple[Centroids, Vector]:
    """Centroids and the likeness that a text needs to be of each. The largest topic comes first.

    Spherical k-means, begun far apart: the same texts give the same topics.
    """
    k = max(1, min(MOST, len(vectors) // TEXTS_A_TOPIC))
    centroids = _far_apart(vectors, k)
    nearest = np.zeros(len(vectors), dtype=np.int64)
    for _ in range(ROUNDS):
        now = np.asarray(np.argmax(vectors @ centroids.T, axis=1))
        if (now == nearest).all() and _ > 0:
            break
        nearest = now
        for topic in range(k):
            mine = vectors[nearest == topic]
            if len(mine):
                centroids[topic] = unit(mine.sum(axis=0))
    sizes = np.bincount(nearest, minlength=k)
    order = sorted((topic for topic in range(k) if sizes[topic]), key=lambda topic: (-sizes[topic], topic))
    floors = [np.quantile(vectors[nearest == topic] @ centroids[topic], LEAST_LIKE) for topic in order]
    return centroids[order], np.clip(np.array(floors, dtype=np.float32), LEAST, FULLY)


def topic_of(vector: Vector, centroids: Centroids, floors: Vector) -> str:
    """`t1` is the topic that was the largest when they were learned."""
    likeness = centroids @ vector
    best = int(np.argmax(likeness))
    return f"t{best + 1}" if likeness[best] >= floors[best] else OTHER


def unit(vector: NDArray[np.float32]) -> Vector:
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


def _far_apart(vectors: Centroids, k: int) -> Centroids:
    """Of the text next to the middle, then each time the text least like those chosen."""
    chosen = [int(np.argmax(vectors @ unit(vectors.sum(axis=0))))]
    likeness = vectors @ vectors[chosen[0]]
    while len(chosen) < k:
        chosen.append(int(np.argmin(likeness)))
        likeness = np.maximum(likeness, vectors @ vectors[chosen[-1]])
    return vectors[chosen].copy()


class Words:
    """In how many calls of each topic a word was; only what enough calls said is ever told or kept."""

    def __init__(self, fewest_calls: int) -> None:
        self._fewest = fewest_calls
        self._calls: dict[str, Counter[str]] = defaultdict(Counter)
        self._all: Counter[str] = Counter()

    def add(self, topic: str, found: Iterable[str]) -> None:
        self._all[topic] += 1
        counts = self._calls[topic]
        counts.update(set(found))
        if len(counts) > 2 * MOST_WORDS:
            self._calls[topic] = Counter(dict(counts.most_common(MOST_WORDS)))

    def names(self) -> Mapping[str, Sequence[str]]:
        """Topic -> its most typical words: those that are much more frequent in it than in the others."""
        return {topic: self._typical(topic) for topic in sorted(self._calls) if topic != OTHER}

    def _typical(self, topic: str) -> list[str]:
        of, others = self._all[topic], sum(n for each, n in self._all.items() if each != topic)
        scored = []
        for word, calls in self._calls[topic].items():
            if calls >= self._fewest:
                elsewhere = sum(counts[word] for each, counts in self._calls.items() if each != topic)
                lift = log((calls + 0.5) / (of + 1)) - log((elsewhere + 0.5) / (others + 1))
                scored.append((-lift * calls / of, word))
        return [word for _, word in sorted(scored)[:NAMED_BY]]
