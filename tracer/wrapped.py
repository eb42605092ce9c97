"""Who else has put something around a library's method: other instrumentations, seen by where their code stands."""

import sys
from collections.abc import Iterator
from typing import Any

OURS = __name__.partition(".")[0]
HELPERS = sys.stdlib_module_names | {"typing_extensions", "pydantic", "deprecation", "deprecated", "tenacity", "wrapt"}
"""Whose decorators libraries use on their own methods."""


def others(method: Any, library: str) -> tuple[str, ...]:
    """Modules of what stands around (or in the place of) a method of `library`, the outermost first."""
    roots = (_module(layer) for layer in _layers(method))
    foreign = (name for name in roots if not _own(name.partition(".")[0], library))
    return tuple(dict.fromkeys(foreign))


def _own(root: str, library: str) -> bool:
    """A library may have its decorators in a package beside it (`llama_index_instrumentation`)."""
    return not root or root == OURS or root in HELPERS or root.startswith(library)


def _layers(method: Any) -> Iterator[Any]:
    """What is called on the way to the method itself, which is the last."""
    seen = 0
    while method is not None and seen < 20:
        seen += 1
        method = getattr(method, "__func__", method)  # of a static or a class method
        yield getattr(method, "_self_wrapper", method)
        method = getattr(method, "__wrapped__", None)


def _module(layer: Any) -> str:
    """Where its code stands: `functools.wraps` makes `__module__` say what it covers."""
    function = getattr(layer, "func", layer)  # of a partial
    function = getattr(function, "__func__", function)  # of a bound method
    code = getattr(function, "__globals__", None)
    return str(code.get("__name__", "") if code is not None else type(function).__module__)
