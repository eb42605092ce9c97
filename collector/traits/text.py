"""What is looked at in a text: its words, its form, a vector of hashes. Nothing here remembers anything."""

import json
import re
from binascii import crc32
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

DIMENSIONS = 256
READ = 2000
"""Characters of a text that are read."""
MOST_WORDS = 400
_WORD = re.compile(r"[^\W\d_]{2,40}")
_MARK = re.compile(r"<[A-Z][A-Z0-9_]*_\d+>|\[[A-Z][A-Z0-9_]+\]|https?://\S+|\S+@\S+")
"""What guards put in, and addresses: no words of a language."""


def words(text: str) -> list[str]:
    """Lower case, in their order. Two letters at least: single ones say nothing."""
    return [word.lower() for word in _WORD.findall(_MARK.sub(" ", text[:READ]))[:MOST_WORDS]]


def hashes(found: Sequence[str]) -> list[int]:
    return [crc32(word.encode()) for word in found]


def vector(found: Sequence[str]) -> Vector:
    """Signed hashes of words and of their three-letter pieces, of length 1; zeros for no word."""
    pieces = [piece for word in found for piece in (word, *_pieces(word))]
    hashed = np.fromiter((crc32(piece.encode()) for piece in pieces), dtype=np.uint32, count=len(pieces))
    signs = np.where(hashed & 0x80000000, -1.0, 1.0)
    summed = np.bincount(hashed % DIMENSIONS, weights=signs, minlength=DIMENSIONS).astype(np.float32)
    length = float(np.linalg.norm(summed))
    return summed / length if length else summed


def _pieces(word: str) -> list[str]:
    padded = f"<{word}>"
    return [padded[i : i + 3] for i in range(len(padded) - 2)]


def form(text: str) -> str:
    """What kind of input it is, by its looks."""
    start = text.lstrip()[:READ]
    if not start:
        return "empty"
    if start[0] in "[{" and _is_json(text):
        return "json"
    if "```" in start or re.search(r"^\s*(def |class |import |SELECT |function |#include)", start, re.MULTILINE):
        return "code"
    if len(re.findall(r"^\s*(?:[-*•]|\d+[.)])\s", start, re.MULTILINE)) >= 3:
        return "list"
    if start.rstrip().endswith(("?", "\uff1f", "\u061f")):
        return "question"
    return "short" if len(start) < 40 else "prose"


def _is_json(text: str) -> bool:
    if len(text) >= READ:
        return re.match(r'\s*[\[{]\s*["{\[\d]', text) is not None
    try:
        json.loads(text)
    except (ValueError, RecursionError):  # of nesting that no answer needs, too
        return False
    return True
