"""Regular expressions that other people write: those that can run for ever are refused, and the rest run on a clock.

Two lines of defence. `compile_bounded` tries a pattern on texts that are made from its own repetitions, with something
at their end that cannot match: what takes longer than `TRIAL_SECONDS` for a few dozen repetitions takes years for a
few hundred. What gets by is stopped by the time limit of every search, which raises `TimeoutError`; the interpreter's
lock is let go meanwhile, so a slow pattern holds up its own thread only.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from itertools import islice
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

TRIAL_SECONDS = 0.4
"""A harmless pattern takes microseconds for a trial; the rest is for a busy machine."""
MOST_TRIALS = 400
FLAGS = {"i": "IGNORECASE", "m": "MULTILINE", "s": "DOTALL", "x": "VERBOSE"}
_REPEATS = (40, 1_000)
"""The first shows what grows exponentially, the second what grows with the third power."""
_USUAL = ("a", "A", "0", " ", "-", ".", "a ", "a.", "\n", "é")
_NEVER = "\x00!"
"""Ends a trial. A second one has the pattern behind it: nothing is tried where a letter that it needs is missing."""
_CATEGORIES = {
    "CATEGORY_DIGIT": "0", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a",
    "CATEGORY_NOT_DIGIT": "a", "CATEGORY_NOT_SPACE": "a", "CATEGORY_NOT_WORD": " ",
}  # fmt: skip


class UnsafePattern(ValueError):  # noqa: N818  a property of the pattern
    """A pattern that no policy may use; the text says why, and quotes the pattern only by its label."""


@lru_cache(1024)  # a policy is read, linted and brought up: tried once
def compile_bounded(source: str, flags: str = "", *, empty: bool = False) -> Any:
    """A pattern of the `regex` package. Raises `UnsafePattern`: no pattern, runs wild, or matches the empty text.

    `empty` allows the last, for a pattern that only says yes or no.
    """
    import regex

    try:
        pattern = regex.compile(source, sum(getattr(regex, FLAGS[flag]) for flag in set(flags)))
    except (regex.error, RecursionError, OverflowError) as error:
        raise UnsafePattern(f"not a regular expression: {error}") from None
    try:
        if not empty and pattern.search("", timeout=TRIAL_SECONDS):
            raise UnsafePattern("it matches the empty text, so it would be found everywhere")
        for text in islice(_trials(source), MOST_TRIALS):
            pattern.search(text, timeout=TRIAL_SECONDS, concurrent=True)
    except TimeoutError:
        why = "its time grows out of all bounds on repeated text; a repetition within a repetition is the usual reason"
        raise UnsafePattern(why) from None
    return pattern


class Clock:
    """What is left of a time limit that several searches share."""

    def __init__(self, limit_ms: float) -> None:
        self._until = monotonic() + limit_ms / 1000

    def matches(self, pattern: Any, text: str) -> list[Any]:
        """The matches of a `regex` pattern. Raises `TimeoutError` when the time is over."""
        return self.within(lambda seconds: list(pattern.finditer(text, timeout=seconds, concurrent=True)))

    def within(self, search: Callable[[float], T]) -> T:
        """What a search gives that `regex` stops after so many seconds. Raises `TimeoutError` when the time is over.

        These are seconds of CPU of the whole process, which pass as many times as fast as others work in it: a search
        that was stopped too soon is begun again with twice of what is left.
        """
        more = 1
        while True:
            left = self.left()
            try:
                return search(more * left)
            except TimeoutError:
                more *= 2

    def left(self) -> float:
        """Seconds. Raises `TimeoutError` if there are none."""
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError("the patterns took longer than their limit")
        return left


def _trials(source: str) -> Iterator[str]:
    """Short texts first. Repeated is what the pattern itself repeats, then characters that patterns often repeat."""
    repeated = list(dict.fromkeys(_repetitions(source)))
    usual = [("", char) for char in dict.fromkeys((*_USUAL, *(c for c in source if c.isprintable())))]
    for times in _REPEATS:
        for before, unit in (*repeated, *usual):
            yield before + unit * times + _NEVER
            yield before + unit * times + "\n" + _NEVER + source


def _repetitions(source: str) -> Iterable[tuple[str, str]]:
    """(what leads up to it, what it repeats) of every repetition without an end, as short texts that match them."""
    try:
        # The standard library's parser is private, and nothing else reads patterns. Without it the usual trials remain.
        parsed = import_module("re._parser").parse(source)
    except (ImportError, re.error, RecursionError, OverflowError):
        return []
    found: list[tuple[str, str]] = []
    try:
        _walk(parsed, "", found)
    except RecursionError:
        return []
    return found


def _walk(nodes: Any, before: str, found: list[tuple[str, str]]) -> str:
    """The shortest text for `nodes` after `before`; notes repetitions on the way."""
    said = ""
    for op, value in nodes:
        said += _NODES.get(str(op), _nothing)(value, before + said, found)
    return said


def _nothing(_value: Any, _before: str, _found: list[tuple[str, str]]) -> str:
    return ""


def _repeat(value: Any, before: str, found: list[tuple[str, str]]) -> str:
    least, most, inner = value
    unit: str = _walk(inner, before, found)
    if most > 10 and unit:
        found += [(before, unit), (before, unit + " "), (before, unit + unit[:1])]
        found += [(before, other) for other in _branches(inner, before)]
    return unit * min(max(int(least), 1), 50)


def _branches(nodes: Any, before: str) -> Iterator[str]:
    for op, value in nodes:
        if str(op) == "BRANCH":
            yield from (text for text in (_walk(way, before, []) for way in value[1]) if text)
        elif str(op) in {"SUBPATTERN", "ATOMIC_GROUP"}:
            yield from _branches(value[-1] if str(op) == "SUBPATTERN" else value, before)


def _branch(value: Any, before: str, found: list[tuple[str, str]]) -> str:
    ways = [_walk(way, before, found) for way in value[1]]
    return ways[0] if ways else ""


def _in(value: Any, _before: str, _found: list[tuple[str, str]]) -> str:
    if value and str(value[0][0]) == "NEGATE":
        return next((c for c in "a0 -_\n" if not any(_has(item, c) for item in value[1:])), "é")
    op, said = value[0]
    if str(op) == "RANGE":
        return str(chr(said[0]))
    return _CATEGORIES.get(str(said), "a") if str(op) == "CATEGORY" else str(chr(said))


def _has(item: Any, char: str) -> bool:
    op, said = item
    if str(op) == "RANGE":
        return bool(said[0] <= ord(char) <= said[1])
    if str(op) == "LITERAL":
        return bool(said == ord(char))
    kind = {"CATEGORY_DIGIT": char.isdigit(), "CATEGORY_SPACE": char.isspace(), "CATEGORY_WORD": char.isalnum()}
    return kind.get(str(said), False)


_NODES: dict[str, Callable[[Any, str, list[tuple[str, str]]], str]] = {
    "LITERAL": lambda value, _before, _found: chr(value),
    "NOT_LITERAL": lambda value, _before, _found: "a" if value != ord("a") else "b",
    "ANY": lambda _value, _before, _found: "a",
    "IN": _in,
    "CATEGORY": lambda value, _before, _found: _CATEGORIES.get(str(value), "a"),
    "BRANCH": _branch,
    "SUBPATTERN": lambda value, before, found: _walk(value[-1], before, found),
    "ATOMIC_GROUP": _walk,
    "MAX_REPEAT": _repeat,
    "MIN_REPEAT": _repeat,
    "POSSESSIVE_REPEAT": _repeat,
}
