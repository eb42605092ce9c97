"""A stream on its way to the application: the library's own, to its eyes, and ended once whatever happens to it."""

import contextlib
import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import chain, islice
from time import monotonic
from types import TracebackType
from typing import Any, Self

import wrapt

from . import health
from .blocked import ModelCallBlocked
from .passage import TRIM_EVERY, Passage
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
    """The library's stream, and beside it how far it was read."""

    def __init__(self, stream: Any, reading: "_Reading") -> None:
        super().__init__(stream)
        self._self_reading = reading
        self._self_passage = passage = reading.passage
        if (response := getattr(stream, "response", None)) is not None:
            health.fenced("stream.response", watch, response, passage)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self._self_passage.end("abandoned")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self.__wrapped__, memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__wrapped__.__reduce_ex__(protocol)


class _Reading:
    """How far a stream was read, whoever reads it: `ready` was released and not yet taken.

    It does not know the proxy: that would be a cycle, and a dropped stream would stay alive.
    """

    def __init__(self, stream: Any, passage: Passage) -> None:
        self.stream = stream
        self.passage = passage
        self.ready: list[Any] = []
        self.over = False

    def failed(self, error: BaseException) -> None:
        """The stream ends with an exception, which goes on to the application."""
        self.over = True
        self.passage.end(ending(error), error)


class _SyncReading(_Reading):
    steps: Iterator[Any] | None = None

    def chunks(self, keep: object = None) -> Iterator[Any]:  # noqa: ARG002  held while somebody reads
        """What the application gets, from here on. A generator, since each of its steps costs less than a method that
        looks everything up anew, and a loop in it, since to call the library's `__next__` costs more than to loop.
        """
        passage, ready = self.passage, self.ready
        while True:
            while ready:
                yield ready.pop(0)
            if self.over:
                return
            passage.reading = True
            try:
                steps = self.steps or self._begun()
                for chunk in islice(steps, TRIM_EVERY):
                    try:
                        if not passage.adds(chunk):
                            break
                    except Exception:  # noqa: BLE001  `take` meets it again, and counts it
                        break
                    now = monotonic()  # as in `Passage`, which would be one more function call a chunk
                    if now - passage.last_s > passage.longest_s:
                        passage.waited(now)
                    passage.last_s = now
                    passage.reading = False
                    yield chunk
                    passage.reading = True
                else:
                    chunk = next(steps, self)
                ready += passage.take(chunk) if chunk is not self else self._last()
            except BaseException as error:
                if passage.reading:  # and it was not the application that let go of us
                    self._broken(error)
                raise
            finally:
                passage.reading = False

    def _begun(self) -> Iterator[Any]:
        """The chunks, of which the first is there: some libraries make the request only now, as part of the call."""
        token = inside.set(self.passage.run.here)
        try:
            stream = self.stream
            steps = iter(stream) if hasattr(stream, "__iter__") else iter(stream.__next__, object())
            for first in steps:
                steps = chain((first,), steps)
                break
            self.steps = steps
            return steps
        finally:
            inside.reset(token)

    def _last(self) -> tuple[Any, ...]:
        self.over = True
        chunks = self.passage.last()
        self.passage.end("complete")
        return chunks

    def _broken(self, error: BaseException) -> None:
        self.failed(error)
        if isinstance(error, ModelCallBlocked):
            with contextlib.suppress(Exception):  # or the library has no such method
                self.stream.close()


class SyncStream(_Proxy):
    """A sync stream: reading it to its end, closing it and leaving `with` all end the call."""

    __aenter__, __aexit__ = Absent(), Absent()
    _self_reading: _SyncReading
    _self_chunks: Iterator[Any] | None = None
    """Of `next`. A loop has its own."""

    def __iter__(self) -> Iterator[Any]:
        """Where the library gives a generator beside its stream, so do we: it costs less than asking a proxy."""
        stream = self.__wrapped__
        return self if iter(stream) is stream else self._self_reading.chunks(self)

    def __next__(self) -> Any:
        chunks = self._self_chunks
        if chunks is None:
            self._self_chunks = chunks = self._self_reading.chunks()
        return next(chunks)

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


class _AsyncReading(_Reading):
    step: Callable[[], Awaitable[Any]] | None = None

    async def chunk(self) -> Any:
        """The next one that the application gets. Raises StopAsyncIteration."""
        passage, ready = self.passage, self.ready
        while not ready:
            if self.over:
                raise StopAsyncIteration
            passage.reading = True
            try:
                step = self.step
                chunk = await step() if step is not None else await self._first()
                if passage.passes(chunk):
                    return chunk
                ready += await off_loop(passage.take, chunk) if passage.blocks else passage.take(chunk)
            except StopAsyncIteration:
                self.over = True
                ready += await self._last()
            except BaseException as error:
                self.failed(error)
                if isinstance(error, ModelCallBlocked):
                    with contextlib.suppress(Exception):  # as above
                        await (self.stream.close if hasattr(self.stream, "close") else self.stream.aclose)()
                raise
            finally:
                passage.reading = False
        return ready.pop(0)

    async def _first(self) -> Any:
        """Some libraries make the request only now: it is part of the call."""
        token = inside.set(self.passage.run.here)
        try:
            stream = self.stream
            self.step = step = (aiter(stream) if hasattr(stream, "__aiter__") else stream).__anext__
            return await step()
        finally:
            with contextlib.suppress(ValueError):  # closed from another context
                inside.reset(token)

    async def _last(self) -> tuple[Any, ...]:
        passage = self.passage
        try:
            chunks: tuple[Any, ...] = await off_loop(passage.last) if passage.blocks else passage.last()
        except BaseException as error:
            self.failed(error)
            raise
        passage.end("complete")
        return chunks


class AsyncStream(_Proxy):
    """The same for an async stream; where a guard is asked, in a thread."""

    __enter__, __exit__ = Absent(), Absent()
    _self_reading: _AsyncReading

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    def __anext__(self) -> Awaitable[Any]:
        return self._self_reading.chunk()

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
        kind = AsyncStream if hasattr(stream, "__aexit__") else AsyncGenerator
        return kind(stream, _AsyncReading(stream, passage))
    return (SyncStream if hasattr(stream, "__exit__") else SyncIterator)(stream, _SyncReading(stream, passage))
