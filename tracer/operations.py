"""What runs around model calls: one span an operation, with what went in and came out guarded before it is recorded.

Guards change nothing of what the application gets and block nothing here: they say what may be recorded. Operations
that a framework tells of (`Narration`) are not the current span, since nobody can take that back in the right place:
`within` finds out to which of them a call belongs.
"""

import itertools
import sys
import threading
import time
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.trace import Span, get_current_span, set_span_in_context

from ..guards import judgement
from ..guards.messages import Message
from . import context, health, semconv, told
from .call import ModelCall
from .operation import Operation
from .spans import Inside, finish
from .told import Told

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from .engine import Engine

MOST_OPEN = 10_000
"""Operations at the same time. A framework that never says that they end costs no more memory than that."""
MOST_WAITING = 1_000
"""Ended operations that wait for a guard, off an event loop."""
THREADS = 4

ABANDONED = {semconv.OPERATION_END: "abandoned"}


@dataclass(slots=True, eq=False)
class Seen:
    """Model calls that a framework tells of: whether a wrapper of ours sees one of its own before they end."""

    by_us: bool = False
    over: bool = False


_expected: ContextVar[Seen | None] = ContextVar("spanward_expected", default=None)


@dataclass(slots=True, eq=False)
class Open:
    """An operation in progress. `outer` is the span that was current when it began."""

    record: Told
    here: Inside
    outer: Span
    context: judgement.Context
    process: object
    number: int
    seen: Seen | None = None
    """Of a model call that we are told of: it is told only if we see none of our own in its place."""


class Operations:
    """The operations of a process that are in progress, by the framework's key or an object of our own."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._open: dict[Hashable, Open] = {}
        self._followed: list[Callable[[], Hashable | None]] = []
        self._numbers = itertools.count()
        self._worker: ThreadPoolExecutor | None = None
        self._waiting = 0
        self._turn = threading.Lock()

    @property
    def active(self) -> bool:
        return self._engine.active

    @property
    def waiting(self) -> int:
        """How many ended and wait to be judged."""
        return self._waiting

    def begin(self, record: Told, key: Hashable | None = None, parent: Hashable | None = None) -> Open:
        """Open its span: beneath the operation that `parent` names, else beneath what runs here.

        Without a `key` of a framework's, what this gives is the key. A model call is told only if no wrapper of ours
        sees one in this context until it ends.
        """
        outer = get_current_span()
        above = self._open.get(parent) if parent is not None else None
        if above is not None and (outer is above.outer or not outer.get_span_context().is_valid):
            around: Context | None = set_span_in_context(above.here.span)
        else:
            around = self._around()
        scope = context.current()
        record.started_ns = record.started_ns or time.time_ns()
        span = self._engine.tracer.start_span(
            told.name(record),
            context=around,
            kind=told.kind(record),
            attributes=told.opening(record, scope),
            start_time=record.started_ns,
        )
        asking = told.asking(record, scope, self._engine.context)
        seen = _expect() if isinstance(record, ModelCall) else None
        opened = Open(record, Inside(span), outer, asking, self._engine.process, next(self._numbers), seen)
        self._open[opened if key is None else key] = opened
        if len(self._open) > MOST_OPEN:
            for oldest in list(self._open)[: max(1, MOST_OPEN // 10)]:
                health.count("dropped", "an operation that never ended: too many are open")
                self._abandon(oldest)
        return opened

    def end(self, key: Hashable, found: tuple[Message, ...] = (), error: BaseException | None = None) -> None:
        """It is over. Blocks while guards look, unless called on an event loop: then a thread of ours goes on."""
        opened = self._closed(key, error)
        if opened is None:
            return
        if found and isinstance(opened.record, Operation):
            opened.record.found = found
        elif found and isinstance(opened.record, ModelCall):
            opened.record.output = found
        if self.asks(opened) and _on_event_loop():
            self._later(opened)
        else:
            self._finish(opened)

    def waits(self, key: Hashable) -> bool:
        """Whether it is open and still has to be told."""
        opened = self._open.get(key)
        return opened is not None and not (opened.seen is not None and opened.seen.by_us)

    def drop(self, key: Hashable) -> None:
        """It was none: no span."""
        opened = self._open.pop(key, None)
        if opened is not None and opened.seen is not None:
            opened.seen.over = True

    def ended(self, key: Hashable, error: BaseException | None = None) -> Callable[[], None] | None:
        """It is over. Gives what is left to do where that may block, None where all is done."""
        opened = self._closed(key, error)
        if opened is None:
            return None
        if self.asks(opened):
            return lambda: self._finish(opened)
        self._finish(opened)
        return None

    def within(self) -> Context | None:
        """Where a model call of ours belongs, if that is an operation of a framework; None for what is current.

        It takes the place of one that a framework tells of.
        """
        if not self._followed:
            return None
        expected = _expected.get()
        if expected is not None:
            expected.by_us = True
        return self._around()

    def _around(self) -> Context | None:
        """Where what begins here belongs, if that is an operation of a framework; None for what is current."""
        if not self._followed:
            return None
        keys = [key for current in self._followed if (key := health.fenced("follow", current)) is not None]
        known = [opened for key in keys if (opened := self._open.get(key)) is not None]
        if not known:
            return None
        inner = max(known, key=lambda opened: opened.number)
        outer = get_current_span()
        if outer is not inner.outer and outer.get_span_context().is_valid:
            return None  # the application opened a span of its own in there
        return set_span_in_context(inner.here.span)

    def follow(self, current: Callable[[], Hashable | None]) -> Callable[[], None]:
        self._followed = [*self._followed, current]

        def undo() -> None:
            self._followed = [other for other in self._followed if other is not current]

        return undo

    def asks(self, opened: Open) -> bool:
        """Whether guards have to look at it before it can be recorded."""
        record, engine = opened.record, self._engine
        content = bool(told.given(record) or told.found(record)) and engine.settings.content != "none"
        return content and engine.judge is not None and opened.here.span.is_recording()

    def end_all(self) -> None:
        """The end of the process: what was still open is told as far as it is known."""
        for key in list(self._open):
            self._abandon(key)
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.shutdown()

    def after_fork(self) -> None:
        """In the child: what is open is the parent's to end, and its threads are not here."""
        self._turn = threading.Lock()
        self._worker, self._waiting = None, 0

    def _closed(self, key: Hashable, error: BaseException | None) -> Open | None:
        opened = self._open.pop(key, None)
        if opened is None or opened.process is not self._engine.process:
            return None
        if opened.seen is not None and opened.seen.by_us:
            opened.seen.over = True
            return None  # our own span of the call tells it
        record = opened.record
        record.ended_ns = time.time_ns()
        if opened.seen is not None:
            opened.seen.over = True
        if error is not None:
            record.error, record.error_type = error, type(error).__qualname__
        return opened

    def _abandon(self, key: Hashable) -> None:
        opened = self._closed(key, None)
        if opened is not None:
            if isinstance(opened.record, Operation):
                opened.record.attributes.update(ABANDONED)
            self._finish(opened, unjudged="abandoned")

    def _later(self, opened: Open) -> None:
        with self._turn:
            full = self._waiting >= MOST_WAITING
            self._waiting += not full
            if self._worker is None:
                from concurrent.futures import ThreadPoolExecutor

                self._worker = ThreadPoolExecutor(THREADS, "spanward-operations")
            worker = self._worker
        if full:
            health.count("dropped", "content of an operation: too many wait for guards")
            self._finish(opened, unjudged="guards_busy")
            return
        try:
            worker.submit(self._in_turn, opened)
        except RuntimeError:  # the interpreter is ending
            self._in_turn(opened)

    def _in_turn(self, opened: Open) -> None:
        try:
            self._finish(opened)
        finally:
            with self._turn:
                self._waiting -= 1

    def _finish(self, opened: Open, unjudged: str = "") -> None:
        record, engine = opened.record, self._engine
        if engine.settings.content == "none":
            record.content_withheld = "content_none"
        elif told.given(record) or told.found(record):
            record.content_withheld = unjudged or ("guards_off" if engine.judge is None else "")
            if engine.judge is not None and self.asks(opened) and not unjudged:
                record.content_withheld = told.judged(engine.judge, record, opened.context)
        health.fenced("finish", finish, engine.tracer, engine.writer, opened.here, record, engine.bound.told)
        record.error = None  # its traceback holds the frames of the application


@dataclass(frozen=True, slots=True)
class Narration:
    """The `Narrator` of one library: its keys are its own."""

    operations: Operations
    library: str

    def begin(self, key: Hashable, record: Told, parent: Hashable | None = None) -> None:
        if self.operations.active:
            above = None if parent is None else (self.library, parent)
            health.fenced(f"{self.library}.begin", self.operations.begin, record, (self.library, key), above)

    def end(self, key: Hashable, found: tuple[Message, ...] = (), error: BaseException | None = None) -> None:
        health.fenced(f"{self.library}.end", self.operations.end, (self.library, key), found, error)

    def waits(self, key: Hashable) -> bool:
        return self.operations.waits((self.library, key))

    def drop(self, key: Hashable) -> None:
        self.operations.drop((self.library, key))

    def follow(self, current: Callable[[], Hashable | None]) -> Callable[[], None]:
        def ours() -> Hashable | None:
            key = current()
            return None if key is None else (self.library, key)

        return self.operations.follow(ours)


def _expect() -> Seen:
    """One for all model calls that begin before any of them ends: a framework may announce a batch before it asks."""
    expected = _expected.get()
    if expected is None or expected.over or expected.by_us:
        expected = Seen()
        _expected.set(expected)
    return expected


def _on_event_loop() -> bool:
    asyncio: Any = sys.modules.get("asyncio")  # not imported here, where nobody else did
    return asyncio is not None and asyncio._get_running_loop() is not None  # noqa: SLF001  the public one raises
