"""Our blocking work off the event loop, in threads that the application's own work cannot use up.

On asyncio in threads of our own: handing work on to anyio's and taking its outcome back cost more than all the rest of
an async call's record. On any other event loop anyio is asked.
"""

import contextlib
import sys
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from . import health

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

T = TypeVar("T")
Outcome = tuple[Any, BaseException | None]
"""What work gave, or raised."""
Job = tuple[Callable[[], Any], Callable[[Outcome], None]]
"""Work, and who is told of its outcome, which must not raise."""
THREADS = 40
"""At the same time. The common limit of anyio is the application's: work of its own that waits for a call of ours would
otherwise hold the thread that the call waits for."""

_limiters: "list[RunVar[CapacityLimiter]]" = []


class Worker(threading.Thread):
    """Does what is in the queue, one after the other, until nothing is to come."""

    def __init__(self, pool: "Pool") -> None:
        super().__init__(name="spanward-worker", daemon=True)
        self._pool = pool

    def run(self) -> None:
        while (job := self._pool.queue.get()) is not None:
            work, tell = job
            self._pool.done(tell, outcome(work))  # under no name: the traceback of what it may be holds this frame
            del job, work, tell  # or what they hold would live until there is more


def outcome(work: Callable[[], Any]) -> Outcome:
    try:
        return work(), None
    except BaseException as error:  # noqa: BLE001  whoever waits for it gets it
        return None, error


class Pool:
    """So many threads as were busy at the same time, at most `THREADS`. Safe for threads."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[Job | None] = SimpleQueue()
        self._turn = threading.Lock()
        self._threads = self._busy = 0
        self._over = False

    def put(self, job: "Job") -> None:
        """Have it done. Raises RuntimeError if there is no thread at all to be had."""
        with self._turn:
            if self._over:
                raise RuntimeError("these threads are ending")
            if self._busy >= self._threads < THREADS:
                self._grow()
            self._busy += 1
            self.queue.put(job)

    def end(self) -> None:
        """The threads end, once they did what they have."""
        with self._turn:
            self._over = True
            for _ in range(self._threads):
                self.queue.put(None)

    def done(self, tell: Callable[[Outcome], None], said: Outcome) -> None:
        """One of the threads has time again. Whoever is told may hand on more at once."""
        with self._turn:
            self._busy -= 1
        tell(said)

    def _grow(self) -> None:
        try:
            Worker(self).start()
        except RuntimeError:
            if not self._threads:
                raise  # else it waits for one of those
        else:
            self._threads += 1


_pool = Pool()


def renew() -> Pool:
    """Another one from here on, as in the child of a fork: the threads are the parent's. Gives the one before."""
    global _pool  # all event loops share it
    before, _pool = _pool, Pool()
    return before


async def off_loop(run: Callable[..., T], *args: object) -> T:
    """Run what may block in a thread; a cancelled task does not wait for it. Where there is no thread to be had, here:
    the application's call is not to fail for want of one.
    """
    begun: list[bool] = []

    def within() -> T:
        begun.append(True)
        return run(*args)

    try:
        return await (_in_pool(within) if _on_asyncio() else _by_anyio(within))
    except Exception as error:
        if begun:
            raise
        health.mishap("threads", error)
    return run(*args)


def _on_asyncio() -> bool:
    """Whether a task of asyncio runs here. One of trio's may run on a loop of asyncio too."""
    asyncio: Any = sys.modules.get("asyncio")  # not imported here, where nobody else did
    if asyncio is None or asyncio._get_running_loop() is None:  # noqa: SLF001  the public one raises
        return False
    return asyncio.current_task() is not None


async def _in_pool(work: Callable[[], T]) -> T:
    """In a thread of ours, with the context of this task."""
    if isinstance(threading.current_thread(), Worker):
        return work()  # a loop that our own work runs: it would wait for a thread that waits for it
    value, error = await _handed_on(work)
    try:
        if error is not None:
            raise error
        result: T = value
        return result
    finally:
        error = None  # its traceback holds this frame: neither would go before a collection of garbage


def _handed_on(work: Callable[[], Any]) -> "Future[Outcome]":
    import asyncio

    loop = asyncio.get_running_loop()
    told: Future[Outcome] = loop.create_future()
    _pool.put((partial(copy_context().run, work), partial(_tell, loop, told)))
    return told


def _tell(loop: "AbstractEventLoop", told: "Future[Outcome]", said: Outcome) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
        loop.call_soon_threadsafe(_settle, told, said)


def _settle(told: "Future[Outcome]", said: Outcome) -> None:
    if not told.done():  # a task that was cancelled waits no longer
        told.set_result(said)


async def _by_anyio(work: Callable[[], T]) -> T:
    import anyio.to_thread

    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=_limiter())


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
