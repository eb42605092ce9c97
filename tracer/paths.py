"""Reading and writing texts by path, in what the application and the provider's library hand us.

A path leads through mapping keys, sequence indices and attributes.
"""

import json
from collections.abc import Mapping
from typing import Any

from ..guards.messages import Path

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
        holder = get(root, path[:-1])
        _put(holder, path[-1], _like(_step(holder, path[-1]), text))


def _step(holder: Any, step: str | int) -> Any:
    if isinstance(step, int) or isinstance(holder, Mapping):
        return holder[step]
    return getattr(holder, step)


def _put(holder: Any, step: str | int, value: Any) -> None:
    if isinstance(step, int) or isinstance(holder, dict):
        holder[step] = value
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
    """`text` in the form that stood there before: where an object stood, the object that the JSON text means."""
    if isinstance(original, bytes):
        return text.encode(errors="surrogateescape")
    return text if original is None or isinstance(original, str) else json.loads(text)
