"""The course of one call: what happens before, during and after it, as one generator of steps.

A sync or an async shell carries the steps out (`steps`).
"""

from collections.abc import Callable, Generator
from typing import Any

from ..guards.judgement import Decision
from ..guards.messages import Message
from ..guards.quick import dataclass
from . import health, paths
from .adapter import Kwargs, Raw
from .answer import deliver, delivered, guards_output, read
from .blocked import ModelCallBlocked
from .leftover import leftover
from .outgoing import changed
from .run import Run, ending
from .steps import Ask, Course, Own


def course(run: Run, ask: Callable[[], Any], *, is_async: bool, unasked: Callable[[], Any] = lambda: None) -> Course:
    """A call from before to after. Ends the run's span unless a stream goes on, whose proxy ends it."""
    health.fenced("start", run.start)
    try:
        answered = yield from _answer(run, ask, is_async=is_async, unasked=unasked)
    except BaseException as error:
        run.end(ending(error) if run.call.stream else "", error)
        raise
    value, goes_on = answered
    if not goes_on:
        run.end(run.call.stream_end)
    return value


def _answer(
    run: Run, ask: Callable[[], Any], *, is_async: bool, unasked: Callable[[], Any]
) -> Generator[Ask | Own, Any, tuple[Any, bool]]:
    """(what the application gets, whether it is a stream that still runs)."""
    endpoint = run.endpoint
    streams = bool(endpoint.manager or endpoint.lazy or health.fenced("streams", endpoint.streams, run.kwargs))
    run.call.stream = streams
    if run.engine.judge is not None:
        decision = adopt(run, (yield from guard_input(run)))
        if decision.action == "block":
            unasked()
            return canned(run, decision, streams=streams), False
    raw = endpoint.raw or run.adapter.raw
    asked = (health.fenced("raw.asked", raw.asked, run.kwargs) or "") if raw else ""
    ours = bool(raw and endpoint.validates and not (asked or streams) and guards_output(run))
    if raw and ours:
        run.kwargs = raw.ask(run.kwargs)
    if streams and not asked:
        run.ask_usage()
    if endpoint.send is not None:
        run.kwargs = endpoint.send(run.kwargs)
    result = yield Ask(ask, run.here)
    if streams:
        return (yield from _stream(run, result, asked, is_async=is_async)), True
    if raw and (asked or ours):
        return (yield from _raw_answer(run, raw, result, unread=asked == "unread", parsed=ours)), False
    if endpoint.whole_codec is None and not guards_output(run):  # nobody changes it, or waits for who might
        read(run, result)
        return result, False
    return (yield from delivered(run, result)), False


def _raw_answer(run: Run, raw: Raw, result: Any, *, unread: bool, parsed: bool) -> Generator[Ask | Own, Any, Any]:
    """The HTTP response, edited; or what the library parses it to, where only we asked for it raw."""
    if unread:
        yield Ask(lambda: raw.read(result), run.here)
    body = health.fenced("raw.body", raw.body, result)
    if body is not None and (yield from deliver(run, body)):
        health.fenced("raw.put", raw.put, result, body)
    if parsed:
        return (yield Ask(lambda: raw.parse(result), run.here))
    return result


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


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guards made of a call's input. `unreadable` is why nothing of the call can be judged from here on."""

    decision: Decision
    kwargs: Kwargs
    unreadable: str = ""


def guard_input(run: Run) -> Generator[Own, Any, Guarded]:
    """Judge what goes out: here where the guards answer at once, else by a step that may block."""
    guarded = _at_once(run)
    return guarded if guarded is not None else (yield Own(lambda: _looked_at(run)))


def _at_once(run: Run) -> Guarded | None:
    """None where the guards have to look, or something is odd: then the step finds the same, and says so.

    They are asked before leftovers are looked for: those are for a thread, too, where one is needed.
    """
    before = _told(run)
    decision = run.at_once("input", before)
    if decision is None:
        return None
    try:
        rest = leftover(run.kwargs, before, run.adapter.apart, run.call.whole)
    except Exception:  # noqa: BLE001  as above
        return None
    if rest:
        before += rest
        decision = run.at_once("input", before)
    return None if decision is None else _put(run, before, decision)


def _told(run: Run) -> tuple[Message, ...]:
    call = run.call
    return (*call.messages, *call.tools, *call.beside)


def _looked_at(run: Run) -> Guarded:
    """Blocks. Changes nothing of the run: a cancelled task ends it while the thread that judges is still at work."""
    before = _told(run)
    try:
        before += leftover(run.kwargs, before, run.adapter.apart, run.call.whole)
    except Exception as error:  # noqa: BLE001  what cannot be looked through is not known to be harmless
        health.mishap(f"{run.adapter.library}.leftover", error)
        return Guarded(run.judge("input", before, "unreadable"), run.kwargs, "unreadable")
    return _put(run, before, run.judge("input", before))


def _put(run: Run, before: tuple[Message, ...], decision: Decision) -> Guarded:
    """What the guards made of the input is put into a copy of the arguments."""
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
    decision, run.kwargs = guarded.decision, guarded.kwargs
    run.unreadable = run.unreadable or guarded.unreadable
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
