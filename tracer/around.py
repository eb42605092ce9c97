"""The wrapper around a method that is work around model calls: its span is the current one while it runs."""

import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from opentelemetry import context as otel
from opentelemetry.trace import INVALID_SPAN, get_current_span, set_span_in_context

from . import health
from .adapter import Adapter, Around, Kwargs
from .engine import named
from .operations import Open, Operations
from .spans import SCOPE
from .threads import off_loop

if TYPE_CHECKING:
    from .engine import Engine


_private: ContextVar[Open | None] = ContextVar("spanward_private", default=None)
"""The operation that runs here, where OpenTelemetry is not to know of it."""
_following: "WeakSet[Operations]" = WeakSet()


def _running() -> Open | None:
    return _private.get()


def wrapper(
    engine: "Engine", adapter: Adapter, around: Around, positional: tuple[str, ...] = (), *, is_async: bool
) -> Callable[..., Any]:
    """A wrapper for wrapt, as `Engine.wrapper` is one."""
    shell = _async if is_async else _sync
    applies = around.applies
    if around.private and engine.operations not in _following:
        _following.add(engine.operations)
        engine.operations.follow(_running)

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: Kwargs) -> Any:
        if not engine.active:
            return wrapped(*args, **kwargs)
        asked = named(positional, args, kwargs) if args else kwargs
        if asked is None or (applies is not None and not health.fenced("applies", applies, instance, asked)):
            return wrapped(*args, **kwargs)
        begin = partial(health.fenced, f"{adapter.library}.begin", _begin, engine, around, instance, asked)
        return shell(engine, adapter, around, begin, lambda: wrapped(*args, **kwargs))

    return wrapper


Begin = Callable[[], Open | None]
"""None where no record could be made: then the application's call goes on alone."""


def _sync(engine: "Engine", adapter: Adapter, around: Around, begin: Begin, run: Callable[[], Any]) -> Any:
    opened = begin()
    if opened is None:
        return run()
    return run_sync(engine, opened, run, partial(_done, adapter, around, opened), private=around.private)


async def _async(engine: "Engine", adapter: Adapter, around: Around, begin: Begin, run: Callable[[], Any]) -> Any:
    """Begins when it is awaited, and so not at all if it never is."""
    opened = begin()
    if opened is None:
        result = run()
        return await result if inspect.isawaitable(result) else result
    return await run_async(engine, opened, run, partial(_done, adapter, around, opened), private=around.private)


def _begin(engine: "Engine", around: Around, instance: Any, kwargs: Kwargs) -> Open:
    return engine.operations.begin(around.begin(instance, kwargs))


def _done(adapter: Adapter, around: Around, opened: Open, result: Any) -> None:
    health.fenced(f"{adapter.library}.done", around.done, opened.record, result)


def run_sync(
    engine: "Engine", opened: Open, run: Callable[[], Any], done: Callable[[Any], None], *, private: bool = False
) -> Any:
    """What `run` gives, within the operation; `done` fills its record from that."""
    with (privately if private else current)(opened):
        try:
            result = run()
        except BaseException as error:
            end(engine, opened, error)
            raise
    health.fenced("done", done, result)
    end(engine, opened)
    return result


async def run_async(
    engine: "Engine",
    opened: Open,
    run: Callable[[], Awaitable[Any] | Any],
    done: Callable[[Any], None],
    *,
    private: bool = False,
) -> Any:
    """The same, where `run` gives an awaitable."""
    with (privately if private else current)(opened):
        try:
            result = run()
            if inspect.isawaitable(result):
                result = await result
        except BaseException as error:
            end(engine, opened, error)
            raise
    health.fenced("done", done, result)
    await end_async(engine, opened)
    return result


def end(engine: "Engine", opened: Open, error: BaseException | None = None) -> None:
    """In the calling thread, or if that runs an event loop (a task that failed, which does not wait), in another."""
    health.fenced("end", engine.operations.end, opened, (), error)


async def end_async(engine: "Engine", opened: Open) -> None:
    rest = health.fenced("end", engine.operations.ended, opened)
    if rest is not None:
        await off_loop(rest)


@contextlib.contextmanager
def current(opened: Open) -> Iterator[None]:
    """Make it the current span. Where this ends in another context (a coroutine that was dropped) nothing is undone."""
    ours = set_span_in_context(opened.here.span)
    token = otel.attach(ours)
    try:
        yield
    finally:
        if otel.get_current() is ours:
            otel.detach(token)


@contextlib.contextmanager
def privately(opened: Open) -> Iterator[None]:
    """Calls made here are beneath it, and OpenTelemetry's current span is none of ours. Else as `current`."""
    token = _private.set(opened)
    scope = getattr(get_current_span(), "instrumentation_scope", None)
    hidden = set_span_in_context(INVALID_SPAN) if scope is not None and scope.name == SCOPE else None
    attached = otel.attach(hidden) if hidden is not None else None
    try:
        yield
    finally:
        if attached is not None and otel.get_current() is hidden:
            otel.detach(attached)
        with contextlib.suppress(ValueError):  # a coroutine that was dropped ends in another context
            _private.reset(token)
