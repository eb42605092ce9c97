"""What a policy may say about personal data: which countries, which engine for names, and what is never a finding."""

import re
from fnmatch import translate
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from .ner import DEFAULT, EngineError, parse
from .options import Options, Words
from .pii_packs import PACKS


def _known(countries: tuple[str, ...]) -> tuple[str, ...]:
    for country in countries:
        if country not in PACKS:
            near = country.lower()[:2] if len(country) <= 3 else ""
            hint = f"; did you mean {near!r}?" if near in PACKS else "; a `regex` detector takes its numbers"
            raise ValueError(f"no pack for the country {country!r}{hint} (packs: {', '.join(sorted(PACKS))})")
    return tuple(sorted(set(countries)))


def _off(value: object) -> object:
    """YAML reads `off` without quotes as false."""
    return "off" if value is False else value


def _engine(value: str) -> str:
    try:
        parse(value)
    except EngineError as error:
        raise ValueError(str(error)) from None
    return value


class PiiOptions(Options):
    """`countries: [us, uk]`, `ner: builtin-small`, `allow: ["support@acme.com", "*@example.com"]`."""

    countries: Annotated[Words, AfterValidator(_known)] = ("uk", "us")
    ner: Annotated[str, BeforeValidator(_off, json_schema_input_type=str | Literal[False]), AfterValidator(_engine)] = (
        DEFAULT
    )
    allow: Words = ()


class Allowed:
    """Values that are nobody's secret: exact ones or globs, whatever their case."""

    def __init__(self, values: tuple[str, ...]) -> None:
        self._pattern = re.compile("|".join(translate(value.casefold()) for value in values)) if values else None

    def __call__(self, value: str) -> bool:
        return self._pattern is not None and self._pattern.match(value.casefold()) is not None
