"""Texts that are too long or too short: `kind: length`."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from .detector import Hit
from .options import Options, thresholds

Bound = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Range(Options):
    """Both bounds are allowed lengths themselves."""

    min: Bound | None = None
    max: Bound | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("give `min`, `max` or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("`min` is more than `max`")
        return self


class LengthOptions(Options):
    """What is counted of a part. Tokens are estimated from letters and differ by model; keep some distance."""

    characters: Range | None = None
    words: Range | None = None
    lines: Range | None = None
    tokens: Range | None = None

    @model_validator(mode="after")
    def _counts_something(self) -> Self:
        if not any((self.characters, self.words, self.lines, self.tokens)):
            raise ValueError("nothing to count; give `characters`, `words`, `lines` or `tokens` with `min` or `max`")
        return self


class Length:
    """Counts the text as it was sent, invisible characters included. An empty part has no text and is never judged."""

    name: ClassVar[str] = "length"
    noun: ClassVar[str] = "labels"
    labels: ClassVar[Mapping[str, float]] = thresholds(["too_long", "too_short"])
    reads: ClassVar[str] = "source"
    whole_text: ClassVar[bool] = True
    Options: ClassVar[type[LengthOptions]] = LengthOptions

    def __init__(self, options: LengthOptions) -> None:
        given = [(unit, getattr(options, unit)) for unit in _COUNTS]
        self._ranges: list[tuple[str, Range]] = [(unit, wanted) for unit, wanted in given if wanted is not None]
        self.engine = f"length ({', '.join(unit for unit, _ in self._ranges)})"
        self.degraded = ""

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        """On each text at most one finding for each label: its explanation says the first bound that it breaks."""
        return [self._hits(text, labels) for text in texts]

    def _hits(self, text: str, labels: frozenset[str]) -> list[Hit]:
        broken: dict[str, str] = {}
        for label, why in self._broken(text):
            broken.setdefault(label, why)
        return [Hit(label, 0, len(text), 1.0, why) for label, why in sorted(broken.items()) if label in labels]

    def _broken(self, text: str) -> Iterator[tuple[str, str]]:
        for unit, wanted in self._ranges:
            count = _COUNTS[unit](text)
            if wanted.max is not None and count > wanted.max:
                yield "too_long", f"{count} {unit}, at most {wanted.max}"
            if wanted.min is not None and count < wanted.min:
                yield "too_short", f"{count} {unit}, at least {wanted.min}"


_WORD = re.compile(r"\w+")


def _words(text: str) -> int:
    return sum(1 for _ in _WORD.finditer(text))


def _lines(text: str) -> int:
    return len(text.splitlines())


def _tokens(text: str) -> int:
    """By bytes: about four of English, code or accented Latin to a token, three where most letters take two or more."""
    size = len(text.encode("utf-8", "surrogatepass"))
    return -(-size // (4 if size < 1.3 * len(text) else 3))


_COUNTS: dict[str, Callable[[str], int]] = {"characters": len, "words": _words, "lines": _lines, "tokens": _tokens}
