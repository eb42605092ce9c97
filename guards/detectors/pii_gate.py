"""What a text must hold before a recognizer can find anything in it: a cheap look that spares most recognizers.

The conditions are necessary ones, read off each recognizer's patterns; the recognizers alone decide. A test compares
gated and ungated results.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_URL = re.compile(r"\.\w|://")
_IP = re.compile(r"\d\.\d|:[0-9A-Fa-f]*:")
_MAC = re.compile(r"[0-9A-Fa-f]{2}[:.-][0-9A-Fa-f]{2}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-")
BETWEEN_DIGITS = (
    r"[-xX\u2010-\u2015\u2212\u30fc\uff0d-\uff0f \u00a0\u00ad\u200b\u2060\u3000"
    r"()\uff08\uff09\uff3b\uff3d.\[\]/~\u2053\u223c\uff5e]{0,4}"
)
"""What libphonenumber lets stand between the digits of one number: no comma, no letter but x, no line break."""
PHONE = re.compile(rf"\d(?:{BETWEEN_DIGITS}\d){{6,}}")
_LONG_NUMBER = re.compile(r"\d{8}")
_LONG_WORD = re.compile(r"\w{25}")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Look:
    """A text and how many digits it holds."""

    text: str
    digits: int


def _has(pattern: re.Pattern[str]) -> Callable[[Look], bool]:
    return lambda look: pattern.search(look.text) is not None


def _digits(least: int) -> Callable[[Look], bool]:
    return lambda look: look.digits >= least


NECESSARY: dict[str, Callable[[Look], bool]] = {
    "CREDIT_CARD": _digits(12),
    "CRYPTO": _has(_LONG_WORD),
    "DATE_TIME": _digits(2),
    "EMAIL_ADDRESS": lambda look: "@" in look.text,
    "IBAN_CODE": _digits(2),
    "IP_ADDRESS": _has(_IP),
    "MAC_ADDRESS": _has(_MAC),
    "MEDICAL_LICENSE": _digits(7),
    "PHONE_NUMBER": _has(PHONE),
    "UK_NHS": _digits(10),
    "URL": _has(_URL),
    "US_BANK_NUMBER": _has(_LONG_NUMBER),
    "US_DRIVER_LICENSE": _digits(1),
    "US_ITIN": _digits(9),
    "US_PASSPORT": _digits(8),
    "US_SSN": _digits(9),
    "UUID": _has(_UUID),
}


def possible(text: str, labels: frozenset[str]) -> list[str]:
    """Those of `labels` that `text` may hold, in alphabetical order."""
    look = Look(text, len(_DIGIT.findall(text)))
    return [label for label in sorted(labels) if label not in NECESSARY or NECESSARY[label](look)]
