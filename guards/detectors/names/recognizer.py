"""The engine `builtin-small`: words to vectors, vectors to labels, labels to spans of the text."""

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..detector import Hit
from ..model_card import WEIGHTS
from ..stretches import Stretch, stretches
from .decode import decode
from .likely import SURE, believed, fences
from .network import ENTITIES, Floats
from .spans import EXPLANATION, joined, placed
from .tokens import Tokens, tokenize
from .vectors import WordVectors
from .weights import Weights
from .weights import load as load_weights

BLOCK, OVERLAP = 50_000, 400
"""Characters that are in memory as tokens at a time."""
WINDOW, REACH = 1024, 16
"""Tokens that the network sees at a time, and how far it looks: a window more or less changes no number."""


class Names:
    """Asked from several threads at a time; costs time in proportion to the text."""

    entities = frozenset(ENTITIES)

    def __init__(self, weights: Weights) -> None:
        self.engine = f"builtin-small@{weights.version}"
        self._weights = weights
        self._vectors = WordVectors(weights)

    def find(self, text: str) -> list[Hit]:
        """In order, without overlaps, whatever their score."""
        code = list(fences(text))
        sure: dict[str, dict[str, Hit]] = {}
        return [hit for block in stretches(text, BLOCK, OVERLAP) for hit in self._in_block(text, block, code, sure)]

    def _in_block(
        self, text: str, block: Stretch, code: list[tuple[int, int]], sure: dict[str, dict[str, Hit]]
    ) -> Iterator[Hit]:
        tokens = tokenize(text[block.start : block.end])
        if not tokens.words:
            return
        found = joined(placed(decode(self.probabilities(tokens)), tokens, block.start, text), text)
        hits = [hit for hit in found if block.owns(hit.start) and _stands(hit, text, code)]
        yield from _with_repeats(hits, text, tokens, block, sure)

    def probabilities(self, tokens: Tokens) -> Floats:
        """(tokens x labels), window by window."""
        vectors = self._vectors_of(tokens)
        if len(vectors) <= WINDOW:
            return self._weights.network.probabilities(vectors)
        parts = []
        for at in range(0, len(vectors), WINDOW):
            before = min(at, REACH)
            seen = self._weights.network.probabilities(vectors[at - before : at + WINDOW + REACH])
            parts.append(seen[before : before + WINDOW])
        return np.concatenate(parts)

    def _vectors_of(self, tokens: Tokens) -> Floats:
        parts = [self._vectors.of(tokens.words[at : at + 4096]) for at in range(0, len(tokens.words), 4096)]
        vectors = parts[0] if len(parts) == 1 else np.concatenate(parts)
        vectors += self._weights.contexts[tokens.contexts]
        return vectors


def load(folder: Path = WEIGHTS) -> Names:
    """The engine with the weights of `folder`. Raises `WeightsError`."""
    names = Names(load_weights(folder))
    names.find("warm up: Maria Schmidt, 12 Oak Street, Leeds")
    return names


def _stands(hit: Hit, text: str, code: list[tuple[int, int]]) -> bool:
    at = bisect_right(code, (hit.start, len(text)))
    in_code = at > 0 and hit.start < code[at - 1][1]
    return believed(hit.label, text, hit.start, hit.end, hit.score, in_code=in_code)


def _with_repeats(
    hits: list[Hit], text: str, tokens: Tokens, block: Stretch, sure: dict[str, dict[str, Hit]]
) -> Iterator[Hit]:
    """The hits, and wherever a name that was sure stands again, with the score that it had."""
    if not sure and not any(hit.score >= SURE for hit in hits):
        yield from hits
        return
    reached, waiting = 0, iter([*hits, Hit("", len(text) + 1, len(text) + 1, 0)])
    following = next(waiting)
    for place, word in enumerate(tokens.words):
        start = block.start + tokens.starts[place]
        if start == following.start:
            yield following
            if following.score >= SURE and following.end - following.start > 2:
                sure.setdefault(word, {})[text[following.start : following.end]] = following
            reached, following = following.end, next(waiting)
        elif word in sure and start >= reached and block.owns(start):
            for name in sorted(sure[word], key=len, reverse=True):
                end = start + len(name)
                if end <= following.start and text.startswith(name, start) and not text[end : end + 1].isalnum():
                    again = sure[word][name]
                    yield Hit(again.label, start, end, again.score, f"{EXPLANATION}, seen before")
                    reached = end
                    break
