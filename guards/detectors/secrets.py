"""Credentials: provider keys, tokens, private keys, passwords in URLs and in prose."""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import ClassVar

from .detector import Hit
from .secret_patterns import OWN, PLUGINS, SecretPattern, plugin_patterns
from .stretches import stretches

_WORTH_A_LOOK = re.compile(r"[A-Za-z0-9_+/=.-]{16}|://|(?i:pass|pwd|secret|token|key|BEGIN)")
_PLACEHOLDER = re.compile(
    r"<[A-Z][A-Z0-9_]*_\d+>|\[[A-Z][A-Z0-9_]*\]|x{8}|X{8}|\.{3}|_?(?i:your|example|placeholder|changeme|redacted)[_ -]"
)
_TOKEN_GOES_ON = re.compile(r"[A-Za-z0-9_=+/-]{0,2000}")
_RUN = re.compile(r"[A-Za-z0-9_+/=.:~%-]{16,}")


class Secrets:
    """Patterns with near-misses taken out: digests, UUIDs, trace ids, placeholders and documentation are clean."""

    name: ClassVar[str] = "secrets"
    noun: ClassVar[str] = "labels"
    labels: ClassVar[Mapping[str, float]] = dict.fromkeys(
        sorted({*(p.label for p in PLUGINS.values()), *(p.label for p in OWN)}), 0.5
    )

    def __init__(self) -> None:
        self._patterns = (*OWN, *plugin_patterns())
        self.engine = f"detect-secrets {version('detect-secrets')} + own patterns"
        self.degraded = ""

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        """Each place once for a label, the first pattern's first; a key that is longer than its pattern is whole."""
        return [self._hits(text, labels) for text in texts]

    def _hits(self, text: str, labels: frozenset[str]) -> list[Hit]:
        if not _WORTH_A_LOOK.search(text):
            return []
        lower, run = text.lower(), max(map(len, _RUN.findall(text)), default=0)
        hits = [
            hit
            for pattern in self._patterns
            if pattern.label in labels and _may_match(pattern, lower, run)
            for hit in _matches(pattern, text)
        ]
        return _first_claims(hits)


def _may_match(pattern: SecretPattern, lower: str, run: int) -> bool:
    return run >= pattern.run and (not pattern.openings or any(opening in lower for opening in pattern.openings))


def _matches(pattern: SecretPattern, text: str) -> Iterator[Hit]:
    if pattern.whole:  # as long as it is, it may not be cut into stretches
        yield from _hits_between(pattern, text, 0, len(text))
        return
    for stretch in stretches(text):
        for hit in _hits_between(pattern, text, stretch.start, stretch.end):
            if stretch.owns(hit.start):
                yield hit


def _hits_between(pattern: SecretPattern, text: str, start: int, end: int) -> Iterator[Hit]:
    looked_at = start  # nothing is read twice: a token that repeats its beginning has a match at each of them
    for match in pattern.regex.finditer(text, start, end):
        first, last = match.span(pattern.group)
        if first < looked_at:
            continue
        if pattern.group == 0:
            if first > 0 and text[first - 1].isalnum() and text[first].isalnum():
                continue  # in the middle of a longer word
            last = _end_of_token(text, last)
        value = text[first:last]
        if not pattern.holds(value):
            continue
        placeholder = _PLACEHOLDER.search(value)
        looked_at = first + placeholder.end() if placeholder else last
        if not placeholder:
            yield Hit(pattern.label, first, last, pattern.score, pattern.source)


def _end_of_token(text: str, at: int) -> int:
    goes_on = _TOKEN_GOES_ON.match(text, at)
    return goes_on.end() if goes_on and at and text[at - 1].isalnum() else at


def _first_claims(hits: list[Hit]) -> list[Hit]:
    """In order of place; of hits of a label within one another the longer stays, of equal ones the first found.

    Each label is for itself: a rule that flags AWS keys must not hide a password from the rule that blocks those.
    """
    kept: list[Hit] = []
    reach: dict[str, int] = {}
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if hit.end > reach.get(hit.label, 0):
            reach[hit.label] = hit.end
            kept.append(hit)
    return kept
