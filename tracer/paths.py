"""Reading and writing texts by path, in what the application and the provider's library hand us.

A path leads through mapping keys, sequence indices and attributes.
"""

import json
from collections.abc import Mapping
from typing import Any

from ..guards.messages import Path
from .opaque import kept

Edits = Mapping[Path, str]


def get(root: Any, path: Path) -> Any:
    """The value at `path`. Raises KeyError, IndexError or AttributeError if there is none."""
    for step in path:
        root = _step(root, step)
    return root


def edited(root: Any, edits: Edits) -> Any:
    """A copy of `root` with the texts at these paths replaced; only what lies on the way to them is copied."""
    copies: dict[Path, Any] = {}
    result = _copy(root)
    copies[()] = result
    for path, text in edits.items():
        holder = result
        for depth in range(1, len(path)):
            here = path[:depth]
            if here not in copies:
                copies[here] = _copy(_step(holder, path[depth - 1]))
                _put(holder, path[depth - 1], copies[here])
            holder = copies[here]
        _put(holder, path[-1], _like(_step(holder, path[-1]), text))
    return result


def edit(root: Any, edits: Edits) -> None:
    """Replace the texts at these paths in `root` itself."""
    for path, text in edits.items():
        holders = [root]
        for step in path[:-1]:
            holders = [below for holder in holders for below in _views(holder, step)]
        for holder in holders:
            _put(holder, path[-1], _like(_step(holder, path[-1]), text))


def _views(holder: Any, step: str | int) -> list[Any]:
    """What is there, twice where an object is a mapping too and says the same in both (Hugging Face's types)."""
    found = _step(holder, step)
    twin = holder.__dict__.get(step, found) if _is_both(holder) else found
    return [found] if twin is found else [found, twin]


def _is_both(holder: Any) -> bool:
    return isinstance(holder, dict) and type(holder) is not dict and hasattr(holder, "__dict__")


def _step(holder: Any, step: str | int) -> Any:
    if isinstance(step, int) or isinstance(holder, Mapping):
        return holder[step]
    return getattr(holder, step)


def _put(holder: Any, step: str | int, value: Any) -> None:
    if isinstance(step, int) or isinstance(holder, dict):
        holder[step] = value
        if _is_both(holder) and step in holder.__dict__:
            holder.__dict__[step] = value
    else:
        setattr(holder, step, value)


def _copy(value: Any) -> Any:
    """A shallow copy that can be written to: tuples become lists, other mappings dicts, pydantic models models."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (list, tuple)):
        return list(value)
    if hasattr(value, "model_copy"):
        return value.model_copy()
    raise TypeError(f"cannot copy a {type(value).__name__} on the way to an edit")


def _like(original: Any, text: str) -> Any:
    """`text` in the form that stood there before: where an object stood, the object that the JSON text means, with what
    is no JSON as it was.

    Where one of a pydantic class stood, one of that class, if it can be.
    """
    if isinstance(original, bytes):
        return text.encode(errors="surrogateescape")
    if original is None or isinstance(original, str):
        return text
    meant = kept(original, json.loads(text))
    validate = getattr(type(original), "model_validate", None)
    if validate is None or not isinstance(meant, dict):
        return meant
    try:
        return validate(meant)
    except ValueError:  # of a class that wants more than its own JSON: dicts are read like objects
        return meant
