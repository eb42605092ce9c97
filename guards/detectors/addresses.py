"""Addresses are found in pieces; here the pieces become one, and take the numbers beside them along.

A house number before a street and a postal code after a place say little alone and much together, and no model of
ours reads numbers well. Only neighbours count: a separator between two pieces, or a number right beside one.
"""

import re
from collections.abc import Iterator, Sequence

from .detector import Hit

_BETWEEN = re.compile(r"[ ,]{1,2}|,?\n ?|[ ,]{0,2}\n?, [A-Z]{2}[\n ]")
_NUMBER_BEFORE = re.compile(r"(?<![\w.,:/#$€£-])\d{1,5}[A-Za-z]?[ \n]$")
_CODE_AFTER = re.compile(r"[ ,]{1,2}\d{5}(?:-\d{4})?(?![\w%]|[.,:/-]\d)|[ ,]{0,2}\n[> ]{0,4}\d{4,6}(?=\n|$)")
_WHY = "address in one piece"
PLACE = 0.4
"""From here on a place beside a street is the end of its address: alone it would need more."""


def joined(hits: Sequence[Hit], text: str, thresholds: dict[str, float]) -> list[Hit]:
    """`hits`, with one ADDRESS for each group of pieces and the numbers beside them. Places stay what they are."""
    least = {"ADDRESS": thresholds["ADDRESS"], "LOCATION": PLACE}
    parts = sorted((h for h in hits if h.score >= least.get(h.label, 2.0)), key=lambda h: (h.start, h.end))
    found = [whole for group in _groups(parts, text) if (whole := _whole(group, text))]
    inside = {id(part) for part in parts if part.label == "ADDRESS" and any(_in(part, whole) for whole in found)}
    return [*(hit for hit in hits if id(hit) not in inside), *found]


def _in(part: Hit, whole: Hit) -> bool:
    return whole.start <= part.start and part.end <= whole.end


def _groups(parts: Sequence[Hit], text: str) -> Iterator[list[Hit]]:
    group: list[Hit] = []
    reach = 0
    for part in parts:
        if group and part.start > reach and not _BETWEEN.fullmatch(text, reach, part.start):
            yield group
            group = []
        group.append(part)
        reach = max(reach, part.end) if len(group) > 1 else part.end
    if group:
        yield group


def _whole(group: Sequence[Hit], text: str) -> Hit | None:
    """One address of these pieces, or nothing where it would say no more than they do."""
    start, end = group[0].start, max(part.end for part in group)
    is_address = any(part.label == "ADDRESS" for part in group)
    after = _CODE_AFTER.match(text, end)
    if not (is_address or after):
        return None
    before = _NUMBER_BEFORE.search(text, max(0, start - 8), start) if is_address else None
    left, right = before.start() if before else start, after.end() if after else end
    if (left, right) in {(part.start, part.end) for part in group}:
        return None
    return Hit("ADDRESS", left, right, max(part.score for part in group), _WHY)
