"""The small model that needs nothing but numpy: hashed n-grams, one logistic regression a label.

It knows words, not meaning: good at explicit abuse, useless on hate without swear words. Its data card and what
was measured: docs/models/baseline-toxicity.md.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .model_card import REMEDY, WEIGHTS, WeightsError, content, read_card
from .ngrams import LETTER_BITS, WORD_BITS, Features, Floats, features
from .windows import Worst, windows

Doubles = npt.NDArray[np.float64]
SHAPE = {"format": 2, "letter_bits": LETTER_BITS, "word_bits": WORD_BITS}
"""What the weights must have been trained with; anything else would give numbers without meaning."""


class Head(NamedTuple):
    """One label: its score is `1 / (1 + exp(-(slope * margin + offset)))`."""

    label: str
    intercept: float
    slope: float
    offset: float
    threshold: float


class Baseline(NamedTuple):
    """A loaded model: `weights` has a row for each n-gram bucket and a column for each head.

    `version` is the hash of its card, which holds the hash of its weights.
    """

    weights: Floats
    heads: tuple[Head, ...]
    window: int
    overlap: int
    version: str

    def worst(self, text: str) -> Mapping[str, Worst]:
        """For each label the window of `text` that looks most like it."""
        spans = windows(text, self.window, self.overlap)
        scores = self.scores([text[start:end] for start, end in spans])
        best = scores.argmax(axis=0)
        return {
            head.label: Worst(float(scores[b, h]), *spans[b])
            for h, (head, b) in enumerate(zip(self.heads, best, strict=True))
        }

    def scores(self, texts: Sequence[str]) -> Doubles:
        """A row of probabilities for each text, a column for each head; 0 for a text without a visible character."""
        vectors = features(texts)
        seen = np.bincount(vectors.rows, minlength=len(texts)) > 0
        slopes, offsets = (np.array(column) for column in zip(*((h.slope, h.offset) for h in self.heads), strict=True))
        scores: Doubles = seen[:, None] / (1 + np.exp(-(self.margins(vectors, len(texts)) * slopes + offsets)))
        return scores

    def margins(self, vectors: Features, rows: int) -> Doubles:
        """Distance of each row from each head's plane, before calibration."""
        parts = self.weights[vectors.indices] * vectors.values[:, None]
        sums = [np.bincount(vectors.rows, weights=column, minlength=rows) for column in parts.T]
        margins: Doubles = np.stack(sums, axis=1) + np.array([head.intercept for head in self.heads])
        return margins


def load(folder: Path = WEIGHTS) -> Baseline:
    """The model of `baseline.npy` and `baseline.json` in `folder`. Raises `WeightsError`."""
    card, stored = read_card(folder), content(folder / "baseline.npy")
    wrong = [f"{key} is {card.get(key)}, not {value}" for key, value in SHAPE.items() if card.get(key) != value]
    if wrong:
        raise WeightsError(f"{folder / 'baseline.json'} was made by another version: {'; '.join(wrong)}. {REMEDY}")
    if sha256(stored).hexdigest() != card["sha256"]:
        raise WeightsError(f"{folder / 'baseline.npy'} is not the file that baseline.json was written for. {REMEDY}")
    weights = np.load(BytesIO(stored), allow_pickle=False)
    heads = tuple(Head(**head) for head in card["heads"])
    version = sha256(content(folder / "baseline.json")).hexdigest()[:12]
    return Baseline(np.ascontiguousarray(weights.T, np.float32), heads, card["window"], card["overlap"], version)
