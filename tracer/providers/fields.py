"""Reading what callers and libraries hand over: dicts or objects, lists or iterators, text or JSON, media or not."""

import hashlib
import json
from collections.abc import Callable, Container, Iterable, Mapping
from operator import is_
from typing import Any

from ...guards.messages import Message, Part, Path
from .. import opaque
from ..adapter import CallersError

_AS_IT_IS = (str, int, float, bool, type(None), bytes, type)
"""Classes too: a pydantic model that the answer is parsed into is no object of the library."""


_ATOMS = frozenset((str, int, float, bool, type(None), bytes))


def field(thing: Any, name: str, default: Any = None) -> Any:
    """`thing[name]` of a dict, `thing.name` of an object; `default` where it is missing or None."""
    value = thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)
    return default if value is None else value


def members(thing: Any) -> Mapping[str, Any]:
    """All fields of a dict or an object of the library (a pydantic model), in one mapping to read many from."""
    if type(thing) is dict:
        return thing
    try:
        own: dict[str, Any] = thing.__dict__
        extra = thing.__pydantic_extra__
    except AttributeError:  # of no model: a dictionary of the library's own, an object, nothing
        return thing if isinstance(thing, dict) else getattr(thing, "__dict__", {})
    return {**own, **extra} if extra else own


def set_fields(model: Any) -> Any:
    """What Stainless SDKs send for one of their objects: only fields that are set, without what is marked as theirs."""
    return model.model_dump(exclude_unset=True, mode="json", exclude=getattr(model, "__api_exclude__", None))


def plain(value: Any, dump: Callable[[Any], Any] = set_fields) -> Any:
    """The same content in dicts and lists, which paths can lead through; unchanged values stay the same objects.

    Objects of the library (pydantic models) become what it would send for them itself, as `dump` says. Iterators are
    used up here, so the result has to be sent in their place. Raises CallersError.
    """
    try:
        return _plain(value, dump)
    except RecursionError:
        if _all_plain(value):
            return value
        raise


def _all_plain(value: Any) -> bool:
    """Whether there is nothing but dicts, lists and scalars, however deep."""
    stack, seen = [value], set()
    while stack:
        here = stack.pop()
        if isinstance(here, dict) or type(here) is list:
            if id(here) not in seen:
                seen.add(id(here))
                stack += here.values() if isinstance(here, dict) else here
        elif not isinstance(here, _AS_IT_IS):
            return False
    return True


def _plain(value: Any, dump: Callable[[Any], Any]) -> Any:  # noqa: PLR0911  one kind of value a return
    kind = type(value)
    if kind is dict:
        for item in value.values():
            if type(item) not in _ATOMS:
                break
        else:
            return value
    elif kind is list:
        items = [_plain(item, dump) for item in value]
        return value if all(map(is_, items, value)) else items
    elif isinstance(value, _AS_IT_IS):
        return value
    if isinstance(value, dict):
        changed = {key: new for key, old in value.items() if (new := _plain(old, dump)) is not old}
        return {**value, **changed} if changed else value
    if hasattr(value, "model_dump"):
        return dump(value)
    if isinstance(value, Mapping):
        return {key: _plain(item, dump) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [_plain(item, dump) for item in _read(value)]
    return value


def _read(items: Iterable[Any]) -> list[Any]:
    try:
        return list(items)
    except RecursionError:
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, it is the application's
        raise CallersError(error) from None


def dumps(value: Any) -> str:
    """JSON as people write text: detectors find nothing in escapes."""
    return json.dumps(value, ensure_ascii=False, default=opaque.said)


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):  # one nested too deep is read as plain text, by the guards too
        return False
    return True


def arguments(text: str) -> bool:
    """Whether tool arguments can be treated as JSON text: models write broken JSON, which is judged as plain text."""
    return bool(text) and is_json(text)


def whole(value: Any, where: Path, *, kind: Any = "text", name: str = "", part_id: str = "") -> Part:
    """A part we know no better: judged as a whole, as text if it is text, as JSON if it is not."""
    if isinstance(value, str):
        return Part(kind, value, name=name, id=part_id, where=where)
    return Part(kind, dumps(value), json=True, name=name, id=part_id, where=where)


def media(uri: str = "", data: Any = "", mime: str = "", name: str = "") -> Part:
    """A reference: the URL itself, or the digest of inline bytes (base64 text, bytes or a data: URL)."""
    if uri.startswith("data:"):
        head, _, data = uri.partition(",")
        mime = mime or head[5:].partition(";")[0]
    if data:
        raw = data if isinstance(data, bytes) else str(data).encode()
        uri = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    return Part("media", name=name, mime=mime, uri=uri)


def beside(kwargs: dict[str, Any], names: Iterable[str]) -> tuple[Message, ...]:
    """Texts of the request that are no part of the conversation, one part each."""
    if kwargs.keys().isdisjoint(names):
        return ()
    parts = []
    for name in names:
        if name not in kwargs:
            continue
        value = kwargs[name]
        if isinstance(value, str | dict | list | tuple) and value:
            kwargs[name] = plain(value)
            parts.append(whole(kwargs[name], (name,), name=name))
    return (Message("user", tuple(parts)),) if parts else ()


def counts(usage: Any) -> dict[str, Any]:
    """A library's usage object as a plain dict, without the fields it left empty."""
    if usage is None:
        return {}
    raw = usage if isinstance(usage, dict) else usage.model_dump(exclude_none=True, warnings=False)
    return {key: value for key, value in raw.items() if value is not None}


def figures(usage: Any) -> dict[str, Any]:
    """As `counts`, of an object of a Stainless SDK: nothing but numbers, read where it keeps them, in half the time."""
    told: dict[str, Any] = {}
    for name, value in members(usage).items():
        if type(value) is int:
            told[name] = value
        elif value is not None:
            told[name] = figures(value) if hasattr(value, "model_dump") else value
    return told


def as_json(value: Any) -> Any:
    """A library's objects, in lists or alone, as plain dicts."""
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return counts(value) if hasattr(value, "model_dump") else value


def count(said: Mapping[str, Any], name: str) -> int:
    """The count of that name, 0 where it is missing or is no number."""
    return value if name in said and isinstance(value := said[name], int) else 0


def number(thing: Any, *path: str) -> int:
    """The count at `path`, 0 where any step is missing or is no number."""
    for name in path:
        thing = field(thing, name)
    return thing if isinstance(thing, int) else 0


def given(kwargs: Mapping[str, Any], names: Container[str]) -> dict[str, Any]:
    """Those of the parameters that the caller set to a number, a string, a flag or a list of such."""
    return {name: value for name, value in kwargs.items() if name in names and _is_setting(value)}


def _is_setting(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(item, str | int | float) for item in value)
    return isinstance(value, str | int | float)
