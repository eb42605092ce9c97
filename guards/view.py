"""What a detector reads of a part: escapes decoded, invisible characters left out, each character traced back."""

import re
from bisect import bisect_right
from dataclasses import dataclass

from .jsontext import Literal, escapes, literals, unescape
from .messages import Part

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
"""Soft hyphens, zero-width and direction marks: they split an address for a pattern and not for a reader."""


@dataclass(frozen=True, slots=True)
class View:
    """`text` is read; `jumps` are (place in `text`, place in `source`) from which both run in step."""

    source: str
    text: str
    jumps: tuple[tuple[int, int], ...]
    json: tuple[Literal, ...] | None

    def pieces(self, start: int, end: int) -> list[tuple[int, int]]:
        """`text[start:end]` in the source; in JSON cut to its literals, a number always whole."""
        first, last = self._at(start), self._at(end - 1, end=True) if end > start else self._at(start)
        if self.json is None:
            return [(first, last)] if last > first else []
        found = []
        for lit in self.json[bisect_right(self.json, first, key=_end) :]:
            if lit.start >= last:
                break
            if max(first, lit.start) < min(last, lit.end):
                found.append((lit.start, lit.end) if lit.number else (max(first, lit.start), min(last, lit.end)))
        return found

    def value(self, start: int, end: int) -> str:
        """What `source[start:end]` says: the original that a placeholder stands for."""
        raw = self.source[start:end]
        return unescape(raw) if self.json is not None else raw

    def is_number(self, start: int) -> bool:
        """Whether a JSON number begins at `start` of the source, so that its replacement needs quotes."""
        if self.json is None:
            return False
        lit = self.json[bisect_right(self.json, start, key=_end)]
        return lit.number and lit.start == start

    def _at(self, place: int, *, end: bool = False) -> int:
        """The source place of a character of `text`, or with `end` the place right after it."""
        n = bisect_right(self.jumps, (place, len(self.source))) - 1
        here, there = self.jumps[n]
        if not end:
            return there + place - here
        following = self.jumps[n + 1] if n + 1 < len(self.jumps) else None
        # the last character of a run may be an escape: it ends where the next run begins
        return (
            following[1] if following and following[0] == place + 1 and self._escaped(n) else there + place - here + 1
        )

    def _escaped(self, n: int) -> bool:
        return self.json is not None and self.source.startswith("\\", self.jumps[n][1])


def _end(literal: Literal) -> int:
    return literal.end


def view(part: Part) -> View:
    """A part as detectors read it. A part that says it is JSON and is not is read as plain text."""
    text = part.text
    found = literals(text) if part.json else None
    changes: list[tuple[int, int, str]] = [] if found is None else escapes(text)
    covered = {start for start, _, _ in changes}
    changes += [(m.start(), m.end(), "") for m in _INVISIBLE.finditer(text) if m.start() not in covered]
    changes = [(start, end, "" if _INVISIBLE.fullmatch(said) else said) for start, end, said in changes]
    return _build(text, sorted(changes), found)


def _build(source: str, changes: list[tuple[int, int, str]], found: tuple[Literal, ...] | None) -> View:
    said: list[str] = []
    jumps = [(0, 0)]
    length = at = 0
    for start, end, replacement in changes:
        said += (source[at:start], replacement)
        length += start - at
        if replacement:
            jumps.append((length, start))
            length += len(replacement)
        jumps.append((length, end))
        at = end
    said.append(source[at:])
    return View(source, "".join(said), tuple(jumps), found)
