"""The one wrapper around every model call: what happens before, during and after it.

The course of a call is one generator, free of `await`, that yields steps: `Ask` is the provider's code, `Own` is ours
and may block. Two shells run it: in async classes `Ask` is awaited and `Own` runs in a thread.
"""

import inspect
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import INVALID_SPAN, SpanKind, Tracer

from ..guards.judgement import Check, Context, Decision
from ..guards.messages import Message, Path
from . import context, health, paths, record
from .adapter import Adapter, CallersError, Endpoint, Kwargs
from .blocked import ModelCallBlocked
from .call import ModelCall, StreamEnd
from .guarding import Judge
from .outgoing import changed, judges_output, settled
from .settings import Settings
from .spans import Inside, ToSpool, finish, inside
from .threads import off_loop

if TYPE_CHECKING:
    from .stream import Passage


@dataclass(frozen=True, slots=True)
class Ask:
    """The library's own code: it may give an awaitable in async classes. Calls it makes on the way are part of ours."""

    run: Callable[[], Any]
    here: Inside


@dataclass(frozen=True, slots=True)
class Own:
    """Our code that may block: never on the application's event loop."""

    run: Callable[[], Any]


Course = Generator[Ask | Own, Any, Any]


class Run:
    """One call on its way: the record, its span, what the guards said, and how it ends (once)."""

    def __init__(self, engine: "Engine", adapter: Adapter, endpoint: Endpoint, instance: Any, kwargs: Kwargs) -> None:
        self.engine = engine
        self.adapter = adapter
        self.endpoint = endpoint
        self.instance = instance
        self.kwargs = dict(kwargs)
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
            self.call = ModelCall("chat", adapter.library, str(kwargs.get("model") or ""))
        if failure is not None:
            raise failure  # not while ours is handled, which would become its context
        self.asked = self.kwargs
        self.hides: Callable[[Any], bool] | None = None
        self.here = Inside(INVALID_SPAN)
        self._process = engine.process
        self.context = Context()

    def start(self) -> None:
        """The call begins now. Fills the record with what the application said around it, and opens the span."""
        call, scope = self.call, context.current()
        call.session_id = call.session_id or scope.session_id
        call.user_id, call.user_group = scope.user_id, scope.user_group
        call.prompt_name, call.prompt_version = scope.prompt_name, scope.prompt_version
        call.tags = scope.tags
        call.started_ns = time.time_ns()
        self.context = replace(
            self.engine.context,
            provider=call.provider,
            model=call.request_model,
            operation=call.operation,
            prompt_name=call.prompt_name,
            prompt_version=call.prompt_version,
            user_id=call.user_id,
            user_group=call.user_group,
            session_id=call.session_id,
            tags=call.tags,
        )
        span = self.engine.tracer.start_span(
            record.name(call), kind=SpanKind.CLIENT, attributes=record.opening(call), start_time=call.started_ns
        )
        native = self.adapter.native_provider
        quiet = native is not None and health.fenced("native", native, self.instance) is self.engine.provider
        self.here = Inside(span, instance=self.instance, quiet=quiet)

    @property
    def fresh(self) -> bool:
        """Whether the call has not begun yet."""
        return self.call.started_ns == 0

    @property
    def open(self) -> bool:
        """Whether the call has not ended yet. In a child of a fork it is the parent's to end."""
        return bool(self._endings) and self._process is self.engine.process

    def judge(self, side: Any, messages: tuple[Message, ...], unreadable: str = "") -> Decision:
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
        health.fenced("finish", finish, self.engine.tracer, self.engine.writer, self.here, call)
        call.error = None  # its traceback holds the frames of the application


def withheld(run: Run) -> str:
    """Why the content of this call must not be recorded, '' if it may be."""
    call, engine = run.call, run.engine
    decisions = [decision for decision in (call.guarded_input, call.guarded_output) if decision]
    judged = call.stream or bool(call.guarded_output)  # of a stream only what the hold-back released is recorded
    unjudged = any(judges_output(d) for d in decisions[:1]) and bool(call.output) and not judged
    reasons = (
        (engine.settings.content == "none", "content_none"),
        (engine.judge is None, "guards_off"),
        (bool(run.unreadable), run.unreadable),
        (call.guarded_input is None, "unguarded"),
        *((bool(d.withhold), d.withhold) for d in decisions),
        (unjudged, record.OUTPUT_ONLY),
    )
    return next((reason for applies, reason in reasons if applies), "")


@dataclass(slots=True)
class Engine:
    """What all calls share. `judge` is None where guards are off; an engine that is not `active` lets calls through."""

    settings: Settings
    provider: TracerProvider
    tracer: Tracer
    writer: ToSpool
    judge: Judge | None
    context: Context = field(default_factory=Context)
    active: bool = True
    streams: "WeakSet[Passage]" = field(default_factory=WeakSet)
    process: object = field(default_factory=object)
    """Another one in a child of a fork."""

    def end_streams(self) -> None:
        """What was read of streams that are still open is told now: the end of the process asks nobody else."""
        for passage in list(self.streams):
            passage.end("abandoned")

    def wrapper(self, adapter: Adapter, endpoint: Endpoint, *, is_async: bool) -> Callable[..., Any]:
        """A wrapper for wrapt: (wrapped, instance, args, kwargs) -> whatever the method gives."""
        shell = run_async if is_async else run_sync
        begin = managed if endpoint.manager else direct

        def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: Kwargs) -> Any:
            outer = inside.get()
            if not self.active or (outer is not None and outer.covers(instance)):
                return wrapped(*args, **kwargs)
            run = Run(self, adapter, endpoint, instance, kwargs)
            return begin(shell, run, wrapped, args)

        return wrapper


def direct(shell: Callable[[Course], Any], run: Run, wrapped: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return shell(course(run, lambda: wrapped(*args, **run.kwargs), is_async=shell is run_async))


def managed(shell: Callable[[Course], Any], run: Run, wrapped: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """The method gives a context manager, which asks the provider on entering: ours then asks in its place."""
    assert run.endpoint.manager is not None
    take, put = run.endpoint.manager.take, run.endpoint.manager.put
    is_async = shell is run_async
    manager = wrapped(*args, **run.kwargs)
    pending = health.fenced("manager", take, manager)
    if pending is None:
        return manager

    def ask() -> Any:
        nonlocal pending
        if run.kwargs is not run.asked:
            drop(pending)
            pending = take(wrapped(*args, **run.kwargs))
        return pending() if callable(pending) else pending

    def whole() -> Course:
        nonlocal run
        if not run.fresh:
            run = Run(run.engine, run.adapter, run.endpoint, run.instance, run.asked)  # entered once more
        return course(run, ask, is_async=is_async, unasked=lambda: drop(pending))

    put(manager, shell(whole()) if is_async else lambda: run_sync(whole()))
    return manager


def drop(pending: Any) -> None:
    """A coroutine that will not be awaited is closed, so that Python does not warn of it."""
    if hasattr(pending, "close"):
        pending.close()


def course(run: Run, ask: Callable[[], Any], *, is_async: bool, unasked: Callable[[], Any] = lambda: None) -> Course:
    """A call from before to after. Ends the run's span unless a stream goes on, whose proxy ends it."""
    health.fenced("start", run.start)
    try:
        answered = yield from _answer(run, ask, is_async=is_async, unasked=unasked)
    except GeneratorExit:
        run.end("cancelled" if run.call.stream else "", GeneratorExit())
        raise
    except ModelCallBlocked as error:
        run.end("blocked" if run.call.stream else "", error)
        raise
    except BaseException as error:
        run.end(_ending(run, error), error)
        raise
    value, goes_on = answered
    if not goes_on:
        run.end()
    return value


def _ending(run: Run, error: BaseException) -> StreamEnd:
    if not run.call.stream:
        return ""
    return "error" if isinstance(error, Exception) else "cancelled"


def _answer(
    run: Run, ask: Callable[[], Any], *, is_async: bool, unasked: Callable[[], Any]
) -> Generator[Ask | Own, Any, tuple[Any, bool]]:
    """(what the application gets, whether it is a stream that still runs)."""
    streams = run.endpoint.manager is not None or bool(health.fenced("streams", run.endpoint.streams, run.kwargs))
    run.call.stream = streams
    if run.engine.judge is not None:
        decision = adopt(run, (yield Own(lambda: guard_input(run))))
        if decision.action == "block":
            unasked()
            return canned(run, decision, streams=streams), False
    raw = run.adapter.raw
    asked = (health.fenced("raw.asked", raw.asked, run.kwargs) or "") if raw else ""
    ours = bool(raw and run.endpoint.validates and not asked and guards_output(run))
    if raw and ours:
        run.kwargs = raw.ask(run.kwargs)
    if streams and not asked:
        run.ask_usage()
    result = yield Ask(ask, run.here)
    if streams:
        return (yield from _stream(run, result, asked, is_async=is_async)), True
    if not raw or not (asked or ours):
        yield from _deliver(run, result)
        return result, False
    if asked == "unread":
        yield Ask(lambda: raw.read(result), run.here)
    body = health.fenced("raw.body", raw.body, result)
    if body is not None and (yield from _deliver(run, body)):
        health.fenced("raw.put", raw.put, result, body)
    if ours:
        result = yield Ask(lambda: raw.parse(result), run.here)
    return result, False


def guards_output(run: Run) -> bool:
    """Whether what comes back may differ from what the application gets."""
    decision = run.call.guarded_input
    return decision is not None and (bool(decision.pseudonyms) or judges_output(decision))


class Guarded(NamedTuple):
    """What the guards made of a call's input. `unreadable` is why nothing of the call can be judged from here on."""

    decision: Decision
    kwargs: Kwargs
    unreadable: str = ""


def guard_input(run: Run) -> Guarded:
    """Judge what goes out, and put what the guards made of it into a copy of the arguments. Blocks.

    Changes nothing of the run: a cancelled task ends it while the thread that judges is still at work.
    """
    call = run.call
    before = (*call.messages, *call.tools, *call.beside)
    decision = run.judge("input", before)
    if decision.action == "block":
        return Guarded(decision, run.kwargs)
    try:
        edits = changed(before, decision.messages)
        return Guarded(decision, paths.edited(run.kwargs, edits) if edits else run.kwargs)
    except Exception as error:  # noqa: BLE001  what the guards changed could not be put in: that is not to be sent
        health.mishap(f"{run.adapter.library}.edit", error)
        return Guarded(run.judge("input", before, "uneditable"), run.kwargs, "uneditable")


def adopt(run: Run, guarded: Guarded) -> Decision:
    """From here on the call is what the guards made of it. Of a blocked one everything that was found is masked."""
    decision, run.kwargs, unreadable = guarded
    run.unreadable = run.unreadable or unreadable
    call = run.call
    told, tools = len(call.messages), len(call.tools)
    messages = decision.messages
    call.messages, call.tools = messages[:told], messages[told : told + tools]
    call.guarded_input = decision  # last: as long as there is none, nothing is recorded
    return decision


def canned(run: Run, decision: Decision, *, streams: bool) -> Any:
    """What a blocked call gives: the rule's reply in the library's own type, or ModelCallBlocked."""
    text, endpoint = decision.reply, run.endpoint
    raw = run.adapter.raw
    if text is None or (raw and raw.asked(run.kwargs)):
        raise ModelCallBlocked(decision, "input")
    run.call.stream_end = "blocked"
    try:
        if not streams:
            return endpoint.reply(run.call, text)
        if endpoint.reply_stream is not None:
            return endpoint.reply_stream(run.instance, run.call, text)
    except Exception as error:  # noqa: BLE001  then it is blocked without a reply
        health.mishap(f"{run.adapter.library}.reply", error)
    raise ModelCallBlocked(decision, "input")


def _deliver(run: Run, answer: Any) -> Generator[Own, Any, bool]:
    """Read a whole answer into the record, judge it, restore originals in it. Whether it was edited."""
    call = run.call
    try:
        run.endpoint.response(call, answer)
    except Exception as error:  # noqa: BLE001  the application gets its answer
        health.mishap(f"{run.adapter.library}.response", error)
        run.unreadable = "unreadable"
    decision = call.guarded_input
    if decision is None or not guards_output(run):
        return False
    arrived, judged = call.output, None
    if judges_output(decision):
        call.guarded_output = judged = yield Own(lambda: run.judge("output", arrived))
    if judged is not None and judged.action == "block":
        call.output = judged.messages  # everything that was found is masked in it
        if judged.reply is None:
            raise ModelCallBlocked(judged, "output")
    try:
        if judged is not None and judged.action == "block":
            delivered = tuple(_silenced(message, judged.reply or "") for message in arrived)
        else:
            delivered, call.output = settled(arrived, judged, decision.pseudonyms)
        edits: dict[Path, str] = changed(arrived, delivered)
        paths.edit(answer, edits)
    except Exception as error:  # noqa: BLE001  see below
        health.mishap(f"{run.adapter.library}.restore", error)
        run.unreadable = "unreadable"
        if judged is not None and judged.action in {"modify", "block"}:
            raise ModelCallBlocked(judged, "output") from None  # what a rule wanted out of the answer is still in it
        return False
    return bool(edits)


def _silenced(message: Message, reply: str) -> Message:
    """The message with the reply in the place of its first text, and nothing in that of the others."""
    texts = iter((reply,))
    return replace(
        message,
        parts=tuple(
            replace(part, text="{}" if part.json else next(texts, "") if part.kind == "text" else "")
            for part in message.parts
        ),
    )


def _stream(run: Run, result: Any, asked: str, *, is_async: bool) -> Generator[Ask, Any, Any]:
    from .stream import proxy

    raw = run.adapter.raw
    stream = result
    if raw and asked:
        stream = yield Ask(lambda: raw.parse(result), run.here)
    try:
        ours = proxy(run, stream, is_async=is_async)
        if raw and asked:
            raw.install(result, ours)
            return result
    except ModelCallBlocked:
        raise
    except Exception as error:  # noqa: BLE001  the application gets its stream, and we nothing of it
        health.mishap(f"{run.adapter.library}.stream", error)
        run.unreadable = "unreadable"
        run.end("abandoned")
        return result
    else:
        return ours


def run_sync(whole: Course) -> Any:
    """Run a call in the calling thread."""
    return _drive(whole, None, _run_step)


def _run_step(step: Ask | Own) -> Any:
    if isinstance(step, Own):
        return step.run()
    token = inside.set(step.here)
    try:
        return step.run()
    finally:
        inside.reset(token)


def _drive(whole: Course, value: Any, perform: Callable[[Ask | Own], Any]) -> Any:
    raised: BaseException | None = None
    while True:
        try:
            step = whole.send(value) if raised is None else whole.throw(raised)
        except StopIteration as end:
            return end.value
        raised = value = None
        try:
            value = perform(step)
        except BaseException as error:  # noqa: BLE001  the course decides; it raises the same object
            raised = error


async def run_async(whole: Course) -> Any:
    """Run a call on the event loop; our own blocking steps in a thread."""
    value: Any = None
    raised: BaseException | None = None
    try:
        while True:
            try:
                step = whole.send(value) if raised is None else whole.throw(raised)
            except StopIteration as end:
                return end.value
            raised = value = None
            try:
                if isinstance(step, Own):
                    value = await off_loop(step.run)
                else:
                    value = await _await_step(step)
            except BaseException as error:  # noqa: BLE001  the course decides; it raises the same object
                raised = error
    finally:
        whole.close()


async def _await_step(step: Ask) -> Any:
    token = inside.set(step.here)
    try:
        value = step.run()
        return await value if inspect.isawaitable(value) else value
    finally:
        try:
            inside.reset(token)
        except ValueError:  # the coroutine was dropped and is closed from somewhere else
            health.count("internal", "a coroutine was closed in another context")
