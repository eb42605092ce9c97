"""The HTTP response beneath a stream: closed past the stream, it ends the call all the same."""

import copyreg
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
    methods: dict[str, Any] = {"__reduce_ex__": _reduced}
    methods |= {name: _telling(getattr(kind, name)) for name in ("close", "aclose") if hasattr(kind, name)}
    return type(kind.__name__, (kind,), {**methods, "__module__": kind.__module__, "__qualname__": kind.__qualname__})


def _reduced(self: Any, protocol: Any) -> Any:
    """As the library's own is copied and pickled: nobody could find our class by its name."""
    ours, passing = type(self), self.__dict__.pop(PASSING, None)
    self.__class__ = ours.__mro__[1]
    try:
        reduced = self.__reduce_ex__(protocol)
        if reduced[0] is copyreg.__newobj__:  # type: ignore[attr-defined]  # pickle would compare the class with ours
            return reduced[1][0].__new__, *reduced[1:]
        return reduced
    finally:
        self.__class__ = ours
        setattr(self, PASSING, passing)


def _telling(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def close(self: Any) -> Any:
        try:
            return method(self)
        finally:
            passing = getattr(self, PASSING, None)
            passage = passing() if passing is not None else None
            if passage is not None and not passage.reading:
                passage.end("closed")

    return close
