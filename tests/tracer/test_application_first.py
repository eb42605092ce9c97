"""Odd but legal use of a library, and failures of ours where nobody looks: the application is not to notice."""

import asyncio
import copy
import gc
import inspect
import logging
import pickle
import threading
import weakref
from collections import Counter
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any
from unittest import mock

import anyio
import pytest
import wrapt

import spanward
from spanward.guards.judgement import Check, Decision
from spanward.tracer import guarding, health, instrument, threads
from spanward.tracer.method import Method
from spanward.tracer.spool import Spool
from spanward.tracer.unread import unread

from .conftest import SAID, Spooled

Trace = Callable[..., Any]


class Allows:
    """A guard that lets everything pass."""

    def check(self, check: Check) -> Decision:
        return Decision(check.messages)


def guarded() -> None:
    """From here on a guard is asked."""
    running = instrument.running()
    assert running is not None
    running.engine.judge = guarding.Judge(Allows(), guarding.Summary)


def in_time(run: Callable[[], None]) -> None:
    """Fails where `run` never comes back."""
    failed: list[BaseException] = []

    def tried() -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001  raised below
            failed.append(error)

    thread = threading.Thread(target=tried, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "it waits for itself"
    if failed:
        raise failed[0]


def test_a_stream_collected_as_garbage_in_the_midst_of_writing(
    trace: Trace, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A collection may come at any moment, within our own locks too."""
    tiny = trace()
    held = [tiny.Chat().ask(model="dropped", messages=SAID, stream=True)]
    write = Spool._write

    def interrupted(self: Spool, frame: bytes) -> None:
        held.clear()
        write(self, frame)

    monkeypatch.setattr(Spool, "_write", interrupted)
    in_time(lambda: tiny.Chat().ask(model="written", messages=SAID))
    assert [call.attributes["gen_ai.request.model"] for call in spooled.calls] == ["written", "dropped"]


def test_a_stream_collected_while_the_spool_turns_to_a_new_file(
    trace: Trace, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = trace()
    held = [tiny.Chat().ask(model="dropped", messages=SAID, stream=True)]
    turn = Spool._close_turn

    def interrupted(self: Spool) -> None:
        held.clear()
        turn(self)

    monkeypatch.setattr(Spool, "_close_turn", interrupted)
    running = instrument.running()
    assert running is not None
    in_time(running.spool.close_turn)
    assert spooled.one().attributes["gen_ai.request.model"] == "dropped"


def test_we_are_taken_down_by_a_signal_in_the_midst_of_writing(
    trace: Trace, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = trace()
    write = Spool._write

    def interrupted(self: Spool, frame: bytes) -> None:
        monkeypatch.undo()
        spanward.uninstrument()
        write(self, frame)

    with monkeypatch.context():
        monkeypatch.setattr(Spool, "_write", interrupted)
        in_time(lambda: tiny.Chat().ask(model="written", messages=SAID))
    assert spooled.one().attributes["gen_ai.request.model"] == "written"


def test_something_is_counted_in_the_midst_of_counting() -> None:
    class Counts(dict[Any, int]):
        def __missing__(self, key: Any) -> int:
            if key[1] == "one":
                health.count("internal", "two")
            return 0

    with mock.patch.object(health, "_counts", Counts()):
        in_time(lambda: health.count("internal", "one"))
        assert health.take() == {("internal", "two"): 1, ("internal", "one"): 1}


@pytest.mark.parametrize("way", ["sync", "async"])
def test_an_exception_is_gone_once_nobody_holds_it(trace: Trace, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And with it the frames of the application in its traceback; not at some later collection of garbage."""
    tiny = trace()
    guarded()

    class FreshError(Exception):
        pass

    def raise_one() -> "weakref.ref[FreshError]":
        error = FreshError()
        monkeypatch.setattr(tiny, "RAISED", error)
        return weakref.ref(error)

    async def ask() -> None:
        try:
            await tiny.AsyncChat().ask(model="error", messages=SAID)
        except FreshError:
            return

    alive = raise_one()
    gc.collect()
    gc.disable()
    try:
        if way == "async":
            asyncio.run(ask())
        else:
            with pytest.raises(FreshError):
                tiny.Chat().ask(model="error", messages=SAID)
        monkeypatch.undo()
        assert alive() is None
    finally:
        gc.enable()


def test_methods_are_copied_and_pickled_as_without_us(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are handed to pools of processes, and stand in objects that are copied."""
    import tinylib  # type: ignore[import-not-found]  # the fixture put it on the path

    chat = tinylib.Chat()
    monkeypatch.setattr(tinylib, "one", Method(_answers, _through), raising=False)
    trace()
    for method in (tinylib.Chat.ask, chat.ask, tinylib.one):
        for other in (copy.copy(method), copy.deepcopy(method), pickle.loads(pickle.dumps(method))):
            assert callable(other)
            assert other.__qualname__ == method.__qualname__
    assert pickle.loads(pickle.dumps(tinylib.Chat.ask)) == tinylib.Chat.ask
    assert copy.deepcopy({"ask": chat.ask})["ask"](model="m", messages=SAID).text == "Hello <EMAIL_ADDRESS_1>"
    assert copy.deepcopy(chat.ask).__self__ is not chat
    assert pickle.loads(pickle.dumps(chat.ask))(model="m", messages=SAID).id == "r1"


def _answers() -> str:
    return "answer"


def _through(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
    return wrapped(*args, **kwargs)


def test_a_stream_is_copied_as_the_library_s_own(trace: Trace) -> None:
    tiny = trace()
    with pytest.raises(TypeError) as without:
        copy.deepcopy(tiny.Stream("m"))
    stream = tiny.Chat().ask(model="m", messages=SAID, stream=True)
    for fails in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError) as raised:
            fails(stream)
        assert str(raised.value) == str(without.value)
    assert next(copy.copy(stream)).piece == "Hel"


def test_the_response_of_a_stream_is_pickled_as_the_library_s_own(trace: Trace, spooled: Spooled) -> None:
    tiny = trace()
    stream = tiny.Chat().ask(model="m", messages=SAID, stream=True)
    assert type(stream.response) is not tiny.Response
    for other in (pickle.loads(pickle.dumps(stream.response)), copy.copy(stream.response)):
        assert type(other) is tiny.Response
        assert vars(other) == {}
        other.close()
    next(stream)
    stream.response.close()
    assert spooled.one().attributes["spanward.stream.end"] == "closed"


def test_what_was_given_by_position_is_given_so(
    trace: Trace, monkeypatch: pytest.MonkeyPatch, spooled: Spooled
) -> None:
    """Mocks and other instrumentations beneath ours look there."""
    import tinylib

    seen: list[tuple[Any, ...]] = []

    def ask(self: Any, model: Any, /, messages: Any, stream: Any = False, **more: Any) -> Any:
        raise AssertionError("the wrapper above it answers")

    def theirs(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        seen.append((args, kwargs))
        return SimpleNamespace(text="t", args={}, id="r1")

    monkeypatch.setattr(tinylib.Chat, "ask", wrapt.FunctionWrapper(ask, theirs))
    trace()
    tinylib.Chat().ask("m", SAID, x=1)
    assert seen == [(("m", SAID), {"x": 1})]
    assert spooled.one().attributes["gen_ai.request.model"] == "m"


class Hostile:
    """An object that can be asked nothing."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __bool__(self) -> bool:
        raise RuntimeError("bool")

    def __str__(self) -> str:
        raise RuntimeError("str")

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    __hash__ = None  # type: ignore[assignment]  # the point


def test_a_model_that_can_be_asked_nothing(trace: Trace, spooled: Spooled, monkeypatch: pytest.MonkeyPatch) -> None:
    import tinylib
    import tinylib_adapter  # type: ignore[import-not-found]  # as above

    hostile, seen = Hostile(), []
    tinylib_adapter.broken.add("request")

    def provide(kwargs: Any) -> Any:
        seen.append(kwargs["model"])
        return SimpleNamespace(text="t", args={}, id="r1")

    monkeypatch.setattr(tinylib, "_provide", provide)
    tiny = trace()
    guarded()
    assert tiny.Chat().ask(model=hostile, messages=SAID).text == "t"
    assert seen[0] is hostile
    assert len([span for span in spooled.all if span.name.startswith("chat")]) == 1


def test_the_application_s_log_fails_at_our_warning(trace: Trace) -> None:
    import tinylib_adapter

    class Fails(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise ZeroDivisionError

    handler = Fails()
    tiny = trace()
    tinylib_adapter.broken.add("response")
    health.log.addHandler(handler)
    try:
        with mock.patch.object(health, "_totals", Counter()):  # nothing was said yet
            assert tiny.Chat().ask(model="m", messages=SAID).id == "r1"
    finally:
        health.log.removeHandler(handler)


def test_no_thread_is_to_be_had(trace: Trace, spooled: Spooled, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = trace()
    guarded()

    def refused(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    async def main() -> str:
        monkeypatch.setattr(threads, "_pool", threads.Pool())
        monkeypatch.setattr(threads.Worker, "start", refused)
        answer = await tiny.AsyncChat().ask(model="m", messages=SAID)
        async for chunk in await tiny.AsyncChat().ask(model="s", messages=SAID, stream=True):
            assert isinstance(chunk.piece, str)
        return str(answer.text)

    assert asyncio.run(main()) == "Hello <EMAIL_ADDRESS_1>"
    assert len(spooled.calls) == 2
    assert b"be kind" in spooled.bytes, "it was judged all the same"


def test_a_processor_of_the_application_s_own_fails(trace: Trace) -> None:
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

    from spanward.tracer.spans import inside

    class Fails(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            raise ZeroDivisionError(span.name)

    provider = TracerProvider()
    provider.add_span_processor(Fails())
    tiny = trace(tracer_provider=provider)
    assert tiny.Chat().ask(model="m", messages=SAID).id == "r1"
    assert inside.get() is None
    assert [reason for reason in health.totals("internal") if reason.startswith("finish: ZeroDivisionError")]


def generator(asked: list[int]) -> Iterator[int]:
    asked.append(0)
    yield 1


def test_a_generator_closed_unread_asks_nobody() -> None:
    asked: list[int] = []
    stream = unread(generator(asked), lambda: generator(asked), is_async=False)
    stream.close()
    assert (list(stream), asked) == ([], [])


def test_a_generator_whose_request_failed_does_not_ask_once_more() -> None:
    asked: list[int] = []

    def fails() -> Any:
        asked.append(1)
        raise LookupError

    stream = unread(generator([]), fails, is_async=False)
    with pytest.raises(LookupError):
        next(stream)
    assert (list(stream), asked) == ([], [1])


def test_async_generators_are_over_likewise() -> None:
    asked: list[int] = []

    async def source() -> Any:
        yield 1

    async def fails() -> Any:
        asked.append(1)
        raise LookupError

    async def main() -> None:
        closed = unread(source(), fails, is_async=True)
        await closed.aclose()
        assert [item async for item in closed] == []
        failed = unread(source(), fails, is_async=True)
        with pytest.raises(LookupError):
            await anext(failed)
        assert [item async for item in failed] == []

    asyncio.run(main())
    assert asked == [1]


def test_streams_are_opened_while_the_process_ends(trace: Trace, spooled: Spooled) -> None:
    """Another thread goes on asking while what is open is told."""
    tiny = trace()
    running = instrument.running()
    assert running is not None
    kept = [tiny.Chat().ask(model="kept", messages=SAID, stream=True)]
    real = running.engine.streams
    more: list[bool] = []

    class Changing(weakref.WeakSet[Any]):
        def __iter__(self) -> Iterator[Any]:
            if not more:
                more.append(True)
                raise RuntimeError("Set changed size during iteration")
            return iter(real)

    running.engine.streams = Changing()
    running.engine.end_streams()
    assert spooled.one().attributes["spanward.stream.end"] == "abandoned"
    assert next(kept[0]).piece == "Hel"


ASKED = ("__iter__", "__next__", "__aiter__", "__anext__", "__enter__", "__aenter__", "close", "aclose", "response")


def test_a_stream_has_what_the_library_s_own_has(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Applications ask how a stream is to be read and closed."""
    tiny = trace()

    async def main() -> Any:
        return await tiny.AsyncChat().ask(model="m", messages=SAID, stream=True)

    def asked(stream: Any) -> list[str]:
        return [name for name in ASKED if hasattr(stream, name)]

    def pieces(model: str) -> Iterator[str]:
        yield model

    async def async_pieces(model: str) -> Any:
        yield model

    both: list[tuple[Any, Any]] = [
        (tiny.Chat().ask(model="m", messages=SAID, stream=True), tiny.Stream("m")),
        (asyncio.run(main()), tiny.AsyncStream("m")),
    ]
    monkeypatch.setattr(tiny, "Stream", pieces)
    both.append((tiny.Chat().ask(model="m", messages=SAID, stream=True), pieces("m")))
    monkeypatch.setattr(tiny, "AsyncStream", async_pieces)
    both.append((asyncio.run(main()), async_pieces("m")))
    for ours, theirs in both:
        assert asked(ours) == asked(theirs)
        assert isinstance(ours, Iterable) == isinstance(theirs, Iterable)
        assert isinstance(ours, AsyncIterable) == isinstance(theirs, AsyncIterable)
        assert (inspect.isgenerator(ours), inspect.isasyncgen(ours)) == (
            inspect.isgenerator(theirs),
            inspect.isasyncgen(theirs),
        )
    with ExitStack() as stack:
        stream = stack.enter_context(both[0][0])
        assert next(stream).piece == "Hel"
        with pytest.raises(TypeError, match="context manager"):
            stack.enter_context(both[2][0])


def test_trio(trace: Trace, spooled: Spooled) -> None:
    pytest.importorskip("trio")
    tiny = trace()
    guarded()

    async def main() -> str:
        answer = await tiny.AsyncChat().ask(model="m", messages=SAID)
        pieces = [chunk.piece async for chunk in await tiny.AsyncChat().ask(model="s", messages=SAID, stream=True)]
        assert "".join(pieces).startswith("Hello")
        return str(answer.text)

    assert anyio.run(main, backend="trio") == "Hello <EMAIL_ADDRESS_1>"
    assert [call.attributes.get("spanward.stream.end") for call in spooled.calls] == [None, "complete"]


def test_the_configuration_of_a_langchain_run_is_copied() -> None:
    """With all handlers in it, ours among them, which holds locks."""
    pytest.importorskip("langchain_core")
    from spanward.tracer.frameworks.langchain_listener import Listener

    listener = Listener(SimpleNamespace(lock=threading.Lock()))  # nobody is told anything
    assert copy.deepcopy({"callbacks": [listener]})["callbacks"] == [listener]
