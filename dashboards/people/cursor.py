"""Where a page of a list ended, as text that only the list itself reads."""

import base64
import binascii
import json
from typing import Any

from ..view import BadView


def encode(kind: str, *position: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([kind, *position]).encode()).decode().rstrip("=")


def decode(text: str, kind: str, *types: type) -> tuple[Any, ...]:
    """The position that `encode` was given, of these types. Raises `BadView` for what it did not make for this kind."""
    try:
        told = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if told[0] == kind and len(told) == len(types) + 1:
            return tuple(type_(value) for type_, value in zip(types, told[1:], strict=True))
    except (ValueError, TypeError, KeyError, IndexError, binascii.Error):
        pass
    raise BadView("this cursor was not made by this list; start again without `cursor`") from None
