"""Sentences that say what a whole group is, cannot do or should not do: a pattern, not an understanding.

It reads form alone: a group by name, a verb of being or of rule, and something said of all of them. Whether that is
true, kind or ironic it does not know, so it is meant to flag. What is asked, denied, quoted, counted, defined, or said
of some, is left out as far as its form shows it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from .detector import Hit
from .stereotype_patterns import ASSERTION, GROUP_WORDS, ONE_FOR_ALL, QUOTED, REPORT, STRONG, TAKEN_BACK

LABEL = "STEREOTYPE"
BARE, SWEEPING = 0.5, 0.7
"""Scores of a bare generalisation, and of one that says all, always or never, or what the group must not do."""

_word = re.compile(r"[^\W\d_]+")
_sentence = re.compile(r"[^.!?;\n]+[.!?]*")


class Stereotype:
    """The hit goes from the group to the verb, one for each sentence."""

    name: ClassVar[str] = "stereotype"
    labels: ClassVar[Mapping[str, float]] = {LABEL: BARE}
    noun: ClassVar[str] = "labels"

    @property
    def engine(self) -> str:
        return "stereotype-patterns 1"

    @property
    def degraded(self) -> str:
        return ""

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> Sequence[Sequence[Hit]]:
        return [list(_found(text)) if LABEL in labels else [] for text in texts]


def _found(text: str) -> Iterator[Hit]:
    text = text.replace("’", "'")  # noqa: RUF001  typographic apostrophe
    if not _names_a_group(text):
        return
    said = QUOTED.sub(lambda quote: " " * len(quote[0]), text)  # blanks, so that places stay
    for sentence in _sentence.finditer(said):
        yield from _in_sentence(sentence[0].lstrip(), sentence.end())


def _in_sentence(sentence: str, end: int) -> Iterator[Hit]:
    """At most one; `end` is where the sentence ends in the text."""
    if not _names_a_group(sentence) or any(form.search(sentence) for form in TAKEN_BACK.values()):
        return
    found = next(filter(_says_something, ASSERTION.finditer(sentence)), None) or ONE_FOR_ALL.search(sentence)
    if found:
        start = end - len(sentence)
        score = SWEEPING if STRONG.search(found[0]) else BARE
        yield Hit(LABEL, start + found.start("group"), start + found.end("verb"), score, "said of a whole group")


def _says_something(found: re.Match[str]) -> bool:
    """`are` alone asserts nothing, and with a place or a deed it reports."""
    return found["verb"].lower() not in {"are", "were"} or not (
        not found["rest"].strip() or REPORT.search(found["rest"])
    )


def _names_a_group(text: str) -> bool:
    return not GROUP_WORDS.isdisjoint(_word.findall(text.lower()))
