"""Puts our wrapper around the libraries' methods, when they are imported, and takes it off again."""

import importlib.metadata
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import wrapt

from . import around, health, http_spans, registry, wrapped
from .adapter import Adapter, Around, Endpoint
from .engine import Engine
from .method import Method
from .operations import Narration
from .spans import inside

NO_METHOD = "this version has no such method"


@dataclass(slots=True)
class Patch:
    """One method of a class (or function of a module), as it was: `original` is what stood in the class itself."""

    owner: Any
    name: str
    original: Any
    ours: Any

    def undo(self) -> None:
        """Put the original back, unless somebody else put a wrapper over ours; then ours lets calls through."""
        if vars(self.owner).get(self.name) is self.ours:
            setattr(self.owner, self.name, self.original)


@dataclass(slots=True)
class Library:
    """What became of one library in this process: `skipped` says why, by endpoint."""

    adapter: Adapter
    version: str
    tested: bool
    patched: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Patches:
    engine: Engine
    libraries: dict[str, Library] = field(default_factory=dict)
    done: list[Patch] = field(default_factory=list)
    listening: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What undoes listening, by library."""

    def undo(self) -> None:
        while self.listening:
            library, undo = self.listening.popitem()
            health.fenced(f"{library}.listen", undo)
        while self.done:
            self.done.pop().undo()


_current: Patches | None = None
_hooked: set[tuple[str, str]] = set()
"""(module, what is done when it is imported): there may be several."""


def apply(engine: Engine) -> Patches:
    """Patch what is imported, and what will be."""
    global _current  # noqa: PLW0603  import hooks cannot be taken back: they ask for what is current
    _current = Patches(engine)
    for library in registry.ADAPTERS:
        for root in registry.roots(library):
            _when_imported(root, _library_imported)
    for module in http_spans.METHODS:
        _when_imported(module, _http_imported)
    return _current


def revert(patches: Patches) -> None:
    global _current  # noqa: PLW0603  as above
    _current = None
    patches.undo()


def version_of(distribution: str) -> str:
    """The installed version, '' if it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def tested(adapter: Adapter, version: str) -> bool:
    """Whether this version is within those that the adapter was tested with."""
    return _numbers(adapter.oldest) <= _numbers(version) < _numbers(adapter.below)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _when_imported(module: str, then: Any) -> None:
    """Call `then(module name)` once it is imported: now, if it is, and again for each later `instrument()`."""
    if (module, then.__qualname__) in _hooked:
        if module in sys.modules:
            health.fenced("patch", then, module)
        return
    _hooked.add((module, then.__qualname__))
    wrapt.register_post_import_hook(lambda imported: health.fenced("patch", then, imported.__name__), module)


def _library_imported(root: str) -> None:
    name = registry.library_of(root)
    if _current is None or name in _current.libraries:
        return
    adapter = registry.load(name)
    version = version_of(adapter.distribution)
    _current.libraries[name] = Library(adapter, version, tested(adapter, version))
    if adapter.native_tracer:
        _when_imported(adapter.native_tracer[0], _native_imported)
    for module, _ in adapter.native_hooks:
        _when_imported(module, _hooks_imported)
    for module in dict.fromkeys(method.module for method in wraps(adapter)):
        _when_imported(module, _endpoints_imported)
    if adapter.listen:
        _when_imported(adapter.listens_to or name, _narrator_imported)


def _narrator_imported(module: str) -> None:
    """A framework that tells by itself what it does is listened to."""
    if _current is None:
        return
    for name, library in _current.libraries.items():
        adapter = library.adapter
        if adapter.listen and (adapter.listens_to or name) == module and name not in _current.listening:
            undo = health.fenced(f"{name}.listen", adapter.listen, Narration(_current.engine.operations, name))
            if undo is None:
                library.skipped[module] = f"version {library.version} cannot be listened to"
            else:
                _current.listening[name] = undo


def _endpoints_imported(module: str) -> None:
    if _current is None:
        return
    for library in _current.libraries.values():
        for endpoint in wraps(library.adapter):
            if endpoint.module == module:
                for method, is_async in methods(endpoint):
                    _patch_method(_current, library, endpoint, method, is_async=is_async)


def wraps(adapter: Adapter) -> list[Endpoint | Around]:
    """Everything of a library that gets a wrapper."""
    return [*adapter.endpoints, *adapter.around]


def methods(endpoint: Endpoint | Around) -> list[tuple[str, bool]]:
    """(dotted name within the module, whether it is async) of those that there are."""
    both = ((endpoint.sync_method, False), (endpoint.async_method, True))
    return [(method, is_async) for method, is_async in both if method]


def find(module: str, method: str) -> tuple[Any, str, Any] | None:
    """(owner, name, what stands in the owner itself) of a method, None if this version has none."""
    *way, name = method.split(".")
    owner: Any = sys.modules[module]
    for step in way:
        owner = getattr(owner, step, None)
    original = vars(owner).get(name) if owner is not None else None
    return None if original is None else (owner, name, original)


def _patch_method(
    patches: Patches, library: Library, endpoint: Endpoint | Around, method: str, *, is_async: bool
) -> None:
    place = f"{endpoint.module}.{method}"
    found = find(endpoint.module, method)
    if found is None:
        library.skipped[place] = NO_METHOD
        return
    owner, name, original = found
    if isinstance(endpoint, Endpoint) and not library.tested and not fits(original):
        library.skipped[place] = f"version {library.version} is unknown, and its signature does not fit"
        health.count("patching", f"{place}: signature does not fit")
        return
    for who in wrapped.others(original, endpoint.module.partition(".")[0]):
        health.count("also_patched", f"{library.adapter.library} by {who}")
    make: Any = partial(around.wrapper, patches.engine) if isinstance(endpoint, Around) else patches.engine.wrapper
    names = (isinstance(endpoint, Endpoint) and endpoint.names) or positional(original)
    wrapper = make(library.adapter, endpoint, names, is_async=is_async)
    _put(patches, owner, name, Method(original, wrapper))
    if place not in library.patched:
        library.patched.append(place)


def positional(method: Any) -> tuple[str, ...]:
    """Names of the parameters that may be given by position, without `self`."""
    try:
        parameters = list(inspect.signature(method).parameters.values())
    except (TypeError, ValueError):
        return ()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return tuple(names[1:] if names[:1] == ["self"] else names)


def fits(method: Any) -> bool:
    """Whether a method of an unknown version takes keyword arguments as those we know do."""
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):
        return False
    return any((p.name == "model" and p.kind is p.KEYWORD_ONLY) or p.kind is p.VAR_KEYWORD for p in parameters)


def _native_imported(module: str) -> None:
    """Within a call of ours the library's own tracer is None, where its span would say the same to the same reader."""
    if _current is None:
        return
    for library in _current.libraries.values():
        if not library.adapter.native_tracer or library.adapter.native_tracer[0] != module:
            continue
        _, class_name, name = library.adapter.native_tracer
        owner = getattr(sys.modules[module], class_name, None)
        original = vars(owner).get(name) if owner else None
        if owner is None or not isinstance(original, property):
            library.skipped[f"{module}.{class_name}.{name}"] = "this version has no tracer of its own there"
        else:
            _put(_current, owner, name, property(_quieted(original)))


def _quieted(original: property) -> Any:
    def tracer(self: Any) -> Any:
        call = inside.get()
        return None if call is not None and call.quiet else original.__get__(self)

    return tracer


def _hooks_imported(module: str) -> None:
    """The same for libraries that begin their own span in a hook of a request."""
    if _current is None:
        return
    for library in _current.libraries.values():
        for where, method in library.adapter.native_hooks:
            found = find(module, method) if where == module else None
            if found is not None:
                owner, name, original = found
                _put(_current, owner, name, Method(original, _unhooked))


def _unhooked(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001  wrapt's
    call = inside.get()
    return args[-1] if call is not None and call.quiet and args else wrapped(*args, **kwargs)


def _put(patches: Patches, owner: Any, name: str, ours: Any) -> None:
    patches.done.append(Patch(owner, name, vars(owner)[name], ours))
    setattr(owner, name, ours)


def _http_imported(module: str) -> None:
    """Of a transport that the application instruments itself we make no spans, but for clients that nobody knows."""
    if _current is None:
        return
    for class_name, method in http_spans.METHODS[module]:
        owner = getattr(sys.modules[module], class_name)
        theirs = isinstance(vars(owner)[method], wrapt.ObjectProxy)
        library, is_async = module.partition(".")[0], method in http_spans.ASYNC
        wrapper = http_spans.wrapper(_current.engine, library, is_async=is_async, attempts=not theirs)
        _put(_current, owner, method, Method(vars(owner)[method], wrapper))
