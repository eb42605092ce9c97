"""What a text is about, by the words in it: `kind: topic`. A keyword topic, no understanding of the text."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from .detector import Hit
from .keywords import word_pattern
from .options import Label, Options

Weight = Annotated[float, Field(gt=0, le=100)]
Seeds = Annotated[dict[Label, Weight] | list[Label], Field(min_length=1)]
_SENTENCE = re.compile(r"[.!?…。！？]+[\"'”’)\]]*(?:\s+|$)|\n{1,100}")  # noqa: RUF001  ends of sentences elsewhere


class TopicOptions(Options):
    """Labels with seed words (of weight 1, or `{word: weight}`). A window is so many sentences.

    The score of a window is the weight of the different seed words in it, divided by `enough`, at most 1.
    """

    topics: Annotated[dict[Label, Seeds], Field(min_length=1)]
    enough: Weight = 3.0
    sentences: Annotated[int, Field(ge=1, le=100)] = 4


class Topic:
    """Finds the window of each topic that scores highest. One word said ten times counts once."""

    name: ClassVar[str] = "topic"
    noun: ClassVar[str] = "labels"
    labels: ClassVar[Mapping[str, float]] = {}
    Options: ClassVar[type[TopicOptions]] = TopicOptions

    def __init__(self, options: TopicOptions) -> None:
        self._options = options
        self._seeds = {label: _weights(seeds) for label, seeds in options.topics.items()}
        self._patterns = {label: word_pattern(seeds) for label, seeds in self._seeds.items()}
        self.engine = f"keyword topic ({len(self._seeds)} topics)"
        self.degraded = ""

    @classmethod
    def labels_for(cls, options: TopicOptions) -> Mapping[str, float]:
        """The topics, each from two thirds of `enough` on."""
        return dict.fromkeys(options.topics, 0.66)

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        """At most one finding for a topic and text: its best window."""
        return [[hit for label in self._seeds if label in labels for hit in self._best(label, text)] for text in texts]

    def _best(self, label: str, text: str) -> Iterator[Hit]:
        said = [(m.start(), m.end(), _plain(m.group())) for m in self._patterns[label].finditer(text)]
        if not said:
            return
        ends = [match.end() for match in _SENTENCE.finditer(text)]
        weights = self._seeds[label]
        best = max(_windows(said, ends, self._options.sentences), key=lambda seen: _weight(seen, weights))
        weight = _weight(best, weights)
        words = len({word for _, _, word in best})
        score = min(1.0, weight / self._options.enough)
        why = f"{words} words of the topic within {self._options.sentences} sentences, weight {weight:g}"
        yield Hit(label, best[0][0], best[-1][1], round(score, 3), why)


Said = list[tuple[int, int, str]]


def _windows(said: Said, ends: Sequence[int], sentences: int) -> Iterator[Said]:
    """What is said in each window that begins with a sentence in which something is said."""
    by_sentence: dict[int, Said] = defaultdict(list)
    n = 0
    for word in said:
        while n < len(ends) and ends[n] <= word[0]:
            n += 1
        by_sentence[n].append(word)
    for first in by_sentence:
        yield [word for n in range(first, first + sentences) for word in by_sentence.get(n, ())]


def _weight(said: Said, weights: Mapping[str, float]) -> float:
    return sum(weights[word] for word in {word for _, _, word in said} if word in weights)


def _weights(seeds: Mapping[str, float] | Sequence[str]) -> dict[str, float]:
    given = seeds if isinstance(seeds, Mapping) else dict.fromkeys(seeds, 1.0)
    return {_plain(word): weight for word, weight in given.items()}


def _plain(word: str) -> str:
    return " ".join(word.lower().split())
