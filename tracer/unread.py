"""A stream whose library asks nobody before the application reads it: the call begins with the first `next`."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import wrapt


class _Unread(wrapt.ObjectProxy):  # type: ignore[type-arg]  # as above
    """A generator that nobody read yet: `open` starts the call, and gives the stream to read in its place."""

    def __init__(self, generator: Any, open: Callable[[], Any]) -> None:  # noqa: A002  what it does
        super().__init__(generator)
        self._self_open = open
        self._self_stream: Any = None
        self._self_begun = False


class UnreadSync(_Unread):
    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if not self._self_begun:
            self._self_begun = True
            self.__wrapped__.close()
            self._self_stream = self._self_open()
        if self._self_stream is None:  # closed unread, or the request failed: generators are over then
            raise StopIteration
        return next(self._self_stream)

    def close(self) -> Any:
        self._self_begun = True
        return (self.__wrapped__ if self._self_stream is None else self._self_stream).close()


class UnreadAsync(_Unread):
    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if not self._self_begun:
            self._self_begun = True
            await self.__wrapped__.aclose()
            self._self_stream = await self._self_open()
        if self._self_stream is None:  # as above
            raise StopAsyncIteration
        return await self._self_stream.__anext__()

    async def aclose(self) -> Any:
        self._self_begun = True
        return await (self.__wrapped__ if self._self_stream is None else self._self_stream).aclose()


def unread(generator: Any, open: Callable[[], Any], *, is_async: bool) -> Any:  # noqa: A002  as above
    """What the application gets for a generator whose call has not begun."""
    return (UnreadAsync if is_async else UnreadSync)(generator, open)
