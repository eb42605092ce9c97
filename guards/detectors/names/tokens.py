"""A text as words: runs of letters and digits, and every other visible character alone. One code for both uses.

Training and serving both read texts through here, so a change makes every number of the model meaningless.
"""

import re
from typing import NamedTuple

TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")
GLUED, SPACED, FIRST = range(3)
"""What stands before a token: nothing, white space, the beginning of its line."""
MIXED, LOWER, UPPER = range(3)
"""The letters of a token's line: both cases (or none), only small, only capital."""
CONTEXTS = 9


class Tokens(NamedTuple):
    """`words[i]` is `text[starts[i]:ends[i]]`; `contexts[i]` is 3 x what stands before it + the case of its line."""

    words: list[str]
    starts: list[int]
    ends: list[int]
    contexts: list[int]


def tokenize(text: str) -> Tokens:
    """The tokens of `text` in order; the time taken grows with its length and no faster."""
    tokens = Tokens([], [], [], [])
    at = 0
    for line in text.splitlines(keepends=True):
        _read_line(line, at, tokens)
        at += len(line)
    return tokens


def _read_line(line: str, at: int, tokens: Tokens) -> None:
    words, starts, ends, contexts = tokens
    case = LOWER if line.islower() else UPPER if line.isupper() else MIXED
    before, reached = 3 * FIRST + case, -1
    glued, spaced = 3 * GLUED + case, 3 * SPACED + case
    for found in TOKEN.finditer(line):
        start, end = found.span()
        words.append(found.group())
        starts.append(at + start)
        ends.append(at + end)
        contexts.append(before if reached < 0 else glued if start == reached else spaced)
        reached = end
