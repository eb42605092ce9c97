"""However a stream ends, there is one span: with the right end, the right status and exactly what was delivered."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from spanward.tracer import semconv

from ..inmemory import Spans
from .driver import App, closer, settled, walk
from .subject import Ask
from .test_calls import told

MAIL = "ada.lovelace@example.org"
MASKED = "<EMAIL_ADDRESS_1>"
TEXT = f"Write to {MAIL} about the parcel, and then once more, so that there is something left to read."
END = Callable[[App, Any, list[str]], Coroutine[Any, Any, None]]


class Stopped(Exception):  # noqa: N818  what an application raises in the middle
    pass


async def read(app: App, stream: Any, heard: list[str], until: str = "") -> None:
    """All of it, or until what was heard has `until`."""

    def see(chunk: Any) -> bool:
        heard.append(app.subject.chunk_text(chunk))
        return bool(until) and until in "".join(heard)

    await walk(stream, see)


@asynccontextmanager
async def within(app: App, stream: Any) -> AsyncIterator[Any]:
    """The stream's own `with` block."""
    library = getattr(stream, "__wrapped__", stream)
    if not hasattr(library, "__aexit__" if app.is_async else "__exit__"):
        pytest.skip(f"{app.subject.name}: its streams are no context managers")
    if app.is_async:
        async with stream as entered:
            yield entered
    else:
        with stream as entered:
            yield entered


async def dropped(app: App, stream: Any, heard: list[str]) -> None:
    """`break`, and nobody keeps the stream."""
    await read(app, stream, heard, MAIL)


async def closed(app: App, stream: Any, heard: list[str]) -> None:
    if (close := closer(stream, is_async=app.is_async)) is None:
        pytest.skip(f"{app.subject.name}: its streams have no close()")
    await read(app, stream, heard, MAIL)
    await settled(close())


async def left(app: App, stream: Any, heard: list[str]) -> None:
    async with within(app, stream) as entered:
        await read(app, entered, heard, MAIL)


async def raised(app: App, stream: Any, heard: list[str]) -> None:
    """The application fails in its loop; what its traceback keeps alive goes with it."""

    def see(chunk: Any) -> None:
        heard.append(app.subject.chunk_text(chunk))
        if MAIL in "".join(heard):
            raise Stopped

    with pytest.raises(Stopped):
        await walk(stream, see)


ENDS: dict[END, set[str]] = {
    dropped: {"abandoned"},
    closed: {"closed"},
    left: {"closed"},
    raised: {"abandoned", "closed"},
}


def check(app: App, span: ReadableSpan, spans: Spans, heard: list[str], error: str = "") -> None:
    says = told(span)
    assert says[semconv.REQUEST_STREAM] is True
    assert says.get(semconv.ERROR_TYPE, "") == error
    assert span.status.status_code == (StatusCode.ERROR if error else StatusCode.UNSET)
    assert spans.said(span) == "".join(heard).replace(MAIL, MASKED)
    assert MAIL not in span.to_json()
    assert not app.fake.last().has(MAIL)


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_left_early(streaming: App, spans: Spans, end: END) -> None:
    app = streaming
    heard: list[str] = []

    async def main() -> None:
        stream = await app.open(app.client(), Ask(app.model("echo", "chunks40"), TEXT))
        await end(app, stream, heard)
        del stream
        gc.collect()
        if app.is_async:
            await asyncio.sleep(0.01)  # where generators of the library's own are closed by the loop

    app.run(main())
    assert MAIL in "".join(heard)
    span = spans.one()
    check(app, span, spans, heard)
    ends = ENDS[end]
    if app.subject.managed and app.is_async:  # asyncio closes a helper's generator, at times before ours is dropped
        ends = ends | {"closed"}
    assert told(span)[semconv.STREAM_END] in ({"closed", "abandoned"} if app.subject.generators else ends)
    assert 0 < told(span)[semconv.STREAM_CHUNKS] < 80


def test_read_to_the_end_in_a_with_block(streaming: App, spans: Spans) -> None:
    app = streaming
    heard: list[str] = []

    async def main() -> None:
        stream = await app.open(app.client(), Ask(app.model("echo", "chunks40"), TEXT))
        async with within(app, stream) as entered:
            await read(app, entered, heard)

    app.run(main())
    assert "".join(heard) == TEXT
    span = spans.one()
    check(app, span, spans, heard)
    assert told(span)[semconv.STREAM_END] == "complete"


def test_connection_drops(streaming: App, spans: Spans) -> None:
    heard: list[Any] = []
    with pytest.raises(Exception) as failed:  # noqa: PT011  each library has its own
        streaming.run(streaming.hear("echo", "midstream", "chunks40", text=TEXT, heard=heard))
    assert type(failed.value).__module__.split(".")[0] not in {"spanward", "tests"}
    span = spans.one()
    assert told(span)[semconv.STREAM_END] == "error"
    check(streaming, span, spans, [streaming.text_of(heard)], type(failed.value).__qualname__)


def test_cancelled_while_reading(streaming: App, spans: Spans) -> None:
    app = streaming
    if not app.is_async:
        pytest.skip("only tasks can be cancelled")
    heard: list[str] = []

    async def main() -> None:
        started = asyncio.Event()

        async def reads() -> None:
            stream = await app.open(app.client(), Ask(app.model("echo", "slow", "chunks40"), TEXT))

            def see(chunk: Any) -> None:
                heard.append(app.subject.chunk_text(chunk))
                if heard[-1]:
                    started.set()

            await walk(stream, see)

        task = asyncio.create_task(reads())
        await asyncio.wait_for(started.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    app.run(main())
    span = spans.one()
    assert told(span)[semconv.STREAM_END] == "cancelled"
    said = spans.said(span)
    assert said.startswith("".join(heard).replace(MAIL, MASKED))
    assert TEXT.replace(MAIL, MASKED).startswith(said)
    assert len(said) - len("".join(heard)) <= 3  # a chunk that guards had just let go when the task was cancelled
    assert told(span)[semconv.ERROR_TYPE] == "CancelledError"
    assert span.status.status_code == StatusCode.ERROR


def test_cancelled_while_waiting(app: App, spans: Spans) -> None:
    if not app.is_async:
        pytest.skip("only tasks can be cancelled")

    async def main() -> None:
        task = asyncio.create_task(app.say("slow", text=TEXT))
        while not app.fake.received:  # noqa: ASYNC110  another thread's list
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    app.run(main())
    span = spans.one()
    assert told(span)[semconv.ERROR_TYPE] == "CancelledError"
    assert span.status.status_code == StatusCode.ERROR
    assert MASKED in str(told(span)[semconv.INPUT_MESSAGES])
