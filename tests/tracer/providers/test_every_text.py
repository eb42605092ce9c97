"""A text in every place that an SDK's own types have one: it is judged, or its place is named here as none for texts.

The types of the installed versions are walked, so a new argument of a new version is asked about by itself.
"""

import collections.abc
import enum
import importlib
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Literal, Union

import pytest
import typing_extensions

from spanward.tracer import leftover, registry
from spanward.tracer.adapter import Adapter, Endpoint

TEXT = "Write to jane.roe@example.org soon"
DEEP = 9
LISTS = (list, collections.abc.Iterable, collections.abc.Sequence, collections.abc.Collection)
WRAPPERS = (
    typing_extensions.Required, typing_extensions.NotRequired, typing_extensions.Annotated, typing.Required,
    typing.NotRequired, typing.Annotated,
)  # fmt: skip
REFERENCES = leftover.KEYS | {"key"}
TRANSPORT = leftover.TRANSPORT | leftover.HTTP | {"self", "return", "timeout", "retries"}

Place = tuple[str, ...]


def bare(kind: Any) -> Any:
    while typing_extensions.get_origin(kind) in WRAPPERS:
        kind = typing_extensions.get_args(kind)[0]
    return kind


def is_constant(kind: Any) -> bool:
    return typing_extensions.get_origin(bare(kind)) in (Literal, typing_extensions.Literal)


def fields(kind: Any) -> dict[str, tuple[Any, bool]]:
    """Name -> (type, whether it has to be there), of a TypedDict or a pydantic model; nothing of others."""
    if typing_extensions.is_typeddict(kind):
        hints = typing_extensions.get_type_hints(kind)
        tags = {"type", "role"}
        return {
            name: (hint, name in kind.__required_keys__ or (name in tags and is_constant(hint)))
            for name, hint in hints.items()
        }
    found = getattr(kind, "model_fields", {}) if inspect.isclass(kind) else {}
    return {
        field.alias or name: (field.annotation, field.is_required() or name in {"type", "role"})
        for name, field in found.items()
    }


def least(kind: Any, depth: int = 0) -> Any:
    """The smallest value of that type, as JSON."""
    kind = bare(kind)
    origin, args = typing_extensions.get_origin(kind), typing_extensions.get_args(kind)
    simple = {str: "x", int: 1, float: 1.0, bool: True, type(None): None}
    if kind in simple:
        return simple[kind]
    if is_constant(kind):
        return args[0]
    if origin in (Union, types.UnionType):
        return least(next(arg for arg in args if arg is not type(None)), depth)
    if origin in LISTS:
        return [least(args[0], depth + 1)] if depth < DEEP else []
    if inspect.isclass(kind) and issubclass(kind, enum.Enum):
        return next(iter(kind)).value
    return {name: least(hint, depth + 1) for name, (hint, needed) in fields(kind).items() if needed}


def texts(kind: Any, depth: int = 0, above: tuple[Any, ...] = ()) -> Iterator[tuple[Place, Any]]:
    """Every place of a text in a value of that type, with the smallest value that has TEXT there."""
    kind = bare(kind)
    origin, args = typing_extensions.get_origin(kind), typing_extensions.get_args(kind)
    if depth > DEEP or kind in above:
        return
    if kind in (str, object, Any):
        yield (), TEXT
    if kind in (object, Any):
        yield ("any",), {"any": [TEXT]}
    elif origin in (Union, types.UnionType):
        for arg in args:
            yield from texts(arg, depth, above)
    elif origin in LISTS:
        yield from ((place, [value]) for place, value in texts(args[0], depth + 1, above))
    elif origin in (dict, collections.abc.Mapping):
        yield from ((("any", *place), {"any": value}) for place, value in texts(args[1], depth + 1, above))
    else:
        around: Any = None
        for name, (hint, _) in fields(kind).items():
            for place, value in texts(hint, depth + 1, (*above, kind)):
                around = least(kind, depth) if around is None else around
                yield (name, *place), {**around, name: value}


def openai() -> Any:
    import openai

    return SimpleNamespace(_client=openai.OpenAI(api_key="x"))


def anthropic() -> Any:
    import anthropic

    return SimpleNamespace(_client=anthropic.Anthropic(api_key="x"))


def groq() -> Any:
    import groq

    return SimpleNamespace(_client=groq.Groq(api_key="x"))


def together() -> Any:
    import together

    return SimpleNamespace(_client=together.Together(api_key="x"))


def cohere() -> Any:
    import cohere

    return SimpleNamespace(_client_wrapper=cohere.Client("x")._client_wrapper)


def google() -> Any:
    from google import genai

    return genai.Client(api_key="x").models


LIBRARIES: dict[str, Callable[[], Any]] = {
    "openai": openai,
    "anthropic": anthropic,
    "groq": groq,
    "together": together,
    "cohere": cohere,
    "google.genai": google,
}


def methods(adapter: Adapter) -> Iterator[tuple[Endpoint, Any]]:
    """Endpoints with the function behind each, one of those that take the same arguments."""
    seen = set()
    for endpoint in adapter.endpoints:
        if not endpoint.sync_method or getattr(endpoint.request, "__name__", "") == "untold":
            continue
        try:
            found: Any = importlib.import_module(endpoint.module)
            for name in endpoint.sync_method.split("."):
                found = getattr(found, name)
        except (ImportError, AttributeError):
            continue
        function = inspect.unwrap(found)
        parameters = inspect.signature(function).parameters
        arguments = frozenset(parameters)
        untyped = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
        if arguments not in seen and not untyped:
            seen.add(arguments)
            yield endpoint, function


def is_reference(place: Place) -> bool:
    """Whether a place is for an id, a name, an address, media or the transport."""
    key = next((step for step in reversed(place) if step != "any"), "")
    return key in REFERENCES or key.endswith((*leftover.IDS, "name", "Name"))


def open_places(adapter: Adapter, endpoint: Endpoint, function: Any, resource: Any) -> Iterator[str]:
    """Places whose text neither the adapter nor the look at what is left over finds."""
    for name, hint in typing_extensions.get_type_hints(function).items():
        if name in TRANSPORT:
            continue
        for place, value in texts(hint):
            if is_reference((name, *place)) or TRANSPORT & set(place):
                continue
            kwargs = {name: value}
            call = endpoint.request(resource, kwargs)
            known = (*call.messages, *call.tools, *call.beside)
            judged = (*known, *leftover.leftover(kwargs, known, adapter.apart, call.whole))
            found = [part for message in judged for part in message.parts if TEXT in part.text]
            if not found or any(part.where[:1] != (name,) for part in found):
                yield ".".join((name, *place))


@pytest.mark.parametrize("library", LIBRARIES)
def test_no_text_goes_out_unjudged(library: str) -> None:
    pytest.importorskip(library)
    adapter, resource = registry.load(library), LIBRARIES[library]()
    found = {
        f"{endpoint.module} {endpoint.sync_method}": sorted(set(open_places(adapter, endpoint, function, resource)))
        for endpoint, function in methods(adapter)
    }
    assert len(found) > 1
    assert {method: places for method, places in found.items() if places} == {}
