"""Reading what callers and libraries hand over: dicts or objects, lists or iterators, text or JSON, media or not."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...guards.messages import Part, Path

_AS_IT_IS = (str, int, float, bool, type(None), bytes, type)
"""Classes too: a pydantic model that the answer is parsed into is no object of the library."""


def field(thing: Any, name: str, default: Any = None) -> Any:
    """`thing[name]` of a dict, `thing.name` of an object; `default` where it is missing or None."""
    value = thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)
    return default if value is None else value


def plain(value: Any) -> Any:  # noqa: PLR0911  one kind of value a return
    """The same content in dicts and lists, which paths can lead through; unchanged values stay the same objects.

    Objects of the library become what it would send for them itself: only fields that are set, without what it
    marks as its own (`__api_exclude__`). Iterators are used up here, so the result has to be sent in their place.
    """
    if isinstance(value, _AS_IT_IS):
        return value
    if isinstance(value, dict):
        changed = {key: new for key, old in value.items() if (new := plain(old)) is not old}
        return {**value, **changed} if changed else value
    if type(value) is list:
        items = [plain(item) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if hasattr(value, "model_dump"):
        return value.model_dump(exclude_unset=True, mode="json", exclude=getattr(value, "__api_exclude__", None))
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return value


def dumps(value: Any) -> str:
    """JSON as people write text: detectors find nothing in escapes."""
    return json.dumps(value, ensure_ascii=False, default=str)


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
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


def counts(usage: Any) -> dict[str, Any]:
    """A library's usage object as a plain dict, without the fields it left empty."""
    if usage is None:
        return {}
    raw = usage if isinstance(usage, dict) else usage.model_dump(exclude_none=True, warnings=False)
    return {key: value for key, value in raw.items() if value is not None}


def number(thing: Any, *path: str) -> int:
    """The count at `path`, 0 where any step is missing or is no number."""
    for name in path:
        thing = field(thing, name)
    return thing if isinstance(thing, int) else 0


def given(kwargs: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Those of the parameters that the caller set to a number, a string, a flag or a list of such."""
    return {name: kwargs[name] for name in names if name in kwargs and _is_setting(kwargs[name])}


def _is_setting(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(item, str | int | float) for item in value)
    return isinstance(value, str | int | float)
