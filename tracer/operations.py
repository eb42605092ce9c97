"""What runs around model calls: one span an operation, with what went in and came out guarded before it is recorded.

Guards change nothing of what the application gets and block nothing here: they say what may be recorded. Operations
that a framework tells of (`Narration`) are not the current span, since nobody can take that back in the right place:
`within` finds out to which of them a call belongs.
"""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.context import Context
from opentelemetry.trace import Span, get_current_span, set_span_in_context

from ..guards import judgement
from ..guards.messages import Message, Part
from . import context, health, operation_record, semconv
from .operation import Operation
from .spans import Inside, finish

if TYPE_CHECKING:
    from .engine import Engine

MOST_OPEN = 10_000
"""Operations at the same time. A framework that never says that they end costs no more memory than that."""
MOST_WAITING = 1_000
"""Ended operations that wait for a guard, off an event loop."""
THREADS = 4

ABANDONED = {semconv.OPERATION_END: "abandoned"}


@dataclass(slots=True, eq=False)
class Open:
    """An operation in progress. `outer` is the span that was current when it began."""

    operation: Operation
    here: Inside
    outer: Span
    context: judgement.Context
    process: object
    number: int


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

    def begin(self, operation: Operation, key: Hashable | None = None, parent: Hashable | None = None) -> Open:
        """Open its span: beneath the operation that `parent` names, else beneath what runs here.

        Without a `key` of a framework's, what this gives is the key.
        """
        outer = get_current_span()
        above = self._open.get(parent) if parent is not None else None
        if above is not None and (outer is above.outer or not outer.get_span_context().is_valid):
            around: Context | None = set_span_in_context(above.here.span)
        else:
            around = self.within()
        scope = context.current()
        operation.started_ns = operation.started_ns or time.time_ns()
        span = self._engine.tracer.start_span(
            operation_record.name(operation),
            context=around,
            kind=operation_record.kind(operation),
            attributes=operation_record.opening(operation, scope),
            start_time=operation.started_ns,
        )
        asking = replace(
            self._engine.context,
            operation=operation.kind,
            prompt_name=scope.prompt_name,
            prompt_version=scope.prompt_version,
            user_id=scope.user_id,
            user_group=scope.user_group,
            session_id=scope.session_id,
            tags=scope.tags,
        )
        opened = Open(operation, Inside(span), outer, asking, self._engine.process, next(self._numbers))
        self._open[opened if key is None else key] = opened
        while len(self._open) > MOST_OPEN:
            health.count("dropped", "an operation that never ended: too many are open")
            self._abandon(next(iter(self._open)))
        return opened

    def end(self, key: Hashable, found: tuple[Message, ...] = (), error: BaseException | None = None) -> None:
        """It is over. Blocks while guards look, unless called on an event loop: then a thread of ours goes on."""
        opened = self._closed(key, error)
        if opened is None:
            return
        opened.operation.found = found or opened.operation.found
        if self.asks(opened) and _on_event_loop():
            self._later(opened)
        else:
            self._finish(opened)

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
        """Where a call made here belongs, if that is an operation of a framework; None for what is current."""
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
        operation, engine = opened.operation, self._engine
        content = bool(operation.given or operation.found) and engine.settings.content != "none"
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
        operation = opened.operation
        operation.ended_ns = time.time_ns()
        if error is not None:
            operation.error, operation.error_type = error, type(error).__qualname__
        return opened

    def _abandon(self, key: Hashable) -> None:
        opened = self._closed(key, None)
        if opened is not None:
            opened.operation.attributes.update(ABANDONED)
            self._finish(opened, unjudged="abandoned")

    def _later(self, opened: Open) -> None:
        with self._turn:
            full = self._waiting >= MOST_WAITING
            self._waiting += not full
            if self._worker is None:
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
        operation, engine = opened.operation, self._engine
        if engine.settings.content == "none":
            operation.content_withheld = "content_none"
        elif operation.given or operation.found:
            operation.content_withheld = unjudged or ("guards_off" if engine.judge is None else "")
            if not operation.content_withheld and self.asks(opened):
                operation.content_withheld = self._judged(opened)
        writing = operation_record.closing
        health.fenced("finish", finish, engine.tracer, engine.writer, opened.here, operation, writing)
        operation.error = None  # its traceback holds the frames of the application

    def _judged(self, opened: Open) -> str:
        """Put what may be recorded in the place of what was told. Why nothing of it may be, '' if it may."""
        operation = opened.operation
        try:
            given, operation.guarded_input = self._looked(opened, "input", operation.given)
            found, operation.guarded_output = self._looked(opened, "output", operation.found)
        except Exception as error:  # noqa: BLE001  what nobody judged is not recorded
            health.mishap("operation", error)
            return "unreadable"
        operation.given, operation.found = given, found
        decisions = [d for d in (operation.guarded_input, operation.guarded_output) if d is not None]
        return next((decision.withhold for decision in decisions if decision.withhold), "")

    def _looked(
        self, opened: Open, side: judgement.Side, messages: tuple[Message, ...]
    ) -> tuple[tuple[Message, ...], judgement.Decision | None]:
        judge = self._engine.judge
        if not messages or judge is None:
            return messages, None
        asked = messages if side == "input" else _as_results(messages)
        decision = judge(judgement.Check(side, asked, opened.context))
        return tuple(_like(old, new) for old, new in zip(messages, decision.messages, strict=True)), decision


@dataclass(frozen=True, slots=True)
class Narration:
    """The `Narrator` of one library: its keys are its own."""

    operations: Operations
    library: str

    def begin(self, key: Hashable, operation: Operation, parent: Hashable | None = None) -> None:
        if self.operations.active:
            above = None if parent is None else (self.library, parent)
            health.fenced(f"{self.library}.begin", self.operations.begin, operation, (self.library, key), above)

    def end(self, key: Hashable, found: tuple[Message, ...] = (), error: BaseException | None = None) -> None:
        health.fenced(f"{self.library}.end", self.operations.end, (self.library, key), found, error)

    def follow(self, current: Callable[[], Hashable | None]) -> Callable[[], None]:
        def ours() -> Hashable | None:
            key = current()
            return None if key is None else (self.library, key)

        return self.operations.follow(ours)


def _as_results(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """What was found is the application's own data, and is judged as that, whatever the kind of its parts."""
    return tuple(replace(message, parts=tuple(_as_result(part) for part in message.parts)) for message in messages)


def _as_result(part: Part) -> Part:
    return replace(part, kind="tool_result") if part.kind in {"text", "reasoning"} else part


def _like(old: Message, new: Message) -> Message:
    """The message as it was told, with the texts that may be recorded."""
    pairs = zip(old.parts, new.parts, strict=True)
    return replace(old, parts=tuple(replace(before, text=after.text) for before, after in pairs))


def _on_event_loop() -> bool:
    return cast("Any", asyncio)._get_running_loop() is not None  # noqa: SLF001  the public one raises where there is none
