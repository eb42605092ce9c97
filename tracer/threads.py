"""Our blocking work off the event loop, in threads that the application's own work cannot use up."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from . import health

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

T = TypeVar("T")
THREADS = 40
"""At the same time, in one event loop. The library's common limit is the application's: work of its own that waits
for a call of ours would otherwise hold the thread that the call waits for."""

_limiters: "list[RunVar[CapacityLimiter]]" = []


async def off_loop(run: Callable[..., T], *args: object) -> T:
    """Run what may block in a thread; a cancelled task does not wait for it. Where there is no thread to be had, here:
    the application's call is not to fail for want of one.
    """
    begun: list[bool] = []

    def within() -> T:
        begun.append(True)
        return run(*args)

    try:
        import anyio.to_thread

        return await anyio.to_thread.run_sync(within, abandon_on_cancel=True, limiter=_limiter())
    except Exception as error:
        if begun:
            raise
        health.mishap("threads", error)
    return run(*args)


def _limiter() -> "CapacityLimiter":
    """That of the running event loop."""
    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

    if not _limiters:
        _limiters.append(RunVar("spanward_threads"))
    known = _limiters[0]
    try:
        return known.get()
    except LookupError:
        made = CapacityLimiter(THREADS)
        known.set(made)
        return made
