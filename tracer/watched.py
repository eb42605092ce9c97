"""The HTTP response beneath a stream: closed past the stream, it ends the call all the same."""

import functools
import weakref
from collections.abc import Callable
from typing import Any

from .passage import Passage

PASSING = "_spanward_passing"


def watch(response: Any, passage: Passage) -> None:
    """Have the HTTP response tell of `close()` and `aclose()`: some helpers close it past the stream.

    By its class, since a function in the object itself would make a cycle, and a dropped stream would stay alive.
    """
    if response is not None:
        kind: Any = type(response)
        response.__class__ = _watched(kind)
        setattr(response, PASSING, weakref.ref(passage))


@functools.cache
def _watched(kind: type) -> type:
    """A subclass of the response's class, which passes for it."""
    methods = {name: _telling(getattr(kind, name)) for name in ("close", "aclose") if hasattr(kind, name)}
    return type(kind.__name__, (kind,), {**methods, "__module__": kind.__module__, "__qualname__": kind.__qualname__})


def _telling(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def close(self: Any) -> Any:
        try:
            return method(self)
        finally:
            passage = getattr(self, PASSING)()
            if passage is not None and not passage.reading:
                passage.end("closed")

    return close
