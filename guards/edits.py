"""How findings change texts: overlapping ones become one edit, everything between two edits stays as it is."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from .judgement import Edit, Finding, Stage
from .messages import Message
from .scan import Target

_RUN = re.compile(r"[^\W_]+")
"""Letters and digits in a row."""
How = Literal["redact", "pseudonymise"]
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding with what its rule wants done about it, and in which stages."""

    finding: Finding
    how: How
    restore: bool = False
    stages: tuple[Stage, ...] = ()


Replacement = Callable[[Mark, str], str]
"""(the mark that counts, the original) -> what stands there instead."""


def spread(marks: Sequence[Mark], targets: Sequence[Target]) -> list[Mark]:
    """`marks`, and the same values wherever else they stand in the stages of their rule.

    A number that is personal data only beside the right word is found once and said twice. Values of 6 to 200
    characters count, as whole words; what is certain by itself (score 1) was found everywhere by the detector.
    """
    views = {(target.message, target.part): target.view for target in targets}
    marked = {
        views[_place(mark)].value(mark.finding.start, mark.finding.end): mark
        for mark in reversed(marks)
        if mark.finding.score < 1
    }
    values = Values(value for value in marked if 6 <= len(value) <= 200)
    again = [
        replace(mark, finding=replace(mark.finding, start=start, end=end, message=target.message, part=target.part))
        for target in targets
        for at, value in values.standing_in(target.view.text)
        if target.stage in (mark := marked[value]).stages
        for start, end in target.view.pieces(at, at + len(value))
    ]
    return [*marks, *again]


class Values:
    """Strings to be found as whole words, all in one pass: a text of a hundred thousand numbers is read once."""

    def __init__(self, values: Iterable[str]) -> None:
        self._by_runs: dict[tuple[str, ...], list[tuple[int, str]]] = {}
        self._sizes: dict[str, set[int]] = {}
        for value in values:
            found = list(_RUN.finditer(value))
            if found:
                runs = tuple(run.group() for run in found)
                self._by_runs.setdefault(runs, []).append((found[0].start(), value))
                self._sizes.setdefault(runs[0], set()).add(len(runs))

    def standing_in(self, text: str) -> Iterator[tuple[int, str]]:
        """Where a value stands in `text` with no letter or digit beside it."""
        runs = [(run.group(), run.start()) for run in _RUN.finditer(text)] if self._sizes else []
        ends: dict[str, int] = {}
        for n, (run, at) in enumerate(runs):
            for size in self._sizes.get(run, ()):
                alike = self._by_runs.get(tuple(word for word, _ in runs[n : n + size]), ())
                for start, value in ((at - offset, value) for offset, value in alike):
                    if start >= ends.get(value, 0) and _is_whole(value, text, start):
                        ends[value] = start + len(value)
                        yield start, value


def _is_whole(value: str, text: str, start: int) -> bool:
    after = text[start + len(value) : start + len(value) + 1]
    return text.startswith(value, start) and not (start and text[start - 1].isalnum()) and not after.isalnum()


def merge(marks: Iterable[Mark]) -> list[Mark]:
    """One mark for each run of overlapping ones, over all of it, in order of place.

    A mask beats a pseudonym, then the longer finding beats the shorter, then the surer one.
    """
    merged: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: (_place(mark), mark.finding.start)):
        last = merged[-1].finding if merged else None
        if last is None or _place(merged[-1]) != _place(mark) or mark.finding.start >= last.end:
            merged.append(mark)
            continue
        winner = max(merged[-1], mark, key=_weight)
        span = replace(winner.finding, start=last.start, end=max(last.end, mark.finding.end))
        merged[-1] = replace(winner, finding=span)
    return merged


def _weight(mark: Mark) -> tuple[bool, int, float]:
    return mark.how == "redact", mark.finding.end - mark.finding.start, mark.finding.score


def _place(mark: Mark) -> Place:
    return mark.finding.message, mark.finding.part


def plan(marks: Iterable[Mark], targets: Sequence[Target], replacement: Replacement) -> list[Edit]:
    """The edits for `marks`, asked of `replacement` in reading order; a JSON number is replaced by a JSON string."""
    views = {(target.message, target.part): target.view for target in targets}
    edits = []
    for mark in merge(marks):
        seen, found = views[_place(mark)], mark.finding
        text = replacement(mark, seen.value(found.start, found.end))
        quoted = f'"{text}"' if seen.is_number(found.start) else text
        edits.append(Edit(found.message, found.part, found.start, found.end, quoted))
    return edits


def apply(messages: tuple[Message, ...], edits: Sequence[Edit]) -> tuple[Message, ...]:
    """`messages` with `edits` (in order, not overlapping) done; what has none is the same object as before."""
    if not edits:
        return messages
    by_place = {place: list(group) for place, group in groupby(edits, key=lambda edit: (edit.message, edit.part))}
    touched = {m for m, _ in by_place}
    return tuple(
        replace(
            message,
            parts=tuple(
                replace(part, text=edited(part.text, by_place[m, p])) if (m, p) in by_place else part
                for p, part in enumerate(message.parts)
            ),
        )
        if m in touched
        else message
        for m, message in enumerate(messages)
    )


def edited(text: str, edits: Iterable[Edit]) -> str:
    """`text` with `edits` done."""
    pieces: list[str] = []
    at = 0
    for edit in edits:
        pieces += (text[at : edit.start], edit.replacement)
        at = edit.end
    return "".join((*pieces, text[at:]))
