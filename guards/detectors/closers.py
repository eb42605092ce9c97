# ruff: noqa: E501, RUF001  tables of patterns, one a line, some with the apostrophe of printed text
"""What closes the gap to a large model without one: dates in words, ages, titles, nationalities, parts of addresses.

General forms of English texts, tables only. Every label here is found on request and never by default: a year or a
nationality says little by itself, and much of it is no secret.
"""

from typing import NamedTuple

from .nationalities import DEMONYMS


class Form(NamedTuple):
    """A pattern, in the syntax of the `regex` package, with the score of what fits it."""

    name: str
    pattern: str
    score: float


_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d\d"
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:\.\d+)?(?: ?[ap]\.?m\b\.?)?"
_WHICH = "first|second|third|fourth|last"
"""The first Monday of a month is a day of the calendar, last Monday was one of somebody's life."""
_BEFORE_YEAR = (
    "in|since|of|from|until|till|by|before|after|during|year|circa|born|a|an|the|between|early|late|mid|around|spring"
    "|summer|autumn|fall|winter"
)
_NOT_AFTER_YEAR = r"[\w/%:=@+-]|[.,]\d| ?(?:px|ms|kg|km|MB|GB|bytes?|people|users|times|pages|words)\b| \d"
_AGE = r"(?:1[01]\d|[1-9]?\d)"
_CAPITALISED = r"(?-i:\p{Lu})[\p{L}'’.-]{1,15}"
_OF_A_LANGUAGE = (
    "study|studies|studied|studying|learn|learns|learned|learning|speak|speaks|spoke|speaking|teach|teaches|taught"
    "|teaching|translated into|written in|in"
)
"""After these it is a language, and nobody's nationality."""
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Boulevard|Blvd|Crescent|Cres"
    r"|Terrace|Way|Close|Gardens|Highway|Hwy|Parkway|Pkwy)"
)

FORMS: dict[str, tuple[Form, ...]] = {
    "DATE_TIME": (
        Form("day and time", rf"\b\d{{4}}[-/]\d\d[-/]\d\d[ T]{_TIME}(?![\dZ+-])", 0.95),
        Form("month and day", rf"\b(?:{_WEEKDAY},? )?(?-i:(?=\p{{Lu}})|(?=.{{0,20}}\d{{4}})){_MONTH} {_DAY}(?:,? {_YEAR})?\b", 0.6),
        Form("day and month", rf"\b(?:{_WEEKDAY},? )?{_DAY}(?: of)? {_MONTH}(?:,? {_YEAR}\b|(?!\w))", 0.6),
        Form("month and year", rf"\b{_MONTH},? {_YEAR}\b", 0.6),
        Form("weekday", rf"(?<!\b(?:{_WHICH}) )\b{_WEEKDAY}\b|\b{_WEEKDAY}\b(?! (?:before|after|of|in)\b)", 0.5),
        Form("year", rf"(?<=(?:\b(?:{_BEFORE_YEAR}) |\()){_YEAR}(?!{_NOT_AFTER_YEAR})", 0.4),
        Form("year alone", rf"(?<![\w.,:/=#$€£@+-]){_YEAR}(?!{_NOT_AFTER_YEAR})", 0.2),
    ),
    "AGE": (
        Form("years old", rf"\b{_AGE}(?=[- ]?(?:years?|yrs?|months?)[- ]olds?\b|[- ]?y/?o\b|[- ]?yrs?\b)", 0.6),
        Form("aged", rf"(?<=\b(?:aged?|age of|age is|age:|aged:|at age|turn|turned|turns|turning) ?){_AGE}(?![\w%]|[.,:/-]\d)", 0.6),
        Form("was", rf"(?<=\bwhen (?:he|she|I|they) (?:was|were) ){_AGE}(?![\w%]|[.,:/-]\d)", 0.6),
        Form("I am", rf"(?<=\b(?:I'm|I am|I’m|he is|she is|he's|she's) ){_AGE}(?=[.,!?;]?(?:\s|$))(?! ?(?:%|percent|minutes|hours|days|weeks|miles|km))", 0.5),
    ),
    "TITLE": (
        Form("title", r"\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|Rev|Hon|Capt|Sgt|Lt|Col)\.(?=\s+\p{L})", 0.6),
        Form("title, no full stop", r"\b(?-i:Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Professor|Sir|Dame)(?= (?-i:\p{Lu})\p{L})", 0.5),
    ),
    "NRP": (Form("nationality", rf"(?<!\b(?:{_OF_A_LANGUAGE}) )\b(?:{'|'.join(DEMONYMS)})(?:s|mans?)?\b(?! Republic)", 0.5),),
    "ADDRESS": (
        Form("unit", r"\b(?:Apt|Apartment|Suite|Ste)\.? ?#? ?\d{1,5}[A-Z]?\b(?! ?(?:tests?|bytes?|px))", 0.6),
        Form("unit, end of a part", r"\b(?:Flat|Unit) ?#? ?\d{1,4}[A-Z]?(?=[,\n])", 0.6),
        Form("box", r"\b(?:P\.? ?O\.? ?Box|Post(?:al )?box|Postfach) \d{1,6}\b", 0.6),
        Form("military", r"\b(?:PSC|Unit|USNS|USNV|USS|USCGC|CMR) [\p{L}\d]+(?:,? Box \d+)?,?\s+(?:APO|FPO|DPO),? A[AEP] \d{5}\b", 0.8),
        Form("street", rf"\b\d{{1,5}}[A-Z]? (?:(?:{_CAPITALISED}|\d+(?:st|nd|rd|th)) ){{1,3}}(?-i:{_STREET})\b\.?", 0.6),
        Form("state and ZIP", r"(?<=,\s)(?-i:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]) \d{5}(?:-\d{4})?\b", 0.6),
        Form("postal code beside its word", r"(?<=\b(?:zip|zip ?code|postcode|postal code|post code|PLZ)(?: is)?[: #]{1,2})[A-Z]{0,2}\d[\dA-Z]{2,5}(?:[- ]\d[\dA-Z]{1,4})?\b", 0.6),
    ),
}  # fmt: skip
CORNER = (Form("corner", rf"\b(?:the )?corner of [^.;!?\n]{{3,50}} and (?:{_CAPITALISED} ?){{1,3}}(?<! )", 0.6),)
"""Where two streets meet; the one form of an address without a number."""

LICENSE = (
    Form("groups and hyphens", r"\b(?!\d{4}-\d\d-\d\d\b|\d{3}-\d{3}-\d{4}\b)[A-Z]?\d{2,4}(?:-\d{2,4}){2,4}\b", 0.01),
)
"""Driver's licences of many states are written in groups; beside their word only."""
LICENSE_CONTEXT = ("license", "licence", "licenses", "dl", "permit")
