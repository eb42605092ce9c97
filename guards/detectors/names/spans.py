"""Spans of tokens as hits in the text: without the punctuation at their edges, an address in one piece."""

import re
from collections.abc import Iterable, Iterator

from ..detector import Hit
from .decode import TokenSpan
from .tokens import Tokens

EXPLANATION = "ner: builtin-small"
_between_lines = re.compile(r"[\s,;]{1,4}")


def placed(spans: Iterable[TokenSpan], tokens: Tokens, offset: int, text: str) -> Iterator[Hit]:
    """Where `spans` stand in `text`, whose tokens begin at `offset`; spans of signs alone are left out."""
    for span in spans:
        hit = _placed(span, tokens, offset, text)
        if hit:
            yield hit


def joined(hits: Iterable[Hit], text: str) -> list[Hit]:
    """The lines of one address are one hit, with the highest of their scores; all others stay as they are."""
    found: list[Hit] = []
    for hit in hits:
        last = found[-1] if found else hit
        if last.label == hit.label == "ADDRESS" and _between_lines.fullmatch(text, last.end, hit.start):
            found[-1] = Hit(hit.label, last.start, hit.end, max(last.score, hit.score), hit.explanation)
        else:
            found.append(hit)
    return found


def _placed(span: TokenSpan, tokens: Tokens, offset: int, text: str) -> Hit | None:
    """As a stretch of the text; punctuation that the network took along is left outside."""
    first, last = span.first, span.last
    while first <= last and not tokens.words[first][0].isalnum():
        first += 1
    while first <= last and not tokens.words[last][0].isalnum():
        last -= 1
    if first > last:
        return None
    start, end = offset + tokens.starts[first], offset + tokens.ends[last]
    if last < span.last and text[end : end + 1] == "." and (end - start == 1 or not text[end - 2].isalpha()):
        end += 1  # an initial keeps its full stop
    return Hit(span.label, start, end, round(span.score, 3), EXPLANATION)
