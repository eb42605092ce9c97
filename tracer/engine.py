"""The one wrapper around every model call: what happens before, during and after it.

The course of a call is one generator of steps, which a sync or an async shell carries out (`steps`).
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

from opentelemetry.trace import Tracer, TracerProvider

from ..guards.judgement import Context, Decision
from ..guards.messages import Message, Path
from . import estimate, health, paths
from .adapter import Adapter, Endpoint, Kwargs
from .blocked import ModelCallBlocked
from .bound import Bound, bound
from .call import StreamEnd
from .guarding import Judge
from .hosts import ModelHosts
from .operations import Operations
from .outgoing import changed, judges_output, settled
from .run import Run
from .settings import Settings
from .spans import ToSpool, inside
from .steps import Ask, Course, Own, run_async, run_sync

if TYPE_CHECKING:
    from .passage import Passage


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
    operations: Operations = field(init=False)
    hosts: ModelHosts = field(init=False)
    bound: Bound = field(init=False)

    def __post_init__(self) -> None:
        self.operations = Operations(self)
        self.hosts = ModelHosts(self.settings.model_hosts)
        self.bound = bound(self.settings.content_bytes)

    def end_streams(self) -> None:
        """What was read of streams that are still open is told now: the end of the process asks nobody else."""
        for passage in list(self.streams):
            passage.end("abandoned")

    def wrapper(
        self, adapter: Adapter, endpoint: Endpoint, positional: tuple[str, ...] = (), *, is_async: bool
    ) -> Callable[..., Any]:
        """A wrapper for wrapt: (wrapped, instance, args, kwargs) -> whatever the method gives.

        `positional` names the parameters that the application may give by their position.
        """
        shell = run_async if is_async else run_sync
        begin = managed if endpoint.manager else lazily if endpoint.lazy else direct
        applies = endpoint.applies

        def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: Kwargs) -> Any:
            outer = inside.get()
            if not self.active or (outer is not None and outer.covers(instance)):
                return wrapped(*args, **kwargs)
            asked = named(positional, args, kwargs) if args else kwargs
            if asked is None or (applies is not None and not health.fenced("applies", applies, instance, asked)):
                return wrapped(*args, **kwargs)
            return begin(shell, Run(self, adapter, endpoint, instance, asked), wrapped)

        return wrapper


def named(positional: tuple[str, ...], args: tuple[Any, ...], kwargs: Kwargs) -> Kwargs | None:
    """All arguments by name; None for those that the method itself will refuse, or that have no names."""
    names = positional[: len(args)]
    if len(names) < len(args) or not kwargs.keys().isdisjoint(names):
        return None
    return {**dict(zip(names, args, strict=True)), **kwargs}


def direct(shell: Callable[[Course], Any], run: Run, wrapped: Callable[..., Any]) -> Any:
    return shell(course(run, lambda: wrapped(**run.kwargs), is_async=shell is run_async))


def lazily(shell: Callable[[Course], Any], run: Run, wrapped: Callable[..., Any]) -> Any:
    """The method is a generator function: what it gives asks the provider when it is first read."""
    from .unread import unread

    return unread(wrapped(**run.kwargs), lambda: direct(shell, run, wrapped), is_async=shell is run_async)


def managed(shell: Callable[[Course], Any], run: Run, wrapped: Callable[..., Any]) -> Any:
    """The method gives a context manager, which asks the provider on entering: ours then asks in its place."""
    assert run.endpoint.manager is not None
    take, put = run.endpoint.manager.take, run.endpoint.manager.put
    is_async = shell is run_async
    manager = wrapped(**run.kwargs)
    pending = health.fenced("manager", take, manager)
    if pending is None:
        return manager

    def ask() -> Any:
        nonlocal pending
        if run.kwargs is not run.asked:
            drop(pending)
            pending = take(wrapped(**run.kwargs))
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
        run.end(run.call.stream_end)
    return value


def _ending(run: Run, error: BaseException) -> StreamEnd:
    if not run.call.stream:
        return ""
    return "error" if isinstance(error, Exception) else "cancelled"


def _answer(
    run: Run, ask: Callable[[], Any], *, is_async: bool, unasked: Callable[[], Any]
) -> Generator[Ask | Own, Any, tuple[Any, bool]]:
    """(what the application gets, whether it is a stream that still runs)."""
    endpoint = run.endpoint
    streams = bool(endpoint.manager or endpoint.lazy or health.fenced("streams", endpoint.streams, run.kwargs))
    run.call.stream = streams
    if run.engine.judge is not None:
        decision = adopt(run, (yield Own(lambda: guard_input(run))))
        if decision.action == "block":
            unasked()
            return canned(run, decision, streams=streams), False
    raw = run.raw
    asked = (health.fenced("raw.asked", raw.asked, run.kwargs) or "") if raw else ""
    ours = bool(raw and run.endpoint.validates and not (asked or streams) and guards_output(run))
    if raw and ours:
        run.kwargs = raw.ask(run.kwargs)
    if streams and not asked:
        run.ask_usage()
    if endpoint.send is not None:
        run.kwargs = endpoint.send(run.kwargs)
    result = yield Ask(ask, run.here)
    if streams:
        return (yield from _stream(run, result, asked, is_async=is_async)), True
    if not raw or not (asked or ours):
        return (yield from _opened(run, result)), False
    if asked == "unread":
        yield Ask(lambda: raw.read(result), run.here)
    body = health.fenced("raw.body", raw.body, result)
    if body is not None and (yield from _deliver(run, body)):
        health.fenced("raw.put", raw.put, result, body)
    if ours:
        result = yield Ask(lambda: raw.parse(result), run.here)
    return result, False


def _opened(run: Run, result: Any) -> Generator[Own, Any, Any]:
    """A whole answer on its way: the library's object, or what is in it where it cannot be changed."""
    codec = run.endpoint.whole_codec
    said = result if codec is None else health.fenced("codec", codec.open, result)
    edited = yield from _deliver(run, said)
    return codec.put(result, said) if codec is not None and edited else result


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
    if text is None or (raw and not endpoint.raw and raw.asked(run.kwargs)):
        raise ModelCallBlocked(decision, "input")
    run.call.stream_end = "blocked" if streams else ""
    said = None
    try:
        if not streams and endpoint.reply is not None:
            said = endpoint.reply(run.call, text)
        if streams and endpoint.reply_stream is not None:
            said = endpoint.reply_stream(run.instance, run.call, text)
    except Exception as error:  # noqa: BLE001  then it is blocked without a reply
        health.mishap(f"{run.adapter.library}.reply", error)
    if said is None:
        raise ModelCallBlocked(decision, "input")
    return said


def _deliver(run: Run, answer: Any) -> Generator[Own, Any, bool]:
    """Read a whole answer into the record, judge it, restore originals in it. Whether it was edited."""
    call = run.call
    _read(run, answer)
    decision = call.guarded_input
    if decision is None or not guards_output(run):
        return False
    arrived, said, judged = (*call.output, *call.echoes), len(call.output), None
    if judges_output(decision):
        call.guarded_output = judged = yield Own(lambda: run.judge("output", arrived))
    if judged is not None and judged.action == "block":
        call.output = judged.messages[:said]  # everything that was found is masked in it
        if judged.reply is None:
            raise ModelCallBlocked(judged, "output")
    try:
        if judged is not None and judged.action == "block":
            silenced = [_silenced(message, judged.reply or "") for message in arrived[:said]]
            delivered = (*silenced, *(_silenced(message, "") for message in arrived[said:]))
        else:
            delivered, recorded = settled(arrived, judged, decision.pseudonyms)
            call.output = recorded[:said]
        edits: dict[Path, str] = changed(arrived, delivered)
        paths.edit(answer, edits)
        if edits and run.endpoint.edited is not None:
            run.endpoint.edited(run.asked, answer)
    except Exception as error:  # noqa: BLE001  see below
        health.mishap(f"{run.adapter.library}.restore", error)
        run.unreadable = "unreadable"
        if judged is not None and judged.action in {"modify", "block"}:
            raise ModelCallBlocked(judged, "output") from None  # what a rule wanted out of the answer is still in it
        return False
    return bool(edits)


def _read(run: Run, answer: Any) -> None:
    call = run.call
    try:
        run.endpoint.response(call, answer)
    except Exception as error:  # noqa: BLE001  the application gets its answer
        health.mishap(f"{run.adapter.library}.response", error)
        run.unreadable = "unreadable"
    else:
        if call.usage.source == "none":
            health.fenced("estimate", estimate.fill, call)


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

    raw = run.raw
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
