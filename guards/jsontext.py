"""JSON as text: where its literals are, what they say, and how to change them so that it stays JSON."""

import json
import re
from dataclasses import dataclass

_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null', re.DOTALL)
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[\"\\/bfnrt]")
_TOKEN = re.compile(
    r'[ \t\n\r]*(?:(")(?:[^"\\]|\\.)*"|(?:-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|([\[\]{},:]))', re.DOTALL
)
_NEXT = {
    ("item", "["): "item or ]", ("item", "{"): "key or }", ("item", '"'): "end", ("item", "0"): "end",
    ("item or ]", "["): "item or ]", ("item or ]", "{"): "key or }", ("item or ]", '"'): "end",
    ("item or ]", "0"): "end", ("item or ]", "]"): "end", ("end", "]"): "end", ("end", "}"): "end",
    ("key or }", '"'): ":", ("key", '"'): ":", ("key or }", "}"): "end", (":", ":"): "item",
    ("end", ","): "item or key",
}  # fmt: skip
"""(what has to come, what comes: a mark, `"` for a string, 0 for anything else) -> what has to come then."""
_CLOSES = {"]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Literal:
    """A string (its inside, without the quotes), or a number, `true`, `false` or `null`: `text[start:end]`."""

    start: int
    end: int
    number: bool
    """No string: it is replaced as a whole, and by a string."""


def literals(text: str) -> tuple[Literal, ...] | None:
    """The literals of a JSON text, in order, keys included; None if it is no JSON."""
    try:
        json.loads(text, strict=False, parse_int=str)  # an integer may have more digits than Python turns into one
    except RecursionError:
        if not _is_deep_json(text):
            return None
    except ValueError:
        return None
    return tuple(
        Literal(found.start(), found.end(), number=True)
        if text[found.start()] != '"'
        else Literal(found.start() + 1, found.end() - 1, number=False)
        for found in _LITERAL.finditer(text)
    )


def _is_deep_json(text: str) -> bool:
    """Whether a text that is nested too deeply for the parser is JSON: one pass, whatever the depth."""
    opened: list[str] = []
    wanted, at, end = "item", 0, len(text.rstrip(" \t\n\r"))
    while at < end and (token := _TOKEN.match(text, at)):
        at, kind = token.end(), token[1] or token[2] or "0"
        wanted = _NEXT.get((wanted, kind), "")
        if not wanted or (kind in _CLOSES and (not opened or opened.pop() != _CLOSES[kind])):
            return False
        if kind in _CLOSES.values():
            opened.append(kind)
        if wanted == "item or key":
            wanted = "" if not opened else "item" if opened[-1] == "[" else "key"
    return at == end and wanted == "end" and not opened


def escapes(text: str) -> list[tuple[int, int, str]]:
    """Every escape sequence as (start, end, the character it stands for); one for a whole surrogate pair."""
    return [(found.start(), found.end(), unescape(found.group())) for found in _ESCAPE.finditer(text)]


def escape(text: str) -> str:
    """`text` as the inside of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def unescape(inside: str) -> str:
    """What the inside of a JSON string says; what is no escape sequence says itself."""
    return _ESCAPE.sub(lambda found: str(json.loads(f'"{found.group()}"')), inside)
