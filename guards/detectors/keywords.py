"""Words and phrases that a policy lists: `kind: keywords`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from .detector import Hit
from .options import Label, Options, Words, thresholds


class KeywordsOptions(Options):
    """Labels with their words. `whole_words: false` finds them inside others too, as Chinese or Japanese needs."""

    words: Annotated[dict[Label, Annotated[Words, Field(min_length=1)]], Field(min_length=1)]
    ignore_case: bool = True
    whole_words: bool = True


class Keywords:
    """One pass over the text however many words there are; of those that begin at one place the longest counts."""

    name: ClassVar[str] = "keywords"
    noun: ClassVar[str] = "labels"
    labels: ClassVar[Mapping[str, float]] = {}
    Options: ClassVar[type[KeywordsOptions]] = KeywordsOptions

    def __init__(self, options: KeywordsOptions) -> None:
        self._by_label = {
            label: word_pattern(words, ignore_case=options.ignore_case, whole_words=options.whole_words)
            for label, words in options.words.items()
        }
        self.engine = f"keywords ({sum(map(len, options.words.values()))} words)"
        self.degraded = ""

    @classmethod
    def labels_for(cls, options: KeywordsOptions) -> Mapping[str, float]:
        """The labels that the words are listed under."""
        return thresholds(options.words)

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        """In order of place; a word under two labels is found under both."""
        return [self._hits(text, labels) for text in texts]

    def _hits(self, text: str, labels: frozenset[str]) -> list[Hit]:
        hits = [
            Hit(label, match.start(), match.end(), 1.0, "a word of the policy")
            for label, pattern in self._by_label.items()
            if label in labels
            for match in pattern.finditer(text)
        ]
        return sorted(hits, key=lambda hit: (hit.start, -hit.end, hit.label))


def word_pattern(words: Iterable[str], *, ignore_case: bool = True, whole_words: bool = True) -> re.Pattern[str]:
    """One expression for all of `words`, as a tree of their beginnings: at no place is a letter looked at twice.

    Any white space in a text stands for the blank of a phrase.
    """
    tree: dict[str, Any] = {}
    for word in words:
        node = tree
        for char in " ".join(word.split()):
            node = node.setdefault(char.lower() if ignore_case and len(char.lower()) == 1 else char, {})
        node[""] = {}
    inside = _branches(tree)
    bounded = rf"(?<!\w){inside}(?!\w)" if whole_words else inside
    return re.compile(bounded, re.IGNORECASE if ignore_case else 0)


def _branches(tree: dict[str, Any]) -> str:
    ways = [_way(char, below) for char, below in sorted(tree.items()) if char]
    if not ways:
        return ""
    return f"(?:{'|'.join(ways)}){'?' if '' in tree else ''}"


def _way(char: str, below: dict[str, Any]) -> str:
    """A branch, with what follows without a choice written out: long words must not nest."""
    said = _escaped(char)
    while len(below) == 1 and "" not in below:
        ((char, below),) = below.items()
        said += _escaped(char)
    return said + _branches(below)


def _escaped(char: str) -> str:
    return r"\s{1,5}" if char == " " else re.escape(char)
