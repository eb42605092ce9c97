"""Probabilities to spans: which labels may follow which, where a span ends, how sure it is."""

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.detectors.names.decode import BEFORE, TokenSpan, decode, viterbi
from spanward.guards.detectors.names.network import LABELS, Floats

O, B_PER, I_PER, B_LOC, I_LOC = range(5)  # noqa: E741  the name of the label


def rows(*labels: int, p: float = 0.92) -> Floats:
    """Each token certain of its label up to what is left, shared by the others."""
    found = np.full((len(labels), len(LABELS)), (1 - p) / (len(LABELS) - 1), np.float32)
    found[np.arange(len(labels)), labels] = p
    return found


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ((O, O), []),
        ((B_PER, I_PER, O), [("PERSON", 0, 1)]),
        ((B_PER, B_PER), [("PERSON", 0, 0), ("PERSON", 1, 1)]),
        ((O, B_LOC, I_LOC, I_LOC), [("LOCATION", 1, 3)]),
        ((B_PER, B_LOC, O, B_LOC), [("PERSON", 0, 0), ("LOCATION", 1, 1), ("LOCATION", 3, 3)]),
        ((), []),
    ],
)
def test_spans(labels: tuple[int, ...], expected: list[tuple[str, int, int]]) -> None:
    found = decode(rows(*labels))
    assert [span[:3] for span in found] == expected
    assert all(span.score == pytest.approx(0.93, abs=1e-5) for span in found)


def test_an_inside_without_its_beginning_is_put_right() -> None:
    doubtful = rows(O, I_PER, O)
    doubtful[1] = 0
    doubtful[1, [I_PER, B_PER, O]] = 0.5, 0.4, 0.1
    (span,) = decode(doubtful)
    assert span == TokenSpan("PERSON", 1, 1, span.score)
    assert span.score == pytest.approx(0.9, abs=1e-4)
    mixed = rows(B_LOC, I_PER)
    mixed[1] = 0
    mixed[1, [I_PER, I_LOC]] = 0.55, 0.45
    assert [span[:3] for span in decode(mixed)] == [("LOCATION", 0, 1)]


@given(st.lists(st.lists(st.floats(0.01, 1), min_size=len(LABELS), max_size=len(LABELS)), min_size=1, max_size=3))
def test_viterbi_finds_the_best_labels_that_make_sense(scores: list[list[float]]) -> None:
    def sensible(path: tuple[int, ...]) -> bool:
        return all(
            label not in BEFORE or before in BEFORE[label] for before, label in zip((O, *path), path, strict=False)
        )

    def value(path: tuple[int, ...] | list[int]) -> float:
        return prod(row[label] for row, label in zip(scores, path, strict=True))

    best = max((path for path in product(range(len(LABELS)), repeat=len(scores)) if sensible(path)), key=value)
    found = viterbi(scores)
    assert sensible(tuple(found))
    assert value(found) == pytest.approx(value(best))


@given(st.lists(st.lists(st.floats(0.001, 1), min_size=9, max_size=9), max_size=12))
def test_spans_are_in_order_and_do_not_overlap(scores: list[list[float]]) -> None:
    table = np.array(scores, np.float32).reshape(-1, 9)
    found = decode(table / table.sum(axis=1, keepdims=True))
    ends = [-1, *(span.last for span in found)]
    assert all(end < span.first <= span.last < len(scores) for end, span in zip(ends, found, strict=False))
    assert all(0 < span.score <= 1 for span in found)
