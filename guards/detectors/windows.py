"""Long texts in overlapping pieces, so that the tail is looked at as closely as the head."""

from typing import NamedTuple


class Worst(NamedTuple):
    """The score of the window `text[start:end]` that scores highest."""

    score: float
    start: int
    end: int


def windows(text: str, size: int, overlap: int) -> list[tuple[int, int]]:
    """`(start, end)` pairs that cover `text`, each at most `size` characters, `overlap` or a little more shared.

    Borders lie behind a blank where there is one near; a text without blanks is cut where the size ends.
    `overlap` is at most a third of `size`.
    """
    found = []
    start = 0
    while len(text) - start > size:
        end = _border(text, start + size, start + size - overlap // 2)
        found.append((start, end))
        start = _border(text, end - overlap, end - 2 * overlap)
    return [*found, (start, len(text))]


def _border(text: str, latest: int, earliest: int) -> int:
    """The place behind the last blank in `text[earliest:latest]`, or `latest` where there is none."""
    for place in range(latest, earliest, -1):
        if text[place - 1].isspace():
            return place
    return latest
