"""However a stream ends, there is one span: with the right end, the right status and exactly what was delivered."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from spanward.collector.demo.provider import Provider
from spanward.tracer import semconv

MAIL = "ada.lovelace@example.org"
MASKED = "<EMAIL_ADDRESS_1>"
PROMPT = f"Write to {MAIL} about the parcel, and then once more, so that there is something left to read."
DROPPED = httpx.RemoteProtocolError if openai.__version__.startswith("2.") else openai.APIConnectionError
"""What openai raises when the connection drops in mid-stream: 2.x lets the transport's own error through."""
ASKED: Any = [{"role": "user", "content": PROMPT}]


@dataclass(frozen=True)
class Clients:
    openai: Any
    anthropic: Any


@dataclass(frozen=True)
class Api:
    """`open` gives a stream, or a context manager that does; `text` is what an event adds to the answer."""

    model: str
    open: Callable[[Clients, str], Any]
    text: Callable[[Any], str]
    managed: bool = False
    failure: type[Exception] = DROPPED


def chat_text(chunk: Any) -> str:
    return str(chunk.choices[0].delta.content or "") if chunk.choices else ""


def chat_event_text(event: Any) -> str:
    return str(event.delta) if event.type == "content.delta" else ""


def response_text(event: Any) -> str:
    return str(event.delta) if event.type == "response.output_text.delta" else ""


def message_text(event: Any) -> str:
    return str(event.delta.text) if event.type == "content_block_delta" else ""


def helped_text(event: Any) -> str:
    return str(event.text) if event.type == "text" else ""


APIS = {
    "chat": Api(
        "gpt-4o-mini",
        lambda c, m: c.openai.chat.completions.create(model=m, messages=ASKED, stream=True),
        chat_text,
    ),
    "chat.stream": Api(
        "gpt-4o-mini",
        lambda c, m: c.openai.chat.completions.stream(model=m, messages=ASKED),
        chat_event_text,
        managed=True,
    ),
    "responses": Api(
        "gpt-4o-mini",
        lambda c, m: c.openai.responses.create(model=m, input=PROMPT, stream=True),
        response_text,
    ),
    "responses.stream": Api(
        "gpt-4o-mini",
        lambda c, m: c.openai.responses.stream(model=m, input=PROMPT),
        response_text,
        managed=True,
    ),
    "messages": Api(
        "claude-haiku-4-5",
        lambda c, m: c.anthropic.messages.create(model=m, messages=ASKED, max_tokens=99, stream=True),
        message_text,
        failure=Exception,  # httpx's or httpx2's own
    ),
    "messages.stream": Api(
        "claude-haiku-4-5",
        lambda c, m: c.anthropic.messages.stream(model=m, messages=ASKED, max_tokens=99),
        helped_text,
        managed=True,
        failure=Exception,  # httpx's or httpx2's own
    ),
    "beta.messages": Api(
        "claude-haiku-4-5",
        lambda c, m: c.anthropic.beta.messages.create(model=m, messages=ASKED, max_tokens=99, stream=True),
        message_text,
        failure=Exception,  # httpx's or httpx2's own
    ),
    "beta.messages.stream": Api(
        "claude-haiku-4-5",
        lambda c, m: c.anthropic.beta.messages.stream(model=m, messages=ASKED, max_tokens=99),
        helped_text,
        managed=True,
        failure=Exception,  # httpx's or httpx2's own
    ),
}


class Stopped(Exception):  # noqa: N818  what an application raises in the middle
    pass


def until_mail(api: Api, stream: Any, heard: list[str]) -> None:
    for event in stream:
        heard.append(api.text(event))
        if MAIL in "".join(heard):
            return


def full(api: Api, opened: Any, heard: list[str]) -> None:
    with opened as stream:
        for event in stream:
            heard.append(api.text(event))  # noqa: PERF401  what was heard before an error counts


def dropped(api: Api, opened: Any, heard: list[str]) -> None:
    """`break`, and nobody keeps the stream."""
    stream = opened.__enter__() if api.managed else opened
    until_mail(api, stream, heard)


def closed(api: Api, opened: Any, heard: list[str]) -> None:
    stream = opened.__enter__() if api.managed else opened
    until_mail(api, stream, heard)
    stream.close()


def left(api: Api, opened: Any, heard: list[str]) -> None:
    with opened as stream:
        until_mail(api, stream, heard)


def raised(api: Api, opened: Any, heard: list[str]) -> None:
    with pytest.raises(Stopped), opened as stream:  # noqa: PT012  it is the leaving that is tested
        until_mail(api, stream, heard)
        raise Stopped


ENDINGS = {
    full: "complete",
    dropped: "abandoned",
    closed: "closed",
    left: "closed",
    raised: "closed",
}


def check(span: ReadableSpan, spans: Any, heard: list[str], end: str, *, error: str = "") -> None:
    attributes = span.attributes or {}
    assert attributes[semconv.STREAM_END] == end
    assert attributes[semconv.REQUEST_STREAM] is True
    assert attributes.get(semconv.ERROR_TYPE, "") == error
    assert span.status.status_code == (StatusCode.ERROR if error else StatusCode.UNSET)
    assert spans.said(span) == "".join(heard).replace(MAIL, MASKED)
    assert MAIL not in span.to_json()
    assert int(str(attributes[semconv.STREAM_CHUNKS])) > 0


@pytest.mark.parametrize("api", APIS.values(), ids=APIS)
@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__)
def test_sync(api: Api, ending: Any, provider: Provider, openai_client: Any, anthropic_client: Any, spans: Any) -> None:
    heard: list[str] = []
    ending(api, api.open(Clients(openai_client, anthropic_client), f"{api.model}-echo-chunks40"), heard)
    gc.collect()
    text = "".join(heard)
    assert text == PROMPT if ending is full else text.endswith(MAIL) or MAIL in text
    assert MAIL.encode() not in provider.record[-1].body
    check(spans.one(), spans, heard, ENDINGS[ending])


@pytest.mark.parametrize("api", APIS.values(), ids=APIS)
def test_sync_midstream_drop(api: Api, openai_client: Any, anthropic_client: Any, spans: Any) -> None:
    heard: list[str] = []
    with pytest.raises(api.failure) as failed:
        full(api, api.open(Clients(openai_client, anthropic_client), f"{api.model}-echo-midstream-chunks40"), heard)
    assert heard
    check(spans.one(), spans, heard, "error", error=type(failed.value).__qualname__)


@asynccontextmanager
async def clients(provider: Provider) -> AsyncIterator[Clients]:
    async with (
        openai.AsyncOpenAI(base_url=f"{provider.address}/v1", api_key="demo", max_retries=0) as one,
        anthropic.AsyncAnthropic(base_url=provider.address, api_key="demo", max_retries=0) as two,
    ):
        yield Clients(one, two)


async def opened_async(api: Api, asked: Clients, model: str) -> Any:
    """The stream itself; of a manager, what it gives on entering."""
    opened = api.open(asked, model)
    return await opened.__aenter__() if api.managed else await opened


async def until_mail_async(api: Api, stream: Any, heard: list[str]) -> None:
    async for event in stream:
        heard.append(api.text(event))
        if MAIL in "".join(heard):
            return


async def full_async(api: Api, asked: Clients, model: str, heard: list[str]) -> None:
    stream = await opened_async(api, asked, model)
    async for event in stream:
        heard.append(api.text(event))  # noqa: PERF401  what was heard before an error counts


async def dropped_async(api: Api, asked: Clients, model: str, heard: list[str]) -> None:
    stream = await opened_async(api, asked, model)
    await until_mail_async(api, stream, heard)


async def closed_async(api: Api, asked: Clients, model: str, heard: list[str]) -> None:
    stream = await opened_async(api, asked, model)
    await until_mail_async(api, stream, heard)
    await stream.close()


async def left_async(api: Api, asked: Clients, model: str, heard: list[str]) -> None:
    opened = api.open(asked, model)
    async with opened if api.managed else await opened as stream:
        await until_mail_async(api, stream, heard)


async def raised_async(api: Api, asked: Clients, model: str, heard: list[str]) -> None:
    with pytest.raises(Stopped):  # noqa: PT012  it is the leaving that is tested
        async with await opened_async(api, asked, model) as stream:
            await until_mail_async(api, stream, heard)
            raise Stopped


ASYNC_ENDINGS = {
    full_async: "complete",
    dropped_async: "abandoned",
    closed_async: "closed",
    left_async: "closed",
    raised_async: "closed",
}


@pytest.mark.parametrize("api", APIS.values(), ids=APIS)
@pytest.mark.parametrize("ending", ASYNC_ENDINGS, ids=lambda ending: ending.__name__)
def test_async(api: Api, ending: Any, provider: Provider, spans: Any) -> None:
    heard: list[str] = []

    async def main() -> None:
        async with clients(provider) as asked:
            await ending(api, asked, f"{api.model}-echo-chunks40", heard)
            gc.collect()

    asyncio.run(main())
    text = "".join(heard)
    assert text == PROMPT if ending is full_async else MAIL in text
    assert MAIL.encode() not in provider.record[-1].body
    end = ASYNC_ENDINGS[ending]
    if ending is dropped_async and api.managed:
        end = str((spans.one().attributes or {})[semconv.STREAM_END])
        assert end in {"abandoned", "closed"}  # asyncio closes the helper's generator, at times before ours is dropped
    check(spans.one(), spans, heard, end)


@pytest.mark.parametrize("api", APIS.values(), ids=APIS)
def test_async_midstream_drop(api: Api, provider: Provider, spans: Any) -> None:
    heard: list[str] = []

    async def main() -> None:
        async with clients(provider) as asked:
            await full_async(api, asked, f"{api.model}-echo-midstream-chunks40", heard)

    with pytest.raises(api.failure) as failed:
        asyncio.run(main())
    check(spans.one(), spans, heard, "error", error=type(failed.value).__qualname__)


@pytest.mark.parametrize("api", APIS.values(), ids=APIS)
def test_cancelled_task(api: Api, provider: Provider, spans: Any) -> None:
    heard: list[str] = []

    async def main() -> None:
        started = asyncio.Event()

        async def read(asked: Clients) -> None:
            stream = await opened_async(api, asked, f"{api.model}-echo-slow-chunks40")
            async with stream:
                async for event in stream:
                    heard.append(api.text(event))
                    if heard[-1]:
                        started.set()

        async with clients(provider) as asked:
            task = asyncio.create_task(read(asked))
            await asyncio.wait_for(started.wait(), 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    check(spans.one(), spans, heard, "cancelled", error="CancelledError")


def test_a_call_cancelled_before_its_answer_is_one_span(provider: Provider, spans: Any) -> None:
    async def main() -> None:
        async with clients(provider) as asked:
            call = asked.openai.chat.completions.create(model="gpt-4o-mini-slow", messages=ASKED)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(call, 0.3)

    asyncio.run(main())
    span = spans.one()
    assert (span.attributes or {})[semconv.ERROR_TYPE] == "CancelledError"
    assert span.status.status_code is StatusCode.ERROR


def test_a_manager_that_is_never_entered_is_no_call(anthropic_client: Any, provider: Provider, spans: Any) -> None:
    seen = len(provider.record)
    anthropic_client.messages.stream(model="claude-haiku-4-5", messages=ASKED, max_tokens=9)
    assert (spans.calls(), len(provider.record)) == ([], seen)
