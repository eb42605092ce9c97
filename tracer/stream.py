"""A stream on its way to the application: the library's own, to its eyes, and ended once whatever happens to it."""

import contextlib
import copy
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any, Self

import wrapt

from . import health
from .blocked import ModelCallBlocked
from .passage import Passage
from .run import Run, ending
from .spans import inside
from .threads import off_loop
from .watched import watch


class Absent:
    """In the place of a method that wrapt's proxies have and the library's stream has not: applications ask for it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        raise AttributeError(self._name)


_Base: Any = getattr(wrapt, "BaseObjectProxy", wrapt.ObjectProxy)
"""Newer versions of wrapt have one that cannot be iterated unless we say so."""


class _Proxy(_Base):  # type: ignore[misc]  # of no type
    """The library's stream, and in front of it what was released and not yet taken."""

    def __init__(self, stream: Any, passage: Passage) -> None:
        super().__init__(stream)
        self._self_passage = passage
        self._self_ready: list[Any] = []
        self._self_over = False
        self._self_step: Callable[[], Any] | None = None
        health.fenced("stream.response", watch, getattr(stream, "response", None), passage)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self._self_passage.end("abandoned")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self.__wrapped__, memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__wrapped__.__reduce_ex__(protocol)

    def _self_failed(self, error: BaseException) -> None:
        """The stream ends with an exception, which goes on to the application."""
        self._self_over = True
        self._self_passage.end(ending(error), error)


class SyncStream(_Proxy):
    """A sync stream: reading it to its end, closing it and leaving `with` all end the call."""

    __aenter__, __aexit__ = Absent(), Absent()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        passage = self._self_passage
        while not self._self_ready:
            if self._self_over:
                raise StopIteration
            passage.reading = True
            try:
                step = self._self_step
                chunk = step() if step is not None else self._self_first()
                if passage.passes(chunk):
                    return chunk
                self._self_ready += passage.take(chunk)
            except StopIteration:
                self._self_over = True
                self._self_ready += self._self_last()
            except BaseException as error:
                self._self_failed(error)
                if isinstance(error, ModelCallBlocked):
                    with contextlib.suppress(Exception):  # or the library has no such method
                        self.__wrapped__.close()
                raise
            finally:
                passage.reading = False
        return self._self_ready.pop(0)

    def _self_first(self) -> Any:
        """Some libraries make the request only now: it is part of the call."""
        stream = self.__wrapped__
        token = inside.set(self._self_passage.run.here)
        try:
            self._self_step = step = (stream if hasattr(stream, "__next__") else iter(stream)).__next__
            return step()
        finally:
            inside.reset(token)

    def _self_last(self) -> tuple[Any, ...]:
        try:
            chunks = self._self_passage.last()
        except BaseException as error:
            self._self_failed(error)
            raise
        self._self_passage.end("complete")
        return chunks

    def __enter__(self) -> Self:
        self.__wrapped__.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        try:
            return self.__wrapped__.__exit__(kind, error, trace)
        finally:
            self._self_passage.end("closed")

    @property
    def close(self) -> Callable[[], Any]:
        """There only where the library's stream has it: applications ask `hasattr`."""
        theirs = self.__wrapped__.close

        def closing() -> Any:
            try:
                return theirs()
            finally:
                self._self_passage.end("closed")

        return closing

    @close.setter
    def close(self, theirs: Callable[[], Any]) -> None:
        """A library's helper puts its own around it (google-genai): onto the stream, from where ours calls it."""
        self.__wrapped__.close = theirs


class SyncIterator(SyncStream):
    """Of libraries that give a generator: it is no context manager."""

    __enter__, __exit__ = Absent(), Absent()


class AsyncStream(_Proxy):
    """The same for an async stream; where a guard is asked, in a thread."""

    __enter__, __exit__ = Absent(), Absent()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        passage = self._self_passage
        while not self._self_ready:
            if self._self_over:
                raise StopAsyncIteration
            passage.reading = True
            try:
                step = self._self_step
                chunk = await step() if step is not None else await self._self_first()
                if passage.passes(chunk):
                    return chunk
                self._self_ready += await off_loop(passage.take, chunk) if passage.blocks else passage.take(chunk)
            except StopAsyncIteration:
                self._self_over = True
                self._self_ready += await self._self_last()
            except BaseException as error:
                self._self_failed(error)
                if isinstance(error, ModelCallBlocked):
                    with contextlib.suppress(Exception):  # as above
                        await (self.close if hasattr(self.__wrapped__, "close") else self.aclose)()
                raise
            finally:
                passage.reading = False
        return self._self_ready.pop(0)

    async def _self_first(self) -> Any:
        """Some libraries make the request only now: it is part of the call."""
        stream = self.__wrapped__
        token = inside.set(self._self_passage.run.here)
        try:
            self._self_step = step = (stream if hasattr(stream, "__anext__") else aiter(stream)).__anext__
            return await step()
        finally:
            with contextlib.suppress(ValueError):  # closed from another context
                inside.reset(token)

    async def _self_last(self) -> tuple[Any, ...]:
        try:
            passage = self._self_passage
            chunks: tuple[Any, ...] = await off_loop(passage.last) if passage.blocks else passage.last()
        except BaseException as error:
            self._self_failed(error)
            raise
        self._self_passage.end("complete")
        return chunks

    async def __aenter__(self) -> Self:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        try:
            return await self.__wrapped__.__aexit__(kind, error, trace)
        finally:
            self._self_passage.end("closed")

    @property
    def close(self) -> Callable[[], Any]:
        """There only where the library's stream has it: applications ask `hasattr`."""
        return self._self_closing(self.__wrapped__.close)

    @property
    def aclose(self) -> Callable[[], Any]:
        """As an async generator is closed."""
        return self._self_closing(self.__wrapped__.aclose)

    def _self_closing(self, theirs: Callable[[], Any]) -> Callable[[], Any]:
        async def closing() -> Any:
            try:
                return await theirs()
            finally:
                self._self_passage.end("closed")

        return closing


class AsyncGenerator(AsyncStream):
    """Likewise."""

    __aenter__, __aexit__ = Absent(), Absent()


def proxy(run: Run, stream: Any, *, is_async: bool) -> Any:
    """What the application gets for a stream: the stream itself, to its eyes."""
    passage = Passage(run)
    run.engine.streams.add(passage)
    if is_async:
        return (AsyncStream if hasattr(stream, "__aexit__") else AsyncGenerator)(stream, passage)
    return (SyncStream if hasattr(stream, "__exit__") else SyncIterator)(stream, passage)
