"""What all calls share, and the one wrapper around every method that makes a call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
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
        for passage in self._open_streams():
            passage.end("abandoned")

    def _open_streams(self) -> "list[Passage]":
        while True:
            try:
                return list(self.streams)
            except RuntimeError:  # another thread opened one meanwhile
                continue

    def wrapper(
        self, adapter: Adapter, endpoint: Endpoint, positional: tuple[str, ...] = (), *, is_async: bool
    ) -> Callable[..., Any]:
        """A wrapper for wrapt: (wrapped, instance, args, kwargs) -> whatever the method gives.

        `positional` names the parameters that the application may give by their position.
        """
        shell = run_async if is_async else run_sync
        begin = managed if endpoint.manager else lazily if endpoint.lazy else direct
        applies = endpoint.applies
        applying = f"{adapter.library}.applies"

        def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: Kwargs) -> Any:
            outer = inside.get()
            if not self.active or (outer is not None and outer.covers(instance)):
                return wrapped(*args, **kwargs)
            asked = named(positional, args, kwargs) if args else kwargs
            if asked is None:
                return wrapped(*args, **kwargs)
            if applies is not None:
                try:
                    ours = applies(instance, asked)
                except Exception as error:  # noqa: BLE001  as `fenced`, without its cost: any request may come by here
                    health.mishap(applying, error)
                    ours = False
                if not ours:
                    return wrapped(*args, **kwargs)
            return begin(shell, Run(self, adapter, endpoint, instance, asked, positional[: len(args)]), wrapped)

        return wrapper


def named(positional: tuple[str, ...], args: tuple[Any, ...], kwargs: Kwargs) -> Kwargs | None:
    """All arguments by name; None for those that the method itself will refuse, or that have no names."""
    given = len(args)
    if given > len(positional):
        return None
    asked = {**dict(zip(positional, args, strict=False)), **kwargs}
    return asked if len(asked) == given + len(kwargs) else None


def called(run: Run, wrapped: Callable[..., Any]) -> Any:
    """What the method gives, called as the application did: by position what it gave by position.

    What stands between us and the method (another instrumentation, a mock) may look there.
    """
    if not run.placed:
        return wrapped(**run.kwargs)
    rest = dict(run.kwargs)
    return wrapped(*[rest.pop(name) for name in run.placed], **rest)


def direct(shell: Callable[[Course], Any], run: Run, wrapped: Callable[..., Any]) -> Any:
    return shell(course(run, partial(called, run, wrapped), is_async=shell is run_async))


def lazily(shell: Callable[[Course], Any], run: Run, wrapped: Callable[..., Any]) -> Any:
    """The method is a generator function: what it gives asks the provider when it is first read."""
    from .unread import unread

    return unread(called(run, wrapped), lambda: direct(shell, run, wrapped), is_async=shell is run_async)


def managed(shell: Callable[[Course], Any], run: Run, wrapped: Callable[..., Any]) -> Any:
    """The method gives a context manager, which asks the provider on entering: ours then asks in its place."""
    assert run.endpoint.manager is not None
    take, put = run.endpoint.manager.take, run.endpoint.manager.put
    is_async = shell is run_async
    manager = called(run, wrapped)
    pending = health.fenced("manager", take, manager)
    if pending is None:
        return manager

    def ask() -> Any:
        nonlocal pending
        if run.kwargs is not run.asked:
            drop(pending)
            pending = take(called(run, wrapped))
        return pending() if callable(pending) else pending

    def whole() -> Course:
        nonlocal run
        if not run.fresh:
            run = Run(run.engine, run.adapter, run.endpoint, run.instance, run.asked, run.placed)  # entered once more
        return course(run, ask, is_async=is_async, unasked=lambda: drop(pending))

    put(manager, shell(whole()) if is_async else lambda: run_sync(whole()))
    return manager


def drop(pending: Any) -> None:
    """A coroutine that will not be awaited is closed, so that Python does not warn of it."""
    if hasattr(pending, "close"):
        pending.close()
