"""Card numbers that presidio's recognizer does not know: 12, 17, 18 and 19 digits, and those that begin with 2.

Ranges: ISO/IEC 7812 issuer numbers as the schemes publish them (Mastercard 2221 to 2720, JCB 2131, Maestro 50, 56 to 58
and 6, Visa with 19 digits, UnionPay 62). All of them end in a Luhn check digit.
"""

from typing import NamedTuple


class Shape(NamedTuple):
    """A pattern with the score of what fits it and has a valid check digit; a word like "card" adds 0.35."""

    name: str
    pattern: str
    score: float


_MASTERCARD_2 = r"2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)"
SHAPES = (
    Shape("Mastercard 2-series", rf"\b{_MASTERCARD_2}([- ]?)\d{{4}}\1\d{{4}}\1\d{{4}}\b", 0.6),
    Shape("JCB, 15 digits", r"\b2131\d{11}\b", 0.6),
    Shape("19 digits", r"\b(?:4\d{3}|62\d\d|6[045]\d\d)([- ]?)\d{4}\1\d{4}\1\d{4}\1\d{3}\b", 0.6),
    Shape("Maestro, 17 or 18 digits", r"\b(?:50|5[678]|6\d)\d{15,16}\b", 0.3),
    Shape("Maestro, 12 digits", r"\b(?:50|5[678]|6\d)\d{2}([- ]?)\d{4}\1\d{4}\b", 0.3),
    Shape("12 digits", r"\b\d{12}\b", 0.1),
    Shape("16 digits of a 2-series", r"\b2\d{3}([- ]?)\d{4}\1\d{4}\1\d{4}\b", 0.1),
)
CONTEXT = (
    "credit", "card", "cards", "visa", "mastercard", "cc", "amex", "discover", "jcb", "diners", "maestro", "debit",
    "unionpay",
)  # fmt: skip


def luhn(text: str) -> bool:
    """Whether the digits of `text` end in their Luhn check digit."""
    digits = [int(char) for char in reversed(text) if char.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
