"""What a policy may say about personal data: which countries, which engine for names, and what is never a finding."""

import difflib
import re
from fnmatch import translate
from typing import Annotated

from pydantic import AfterValidator

from .ner import DEFAULT, EngineError, parse
from .options import Options, Words
from .pii_packs import PACKS


def _known(countries: tuple[str, ...]) -> tuple[str, ...]:
    for country in countries:
        if country not in PACKS:
            near = difflib.get_close_matches(country.lower(), PACKS, 1, 0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"there is no pack for the country {country!r}.{hint} Packs: {', '.join(sorted(PACKS))}")
    return tuple(sorted(set(countries)))


def _engine(value: str) -> str:
    try:
        parse(value)
    except EngineError as error:
        raise ValueError(str(error)) from None
    return value


class PiiOptions(Options):
    """`countries: [us, uk]`, `ner: builtin-small`, `allow: ["support@acme.com", "*@example.com"]`."""

    countries: Annotated[Words, AfterValidator(_known)] = ("uk", "us")
    ner: Annotated[str, AfterValidator(_engine)] = DEFAULT
    allow: Words = ()


class Allowed:
    """Values that are nobody's secret: exact ones or globs, whatever their case."""

    def __init__(self, values: tuple[str, ...]) -> None:
        self._pattern = re.compile("|".join(translate(value.casefold()) for value in values)) if values else None

    def __call__(self, value: str) -> bool:
        return self._pattern is not None and self._pattern.match(value.casefold()) is not None
