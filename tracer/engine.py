"""What all calls share, and the one wrapper around every method that makes a call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from opentelemetry.trace import Tracer, TracerProvider

from ..guards.judgement import Context
from . import health
from .adapter import Adapter, Endpoint, Kwargs
from .bound import Bound, bound
from .course import course
from .guarding import Judge
from .hosts import ModelHosts
from .operations import Operations
from .run import Run
from .settings import Settings
from .spans import ToSpool, inside
from .steps import Course, run_async, run_sync

if TYPE_CHECKING:
    from .passage import Passage


@dataclass(slots=True)
class Engine:
    """What all calls share. `judge` is None where guards are off; an engine that is not `active` lets calls through."""

    settings: Settings
    provider: TracerProvider
    tracer: Tracer
    writer: ToSpool
    judge: Judge | None
    context: Context = field(default_factory=Context)
    active: bool = True
    streams: "WeakSet[Passage]" = field(default_factory=WeakSet)
    process: object = field(default_factory=object)
    """Another one in a child of a fork."""
    operations: Operations = field(init=False)
    hosts: ModelHosts = field(init=False)
    bound: Bound = field(init=False)

    def __post_init__(self) -> None:
        self.operations = Operations(self)
        self.hosts = ModelHosts(self.settings.model_hosts)
        self.bound = bound(self.settings.content_bytes)

    def end_streams(self) -> None:
        """What was read of streams that are still open is told now: the end of the process asks nobody else."""
        for passage in list(self.streams):
            passage.end("abandoned")

    def wrapper(
        self, adapter: Adapter, endpoint: Endpoint, positional: tuple[str, ...] = (), *, is_async: bool
    ) -> Callable[..., Any]:
        """A wrapper for wrapt: (wrapped, instance, args, kwargs) -> whatever the method gives.

        `positional` names the parameters that the application may give by their position.
        """
        shell = run_async if is_async else run_sync
        begin = managed if endpoint.manager else lazily if endpoint.lazy else direct
        applies = endpoint.applies

        def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: Kwargs) -> Any:
            outer = inside.get()
            if not self.active or (outer is not None and outer.covers(instance)):
                return wrapped(*args, **kwargs)
            asked = named(positional, args, kwargs) if args else kwargs
            if asked is None or (applies is not None and not health.fenced("applies", applies, instance, asked)):
                return wrapped(*args, **kwargs)
            return begin(shell, Run(self, adapter, endpoint, instance, asked), wrapped)

        return wrapper


def named(positional: tuple[str, ...], args: tuple[Any, ...], kwargs: Kwargs) -> Kwargs | None:
    """All arguments by name; None for those that the method itself will refuse, or that have no names."""
    names = positional[: len(args)]
    if len(names) < len(args) or not kwargs.keys().isdisjoint(names):
        return None
    return {**dict(zip(names, args, strict=True)), **kwargs}


def direct(shell: Callable[[Course], Any], run: Run, wrapped: Callable[..., Any]) -> Any:
    return shell(course(run, lambda: wrapped(**run.kwargs), is_async=shell is run_async))


def lazily(shell: Callable[[Course], Any], run: Run, wrapped: Callable[..., Any]) -> Any:
    """The method is a generator function: what it gives asks the provider when it is first read."""
    from .unread import unread

    return unread(wrapped(**run.kwargs), lambda: direct(shell, run, wrapped), is_async=shell is run_async)


def managed(shell: Callable[[Course], Any], run: Run, wrapped: Callable[..., Any]) -> Any:
    """The method gives a context manager, which asks the provider on entering: ours then asks in its place."""
    assert run.endpoint.manager is not None
    take, put = run.endpoint.manager.take, run.endpoint.manager.put
    is_async = shell is run_async
    manager = wrapped(**run.kwargs)
    pending = health.fenced("manager", take, manager)
    if pending is None:
        return manager

    def ask() -> Any:
        nonlocal pending
        if run.kwargs is not run.asked:
            drop(pending)
            pending = take(wrapped(**run.kwargs))
        return pending() if callable(pending) else pending

    def whole() -> Course:
        nonlocal run
        if not run.fresh:
            run = Run(run.engine, run.adapter, run.endpoint, run.instance, run.asked)  # entered once more
        return course(run, ask, is_async=is_async, unasked=lambda: drop(pending))

    put(manager, shell(whole()) if is_async else lambda: run_sync(whole()))
    return manager


def drop(pending: Any) -> None:
    """A coroutine that will not be awaited is closed, so that Python does not warn of it."""
    if hasattr(pending, "close"):
        pending.close()
