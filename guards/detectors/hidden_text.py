"""Text that a model reads and a person does not see: signs that it is there, not proof of an attack. For flags."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

from ..look_alikes import FLAG, TAGS
from .detector import Hit

_SIGN_OF_ANY = re.compile("[^\x00-\x7f]|<!--|\\[//\\]:|\\[comment\\]:|(?i:style\\s{0,5}=)")
_TAG_RUN = re.compile(f"(?P<flag>{FLAG.pattern})|[\U000e0001{TAGS}\U000e007f]+")
_ZERO = "\u200b-\u200f\u2060-\u2064\ufeff\u180e\u115f\u1160\u3164\uffa0"
_SPLIT_WORD = re.compile(f"(?<=[A-Za-z0-9@])[{_ZERO}]+(?=[A-Za-z0-9@]|\\.[A-Za-z0-9])")
_ZERO_RUN = re.compile(f"[{_ZERO}]{{4,}}")
_SOFT_RUN = re.compile("(?:[A-Za-z0-9]\u00ad+){4,}")
_SELECTOR_RUN = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}|(?<=[\x21-\x7e])[\U000e0100-\U000e01ef]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\n]")
_OVERRIDES = "\u202d\u202e"
_CLOSES = {"\u202c": "\u202a\u202b\u202d\u202e", "\u2069": "\u2066\u2067\u2068"}
_COMMENT = re.compile(
    r"<!--([\s\S]{1,4000}?)-->|^ {0,3}\[(?://|comment)\]: ?(?:#|<>) ?[(\"']([^\n]{1,1000})[)\"'] *$", re.MULTILINE
)
_UNSEEN_ELEMENT = re.compile(
    r"(?i)<(?:span|div|p|font|td|section)\b[^<>]{0,300}?style\s{0,5}=\s{0,5}[\"'][^\"'<>]{0,200}?"
    r"(?:display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0(?:px|pt|em)?\s{0,3}[;\"']"
    r"|opacity\s{0,3}:\s{0,3}0\s{0,3}[;\"']|(?<!-)color\s{0,3}:\s{0,3}(?:white|#fff(?:fff)?|transparent)\b)"
    r"[^<>]{0,300}>([^<]{12,2000})"
)
_TO_A_MODEL = re.compile(
    r"(?i)\b(?:ignore|disregard|instructions?|system prompt|assistant|you (?:must|should|are)|do not (?:tell|mention)"
    r"|AI|LLM|language model|send|forward|anweisung(?:en)?|instrucciones|consignes|istruzioni|инструкци\w+)\b|指示|指令"
)


class HiddenText:
    """Each place is a finding of the kind of hiding; `comment` scores 0.3, and 0.8 where it speaks to a model.

    Left alone: emoji with joiners and selectors, flags of regions, Persian and Indian joiners, marks of right-to-left
    text that are closed again, soft hyphens between syllables, a byte order mark, breaks in Thai or Japanese.
    """

    name: ClassVar[str] = "hidden_text"
    noun: ClassVar[str] = "labels"
    labels: ClassVar[Mapping[str, float]] = dict.fromkeys(
        ("bidi_control", "comment", "tag_characters", "unseen_element", "variation_selectors", "zero_width"), 0.5
    )
    reads: ClassVar[str] = "decoded"

    def __init__(self) -> None:
        self.engine = "own patterns"
        self.degraded = ""

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        """In order of place."""
        return [self._hits(text, labels) for text in texts]

    def _hits(self, text: str, labels: frozenset[str]) -> list[Hit]:
        if not _SIGN_OF_ANY.search(text):
            return []
        plain = text.isascii()
        found = [
            Hit(label, start, end, score, why)
            for label, (in_ascii, find) in _FINDERS.items()
            if label in labels and (in_ascii or not plain)
            for start, end, score, why in find(text)
        ]
        return sorted(found, key=lambda hit: (hit.start, hit.end, hit.label))


Seen = tuple[int, int, float, str]


def hidden_message(tags: str) -> str:
    """What tag characters say, in ASCII."""
    return "".join(chr(ord(char) - 0xE0000) for char in tags if 0xE0020 <= ord(char) <= 0xE007E)


def _tags(text: str) -> Iterator[Seen]:
    for found in _TAG_RUN.finditer(text):
        if found.group("flag") is None:
            yield *found.span(), 1.0, f"tag characters, {len(hidden_message(found.group()))} letters of hidden text"


def _zero_width(text: str) -> Iterator[Seen]:
    for found in _SPLIT_WORD.finditer(text):
        yield *found.span(), 0.8, f"{len(found.group())} invisible characters within a word"
    for found in _ZERO_RUN.finditer(text):
        yield *found.span(), 0.9, f"{len(found.group())} invisible characters in a row"
    for found in _SOFT_RUN.finditer(text):
        yield *found.span(), 0.7, "a soft hyphen after every letter"


def _selectors(text: str) -> Iterator[Seen]:
    for found in _SELECTOR_RUN.finditer(text):
        yield *found.span(), 0.9, f"{len(found.group())} variation selectors, each of which can carry a byte"


def _bidi(text: str) -> Iterator[Seen]:
    """Overrides turn letters around wherever they are. What is opened has to be closed on its line."""
    opened: list[int] = []
    for found in _BIDI.finditer(f"{text}\n"):
        char, at = found.group(), found.start()
        if char == "\n":
            yield from ((place, place + 1, 0.8, "text direction changed and not changed back") for place in opened)
            opened.clear()
        elif char in _OVERRIDES:
            yield at, at + 1, 1.0, "letters shown in reverse"
            opened.append(at)
        elif char in _CLOSES:
            if opened and text[opened[-1]] in _CLOSES[char]:
                opened.pop()
        else:
            opened.append(at)


def _comments(text: str) -> Iterator[Seen]:
    for found in _COMMENT.finditer(text):
        inside = found.group(1) or found.group(2) or ""
        to_a_model = _TO_A_MODEL.search(inside) is not None
        yield *found.span(), 0.8 if to_a_model else 0.3, "a comment" + (" that speaks to a model" if to_a_model else "")


def _elements(text: str) -> Iterator[Seen]:
    for found in _UNSEEN_ELEMENT.finditer(text):
        if sum(unicodedata.category(char).startswith("L") for char in found.group(1)) >= 8:
            yield *found.span(1), 0.8, "text in an element that is not shown"


_FINDERS: dict[str, tuple[bool, Callable[[str], Iterator[Seen]]]] = {
    "tag_characters": (False, _tags),
    "zero_width": (False, _zero_width),
    "variation_selectors": (False, _selectors),
    "bidi_control": (False, _bidi),
    "comment": (True, _comments),
    "unseen_element": (True, _elements),
}
"""Label -> whether it can stand in an ASCII text, and what finds it."""
