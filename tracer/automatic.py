"""`instrument()` without a line of the application's code: what `spanward run` has each of its processes do.

Nothing is started before a library that we trace is about to be imported: most processes of a program (its shells, its
helpers, the one that only forks the others) never import one, and pay next to nothing.
"""

import importlib.util
import os
import sys
from collections.abc import Iterable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

from . import registry

ASKED = "SPANWARD_RUN"
"""Set in the environment of what `spanward run` starts, and of everything that it starts in turn."""
SAID = "SPANWARD_RUN_SAID"
"""Set where a process has said that nothing is traced: those that it starts do not repeat it."""


class Watcher(MetaPathFinder):
    """Sees which modules are asked for. Calls `instrument()` before the first of these is imported, and goes."""

    def __init__(self, libraries: Iterable[str]) -> None:
        self._libraries = frozenset(libraries)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002  its face
        if name not in self._libraries or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        begin()
        return importlib.util.find_spec(name)  # anew: whoever asked us will not ask the import hooks that are new


def arm() -> None:
    """Call `instrument()` when the first library that we know is imported; calling it again changes nothing."""
    known = (*registry.ADAPTERS, *registry.HTTP_LIBRARIES)
    if any(name in sys.modules for name in known):
        begin()
    elif not any(isinstance(finder, Watcher) for finder in sys.meta_path):
        sys.meta_path.insert(0, Watcher(known))


def after_opentelemetry() -> None:
    """What OpenTelemetry's own automatic instrumentation calls when it is done: its `sitecustomize` replaced ours."""
    if os.environ.get(ASKED):
        arm()


def begin() -> None:
    """`instrument()`, as the environment says. The program goes on, untraced, if it fails."""
    try:
        from .instrument import instrument

        instrument()
    except Exception as error:  # noqa: BLE001  see above
        if not os.environ.get(SAID):
            os.environ[SAID] = "1"
            sys.stderr.write(f"spanward: nothing is traced in this program: {type(error).__name__}: {error}\n")
