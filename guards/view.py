"""What a detector reads of a part: escapes decoded, characters folded to what they look like, each traced back."""

from bisect import bisect_right
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal as OneOf

from . import look_alikes
from .jsontext import Literal, escapes, literals, unescape
from .messages import Part

Reading = OneOf["folded", "decoded", "source"]
"""What a detector wants to read, in its `reads`: `folded` by default; `decoded` is without escapes of JSON, and with
every character that is there; `source` is the part's text itself."""
_PLACE = itemgetter(0)


@dataclass(frozen=True, slots=True)
class View:
    """`text` is read; `jumps` are (place in `text`, place in `source`, length in `source`) of its runs, in order.

    A run of length 0 is read as it stands, both in step; any other stands for that much of `source`, as a whole.
    `escaped`: escape sequences are read as what they say; without `json` in a text that is no JSON and should be.
    """

    source: str
    text: str
    jumps: tuple[tuple[int, int, int], ...]
    json: tuple[Literal, ...] | None
    escaped: bool = False

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

    def read_as(self, reading: Reading) -> "View":
        """The same part, for a detector that reads it in another way."""
        if reading == "folded":
            return self
        decoded = escapes(self.source) if self.escaped and reading == "decoded" else []
        return _build(self.source, decoded, self.json, escaped=self.escaped)

    def _at(self, place: int, *, end: bool = False) -> int:
        """The source place of a character of `text`, or with `end` the place right after it."""
        here, there, length = self.jumps[bisect_right(self.jumps, place, key=_PLACE) - 1]
        if length:
            return there + length if end else there
        return there + place - here + end


def _end(literal: Literal) -> int:
    return literal.end


def view(part: Part) -> View:
    """A part as detectors read it.

    A part that says it is JSON and is not is read as plain text, its escape sequences decoded: an answer that was cut
    off is one. A part that does not say so and has escape sequences is looked at: results of tools are JSON as a rule.
    """
    text = part.text
    found = literals(text) if part.json or _may_be_json(text) else None
    escaped = part.json or found is not None
    decoded = _build(text, escapes(text) if escaped else [], found, escaped=escaped)
    if decoded.text.isascii():
        return decoded
    seen = _fold_lengths(decoded)
    return View(text, look_alikes.folded(seen.text), seen.jumps, found, escaped)


def _may_be_json(text: str) -> bool:
    return "\\" in text and text.lstrip()[:1] in {"{", "["} and text.rstrip()[-1:] in {"}", "]"}


def _fold_lengths(decoded: View) -> View:
    """What stands for another number of characters replaced, escapes within it included."""
    folds = [
        (decoded._at(start), decoded._at(end - 1, end=True), said)  # noqa: SLF001  its own kind
        for start, end, said in look_alikes.changes(decoded.text)
    ]
    if not folds:
        return decoded
    starts = [start for start, _, _ in folds]
    kept = []
    for change in escapes(decoded.source) if decoded.escaped else ():
        n = bisect_right(starts, change[0]) - 1
        if n < 0 or change[0] >= folds[n][1]:
            kept.append(change)
    return _build(decoded.source, sorted([*kept, *folds]), decoded.json, escaped=decoded.escaped)


def _build(
    source: str, changes: list[tuple[int, int, str]], found: tuple[Literal, ...] | None, *, escaped: bool
) -> View:
    if not changes:
        return View(source, source, ((0, 0, 0),), found, escaped)
    said: list[str] = []
    jumps = [(0, 0, 0)]
    length = at = 0
    for start, end, replacement in changes:
        said += (source[at:start], replacement)
        length += start - at
        if replacement:
            jumps.append((length, start, end - start))
            length += len(replacement)
        jumps.append((length, end, 0))
        at = end
    said.append(source[at:])
    return View(source, "".join(said), tuple(jumps), found, escaped)
