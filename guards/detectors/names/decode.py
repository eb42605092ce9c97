"""From probabilities to spans: the best labels that make sense together (no I- without its B-), and their scores."""

from collections.abc import Iterator, Sequence
from math import exp, log
from typing import NamedTuple

import numpy as np

from .network import ENTITIES, LABELS, Floats

BEFORE = {number: (number - 1, number) for number, label in enumerate(LABELS) if label.startswith("I")}
"""What may stand before each I- label: its B- and itself."""


class TokenSpan(NamedTuple):
    """Tokens `[first, last]`; `score` is the geometric mean of what they were given for this entity."""

    label: str
    first: int
    last: int
    score: float


def decode(probabilities: Floats) -> list[TokenSpan]:
    """Spans in order, without overlaps, of (tokens x labels)."""
    labels = np.argmax(probabilities, axis=1)
    marked = np.flatnonzero(labels)
    if not len(marked):
        return []
    best: list[int] = labels.tolist()
    for first, last in _runs(marked.tolist()):
        if not _makes_sense(best[first : last + 1]):
            first, last = max(0, first - 1), min(len(best) - 1, last + 1)  # noqa: PLW2901  room for a B- in front
            best[first : last + 1] = viterbi(probabilities[first : last + 1].tolist())
    return [_scored(span, probabilities) for span in _spans(best)]


def viterbi(rows: Sequence[Sequence[float]]) -> list[int]:
    """The labels with the highest product of probabilities among those that make sense; nothing stands before them."""
    scores = [log(p + 1e-9) if label not in BEFORE else -1e9 for label, p in enumerate(rows[0])]
    steps: list[list[int]] = []
    for row in rows[1:]:
        top = max(range(len(scores)), key=scores.__getitem__)
        came = [max(BEFORE[label], key=scores.__getitem__) if label in BEFORE else top for label in range(len(row))]
        scores = [scores[before] + log(p + 1e-9) for before, p in zip(came, row, strict=True)]
        steps.append(came)
    labels = [max(range(len(scores)), key=scores.__getitem__)]
    for came in reversed(steps):
        labels.append(came[labels[-1]])
    return labels[::-1]


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = places[0]
    for place in places[1:]:
        if place > last + 1:
            yield first, last
            first = place
        last = place
    yield first, last


def _makes_sense(labels: Sequence[int]) -> bool:
    return all(label not in BEFORE or before in BEFORE[label]
               for before, label in zip((0, *labels), labels, strict=False))  # fmt: skip


def _spans(labels: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(entity's number, first, last)."""
    entity, first = -1, 0
    for place, label in enumerate((*labels, 0)):
        goes_on = label in BEFORE and (label - 1) // 2 == entity
        if entity >= 0 and not goes_on:
            yield entity, first, place - 1
        if not goes_on:
            entity, first = (label - 1) // 2 if label else -1, place


def _scored(span: tuple[int, int, int], probabilities: Floats) -> TokenSpan:
    entity, first, last = span
    mass = probabilities[first : last + 1, 2 * entity + 1 : 2 * entity + 3].sum(axis=1)
    return TokenSpan(ENTITIES[entity], first, last, min(1.0, exp(float(np.log(mass + 1e-9).mean()))))
