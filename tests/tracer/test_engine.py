"""One call is one span, and the application cannot tell that we are there."""

import asyncio
import gc
import inspect
from collections.abc import Callable
from typing import Any

import pytest

import spanward

from .conftest import SAID, Spooled

Trace = Callable[..., Any]


def test_a_call_is_one_span_with_all_that_is_known(trace: Trace, spooled: Spooled) -> None:
    tiny = trace(service_name="shop", environment="test")
    with (
        spanward.session("s1"),
        spanward.user("ada", group="staff"),
        spanward.prompt("mail", "3"),
        spanward.tags("a", "b"),
    ):
        answer = tiny.Chat().ask(model="m", messages=SAID)
    assert answer.text == "Hello <EMAIL_ADDRESS_1>"
    span = spooled.one()
    assert (span.name, span.kind, span.status, span.parent_id) == ("chat m", 3, 0, "")
    assert span.resource.items() >= {"service.name": "shop", "deployment.environment.name": "test"}.items()
    assert span.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "tiny",
        "gen_ai.request.model": "m",
        "gen_ai.request.temperature": 0,
        "gen_ai.response.id": "r1",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 15,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": 5,
        "gen_ai.conversation.id": "s1",
        "gen_ai.prompt.name": "mail",
        "gen_ai.prompt.version": "3",
        "user.id": "ada",
        "spanward.user.group": "staff",
        "spanward.tags": ["a", "b"],
        "spanward.usage.source": "provider",
        "spanward.usage.raw": '{"in":15}',
        "spanward.guard.verdict": "none",
        "spanward.guard.action": "none",
        "spanward.content.withheld": "guards_off",
    }


def test_the_spans_of_the_application_are_parents(trace: Trace, spooled: Spooled) -> None:
    from opentelemetry import trace as otel
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

    tiny = trace()
    theirs = NonRecordingSpan(SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(0)))
    with otel.use_span(theirs):
        tiny.Chat().ask(model="m", messages=SAID)
        assert otel.get_current_span() is theirs
    assert (int(spooled.one().trace_id, 16), int(spooled.one().parent_id, 16)) == (0xABC, 0xDEF)


def test_calls_within_a_call_are_part_of_it(trace: Trace, spooled: Spooled) -> None:
    tiny = trace()
    tiny.Chat().asked_twice(model="m", messages=SAID)
    asyncio.run(tiny.AsyncChat().asked_twice(model="m", messages=SAID))
    assert [len(frame) for frame in spooled.frames] == [1, 1]


def test_exceptions_pass_untouched_and_their_text_is_not_recorded(trace: Trace, spooled: Spooled) -> None:
    tiny = trace()
    with pytest.raises(tiny.TinyError) as sync:
        tiny.Chat().ask(model="error", messages=SAID)
    with pytest.raises(tiny.TinyError) as other:
        asyncio.run(tiny.AsyncChat().ask(model="error", messages=SAID))
    assert sync.value is other.value is tiny.RAISED
    for span in spooled.calls:
        assert (span.status, span.said, span.attributes["error.type"], span.events) == (
            2,
            "TinyError HTTP 500",
            "TinyError",
            0,
        )
    assert b"hunter2" not in spooled.bytes


def test_wrong_arguments_fail_as_without_us(trace: Trace, spooled: Spooled) -> None:
    tiny = trace()
    with pytest.raises(TypeError, match="messages"):
        tiny.Chat().ask(model="m")
    assert len(spooled.calls) == 1


def full(stream: Any) -> str:
    return "".join(chunk.piece for chunk in stream)


def broken_off(stream: Any) -> str:
    for chunk in stream:
        return str(chunk.piece)
    return ""


def closed(stream: Any) -> str:
    first = next(stream).piece
    stream.close()
    return str(first)


def left(stream: Any) -> str:
    with stream as same:
        assert same is stream
        return str(next(same).piece)


def response_closed(stream: Any) -> str:
    first = next(stream).piece
    stream.response.close()
    return str(first)


def thrown_out(stream: Any) -> str:
    def generator() -> Any:
        with stream:
            for chunk in stream:
                yield chunk.piece

    outer = generator()
    first = next(outer)
    outer.close()
    return str(first)


TEXT = "Hello <EMAIL_ADDRESS_1> and bye"


@pytest.mark.parametrize(
    ("use", "text", "end", "chunks"),
    [
        (full, TEXT, "complete", 7),
        (broken_off, "Hel", "abandoned", 1),
        (closed, "Hel", "closed", 1),
        (left, "Hel", "closed", 1),
        (response_closed, "Hel", "closed", 1),
        (thrown_out, "Hel", "closed", 1),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_every_end_of_a_stream_is_one_span(
    trace: Trace, spooled: Spooled, use: Callable[[Any], str], text: str, end: str, chunks: int
) -> None:
    tiny = trace()
    stream = tiny.Chat().ask(model="m", messages=SAID, stream=True)
    assert isinstance(stream, tiny.Stream)
    assert stream.model == "m"
    assert use(stream) == text
    del stream
    gc.collect()
    span = spooled.one()
    assert span.status == 0
    assert (span.attributes["spanward.stream.end"], span.attributes["spanward.stream.chunks"]) == (end, chunks)
    assert span.attributes["gen_ai.response.time_to_first_chunk"] > 0


def test_a_stream_never_read_is_one_span_when_it_is_dropped(trace: Trace, spooled: Spooled) -> None:
    trace().Chat().ask(model="m", messages=SAID, stream=True)
    assert spooled.one().attributes["spanward.stream.end"] == "abandoned"


def test_a_stream_that_fails_gives_what_came_and_the_same_exception(trace: Trace, spooled: Spooled) -> None:
    tiny = trace()
    stream = tiny.Chat().ask(model="midstream", messages=SAID, stream=True)
    got: list[str] = []
    with pytest.raises(tiny.TinyError) as raised:
        got.extend(chunk.piece for chunk in stream)
    assert raised.value is tiny.RAISED
    span = spooled.one()
    assert (span.status, span.said, span.attributes["spanward.stream.end"]) == (2, "TinyError HTTP 500", "error")


async def _async_full(stream: Any) -> str:
    return "".join([chunk.piece async for chunk in stream])


async def _async_broken_off(stream: Any) -> str:
    async for chunk in stream:
        return str(chunk.piece)
    return ""


async def _async_closed(stream: Any) -> str:
    first = (await anext(stream)).piece
    await stream.close()
    return str(first)


async def _async_left(stream: Any) -> str:
    async with stream as same:
        assert same is stream
        return str((await anext(same)).piece)


async def _async_response_closed(stream: Any) -> str:
    first = (await anext(stream)).piece
    await stream.response.aclose()
    return str(first)


@pytest.mark.parametrize(
    ("use", "text", "end"),
    [
        (_async_full, TEXT, "complete"),
        (_async_broken_off, "Hel", "abandoned"),
        (_async_closed, "Hel", "closed"),
        (_async_left, "Hel", "closed"),
        (_async_response_closed, "Hel", "closed"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_every_end_of_an_async_stream_is_one_span(
    trace: Trace, spooled: Spooled, use: Callable[[Any], Any], text: str, end: str
) -> None:
    tiny = trace()

    async def main() -> None:
        stream = await tiny.AsyncChat().ask(model="m", messages=SAID, stream=True)
        assert isinstance(stream, tiny.AsyncStream)
        assert not hasattr(stream, "__next__")
        assert await use(stream) == text

    asyncio.run(main())
    gc.collect()
    assert spooled.one().attributes["spanward.stream.end"] == end


@pytest.mark.parametrize("stream", [False, True])
def test_a_cancelled_task_is_one_span(trace: Trace, spooled: Spooled, *, stream: bool) -> None:
    tiny = trace()

    async def call() -> None:
        answer = await tiny.AsyncChat().ask(model="hangs", messages=SAID, stream=stream)
        async for _ in answer:
            started.set()

    async def main() -> None:
        task = asyncio.create_task(call())
        if stream:
            await started.wait()
            for _ in range(10):
                await asyncio.sleep(0)
        else:
            for _ in range(10):
                await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    started = asyncio.Event()
    asyncio.run(main())
    span = spooled.one()
    assert (span.status, span.attributes["error.type"]) == (2, "CancelledError")
    assert span.attributes.get("spanward.stream.end") == ("cancelled" if stream else None)


def test_a_dropped_coroutine_is_one_span_and_says_nothing(trace: Trace, spooled: Spooled) -> None:
    tiny = trace()
    coroutine = tiny.AsyncChat().ask(model="hangs", messages=SAID)
    assert inspect.isawaitable(coroutine)

    async def begin() -> None:
        step = coroutine.__await__()
        step.send(None)
        step.close()

    asyncio.run(begin())
    assert spooled.one().attributes["error.type"] == "GeneratorExit"


@pytest.mark.parametrize("where", ["request", "response", "reader", "read", "finish"])
def test_our_own_failures_never_reach_the_application(
    trace: Trace, spooled: Spooled, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    import tinylib_adapter  # type: ignore[import-not-found]  # the fixture put it on the path

    tiny = trace()
    tinylib_adapter.broken.add(where)
    assert tiny.Chat().ask(model="m", messages=iter(SAID)).text == "Hello <EMAIL_ADDRESS_1>"
    assert full(tiny.Chat().ask(model="m", messages=SAID, stream=True)) == TEXT
    assert tiny.calls[0]["messages"] == SAID
    spanward.uninstrument()
    assert len([span for span in spooled.all if span.name.startswith("chat")]) == 2
    (kind, reason), number = spooled.reports.popitem()
    assert (kind, number >= 1) == ("internal", True)
    assert "ZeroDivisionError at tinylib_adapter.py" in reason
    assert "hunter2" not in caplog.text + repr(spooled.all)


def test_content_is_never_captured_without_guards(trace: Trace, spooled: Spooled) -> None:
    tiny = trace()
    tiny.Chat().ask(model="m", messages=SAID)
    full(tiny.Chat().ask(model="m", messages=SAID, stream=True))
    assert not [word for word in (b"ada@", b"be kind", b"Hello", b"send") if word in spooled.bytes]
