"""A text with marked spans, and how it is put into tokens and labels for the tagger to learn."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ..detectors.names.network import LABELS
from ..detectors.names.tokens import Tokens, tokenize

TAGS = {label: number for number, label in enumerate(LABELS)}


class Span(NamedTuple):
    """`text[start:end]` is an entity; `label` is one of `network.ENTITIES`."""

    start: int
    end: int
    label: str


class Text(NamedTuple):
    """Spans are in order and do not overlap."""

    text: str
    spans: tuple[Span, ...]


def from_pieces(pieces: Iterable[tuple[str, str]]) -> Text:
    """Of (text, label or nothing) in order."""
    text, spans = "", []
    for piece, label in pieces:
        if label and piece:
            spans.append(Span(len(text), len(text) + len(piece), label))
        text += piece
    return Text(text, tuple(spans))


def joined(texts: Sequence[Text], between: str) -> Text:
    """One text of several, spans moved along."""
    pieces = [(piece, label) for text in texts for piece, label in [*pieces_of(text), (between, "")]]
    return from_pieces(pieces[:-1])


def pieces_of(text: Text) -> list[tuple[str, str]]:
    """The inverse of `from_pieces`."""
    pieces, at = [], 0
    for start, end, label in text.spans:
        pieces += [(text.text[at:start], ""), (text.text[start:end], label)]
        at = end
    return [*pieces, (text.text[at:], "")]


def in_case(text: Text, change: Callable[[str], str]) -> Text:
    """`change` is `str.lower` or the like; it is applied piece by piece, since it may change lengths."""
    return from_pieces((change(piece), label) for piece, label in pieces_of(text))


def tagged(text: Text) -> tuple[Tokens, list[int]]:
    """Tokens, and the number of each one's label. A token that a span cuts belongs to it."""
    tokens = tokenize(text.text)
    tags, spans, at = [], [*text.spans, Span(len(text.text) + 1, len(text.text) + 1, "")], 0
    for place, start in enumerate(tokens.starts):
        while spans[at].end <= start:
            at += 1
        start_of, _, label = spans[at]
        inside = tokens.ends[place] > start_of and label
        begins = not place or tokens.starts[place - 1] < start_of
        tags.append(TAGS[f"{'B' if begins else 'I'}-{label}"] if inside else 0)
    return tokens, tags
