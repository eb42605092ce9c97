"""JSON as text: where its literals are, what they say, and how to change them so that it stays JSON."""

import json
import re
from dataclasses import dataclass

_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?', re.DOTALL)
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")


@dataclass(frozen=True, slots=True)
class Literal:
    """A string (its inside, without the quotes) or a number: `text[start:end]`."""

    start: int
    end: int
    number: bool


def literals(text: str) -> tuple[Literal, ...] | None:
    """The strings and numbers of a JSON text, in order, keys included; None if it is no JSON."""
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return tuple(
        Literal(found.start(), found.end(), number=True)
        if text[found.start()] != '"'
        else Literal(found.start() + 1, found.end() - 1, number=False)
        for found in _LITERAL.finditer(text)
    )


def escapes(text: str) -> list[tuple[int, int, str]]:
    """Every escape sequence as (start, end, the character it stands for); one for a whole surrogate pair."""
    return [(found.start(), found.end(), unescape(found.group())) for found in _ESCAPE.finditer(text)]


def escape(text: str) -> str:
    """`text` as the inside of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def unescape(inside: str) -> str:
    """What the inside of a JSON string says."""
    return str(json.loads(f'"{inside}"', strict=False))
