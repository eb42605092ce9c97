"""Generators that run in a context of their own: what is set there stays set while they wait, and nobody else sees it.

Between two steps of a generator its caller's code runs: whatever we made current for the generator must not be current
then. Each step runs in a copy of the context in which the generator began.
"""

import functools
import inspect
import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextvars import Context
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


def _nothing(_: Any) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Visit:
    """One run of a generator: where its steps run, and who hears of its items and of its end (None: no error)."""

    context: Context
    seen: Callable[[Any], None] = _nothing
    ended: Callable[[BaseException | None], None] = _nothing


Enter = Callable[[tuple[Any, ...], dict[str, Any]], Visit]


def is_one(function: Callable[..., Any]) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def visited(function: Callable[..., Any], enter: Enter) -> Callable[..., Any]:
    """A generator function of the same kind; `enter` is asked when a generator of it takes its first step."""
    if inspect.isasyncgenfunction(function):
        return _visited_async(function, enter)

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        visit = enter(args, kwargs)
        try:
            result = yield from _steps(visit.context, function(*args, **kwargs), visit.seen)
        except BaseException as error:
            visit.ended(error)
            raise
        visit.ended(None)
        return result

    return run


def _visited_async(function: Callable[..., AsyncGenerator[Any, Any]], enter: Enter) -> Callable[..., Any]:
    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        visit = enter(args, kwargs)
        generator = function(*args, **kwargs)
        step: Awaitable[Any] = anext(generator)
        try:
            while True:
                try:
                    item = await _within(visit.context, step)
                except StopAsyncIteration:
                    break
                visit.seen(item)
                try:
                    sent = yield item
                except GeneratorExit:
                    await _within(visit.context, generator.aclose())
                    raise
                except BaseException as thrown:  # noqa: BLE001  into us, so into it
                    step = generator.athrow(thrown)
                else:
                    step = generator.asend(sent)
        except BaseException as error:
            visit.ended(error)
            raise
        visit.ended(None)

    return run


def _steps(
    context: Context, generator: Generator[Any, Any, T], seen: Callable[[Any], None] = _nothing
) -> Generator[Any, Any, T]:
    step: Callable[[], Any] = functools.partial(next, generator)
    while True:
        try:
            item = context.run(step)
        except StopIteration as end:
            result: T = end.value
            return result
        seen(item)
        try:
            sent = yield item
        except GeneratorExit:
            context.run(generator.close)
            raise
        except BaseException as thrown:  # noqa: BLE001  into us, so into it
            step = functools.partial(generator.throw, thrown)
        else:
            step = functools.partial(generator.send, sent)


@types.coroutine
def _within(context: Context, awaitable: Awaitable[T]) -> Generator[Any, Any, T]:
    """Await in another context, in the same task."""
    return (yield from _steps(context, _plain(awaitable)))


def _plain(awaitable: Awaitable[T]) -> Generator[Any, Any, T]:
    return (yield from awaitable.__await__())
