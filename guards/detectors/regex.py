"""Patterns that a policy brings along: `kind: regex`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pydantic
from pydantic import BeforeValidator, Field, field_validator

from .bounded_regex import Clock, compile_bounded
from .detector import Hit
from .options import Label, Options, Score, TimeLimit, Words, thresholds


class Pattern(Options):
    """`context`: words of which one must stand near a match, or it is none. A group `value` is all that is found."""

    flags: Annotated[str, Field(pattern=r"^[imsx]*$")] = ""  # before the pattern, which is compiled with them
    pattern: Annotated[str, Field(min_length=1, max_length=10_000)]
    score: Score = 1.0
    context: Words = ()
    reach: Annotated[int, Field(ge=1, le=1000)] = 60

    @field_validator("pattern")
    @classmethod
    def _is_safe(cls, source: str, info: pydantic.ValidationInfo) -> str:
        compile_bounded(source, info.data.get("flags", ""))
        return source


def _patterns(value: Any) -> Any:
    given = value if isinstance(value, list) else [value]
    return [{"pattern": one} if isinstance(one, str) else one for one in given]


class RegexOptions(Options):
    """Labels with their patterns; `timeout_ms` is for all texts of one check together."""

    patterns: Annotated[
        dict[
            Label,
            Annotated[
                tuple[Pattern, ...],
                BeforeValidator(_patterns, json_schema_input_type=str | Pattern | list[str | Pattern]),
                Field(min_length=1),
            ],
        ],
        Field(min_length=1),
    ]
    timeout_ms: TimeLimit = 1000


@dataclass(frozen=True, slots=True)
class _Compiled:
    label: str
    regex: Any
    context: Any
    said: Pattern


class Regex:
    """Runs on a clock: what takes too long raises `TimeoutError`, which the rule's `on_timeout` answers."""

    name: ClassVar[str] = "regex"
    noun: ClassVar[str] = "labels"
    labels: ClassVar[Mapping[str, float]] = {}
    Options: ClassVar[type[RegexOptions]] = RegexOptions

    def __init__(self, options: RegexOptions) -> None:
        self._limit = options.timeout_ms
        self._patterns = [_compiled(label, one) for label, given in options.patterns.items() for one in given]
        self.engine = f"regex ({len(self._patterns)} patterns)"
        self.degraded = ""

    @classmethod
    def labels_for(cls, options: RegexOptions) -> Mapping[str, float]:
        """The labels that the patterns are given under."""
        return thresholds(options.patterns)

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        """In order of place. Raises `TimeoutError`."""
        clock = Clock(self._limit)
        asked = [one for one in self._patterns if one.label in labels]
        return [sorted((hit for one in asked for hit in _hits(one, text, clock)), key=_place) for text in texts]


def _compiled(label: str, said: Pattern) -> _Compiled:
    import regex

    made = compile_bounded(said.pattern, said.flags)
    words = "|".join(regex.escape(word) for word in said.context)
    context = regex.compile(rf"(?<!\w)(?:{words})(?!\w)", regex.IGNORECASE) if words else None
    return _Compiled(label, made, context, said)


def _hits(one: _Compiled, text: str, clock: Clock) -> Iterator[Hit]:
    group = "value" if "value" in one.regex.groupindex else 0
    for match in clock.matches(one.regex, text):
        start, end = match.span(group)
        if end <= start:
            continue
        if one.context is not None:
            around = text[max(0, start - one.said.reach) : start] + " " + text[end : end + one.said.reach]
            if not _stands_in(around, one.context, clock):
                continue
        yield Hit(one.label, start, end, one.said.score, "pattern of the policy")


def _stands_in(around: str, words: Any, clock: Clock) -> bool:
    return clock.within(lambda seconds: words.search(around, timeout=seconds)) is not None


def _place(hit: Hit) -> tuple[int, int, str]:
    return hit.start, -hit.end, hit.label
