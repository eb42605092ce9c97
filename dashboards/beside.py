"""Questions that do not need each other's answers are asked side by side: most of them keep one processor busy."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

AT_ONCE = 2
"""Of one page: others are with the store, too."""

P = ParamSpec("P")
T = TypeVar("T")


class Beside:
    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    def __call__(self, judge: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Callable[[], T]:
        """Begins in a thread, on behalf of the same asker; what it gives back waits for the outcome, or raises it."""
        work: Callable[[], T] = partial(judge, *args, **kwargs)
        return self._threads.submit(copy_context().run, work).result


@contextmanager
def side_by_side() -> Iterator[Beside]:
    """Ends when all have ended; where one of them fails, those that wait do not begin."""
    threads = ThreadPoolExecutor(AT_ONCE, "spanward-ask")
    try:
        yield Beside(threads)
    finally:
        threads.shutdown(cancel_futures=True)
