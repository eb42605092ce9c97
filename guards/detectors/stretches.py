"""Long texts in overlapping stretches: no text is too long, and the time taken grows with its length and no faster."""

from collections.abc import Iterator
from dataclasses import dataclass

SIZE = 2000
OVERLAP = 400


@dataclass(frozen=True, slots=True)
class Stretch:
    """`text[start:end]`; what begins in `[owned_from, owned_to)` is this stretch's to report."""

    start: int
    end: int
    owned_from: int
    owned_to: int

    def owns(self, at: int) -> bool:
        """Whether a hit that begins at `at` is reported by this stretch and by no other."""
        return self.owned_from <= at < self.owned_to


def stretches(text: str, size: int = SIZE, overlap: int = OVERLAP) -> Iterator[Stretch]:
    """Borders lie at white space where there is some, so that no word is cut; two neighbours share `overlap`."""
    start = owned_from = 0
    while True:
        end = _border(text, start + size, overlap // 4)
        if end >= len(text):
            yield Stretch(start, len(text), owned_from, len(text) + 1)
            return
        following = _border(text, end - overlap, overlap // 4)
        owned_to = (following + end) // 2
        yield Stretch(start, end, owned_from, owned_to)
        start, owned_from = following, owned_to


def _border(text: str, at: int, reach: int) -> int:
    """The last white space in the `reach` characters before `at`, or `at`."""
    if at >= len(text):
        return len(text)
    for back in range(at, at - reach, -1):
        if text[back].isspace():
            return back
    return at
