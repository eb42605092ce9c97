"""A stream on its way to the application: read, held back, restored, and ended once whatever happens to it."""

import contextlib
import functools
import time
import weakref
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import wrapt

from ..guards.judgement import Decision, StreamPlan
from ..guards.messages import Message, Part, Path
from . import bound, estimate, health, paths
from .adapter import ChunkView, Delta
from .blocked import ModelCallBlocked
from .call import StreamEnd
from .outgoing import judges_output, merged
from .spans import inside
from .threads import off_loop

if TYPE_CHECKING:
    from ..guards.holdback import HoldBack, Released
    from .run import Run

TRIM_EVERY = 0xFF
"""Whether too much was kept is looked at every 256 chunks."""


class Passage:
    """What becomes of each chunk. `take` and `last` may block (a guard is asked) when `blocks` is set."""

    def __init__(self, run: "Run") -> None:
        self.run = run
        reader = None if run.unreadable else run.endpoint.reader
        self._reader = health.fenced("reader", reader, run.call) if reader else None
        self._codec = run.endpoint.codec
        self.reading = False
        self._recorded: dict[Hashable, list[str]] = {}
        self._delivered: dict[Hashable, list[str]] = {}
        self._held: dict[Hashable, HoldBack] = {}
        self._decisions: list[Decision] = []
        self._json: set[Hashable] = set()
        self._measured: dict[Hashable, tuple[int, int]] = {}
        self._left_out: dict[Hashable, int] = {}
        self._silent = False
        self._last_ns = 0
        self._hides = run.hides
        decision = run.call.guarded_input
        self._plan = decision.stream if decision else None
        self._pseudonyms = decision.pseudonyms if decision else {}
        self.blocks = decision is not None and judges_output(decision)
        self._touches = self.blocks or bool(self._pseudonyms)
        untouched = self._reader is not None and not self._touches
        self._text = getattr(self._reader, "text", None) if untouched else None
        self._channel: Hashable = None
        self._pieces: list[str] = []
        if self._reader is None:
            self._go_blind()

    def passes(self, chunk: Any) -> bool:
        """Whether this chunk is one of the many that only add text which nobody has to look at: then all is done."""
        if self._text is None:
            return False
        try:
            if (said := self._text(chunk)) is None or (self._hides is not None and self._hides(chunk)):
                return False
        except Exception:  # noqa: BLE001  `take` meets it again, and counts it
            return False
        channel, text = said
        if channel is not self._channel:
            self._channel, self._pieces = channel, self._recorded.setdefault(channel, [])
        self._pieces += (text,)  # `append` would be one more function call a chunk
        call, now = self.run.call, time.time_ns()
        if call.chunks:
            gap = now - self._last_ns
            if gap > call.longest_gap_ns:  # noqa: PLR1730  as in `_clock`, which would be one more
                call.longest_gap_ns = gap
        else:
            call.first_chunk_ns = now
        self._last_ns = now
        call.chunks += 1
        if not call.chunks & TRIM_EVERY:
            self._trim()
        return True

    def take(self, chunk: Any) -> tuple[Any, ...]:
        """The chunks to deliver for one that arrived. Raises ModelCallBlocked."""
        self._clock()
        delivered: tuple[Any, ...] = (chunk,)
        try:
            if self._hides is not None and self._hides(chunk):
                delivered = ()
            if self._reader is None:
                return delivered
            opened = chunk if self._codec is None else self._codec.open(chunk)
            deltas, closes = self._reader.read(opened)
            if self._touches:
                fillers, edits = self._rewrite(ChunkView(deltas, closes))
                if edits:
                    paths.edit(opened, edits)
                    if self._codec is not None and delivered:
                        delivered = (self._codec.put(chunk, opened),)
                return (*fillers, *delivered)
        except ModelCallBlocked:
            raise
        except Exception as error:  # noqa: BLE001  the application gets its chunks, if the policy allows that
            health.mishap(f"{self.run.adapter.library}.chunk", error)
            self._go_blind()
            return delivered
        for delta in deltas:
            if not delta.whole:
                self._recorded.setdefault(delta.channel, []).append(delta.text)
        return delivered

    def last(self) -> tuple[Any, ...]:
        """The provider has no more: chunks with what was still held back. Raises ModelCallBlocked."""
        fillers = [filler for channel in list(self._held) for filler in self._drained(channel)]
        return tuple(fillers)

    def end(self, how: StreamEnd, error: BaseException | None = None) -> None:
        """The stream is over, by whatever end comes first."""
        if not self.run.open:
            return
        call = self.run.call
        try:
            # of a cancelled task the thread that judges may still be adding to it
            texts = {channel: "".join(pieces) for channel, pieces in self._recorded.copy().items()}
            for channel in self._left_out:
                texts[channel] = self._cut(channel, texts[channel])
            if self._reader is not None:
                self._reader.finish(call, texts)
                estimate.fill(call, left_out=call.cut, complete=how == "complete")
        except Exception as problem:  # noqa: BLE001  the call is recorded without its output
            health.mishap(f"{self.run.adapter.library}.finish", problem)
            self.run.unreadable = "unreadable"
        if self._decisions:
            call.guarded_output = merged(self._decisions)
        self.run.end("blocked" if self._silent else how, error)

    def _trim(self) -> None:
        """What is beyond the bound is not kept until the end: a stream may be endless."""
        most = self.run.engine.bound.part
        for channel, pieces in self._recorded.items():
            measured, size = self._measured.get(channel, (0, 0))
            size += sum(map(len, pieces[measured:]))
            if size > most:
                text = "".join(pieces)
                head = bound.first(text, most)
                self._left_out[channel] = self._left_out.get(channel, 0) + len(text) - len(head)
                pieces[:] = [head]
                size = len(head)
            self._measured[channel] = len(pieces), size

    def _cut(self, channel: Hashable, text: str) -> str:
        head = bound.first(text, self.run.engine.bound.part)
        lost = self._left_out[channel] + len(text) - len(head)
        self.run.call.cut += lost
        return head + bound.mark(lost)

    def _go_blind(self) -> None:
        """From here on nothing can be read, judged or recorded; whoever decides for the guards says what then."""
        self._reader = self._text = None
        self._held.clear()
        self.run.unreadable = "unreadable"
        if self.blocks:
            self._block(self.run.judge("output", ()))

    def _clock(self) -> None:
        call, now = self.run.call, time.time_ns()
        if call.chunks:
            gap = now - self._last_ns
            if gap > call.longest_gap_ns:  # noqa: PLR1730  max() would be one more function call a chunk
                call.longest_gap_ns = gap
        else:
            call.first_chunk_ns = now
        self._last_ns = now
        call.chunks += 1
        if not call.chunks & TRIM_EVERY:
            self._trim()

    def _rewrite(self, view: ChunkView) -> tuple[list[Any], dict[Path, str]]:
        """Chunks that have to go before this one, and what may be delivered of it where that differs."""
        places: dict[Hashable, Delta] = {}
        texts: dict[Hashable, str] = {}
        for delta in view.deltas:
            known = self._delivered.get(delta.channel)
            if delta.whole and known is not None:
                continue
            texts[delta.channel] = texts.get(delta.channel, "") + self._fed(delta)
            if delta.whole:
                texts[delta.channel] += self._closed(delta.channel)
            places[delta.channel] = delta
        fillers: list[Any] = []
        for channel in view.closes:
            if channel in places:
                texts[channel] += self._closed(channel)
            else:
                fillers += self._drained(channel)
        edits = {delta.where: texts[channel] for channel, delta in places.items() if texts[channel] != delta.text}
        for delta in view.deltas:
            if delta.whole and delta.channel not in places:
                edits[delta.where] = "".join(self._delivered[delta.channel])
        return fillers, edits

    def _fed(self, delta: Delta) -> str:
        if delta.channel not in self._held:
            self._held[delta.channel] = self._hold_back(delta)
        held = self._held[delta.channel]
        return self._let(delta.channel, lambda: held.feed(delta.text))

    def _closed(self, channel: Hashable) -> str:
        held = self._held.pop(channel, None)
        return self._let(channel, held.close) if held else ""

    def _drained(self, channel: Hashable) -> list[Any]:
        text = self._closed(channel)
        return [self._reader.filler(channel, text)] if text and self._reader else []

    def _let(self, channel: Hashable, release: "Callable[[], Released]") -> str:
        """What may go to the application now; what may be recorded is kept."""
        from ..guards.holdback import StreamBlocked

        if self._silent:
            return ""
        try:
            released = release()
        except StreamBlocked as stop:
            self._keep(channel, "", stop.recorded)
            reply = self._block(stop.decision, json=channel in self._json)
            self._keep(channel, reply, reply)
            return reply
        self._keep(channel, released.delivered, released.recorded)
        return released.delivered

    def _keep(self, channel: Hashable, delivered: str, recorded: str) -> None:
        self._delivered.setdefault(channel, []).append(delivered)
        self._recorded.setdefault(channel, []).append(recorded)

    def _block(self, decision: Decision, *, json: bool = False) -> str:
        """The reply in the place of the rest of the answer; ModelCallBlocked if there is none, or no place for it."""
        if decision not in self._decisions:
            self._decisions.append(decision)
        if decision.action != "block":
            return ""
        self._silent = True
        if decision.reply is None or json:
            raise ModelCallBlocked(decision, "output")
        return decision.reply

    def _hold_back(self, delta: Delta) -> "HoldBack":
        from ..guards.holdback import HoldBack

        if delta.json:
            self._json.add(delta.channel)

        def judge(text: str) -> Decision:
            part = Part(delta.kind, text, json=delta.json)
            decision = self.run.judge("output", (Message("assistant", (part,)),))
            self._decisions.append(decision)
            return decision

        return HoldBack(self._pseudonyms, self._plan or StreamPlan(), judge, json=delta.json)


class _Proxy(wrapt.ObjectProxy):  # type: ignore[type-arg]  # older versions of wrapt are not generic
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

    def _self_failed(self, error: BaseException) -> None:
        """The stream ends with an exception, which goes on to the application."""
        self._self_over = True
        self._self_passage.end(ending(error), error)


class SyncStream(_Proxy):
    """A sync stream: reading it to its end, closing it and leaving `with` all end the call."""

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

    def close(self) -> Any:
        try:
            return self.__wrapped__.close()
        finally:
            self._self_passage.end("closed")


class AsyncStream(_Proxy):
    """The same for an async stream; where a guard is asked, in a thread."""

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
            chunks: tuple[Any, ...] = await off_loop(self._self_passage.last)
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


class _Unread(wrapt.ObjectProxy):  # type: ignore[type-arg]  # as above
    """A generator that nobody read yet: `open` starts the call, and gives the stream to read in its place."""

    def __init__(self, generator: Any, open: Callable[[], Any]) -> None:  # noqa: A002  what it does
        super().__init__(generator)
        self._self_open = open
        self._self_stream: Any = None


class UnreadSync(_Unread):
    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._self_stream is None:
            self.__wrapped__.close()
            self._self_stream = self._self_open()
        return next(self._self_stream)

    def close(self) -> Any:
        return (self.__wrapped__ if self._self_stream is None else self._self_stream).close()


class UnreadAsync(_Unread):
    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if self._self_stream is None:
            await self.__wrapped__.aclose()
            self._self_stream = await self._self_open()
        return await self._self_stream.__anext__()

    async def aclose(self) -> Any:
        return await (self.__wrapped__ if self._self_stream is None else self._self_stream).aclose()


def unread(generator: Any, open: Callable[[], Any], *, is_async: bool) -> Any:  # noqa: A002  as above
    """What the application gets for a generator whose call has not begun."""
    return (UnreadAsync if is_async else UnreadSync)(generator, open)


def proxy(run: "Run", stream: Any, *, is_async: bool) -> Any:
    """What the application gets for a stream: the stream itself, to its eyes."""
    passage = Passage(run)
    run.engine.streams.add(passage)
    return (AsyncStream if is_async else SyncStream)(stream, passage)


def ending(error: BaseException) -> StreamEnd:
    if isinstance(error, ModelCallBlocked):
        return "blocked"
    return "error" if isinstance(error, Exception) else "cancelled"


PASSING = "_spanward_passing"


def watch(response: Any, passage: Passage) -> None:
    """Have the HTTP response tell of `close()` and `aclose()`: some helpers close it past the stream.

    By its class, since a function in the object itself would make a cycle, and a dropped stream would stay alive.
    """
    if response is not None:
        kind: Any = type(response)
        response.__class__ = _watched(kind)
        setattr(response, PASSING, weakref.ref(passage))


@functools.cache
def _watched(kind: type) -> type:
    """A subclass of the response's class, which passes for it."""
    methods = {name: _telling(getattr(kind, name)) for name in ("close", "aclose") if hasattr(kind, name)}
    return type(kind.__name__, (kind,), {**methods, "__module__": kind.__module__, "__qualname__": kind.__qualname__})


def _telling(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def close(self: Any) -> Any:
        try:
            return method(self)
        finally:
            passage = getattr(self, PASSING)()
            if passage is not None and not passage.reading:
                passage.end("closed")

    return close
