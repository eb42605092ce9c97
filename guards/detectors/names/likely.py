"""What looks like a name and is none: identifiers, paths, single letters. What stands in code must be very sure."""

import re
from collections.abc import Iterator

SURE = 0.9
"""From here on a name is believed where it stands, and whenever it comes again."""

_PLACE_OR_PERSON = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})
_SHORTEST = {"ADDRESS": 3}
"""Characters; of all others two."""
_FENCE = re.compile(r"^[ \t]*(```|~~~)", re.MULTILINE)
_edge_before, _edge_after = "/\\@#$<=_.&", "/\\@([=_{"
_identifier = re.compile(r"_|\d[^\W\d]|[^\W\d]\d|^[a-z]+[A-Z]|[a-z][A-Z].*[a-z][A-Z]")


def believed(label: str, text: str, start: int, end: int, score: float, *, in_code: bool) -> bool:
    """Whether `text[start:end]` may be reported as `label`."""
    found = text[start:end]
    if end - start < _SHORTEST.get(label, 2):
        return False
    if label in _PLACE_OR_PERSON and (not any(map(str.isalpha, found)) or _identifier.search(found)):
        return False
    if label == "PERSON" and any(map(str.isdigit, found)):
        return False
    return score >= SURE or not (in_code or _at_an_edge(text, start, end))


def fences(text: str) -> Iterator[tuple[int, int]]:
    """Where fenced code stands, fences included; one that is not closed goes to the end."""
    marks = [found.start() for found in _FENCE.finditer(text)] if "```" in text or "~~~" in text else []
    yield from zip(marks[::2], [*marks[1::2], len(text)], strict=False)


def _at_an_edge(text: str, start: int, end: int) -> bool:
    """Glued to a sign that code, addresses of the web and accounts are made of."""
    after = text[end : end + 2]
    return (
        (start > 0 and text[start - 1] in _edge_before)
        or after[:1] in (*_edge_after,)
        or (after[:1] in (".", ":") and after[1:].isalnum())
    )
