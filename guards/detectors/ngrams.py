"""Text to hashed n-grams: the same code in training and in serving, with a hash that is ours and never changes.

Letters 3 to 5 inside words (with the blank beside them) and words 1 to 2, each block of unit length. In a text that
names an identity each other word counts once more, as a word said near one. Every n-gram's hash is a difference of
two prefix sums, so numpy hashes many texts at once.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .identity_terms import MASK, mask

LETTER_BITS = 18
WORD_BITS = 17
WIDTH = (1 << LETTER_BITS) + (1 << WORD_BITS)
LONGEST = 4000
"""Characters of cleaned text that are looked at; longer texts come in windows."""

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
_Hashes = npt.NDArray[np.uint64]

_BATCH = 1 << 15  # characters that are hashed together
_BASE = 0x9E3779B97F4A7C15  # odd, so it has an inverse modulo 2**64
_NEAR = 0xD6E8FEB86659FD93
_entity = re.compile(r"&#?\w{1,8};")
_address = re.compile(r"(?:https?://|www\.)\S+")
_account = re.compile(r"(?<!\w)@\w+")
_invisible = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_token = re.compile(r"\w+|[^\w\s]")


class Features(NamedTuple):
    """Sparse rows of `WIDTH` numbers, a row for each text: `values[i]` stands in column `indices[i]` of row `rows[i]`.

    Rows ascend, and so do the columns of a row; no place comes twice. A text without a visible character has none.
    """

    rows: Integers
    indices: Integers
    values: Floats


def clean(text: str) -> str:
    """Lower-cased compatibility form without invisible characters; addresses, accounts and identities as one word."""
    text = _invisible.sub("", unicodedata.normalize("NFKC", text))
    text = _account.sub(" user ", _address.sub(" url ", _entity.sub(" ", text)))
    return " ".join(mask(text.lower()).split())[:LONGEST]


def features(texts: Sequence[str]) -> Features:
    """The vectors of `texts`; a text's vector does not depend on its neighbours."""
    cleaned = [f" {clean(text)} " for text in texts]
    found = [_features(cleaned[start:end], start) for start, end in _batches(cleaned)]
    return Features(*(np.concatenate(column) for column in zip(_NOTHING, *found, strict=True)))


def _batches(cleaned: Sequence[str]) -> Iterator[tuple[int, int]]:
    start = size = 0
    for place, text in enumerate(cleaned):
        size += len(text)
        if size > _BATCH:
            yield start, place
            start, size = place, len(text)
    yield start, len(cleaned)


def _features(cleaned: Sequence[str], first_row: int) -> Features:
    text = "".join(cleaned)
    letters = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    prefix = np.concatenate((np.zeros(1, np.uint64), np.cumsum(letters * _POWERS[: len(letters)], dtype=np.uint64)))
    row_at = np.repeat(np.arange(len(cleaned)) + first_row, [len(part) for part in cleaned])
    of_letters = _block(*_letter_hashes(letters, prefix, row_at), LETTER_BITS, 0)
    of_words = _block(*_word_hashes(text, prefix, row_at), WORD_BITS, 1 << LETTER_BITS)
    order = np.argsort(np.concatenate((of_letters.rows, of_words.rows)), kind="stable")
    indices = np.concatenate((of_letters.indices, of_words.indices))[order]
    values = np.concatenate((of_letters.values, of_words.values))[order]
    return Features(np.sort(np.concatenate((of_letters.rows, of_words.rows))), indices, values)


def _letter_hashes(letters: _Hashes, prefix: _Hashes, row_at: Integers) -> tuple[_Hashes, Integers]:
    """Letters of one word with the blank beside it: no blank is inside, so none reaches into the next text either."""
    blanks = np.concatenate((np.zeros(1, np.int64), np.cumsum(letters == ord(" "))))
    hashes, starts = [], []
    for n in (3, 4, 5):
        anywhere = np.arange(max(len(letters) - n + 1, 0))
        inside = anywhere[blanks[anywhere + n - 1] == blanks[anywhere + 1]]
        hashes.append(_hashes(prefix, inside, inside + n) + np.uint64(n))
        starts.append(inside)
    return np.concatenate(hashes), row_at[np.concatenate(starts)]


def _word_hashes(text: str, prefix: _Hashes, row_at: Integers) -> tuple[_Hashes, Integers]:
    spans = np.array([found.span() for found in _token.finditer(text)], np.int64).reshape(-1, 2)
    words, rows = _mixed(_hashes(prefix, spans[:, 0], spans[:, 1])), row_at[spans[:, 0]]
    neighbours = np.flatnonzero(rows[:-1] == rows[1:])
    pairs = words[neighbours] * np.uint64(_BASE) + words[neighbours + 1]
    identities = words == _IDENTITY
    if not identities.any():
        return np.concatenate((words, pairs)), np.concatenate((rows, rows[neighbours]))
    near = np.isin(rows, rows[identities]) & ~identities
    said_near = words[near] * np.uint64(_NEAR) + np.uint64(7)
    return np.concatenate((words, pairs, said_near)), np.concatenate((rows, rows[neighbours], rows[near]))


def _hashes(prefix: _Hashes, starts: Integers, ends: Integers) -> _Hashes:
    return (prefix[ends] - prefix[starts]) * _INVERSES[starts]


def _block(hashes: _Hashes, rows: Integers, bits: int, offset: int) -> Features:
    """Counts by row and bucket, each row of unit length."""
    buckets = (_mixed(hashes) >> np.uint64(64 - bits)).astype(np.int64)
    places, counts = np.unique((rows << bits) | buckets, return_counts=True)
    rows = places >> bits
    squares = np.bincount(rows, weights=counts * counts)
    values = (counts / np.sqrt(squares[rows])).astype(np.float32)
    return Features(rows, (places & ((1 << bits) - 1)) + offset, values)


def _mixed(hashes: _Hashes) -> _Hashes:
    hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return hashes ^ (hashes >> np.uint64(33))


def _powers(base: int) -> _Hashes:
    powers = np.full(_BATCH + LONGEST + 2, base, np.uint64)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint64)


_POWERS = _powers(_BASE)
_INVERSES = _powers(pow(_BASE, -1, 1 << 64))
_IDENTITY = _mixed(np.array([ord(MASK)], np.uint64))[0]
_NOTHING = Features(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
