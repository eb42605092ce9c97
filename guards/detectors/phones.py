"""Phone numbers by how they are written, by the words beside them, and by libphonenumber where both leave a doubt.

Presidio's own recognizer walks a text once for each of eight regions and takes every number that is valid in one of
them: any ten digits, and no local number of anywhere else. Here one pass finds what is grouped like a phone number,
and the words beside it decide what grouping alone cannot.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_SEP = "[-. /\u00a0\u2010-\u2013]"
_EXTENSION = r"(?:[ ,]{0,2}(?:x|ext\.?|extension|poste|durchwahl)[ :]?\d{1,6})?"
_NUMBER = re.compile(
    rf"(?<![\w.=@€£$%&+-])(?<!\d[,:/])(?<!://)(?:\+\s?|\(\+)?\(?\d(?:(?:{_SEP}|[()]){{0,3}}\d){{6,17}}{_EXTENSION}"
    r"(?!\w)(?![-.,:/]\d)(?!%)",
    re.IGNORECASE,
)
"""A run of 7 to 18 digits as a whole word; `\\d` takes digits of any script, as people who write them do."""
_BEFORE = re.compile(
    r"\b(?:(?P<yes>(?:tele|smart)?phones?|tel(?:efono?|éfono|éphone|efon)?|mobile?s?|cell(?:phone|ular)?s?|fax|hand(?:y|phone)|gsm"
    r"|call(?:s|ed|ing|ers?|back)?|dial(?:l?ed|l?ing)?|ring|rang|text(?:ed|ing|\s+me)|sms|messages?|messaged|whatsapp"
    r"|telegram|viber|voicemail|hotline|helpline|reach|contact(?:ed)?|answer(?:s|ed|ing)?|desk|ph|landline)"
    r"|(?P<no>orders?|invoices?|tickets?|cases?|ref(?:erence)?|isbn|issn|version|accounts?|acct|track(?:ing)?|parcel"
    r"|serial|sku|parts?|item|batch|model|zip|postcode|code|pin|ids?|uid|passport|licen[cs]e|ssn|social|security|card"
    r"|policy|build|commit|port|hash|timestamp|epoch|doi|pmid|patent|total|sum|amount|price|rev(?:ision)?|page|pp))\b",
    re.IGNORECASE,
)
_AFTER = re.compile(r"[ -]{1,3}\(?(?:office|fax|mobile|cell|home|work|desk|phone|tel|direct)\b", re.IGNORECASE)
_DATE = re.compile(
    r"(?:1[89]|20)\d\d([-./])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?:[ T]\d.*)?"
    r"|(?:0?[1-9]|[12]\d|3[01])([-./])(?:0?[1-9]|[12]\d|3[01])\2(?:(?:1[89]|20)\d\d|\d\d)(?: \d.*)?"
    r"|(?:(?:1[5-9]|20)\d\d[-\u2013/. ]{1,3}){1,3}(?:1[5-9]|20)\d\d"
    r"|\d{1,3}(?:\.\d{1,3}){3}"
)
"""Dates, days with a time, ranges of years, and addresses of machines."""
_GROUPS = re.compile(r"\d+")
_LOOK_BACK, _LOOK_AHEAD = 40, 16
REGIONS = ("US", "GB", "DE", "FR", "IT", "ES", "NL", "CH", "AT", "AU", "IN", "BR", "IL")
"""Where a number in two groups that begins with a trunk zero may be valid."""


class Found(NamedTuple):
    """`text[start:end]` is a phone number as far as `why` goes."""

    start: int
    end: int
    score: float
    why: str


class _Form(NamedTuple):
    pattern: re.Pattern[str]
    score: float
    why: str


_NOT_ONE = "[2-9]"
_FORMS = (
    # 202-555-0123, (202) 555-0123, 202.555.0123, +1 202 555 0123, 001-202-555-0123
    _Form(
        re.compile(
            rf"(?:(?:\+|00)?1{_SEP})?(?:\({_NOT_ONE}\d\d\){_SEP}?|{_NOT_ONE}\d\d([-. \u00a0]))\d{{3}}[-. \u00a0]\d{{4}}"
        ),
        0.6,
        "North American grouping",
    ),
    # 07700 063 966, 01.84.17.61.18, (08) 8747 6301, 024 971 50 30
    _Form(re.compile(rf"\(?0\d{{1,4}}\)?(?:{_SEP}\(?\d{{2,4}}\)?){{2,5}}"), 0.5, "trunk zero, three groups or more"),
)
_TRUNK_TWO = re.compile(rf"\(?0[1-9]\d{{1,3}}\)?{_SEP}{{1,3}}\d{{4,8}}")
_INTERNATIONAL = re.compile(r"\(?\+|00[1-9]\d{0,2}\D")
_AREA_IN_BRACKETS = re.compile(rf"\(0\d{{1,4}}\){_SEP}{{0,2}}\d{{2,8}}(?:{_SEP}\d{{2,6}}){{0,3}}")
_BARE = re.compile(r"0[1-9]\d{8,9}")
_COUNTED = "01234567890123456789"


def find(text: str) -> Iterator[Found]:
    """Phone numbers in order. The score is 0.2 where nothing but the number of digits speaks for one."""
    for match in _NUMBER.finditer(text):
        number, digits = match.group(), sum(char.isdigit() for char in match.group())
        bare = re.split(r"[ ,]*[xXeEpPdD]", number, maxsplit=1)[0]
        if _DATE.fullmatch(bare):
            continue
        start = match.start() + _loose_bracket(bare)
        score, why = _judge(bare, _digits(bare))
        beside = _words(text, match.start(), match.end())
        if beside > 0 and digits <= 17:
            score, why = max(score, 0.55 if score < 0.3 else min(score + 0.25, 1.0)), f"{why}, beside its word"
        elif beside < 0 and score < 0.7:
            score, why = min(score, 0.2), f"{why}, beside another word"
        yield Found(start, match.end(), score, why)


def _digits(number: str) -> int:
    return sum(char.isdigit() for char in number)


def _loose_bracket(number: str) -> int:
    """1 where the number begins with a bracket that it does not close."""
    return int(number[0] == "(" and number.count("(") > number.count(")"))


def _judge(number: str, digits: int) -> tuple[float, str]:
    if _INTERNATIONAL.match(number) and 8 <= digits <= 17:
        return (0.75, "international") if _possible(number) else (0.35, "international, not assigned")
    if 8 <= digits <= 13:
        for form in _FORMS:
            if form.pattern.fullmatch(number) and (form.pattern is _FORMS[0].pattern or 9 <= digits <= 11):
                return form.score, form.why
        if _AREA_IN_BRACKETS.fullmatch(number) and 9 <= digits <= 12:
            return 0.5, "area code in brackets"
        if _BARE.fullmatch(number) and number not in _COUNTED and _valid_somewhere(number):
            return 0.4, "trunk zero and nothing between, valid"
        if _TRUNK_TWO.fullmatch(number) and 10 <= digits <= 12 and _valid_somewhere(number):
            return 0.45, "trunk zero, valid"
    return 0.2, "digits"


def _words(text: str, start: int, end: int) -> int:
    """1 if the nearest telling word is one for phones, -1 if it is one for other numbers, 0 if there is none."""
    if _AFTER.match(text, end, min(len(text), end + _LOOK_AHEAD)):
        return 1
    words = list(_BEFORE.finditer(text, max(0, start - _LOOK_BACK), start))
    if not words:
        return 0
    return 1 if words[-1]["yes"] else -1


@lru_cache(maxsize=4096)
def _possible(number: str) -> bool:
    """Whether a number with its country code has a length that the country uses."""
    import phonenumbers

    plain = "+" + "".join(_GROUPS.findall(number.replace("(0)", ""))).removeprefix("00")
    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(plain, None)))
    except phonenumbers.NumberParseException:
        return False


@lru_cache(maxsize=4096)
def _valid_somewhere(number: str) -> bool:
    """Whether one of `REGIONS` has assigned the range of this national number."""
    import phonenumbers

    for region in REGIONS:
        try:
            if phonenumbers.is_valid_number_for_region(phonenumbers.parse(number, region), region):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
