"""Our blocking work off the event loop, in threads that the application's own work cannot use up."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

T = TypeVar("T")
THREADS = 40
"""At the same time, in one event loop. The library's common limit is the application's: work of its own that waits
for a call of ours would otherwise hold the thread that the call waits for."""

_limiters: "list[RunVar[CapacityLimiter]]" = []


async def off_loop(run: Callable[..., T], *args: object) -> T:
    """Run what may block in a thread; a cancelled task does not wait for it."""
    import anyio.to_thread

    return await anyio.to_thread.run_sync(run, *args, abandon_on_cancel=True, limiter=_limiter())


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
