"""Where a page of a list ended, as text that only the list itself reads."""

from typing import Any

from ..cursor import NOT_OURS, pack, unpack
from ..view import BadView


def encode(kind: str, *position: Any) -> str:
    return pack([kind, *position])


def decode(text: str, kind: str, *types: type) -> tuple[Any, ...]:
    """The position that `encode` was given, of these types. Raises `BadView` for what it did not make for this kind."""
    try:
        told = unpack(text)
        if told[0] == kind and len(told) == len(types) + 1:
            return tuple(type_(value) for type_, value in zip(types, told[1:], strict=True))
    except (ValueError, TypeError, KeyError, IndexError):
        pass
    raise BadView(NOT_OURS) from None
