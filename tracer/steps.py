"""The steps of a call, and the two shells that carry them out.

The course of a call is one generator, free of `await`, that yields steps: `Ask` is the provider's code, `Own` is ours
and may block. In async classes `Ask` is awaited and `Own` runs in a thread.
"""

import inspect
from collections.abc import Callable, Generator
from typing import Any

from ..guards.quick import dataclass
from . import health
from .spans import Inside, inside
from .threads import off_loop


@dataclass(frozen=True, slots=True)
class Ask:
    """The library's own code: it may give an awaitable in async classes. Calls it makes on the way are part of ours."""

    run: Callable[[], Any]
    here: Inside


@dataclass(frozen=True, slots=True)
class Own:
    """Our code that may block: never on the application's event loop."""

    run: Callable[[], Any]


Course = Generator[Ask | Own, Any, Any]


def run_sync(whole: Course) -> Any:
    """Run a call in the calling thread."""
    value: Any = None
    raised: BaseException | None = None
    try:
        while True:
            try:
                step = whole.send(value) if raised is None else whole.throw(raised)
            except StopIteration as end:
                return end.value
            raised = value = None
            try:
                if isinstance(step, Own):
                    value = step.run()
                else:
                    token = inside.set(step.here)
                    try:
                        value = step.run()
                    finally:
                        inside.reset(token)
            except BaseException as error:  # noqa: BLE001  the course decides; it raises the same object
                raised = error
    finally:
        raised = None  # its traceback holds this frame: neither would go before a collection of garbage


async def run_async(whole: Course) -> Any:
    """Run a call on the event loop; our own blocking steps in a thread."""
    value: Any = None
    raised: BaseException | None = None
    try:
        while True:
            try:
                step = whole.send(value) if raised is None else whole.throw(raised)
            except StopIteration as end:
                return end.value
            raised = value = None
            try:
                if isinstance(step, Own):
                    value = await off_loop(step.run)
                else:
                    value = await _await_step(step)
            except BaseException as error:  # noqa: BLE001  the course decides; it raises the same object
                raised = error
    finally:
        raised = None  # as above
        whole.close()


async def _await_step(step: Ask) -> Any:
    token = inside.set(step.here)
    try:
        value = step.run()
        return await value if inspect.isawaitable(value) else value
    finally:
        try:
            inside.reset(token)
        except ValueError:  # the coroutine was dropped and is closed from somewhere else
            health.count("internal", "a coroutine was closed in another context")
