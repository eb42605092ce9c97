"""Spanward makes the model calls of an application observable and safe.

>>> import spanward
>>> spanward.instrument()  # doctest: +SKIP

Names are brought in when they are first asked for, so that importing the package costs an application nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tracer.blocked import ModelCallBlocked
    from .tracer.context import prompt, session, tags, user
    from .tracer.instrument import instrument, uninstrument
    from .tracer.manual import model_call
    from .tracer.trace import trace

__all__ = [
    "ModelCallBlocked",
    "instrument",
    "model_call",
    "prompt",
    "session",
    "tags",
    "trace",
    "uninstrument",
    "user",
]

_HOMES = {
    "ModelCallBlocked": "tracer.blocked",
    "instrument": "tracer.instrument",
    "uninstrument": "tracer.instrument",
    "prompt": "tracer.context",
    "session": "tracer.context",
    "tags": "tracer.context",
    "trace": "tracer.trace",
    "model_call": "tracer.manual",
    "user": "tracer.context",
}


def __getattr__(name: str) -> object:
    """Bring a public name in when it is first asked for."""
    if name not in _HOMES:
        message = f"module 'spanward' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
