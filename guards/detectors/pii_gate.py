"""Where in a text a recognizer can find anything at all: a cheap look that spares most of presidio most of the text.

The conditions are necessary ones, read off each recognizer's patterns; the recognizers alone decide. One pass finds
words with the punctuation of addresses, another digits with room around them; a recognizer then reads the windows that
meet its condition instead of the text. A test compares the findings with those of the whole text.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

MARGIN = 64
"""Characters kept on both sides of digits: more than any recognizer reads beyond them, words beside them included."""
_JOINED = 32
_WORDS = re.compile(r"@|\.(?=\w)|:(?=[0-9A-Fa-f]*:)|[:-](?=[0-9A-Fa-f]{2}[:-])|-(?=[0-9A-Fa-f]{4}-)")
_NUMBERS = re.compile(r"\d+")
_SPACE = re.compile(r"\s")
_LETTER = r"[^\W\d_]"


@dataclass(frozen=True, slots=True)
class Window:
    """`text[start:end]`, with the digits it holds."""

    start: int
    end: int
    piece: str
    digits: int


class Look:
    """A text, looked at as far as somebody asks."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def whole(self) -> list[Window]:
        return [self._window(0, len(self.text))] if self.text else []

    @cached_property
    def words(self) -> list[Window]:
        """Words, from white space to white space, that hold a punctuation mark of addresses and hardware numbers."""
        return [self._window(*span) for span in _merged(self._word_spans())]

    @cached_property
    def numbers(self) -> list[Window]:
        """Digits with room on both sides, borders at white space."""
        return [self._window(*span) for span in _merged(self._number_spans())]

    def _window(self, start: int, end: int) -> Window:
        piece = self.text[start:end]
        return Window(start, end, piece, sum(map(len, _NUMBERS.findall(piece))))

    def _word_spans(self) -> Iterator[tuple[int, int]]:
        end = 0
        for match in _WORDS.finditer(self.text):
            if match.start() >= end:
                start, end = self._to_space(match.start(), match.end())
                yield start, end

    def _number_spans(self) -> Iterator[tuple[int, int]]:
        end = 0
        for match in _NUMBERS.finditer(self.text):
            if match.end() + MARGIN > end:
                start, end = self._to_space(max(0, match.start() - MARGIN), min(len(self.text), match.end() + MARGIN))
                yield start, end

    def _to_space(self, start: int, end: int) -> tuple[int, int]:
        """Both borders moved outwards to white space, one character of it included, so that no word is cut."""
        while start > 0 and not self.text[start].isspace():
            start -= 1
        gap = _SPACE.search(self.text, end)
        return start, gap.end() if gap else len(self.text)


def _merged(spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start, end = -1, -1
    for left, right in spans:
        if start >= 0 and left <= end + _JOINED:
            end = max(end, right)
        else:
            if start >= 0:
                yield start, end
            start, end = left, right
    if start >= 0:
        yield start, end


@dataclass(frozen=True, slots=True)
class Need:
    """Which windows a recognizer reads: those of a kind with so many digits and something that fits the pattern."""

    windows: Callable[[Look], list[Window]]
    digits: int = 0
    pattern: re.Pattern[str] | None = None

    def __call__(self, look: Look) -> Iterator[Window]:
        for window in self.windows(look):
            if window.digits >= self.digits and (self.pattern is None or self.pattern.search(window.piece)):
                yield window


def _numbers(digits: int, pattern: str = "") -> Need:
    return Need(lambda look: look.numbers, digits, re.compile(pattern, re.IGNORECASE) if pattern else None)


def _words(pattern: str) -> Need:
    return Need(lambda look: look.words, 0, re.compile(pattern))


def _whole(pattern: str) -> Need:
    return Need(lambda look: look.whole, 0, re.compile(pattern, re.IGNORECASE) if pattern else None)


_ADDRESS = re.compile(
    r"(?i:apt|apartment|suite|ste\b|flat|unit|box|psc|us[ns]|uscgc|cmr|zip|post|plz)|, ?\s?[A-Z]{2} \d{5}"
    rf"|\d{_LETTER}? (?:\d|[^\W\d_a-z])"
)
NEEDS: dict[str, Need] = {
    "CreditCardRecognizer": _numbers(12),
    "CryptoRecognizer": _whole(r"[^\W_]{26}"),
    "DateRecognizer": _numbers(2, rf"\d[-/.]\d|\d-{_LETTER}|{_LETTER}-\d"),
    "EmailRecognizer": _words("@"),
    "IbanRecognizer": _numbers(2, r"[^\W\d_]{2}\d\d[ -]?\w{4}[ -]?\w{4}"),
    "IpRecognizer": _words(r"\d\.\d|:[0-9A-Fa-f]*:"),
    "ItFiscalCodeRecognizer": _whole(r"[^\W_]{16}"),  # its digits may be written as letters
    "MacAddressRecognizer": _words(r"[:-][0-9A-Fa-f]{2}[:-]|\.[0-9A-Fa-f]{4}\."),
    "MedicalLicenseRecognizer": _numbers(7, r"\d{7}"),
    "NhsRecognizer": _numbers(10, r"\d{3}[- ]?\d{3}[- ]?\d{4}"),
    "OwnCards": _numbers(12),
    "OwnDates": _whole(r"[12]\d{3}|day|\d[a-z]{0,2}(?: of)? [a-z]{3}|[a-z]{3}[.,]? \d"),
    "OwnAges": _numbers(1),
    "OwnTitles": _whole(""),
    "OwnNationalities": _whole(""),
    "OwnAddresses": Need(lambda look: look.numbers, 1, _ADDRESS),
    "OwnCorners": _whole("corner of"),
    "OwnLicences": _numbers(6, r"\d\d-\d\d"),
    "OwnPhones": _numbers(7),
    "UkPostcodeRecognizer": _numbers(1, rf"\d{_LETTER}{{2}}"),
    "UrlRecognizer": _words(r"\.\w"),
    "UsBankRecognizer": _numbers(8, r"\d{8}"),
    "UsItinRecognizer": _numbers(9, r"9\d{2}[- ]?[5-9]\d"),
    "UsLicenseRecognizer": _numbers(1, rf"\b{_LETTER}{{1,2}}\d|\d{{6}}|{_LETTER}\d{{4}}|\]\d"),
    "UsPassportRecognizer": _numbers(8, r"\d{8}"),
    "UsSsnRecognizer": _numbers(9, r"\d{5}-\d|\d{3}-\d{6}|\d{3}[- .]\d\d[- .]\d{4}|\d{9}"),
    "UuidRecognizer": _words(r"-[0-9A-Fa-f]{4}-"),
}
USUAL = _numbers(1)
"""All of presidio's recognizers of identity numbers want a digit."""


def need(recognizer: str) -> Need:
    """What a recognizer of this name needs to find anything."""
    return NEEDS.get(recognizer, USUAL)
