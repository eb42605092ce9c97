"""One call on its way through the engine."""

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import INVALID_SPAN, SpanKind

from ..guards.judgement import Check, Context, Decision, Side
from ..guards.messages import Message
from . import context, health, record
from .adapter import Adapter, CallersError, Endpoint, Kwargs, Raw
from .blocked import ModelCallBlocked
from .call import ModelCall, StreamEnd
from .outgoing import judges_output
from .spans import Inside, finish
from .steps import Own

if TYPE_CHECKING:
    from .engine import Engine


class Run:
    """One call on its way: the record, its span, what the guards said, and how it ends (once)."""

    def __init__(
        self,
        engine: "Engine",
        adapter: Adapter,
        endpoint: Endpoint,
        instance: Any,
        kwargs: Kwargs,
        placed: tuple[str, ...] = (),
    ) -> None:
        self.engine = engine
        self.adapter = adapter
        self.endpoint = endpoint
        self.instance = instance
        self.kwargs = dict(kwargs)
        self.placed = placed
        """Names of the arguments that were given by position."""
        self.unreadable = ""
        failure: Exception | None = None
        self._endings = [True]
        try:
            self.call = endpoint.request(instance, self.kwargs)
        except CallersError as theirs:
            failure = theirs.error
        except Exception as error:  # noqa: BLE001  the call goes on as the application made it
            health.mishap(f"{adapter.library}.request", error)
            self.kwargs = dict(kwargs)
            self.unreadable = "unreadable"
            self.call = ModelCall("chat", adapter.library, health.fenced("model", _model, kwargs) or "")
        try:
            if failure is not None:
                raise failure  # not while ours is handled, which would become its context
        finally:
            failure = None  # its traceback holds this frame
        self.asked = self.kwargs
        self.hides: Callable[[Any], bool] | None = None
        self.here = Inside(INVALID_SPAN, instance=instance, outermost=endpoint.outermost)
        self._process = engine.process
        self._context: Context | None = None

    def start(self) -> None:
        """The call begins now. Fills the record with what the application said around it, and opens the span."""
        call = self.call
        scope = context.current()
        if scope is not context.NOBODY:
            scope.onto(call)
        call.started_ns = time.time_ns()
        span = self.engine.tracer.start_span(
            record.name(call),
            context=self.engine.operations.within(),
            kind=SpanKind.CLIENT,
            attributes=record.opening(call),
            start_time=call.started_ns,
        )
        native = self.adapter.native_provider
        quiet = native is not None and health.fenced("native", native, self.instance) is self.engine.provider
        self.here.span, self.here.quiet = span, quiet

    @property
    def raw(self) -> Raw | None:
        """How what this call gives is decoded."""
        return self.endpoint.raw or self.adapter.raw

    @property
    def fresh(self) -> bool:
        """Whether the call has not begun yet."""
        return self.call.started_ns == 0

    @property
    def open(self) -> bool:
        """Whether the call has not ended yet. In a child of a fork it is the parent's to end."""
        return bool(self._endings) and self._process is self.engine.process

    @property
    def context(self) -> Context:
        """What rules can match on. Made when a guard first asks."""
        if self._context is None:
            call, ours = self.call, self.engine.context
            self._context = Context(
                app=ours.app,
                environment=ours.environment,
                provider=call.provider,
                model=call.request_model,
                operation=call.operation,
                prompt_name=call.prompt_name,
                prompt_version=call.prompt_version,
                user_id=call.user_id,
                user_group=call.user_group,
                session_id=call.session_id,
                tags=call.tags,
                tenant=ours.tenant,
            )
        return self._context

    def judged(self, side: Side, messages: tuple[Message, ...]) -> Generator[Own, Any, Decision]:
        """What the guards say: here where they answer at once, else by a step that may block."""
        decision = self.at_once(side, messages)
        return decision if decision is not None else (yield Own(lambda: self.judge(side, messages)))

    def at_once(self, side: Side, messages: tuple[Message, ...]) -> Decision | None:
        """What the guards say, if they neither wait nor have to look."""
        judge = self.engine.judge
        assert judge is not None
        return None if self.unreadable else judge.at_once(Check(side, messages, self.context))

    def judge(self, side: Side, messages: tuple[Message, ...], unreadable: str = "") -> Decision:
        """Ask the guards, or whoever decides for them. Blocks."""
        judge = self.engine.judge
        assert judge is not None
        check = Check(side, messages, self.context)
        unreadable = unreadable or self.unreadable
        return judge.without(check, unreadable) if unreadable else judge(check)

    def ask_usage(self) -> None:
        """Have the stream tell its token counts, if the application did not ask and the server takes the question."""
        extra = self.endpoint.extra_usage
        if extra is None or self.unreadable:
            return
        asking = health.fenced("usage", extra.ask, self.instance, self.kwargs, self.engine.settings.usage_hosts)
        if asking is not None:
            self.kwargs, self.hides = asking, extra.hides

    def end(self, stream_end: StreamEnd = "", error: BaseException | None = None) -> None:
        """The call is over. Only the first end counts."""
        if not self.open:
            return
        try:
            self._endings.pop()
        except IndexError:  # another thread was first
            return
        call = self.call
        self.here.over = True
        call.ended_ns = time.time_ns()
        call.stream_end = stream_end
        if error is not None:
            call.error, call.error_type = error, type(error).__qualname__
        call.content_withheld = withheld(self)
        engine = self.engine
        health.fenced("finish", finish, engine.tracer, engine.writer, self.here, call, engine.bound.closing)
        call.error = None  # its traceback holds the frames of the application


def _model(kwargs: Kwargs) -> str:
    return str(kwargs.get("model") or "")


def withheld(run: Run) -> str:
    """Why the content of this call must not be recorded, '' if it may be."""
    call, engine = run.call, run.engine
    before, after = call.guarded_input, call.guarded_output
    if engine.settings.content == "none":
        return "content_none"
    if engine.judge is None:
        return "guards_off"
    if run.unreadable:
        return run.unreadable
    if before is None:
        return "unguarded"
    reason = before.withhold or (after.withhold if after is not None else "")
    if reason or after is not None or call.stream:  # of a stream only what the hold-back released is recorded
        return reason
    return record.OUTPUT_ONLY if call.output and judges_output(before) else ""


def ending(error: BaseException) -> StreamEnd:
    """How a stream ended that ended with an exception."""
    if isinstance(error, ModelCallBlocked):
        return "blocked"
    return "error" if isinstance(error, Exception) else "cancelled"
