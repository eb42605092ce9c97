"""Four convolutions over word vectors, in numpy: a token sees fifteen neighbours to either side.

The same sums as `guards.training.names_network` in torch; a test holds the two together.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

ENTITIES = ("PERSON", "LOCATION", "ADDRESS", "ORGANIZATION")
LABELS = ("O", *(f"{tag}-{entity}" for entity in ENTITIES for tag in "BI"))
DIMENSIONS, HIDDEN = 64, 80
DILATIONS = (1, 2, 4, 8)
EPSILON = 1e-6
ROWS = 32
"""Rows that are multiplied at a time: so few that BLAS starts no threads, whose waiting costs ten times the sums."""


class Convolution(NamedTuple):
    """`weights[k]` (inputs x outputs) looks at the token `(k - 1) * dilation` further on."""

    weights: Floats
    bias: Floats
    dilation: int


class Network(NamedTuple):
    """`head` is (hidden x labels)."""

    convolutions: tuple[Convolution, ...]
    head: Floats
    head_bias: Floats

    def probabilities(self, vectors: Floats) -> Floats:
        """(tokens x labels), each row summing to 1, of word vectors (tokens x `DIMENSIONS`)."""
        hidden = vectors / np.sqrt(np.mean(vectors * vectors, axis=1, keepdims=True) + EPSILON)
        for step, convolution in enumerate(self.convolutions):
            out = np.maximum(_convolved(hidden, convolution), 0)
            hidden = out + hidden if step else out
        scores = _times(hidden, self.head) + self.head_bias
        np.exp(scores - scores.max(axis=1, keepdims=True), out=scores)
        shares: Floats = scores / scores.sum(axis=1, keepdims=True)
        return shares


def _convolved(hidden: Floats, convolution: Convolution) -> Floats:
    weights, bias, dilation = convolution
    out = _times(hidden, weights[1])
    out[dilation:] += _times(hidden[:-dilation], weights[0])
    out[:-dilation] += _times(hidden[dilation:], weights[2])
    out += bias
    return out


def _times(rows: Floats, weights: Floats) -> Floats:
    whole = len(rows) // ROWS * ROWS
    out = np.empty((len(rows), weights.shape[1]), np.float32)
    pieces = rows[:whole].reshape(-1, ROWS, rows.shape[1])
    np.matmul(pieces, weights, out=out[:whole].reshape(-1, ROWS, out.shape[1]))
    np.matmul(rows[whole:], weights, out=out[whole:])
    return out


def network(arrays: Sequence[Floats]) -> Network:
    """Of the arrays in the order in which training writes them: weights and bias of each convolution, then the head."""
    pairs = zip(arrays[0:-2:2], arrays[1:-2:2], DILATIONS, strict=True)
    return Network(tuple(Convolution(*pair) for pair in pairs), arrays[-2], arrays[-1])
