"""Known phrasing of jailbreaks and injected instructions, and links that carry data away.

Flags, and nothing to rely on: who words it anew is not found. What is found is worth a look.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from .detector import Hit
from .injection_phrases import PHRASES, Phrase

_TALKED_ABOUT = re.compile(
    r"(?i)\b(?:injections?|jailbreak(?:s|ing)?|attack(?:s|ers?)?|adversar\w+|malicious|phrases?|strings?|prompts? like"
    r"|such as|for example|e\.g|classic|known|exploit\w*|red[- ]team\w*|detect\w*|example|security|researchers?|called"
    r"|payloads?|angriffe?|beispiel|attaques?|exemple|ataques?|ejemplo)\b"
)
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "'": "'", "‘": "’", "`": "`", "「": "」"}  # noqa: RUF001
_NEAR = 160
_LINK = re.compile(
    r"(!?)\[[^\]\n]{0,300}\]\(\s{0,3}<?(https?://[^\s)<>]{1,4000})"
    r"|<img\b[^<>]{0,200}?\bsrc\s{0,3}=\s{0,3}[\"']?(https?://[^\s\"'<>]{1,4000})",
    re.IGNORECASE,
)
_VALUE = re.compile(r"[?&;]([\w.\[\]-]{1,40})=([^&#;\s]{1,4000})")
_BLANK = re.compile(
    r"(?i)^(?:\{[^{}]{1,80}\}?|\{\{[^{}]{1,80}\}\}|\[[^\[\]]{1,80}\]?|<[^<>]{1,80}>?"
    r"|%7b.{1,80}%7d|%5b.{1,80}%5d|\$\{?\w{1,40}\}?|(?:insert|your"
    r"|the)[-_+ ]?\w{0,20}[-_+ ]?(?:data|secret|history|conversation|summary|here)\w*)$"
)
_NAMES = (
    "c content chat context conversation d data dump email exfil history info key leak m message msg note out p payload"
    " prompt q query secret secrets summary t text token user x"
)
_CARRIES = frozenset(_NAMES.split())
_ENCODED = re.compile(r"^[A-Za-z0-9/_=-]{32,}$")


class Injection:
    """Scores say how rarely a phrase is harmless. A quoted one in a text about attacks scores below its threshold."""

    name: ClassVar[str] = "injection"
    noun: ClassVar[str] = "labels"
    labels: ClassVar[Mapping[str, float]] = dict.fromkeys(
        sorted({"exfiltration_url", *(phrase.label for phrase in PHRASES)}), 0.5
    )

    def __init__(self) -> None:
        self.engine = f"own phrases ({len(PHRASES)})"
        self.degraded = ""

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        """In order of place."""
        phrases = [phrase for phrase in PHRASES if phrase.label in labels]
        return [self._hits(text, phrases, links="exfiltration_url" in labels) for text in texts]

    def _hits(self, text: str, phrases: Sequence[Phrase], *, links: bool) -> list[Hit]:
        lower = text.lower()
        found = [
            Hit(phrase.label, *match.span(), _weighed(phrase.score, text, *match.span()), "known phrasing")
            for phrase in phrases
            if any(opening in lower for opening in phrase.openings)
            for match in phrase.regex.finditer(text)
        ]
        if links and "http" in lower:
            found += _links(text)
        return sorted(found, key=lambda hit: (hit.start, -hit.end, hit.label))


def _weighed(score: float, text: str, start: int, end: int) -> float:
    """Less for a phrase that is quoted and talked about."""
    if not _is_quoted(text, start, end):
        return score
    around = text[max(0, start - _NEAR) : start] + " " + text[end : end + _NEAR]
    return round(score * 0.5, 2) if _TALKED_ABOUT.search(around) else score


def _is_quoted(text: str, start: int, end: int) -> bool:
    """Whether a quotation mark opens shortly before and closes shortly behind."""
    before, after = text[max(0, start - 40) : start], text[end : end + 80]
    return any(opening in before and closing in after for opening, closing in _QUOTES.items())


def _links(text: str) -> Iterator[Hit]:
    for match in _LINK.finditer(text):
        url, group = (match.group(2), 2) if match.group(2) else (match.group(3), 3)
        loaded = group == 3 or match.group(1) == "!"
        score, why = _carried(url, loaded=loaded)
        if score:
            yield Hit("exfiltration_url", *match.span(group), score, why)


def _carried(url: str, *, loaded: bool) -> tuple[float, str]:
    """How surely a URL takes data away. An image is fetched unasked; a link waits for a click."""
    for name, value in _VALUE.findall(url):
        if loaded and _BLANK.search(value):
            return 0.9, "an image whose address has a blank to be filled in"
        if name.lower() in _CARRIES and _ENCODED.search(value):
            return (0.8, "an image with encoded data in its address") if loaded else (0.6, "a link with encoded data")
        if loaded and name.lower() in _CARRIES and len(value) >= 24 and re.search(r"[+]|%20|%0a", value, re.IGNORECASE):
            return 0.8, "an image with sentences in its address"
    return 0.0, ""
