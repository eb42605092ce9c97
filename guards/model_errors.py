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
            yield place, f"{found['input']!r} is no {_noun(place)}{did_you_mean(found['input'], _expected(found))}"
        elif found["type"] == "value_error":
            yield place, str(found["ctx"]["error"])
        else:
            yield place, f"{key!r}: {found['msg'][0].lower()}{found['msg'][1:]}"


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
