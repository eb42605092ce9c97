"""A word as rows of a hashed table: the word itself, what lists say of it, its shape, its length and its letters."""

import re
from itertools import groupby
from zlib import crc32

ROWS = 1 << 16
NO_ROW = 0
"""Stands for a feature that is not there; no feature hashes to it."""
WORD_FEATURE, LIST_FEATURE = 0, 1
"""Their places in `rows_of`: training leaves them out now and then."""
MOST_GRAMS = 16
WIDTH = 7 + MOST_GRAMS
"""No word has more features than this."""

_digit = re.compile(r"\d")


def normal(word: str) -> str:
    """Small letters, every digit a zero: what the rows and the lists know a word by."""
    return _digit.sub("0", word.lower())


def key(word: str) -> int:
    """A word's key in the lists: crc32, of the normal form."""
    return crc32(word.encode("utf-8", "surrogatepass"))


def shape(word: str) -> str:
    """`Xxx` of `Maria`, `Xxx00` of `Route66`, `XxXxx` of `McKay`: of a run of one kind two are told at most."""
    kinds = "".join("0" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in word[:24])
    return "".join(kind * min(2, len(list(run))) for kind, run in groupby(kinds))


def rows_of(word: str, flags: int, *, known: bool) -> list[int]:
    """Rows of the table, at most `WIDTH`. `flags` is what the lists say; a word that is not `known` is one of many."""
    form = normal(word)
    names = [f"w={form}" if known else "w?", f"g={flags}", f"s={shape(word)}", f"l={min(len(word), 12)}"]
    names += [f"p={form[:4]}", f"e={form[-4:]}", f"f={form[-5:]}"]
    padded = f"<{form[: MOST_GRAMS - 1]}>" if len(form) > MOST_GRAMS else f"<{form}>"
    names += ["3=" + padded[at : at + 3] for at in range(min(len(padded) - 2, MOST_GRAMS))]
    return [_row(name) for name in names]


def _row(name: str) -> int:
    return crc32(name.encode("utf-8", "surrogatepass")) % (ROWS - 1) + 1
