"""What pydantic says of a file, in our words: a place in the file, what is wrong there, what was probably meant."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from .policy_file import Place, did_you_mean


def mistakes_of(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[Place, str]]:
    """Every mistake that `error` of validating `model` holds. A custom error says its text as it is."""
    for found in error.errors(include_url=False):
        place = tuple(found["loc"])
        key = place[-1] if place else ""
        if found["type"] == "extra_forbidden":
            yield place, f"unknown key {key!r}{did_you_mean(key, _keys_at(model, place[:-1]))}"
        elif found["type"] == "missing":
            yield place, f"{key!r} is missing"
        elif found["type"] == "literal_error":
            yield place, f"{found['input']!r} is no {_noun(place)}{_meant(found)}"
        elif found["type"] == "value_error":
            yield place, str(found["ctx"]["error"])
        else:
            yield place, f"{_subject(place)}{_wanted(found)}"


_MAPPING, _LIST = "a mapping (`key: value`)", "a list, each item after a `-`"
_TEXT, _TEXTS = "text", "text or a list of texts"
_WORDS = {
    "dict_type": _MAPPING, "model_type": _MAPPING, "model_attributes_type": _MAPPING,
    "tuple_type": _LIST, "list_type": _LIST,
    "string_type": _TEXT,
    "int_type": "a whole number", "int_parsing": "a whole number", "int_from_float": "a whole number",
    "float_type": "a number", "float_parsing": "a number",
    "bool_type": "`true` or `false`", "bool_parsing": "`true` or `false`",
    "greater_than": "more than {gt}", "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}", "less_than_equal": "at most {le}",
}  # fmt: skip
"""What something must be, by pydantic's name of the error."""


def _subject(place: Place) -> str:
    if place and isinstance(place[-1], int):
        return f"number {place[-1] + 1} of {place[-2]!r}" if len(place) > 1 else f"number {place[-1] + 1}"
    return repr(place[-1] if place else "")


def _wanted(found: Any) -> str:
    kind, given = found["type"], found["input"]
    if kind in {"too_short", "string_too_short"} and len(given) == 0:
        return " is empty"
    if kind not in _WORDS:
        return f": {found['msg'][0].lower()}{found['msg'][1:]}"
    words = _TEXTS if kind == "tuple_type" and isinstance(given, int | float) else _WORDS[kind]
    told = f", not {given!r}" if isinstance(given, bool | int | float) else ", not nothing" if given is None else ""
    quotes = "; put it in quotes" if told and words in {_TEXT, _TEXTS} and given is not None else ""
    return f" must be {words.format(**found.get('ctx', {}))}{told}{quotes}"


def _meant(found: Any) -> str:
    """`; did you mean …?`, or that a number was meant where one in quotes stands."""
    expected = _expected(found)
    given = found["input"]
    return "; write it without quotes" if given in expected else did_you_mean(given, expected)


def _noun(place: Place) -> object:
    return place[-2] if isinstance(place[-1], int) and len(place) > 1 else place[-1]


def _expected(found: Any) -> list[str]:
    return [word.strip("'") for word in found["ctx"]["expected"].replace(" or ", ", ").split(", ")]


def _keys_at(model: type[BaseModel], place: Place) -> list[str]:
    """The keys that a mapping at `place` may have."""
    for key in place:
        if isinstance(key, str) and key in model.model_fields:
            model = _model_in(model.model_fields[key].annotation) or model
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model behind `X`, `X | None`, `tuple[X, ...]` or `Annotated[X, …]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
