# ruff: noqa: RUF001  look-alikes are the subject
"""Characters that look like others to a reader and to a model, and to no pattern: what they stand for.

Nothing here costs an ASCII text anything: `folded` is asked about others only. Most of it replaces a character by one
other character, so that places stay what they are; `changes` are the rest.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

Change = tuple[int, int, str]
"""`text[start:end]` reads like this."""

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0001\U000e007f\U000e0100-\U000e01ef"
)
"""Soft hyphens, zero-width and direction marks, fillers, selectors: they split an address for a pattern and for nobody
else. As the inside of a character class."""
TAGS = "\U000e0020-\U000e007e"
"""A second, invisible ASCII, which models read."""
FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e007a]{2,8}\U000e007f")
"""England, Scotland, Wales and other regions: the only use that tag characters have."""
_MARKS = "\u0300-\u034e\u0350-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_LENGTH_CHANGES = re.compile(
    f"(?P<flag>{FLAG.pattern})|(?P<tags>[{TAGS}]+)|(?P<nothing>[{INVISIBLE}]+)"
    f"|(?P<marked>[A-Za-z0-9@._%+-][{_MARKS}\ufe0f]+)|(?P<more>[\ufb00-\ufb06\u2469-\u2473])"
)
_SOME_CHANGE = re.compile(f"[{INVISIBLE}{TAGS}{_MARKS}\ufb00-\ufb06\u2469-\u2473]")
_SUPERSCRIPT = "\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089"
_MAY_BE_RAISED = re.compile(f"[{_SUPERSCRIPT}]{{2}}")
_RAISED = re.compile(rf"(?<![0-9{_SUPERSCRIPT}])[{_SUPERSCRIPT}]{{2,}}")
"""A number in small digits; a single one, or one behind a number, is a footnote or a power."""
_SMALL_DIGITS = str.maketrans("²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "23104567890123456789")
_BETWEEN = re.compile(r"(?<=[0-9])\u2013(?=[0-9])|(?<=[A-Za-z0-9])[\u3002\uff61](?=[A-Za-z0-9])")
_MAY_BE_BETWEEN = re.compile("[\u2013\u3002\uff61]")
_DASH, _STOP = "\u2013", "."
_COMPATIBLE = (
    (0x02B0, 0x02B9), (0x1D2C, 0x1D6B), (0x2000, 0x200B), (0x202F, 0x2030), (0x205F, 0x2060), (0x2071, 0x2072),
    (0x207A, 0x2080), (0x208A, 0x209D), (0x2102, 0x214A), (0x2160, 0x2180), (0x2460, 0x24EB), (0x2C7C, 0x2C7E),
    (0x3000, 0x3001), (0xFE50, 0xFE6C), (0xFF01, 0xFF5F), (0x1D400, 0x1D800), (0x1F110, 0x1F16A), (0x1FBF0, 0x1FBFA),
)  # fmt: skip
"""Where Unicode has ASCII again: full-width, mathematical, circled, raised. Half-width katakana are none of it."""
_ZEROES = (
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50,
    0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
    0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
)  # fmt: skip
"""The digits of other scripts follow their zero in order."""
_PLAIN = {
    "\u00a0": " ", "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2212": "-", "\u2024": ".", "\u2215": "/",
    "\u2044": "/", "\u0251": "a", "\u0261": "g",
    "ᴀ": "a", "ʙ": "b", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ꜰ": "f", "ɢ": "g", "ʜ": "h", "ɪ": "i", "ᴊ": "j", "ᴋ": "k",
    "ʟ": "l", "ᴍ": "m", "ɴ": "n", "ᴏ": "o", "ᴘ": "p", "ʀ": "r", "ᴛ": "t", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ʏ": "y",
    "ᴢ": "z",
}  # fmt: skip
_TWINS = {
    # Cyrillic
    "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "i", "ј": "j", "ѕ": "s", "һ": "h",
    "ԁ": "d", "ԛ": "q", "ԝ": "w", "ӏ": "l", "А": "A", "В": "B", "Е": "E", "К": "K", "М": "M", "Н": "H", "О": "O",
    "Р": "P", "С": "C", "Т": "T", "У": "Y", "Х": "X", "І": "I", "Ј": "J", "Ѕ": "S", "Ԍ": "G", "Ӏ": "I", "Ү": "Y",
    # Greek
    "α": "a", "γ": "y", "ι": "i", "κ": "k", "ν": "v", "ο": "o", "ρ": "p", "τ": "t", "υ": "u", "χ": "x", "Α": "A",
    "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M", "Ν": "N", "Ο": "O", "Ρ": "P", "Τ": "T",
    "Υ": "Y", "Χ": "X",
    # Armenian
    "օ": "o", "ս": "u", "ո": "n", "հ": "h",
}  # fmt: skip
_LATIN = re.compile("[A-Za-z]")
_OTHER_SCRIPT = re.compile("[\u0370-\u058f]")
_TOKEN = re.compile(r"[\w.@+%-]+")
_TWIN_TABLE = str.maketrans(_TWINS)


def changes(text: str) -> Iterator[Change]:
    """What another number of characters stands for, in order: invisible ones for none, a ligature for its letters."""
    if not _SOME_CHANGE.search(text):
        return
    for found in _LENGTH_CHANGES.finditer(text):
        yield from _CHANGE[found.lastgroup or ""](found, text)


def folded(text: str) -> str:
    """`text` in the letters it looks like, each at its place. Words of other scripts stay as they are.

    A Cyrillic or Greek letter counts as its Latin twin in a word or address that has Latin letters and no letter that
    only its own script has: `аlice@example.com`, and not `Алиса`, `USB-кабель` or `σ-algebra`.
    """  # noqa: RUF002  look-alikes are the subject
    table, some = _same_length()
    said = text.translate(table) if some.search(text) else text
    if _MAY_BE_BETWEEN.search(said):
        said = _BETWEEN.sub(lambda found: "-" if found.group() == _DASH else _STOP, said)
    if _MAY_BE_RAISED.search(said):
        said = _RAISED.sub(lambda found: found.group().translate(_SMALL_DIGITS), said)
    if _OTHER_SCRIPT.search(said) and _LATIN.search(said):
        said = _TOKEN.sub(_untwinned, said)
    return said


def _untwinned(found: re.Match[str]) -> str:
    word = found.group()
    if word.isascii() or not _LATIN.search(word):
        return word
    latin = word.translate(_TWIN_TABLE)
    return word if _OTHER_SCRIPT.search(latin) else latin


def _nothing(found: re.Match[str], _text: str) -> Iterator[Change]:
    yield found.start(), found.end(), ""


def _tags(found: re.Match[str], text: str) -> Iterator[Change]:
    """A hidden message stands apart from the words around it. Between two letters it splits a word, and is nothing."""
    start, end = found.span()
    if start and text[start - 1].isalnum() and text[end : end + 1].isalnum():
        yield start, end, ""
        return
    if start:
        yield start, start + 1, " " + chr(ord(text[start]) - 0xE0000)
    if end < len(text) and end - 1 > start:
        yield end - 1, end, chr(ord(text[end - 1]) - 0xE0000) + " "


def _unmarked(found: re.Match[str], _text: str) -> Iterator[Change]:
    """`e` and an accent are `é`; what no letter has (struck out, piled up) is left out."""
    base = found.group()[0]
    whole = unicodedata.normalize("NFC", found.group())
    yield found.start(), found.end(), whole if len(whole) == 1 else base


def _more(found: re.Match[str], _text: str) -> Iterator[Change]:
    yield found.start(), found.end(), unicodedata.normalize("NFKC", found.group())


_CHANGE = {"flag": _nothing, "tags": _tags, "nothing": _nothing, "marked": _unmarked, "more": _more}


@cache
def _same_length() -> tuple[dict[int, str], re.Pattern[str]]:
    """Character -> the one it looks like, wherever it stands; and what finds out whether there is any."""
    table = {ord(char): plain for char, plain in _PLAIN.items()}
    table |= {zero + n: str(n) for zero in _ZEROES for n in range(10)}
    table |= {0xE0000 + ascii_code: chr(ascii_code) for ascii_code in range(0x20, 0x7F)}
    for first, after in _COMPATIBLE:
        for code in range(first, after):
            plain = unicodedata.normalize("NFKC", chr(code))
            plain = plain.strip("()") if code in range(0x249C, 0x24B6) or code in range(0x1F110, 0x1F12A) else plain
            if len(plain) == 1 and plain.isascii():
                table[code] = plain
    near = "".join(
        chr(code) for code in sorted(table) if code < 0x10000
    )  # beyond, a class is looked through one by one
    return table, re.compile(f"[{near}\U00010000-\U0010ffff]")
