"""Work of ours beside an event loop of asyncio: whose threads, whose context, and what becomes of what it raises."""

import asyncio
import gc
import os
import threading
import weakref
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from spanward.tracer import threads
from spanward.tracer.threads import off_loop

WHO: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.fixture(autouse=True)
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[threads.Pool]:
    """One of the test's own."""
    own = threads.Pool()
    monkeypatch.setattr(threads, "_pool", own)
    yield own
    own.end()


def test_it_is_another_thread_with_the_context_of_the_task() -> None:
    def work(said: str) -> tuple[str, str, bool]:
        return said, WHO.get(), threading.current_thread() is threading.main_thread()

    async def main() -> tuple[str, str, bool]:
        WHO.set("ada")
        return await off_loop(work, "yes")

    assert asyncio.run(main()) == ("yes", "ada", False)


def test_what_it_raises_is_raised_and_goes_without_a_collection_of_garbage() -> None:
    class Held:
        """Of a frame that the exception went through."""

    held: list[weakref.ref[Held]] = []

    def work() -> None:
        here = Held()
        held.append(weakref.ref(here))
        raise ZeroDivisionError

    async def main() -> None:
        try:
            await off_loop(work)
        except ZeroDivisionError:
            pass
        else:
            raise AssertionError
        await off_loop(int, "1")  # the thread has let go of it

    gc.disable()
    try:
        asyncio.run(main())
        assert held[0]() is None
    finally:
        gc.enable()


def test_one_after_the_other_takes_one_thread() -> None:
    async def main() -> set[int]:
        return {await off_loop(threading.get_ident) for _ in range(20)}

    assert len(asyncio.run(main()) | asyncio.run(main())) == 1


def test_more_than_there_are_threads_wait_their_turn() -> None:
    together = threading.Barrier(threads.THREADS)

    async def main() -> list[int]:
        return await asyncio.gather(*(off_loop(together.wait, 30) for _ in range(2 * threads.THREADS)))

    assert sorted(asyncio.run(main())) == sorted([*range(threads.THREADS)] * 2)


def test_a_task_that_is_cancelled_does_not_wait() -> None:
    begun, goes_on, over = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        goes_on.wait(30)
        over.set()

    async def main() -> None:
        task = asyncio.create_task(off_loop(work))
        await asyncio.to_thread(begun.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert not over.is_set()
    goes_on.set()
    assert over.wait(30), "it went on to its end, with the loop closed"


def test_a_loop_within_our_own_work_needs_no_second_thread() -> None:
    full = threading.Barrier(threads.THREADS)

    def work() -> int:
        full.wait(30)  # every thread there is runs a loop that asks for one
        return asyncio.run(off_loop(int, "7"))

    async def main() -> list[int]:
        return await asyncio.gather(*(off_loop(work) for _ in range(threads.THREADS)))

    assert asyncio.run(main()) == [7] * threads.THREADS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_the_child_of_a_fork_has_threads_of_its_own() -> None:
    asyncio.run(off_loop(int, "1"))
    child = os.fork()
    if not child:
        threads.renew()
        os._exit(asyncio.run(asyncio.wait_for(off_loop(int, "7"), 20)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
