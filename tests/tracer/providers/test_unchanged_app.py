"""The same application, the same assertions, without us and with us: it cannot tell the difference."""

import asyncio
import gc
import importlib
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest
from anthropic.lib.streaming import MessageStream
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response
from pydantic import BaseModel

import spanward
from spanward.collector.demo.provider import Provider

NOWHERE = "http://127.0.0.1:9"
MAIL = "ada.lovelace@example.org"
ASKED: Any = [{"role": "user", "content": f"Write to {MAIL} about it."}]
TEXT = ASKED[0]["content"]
GPT, CLAUDE = "gpt-4o-mini-echo-chunks20", "claude-haiku-4-5-echo-chunks20"
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "notify",
            "strict": True,
            "parameters": {
                "type": "object",
                "properties": {"text": {"type": "string"}},
                "required": ["text"],
                "additionalProperties": False,
            },
        },
    }
]


class Note(BaseModel):
    text: str


@pytest.fixture(scope="module", params=["plain", "spanward"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "spanward":
        spool = tmp_path_factory.mktemp("spool")
        spanward.instrument(endpoint=NOWHERE, guards="local", policy="default", spool=spool)
        gc.collect()
        gc.freeze()
    yield request.param
    gc.unfreeze()
    spanward.uninstrument()


@pytest.fixture
def gpt(app: str, openai_client: openai.OpenAI) -> openai.OpenAI:
    return openai_client


@pytest.fixture
def claude(app: str, anthropic_client: anthropic.Anthropic) -> anthropic.Anthropic:
    return anthropic_client


def test_what_the_provider_sees_is_the_only_difference(gpt: openai.OpenAI, app: str, provider: Provider) -> None:
    gpt.chat.completions.create(model=GPT, messages=ASKED)
    assert (MAIL.encode() in provider.record[-1].body) is (app == "plain")


def test_chat(gpt: openai.OpenAI) -> None:
    answer = gpt.chat.completions.create(model=GPT, messages=ASKED)
    assert type(answer) is ChatCompletion
    assert answer.choices[0].message.content == TEXT
    assert answer._request_id
    assert answer.usage
    assert answer.usage.total_tokens > 2


def test_chat_stream(gpt: openai.OpenAI) -> None:
    stream = gpt.chat.completions.create(model=GPT, messages=ASKED, stream=True)
    assert isinstance(stream, openai.Stream)
    assert isinstance(stream.response, httpx.Response | httpx2.Response)
    assert stream.response.headers["x-request-id"]
    first = next(stream)
    assert type(first) is ChatCompletionChunk
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == TEXT
    with pytest.raises(StopIteration):
        next(stream)
    stream.close()
    assert stream.response.is_closed


def test_chat_stream_usage_and_no_usage(gpt: openai.OpenAI) -> None:
    asked = gpt.chat.completions.create(model=GPT, messages=ASKED, stream=True, stream_options={"include_usage": True})
    *_, last = asked
    assert last.usage
    assert last.choices == []
    *_, last = gpt.chat.completions.create(model=GPT, messages=ASKED, stream=True)
    assert last.usage is None
    assert last.choices[0].finish_reason == "stop"


def test_chat_helper(gpt: openai.OpenAI) -> None:
    with gpt.chat.completions.stream(model=GPT, messages=ASKED) as stream:
        kinds = [event.type for event in stream]
        completion = stream.get_final_completion()
    assert kinds[-1] == "content.done"
    assert completion.choices[0].message.content == TEXT


def test_chat_helper_parses(gpt: openai.OpenAI) -> None:
    with gpt.chat.completions.stream(model=GPT, messages=ASKED, response_format=Note) as stream:
        done = [event.parsed for event in stream if event.type == "content.done"]
        final = stream.get_final_completion().choices[0].message.parsed
    assert done == [Note(text=TEXT)]
    assert final == Note(text=TEXT)


def test_chat_parse(gpt: openai.OpenAI) -> None:
    answer = gpt.chat.completions.parse(model=GPT, messages=ASKED, response_format=Note)
    assert type(answer).__name__.startswith("ParsedChatCompletion")
    assert answer.choices[0].message.parsed == Note(text=TEXT)
    assert Note.model_validate_json(answer.choices[0].message.content or "") == Note(text=TEXT)
    assert answer._request_id


def test_chat_tools(gpt: openai.OpenAI) -> None:
    answer = gpt.chat.completions.create(model="gpt-4o-mini-echo-tool", messages=ASKED, tools=TOOLS)
    (call,) = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert Note.model_validate_json(call.function.arguments) == Note(text=TEXT)
    model = "gpt-4o-mini-echo-tool-chunks20"
    with gpt.chat.completions.stream(model=model, messages=ASKED, tools=TOOLS) as stream:
        (done,) = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
    assert done.parsed_arguments == {"text": TEXT}


def test_chat_raw(gpt: openai.OpenAI) -> None:
    raw = gpt.chat.completions.with_raw_response.create(model=GPT, messages=ASKED)
    assert raw.headers["x-request-id"] == raw.request_id
    assert raw.status_code == 200
    answer = raw.parse()
    assert type(answer) is ChatCompletion
    assert answer is raw.parse()
    assert answer.choices[0].message.content == TEXT
    assert ChatCompletion.model_validate_json(raw.text).choices[0].message.content == TEXT
    assert raw.http_response.json()["choices"][0]["message"]["content"] == TEXT


def test_chat_raw_stream(gpt: openai.OpenAI) -> None:
    raw = gpt.chat.completions.with_raw_response.create(model=GPT, messages=ASKED, stream=True)
    stream = raw.parse()
    assert isinstance(stream, openai.Stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == TEXT


def test_chat_streaming_response(gpt: openai.OpenAI) -> None:
    with gpt.chat.completions.with_streaming_response.create(model=GPT, messages=ASKED) as raw:
        assert raw.headers["x-request-id"]
        assert raw.parse().choices[0].message.content == TEXT
        body: Any = raw.json()
        assert body["choices"][0]["message"]["content"] == TEXT


def test_responses(gpt: openai.OpenAI) -> None:
    answer = gpt.responses.create(model=GPT, input=TEXT)
    assert type(answer) is Response
    assert answer.output_text == TEXT
    with gpt.responses.stream(model=GPT, input=TEXT) as stream:
        done = [event.text for event in stream if event.type == "response.output_text.done"]
        assert stream.get_final_response().output_text == TEXT
    assert done == [TEXT]
    events = list(gpt.responses.create(model=GPT, input=TEXT, stream=True))
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == TEXT
    assert gpt.responses.parse(model=GPT, input=TEXT, text_format=Note).output_parsed == Note(text=TEXT)


def test_embeddings(gpt: openai.OpenAI) -> None:
    answer = gpt.embeddings.create(model="text-embedding-3-small", input=[TEXT, "b"], dimensions=8)
    assert [len(entry.embedding) for entry in answer.data] == [8, 8]
    assert answer.usage.prompt_tokens > 1


@pytest.mark.parametrize(
    ("model", "expected"),
    [("err-400", openai.BadRequestError), ("err-429", openai.RateLimitError), ("err-500", openai.InternalServerError)],
)
def test_errors(gpt: openai.OpenAI, model: str, expected: type[openai.APIStatusError]) -> None:
    for stream in (False, True):
        with pytest.raises(expected) as failed:
            gpt.chat.completions.create(model=model, messages=ASKED, stream=stream)
        assert type(failed.value) is expected
        assert failed.value.request_id
        assert failed.value.__cause__ is None
        assert not hasattr(failed.value, "__notes__")


HTTP: Any = importlib.import_module(
    "httpx2" if openai.DefaultHttpxClient.__mro__[1].__module__[:6] == "httpx2" else "httpx"
)


class Failing(HTTP.BaseTransport, HTTP.AsyncBaseTransport):  # type: ignore[misc]  # known at run time
    """Raises `failure` itself: at once, or in the middle of the answer."""

    def __init__(self, failure: BaseException, *, midway: bool) -> None:
        self.failure, self.midway = failure, midway

    def handle_request(self, request: Any) -> Any:
        if not self.midway:
            raise self.failure
        return HTTP.Response(200, headers=STREAMED, stream=Torn(self.failure))

    async def handle_async_request(self, request: Any) -> Any:
        return self.handle_request(request)


STREAMED = {"content-type": "text/event-stream"}
FRAME = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}\n\n'


class Torn(HTTP.SyncByteStream, HTTP.AsyncByteStream):  # type: ignore[misc]  # as above
    def __init__(self, failure: BaseException) -> None:
        self.failure = failure

    def __iter__(self) -> Iterator[bytes]:
        yield FRAME
        raise self.failure

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield FRAME
        raise self.failure


class OddError(Exception):
    """No SDK knows it: they wrap or pass it as they do without us."""


FAILURES = (OddError("mine"), KeyboardInterrupt("mine"), MemoryError("mine"))


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("midway", [False, True])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_failure_is_the_very_same_object(app: str, failure: BaseException, *, midway: bool, is_async: bool) -> None:
    failure = type(failure)("mine")
    transport = Failing(failure, midway=midway)
    fail: Any = (
        (lambda: asyncio.run(fail_async(transport, stream=midway)))
        if is_async
        else (lambda: fail_sync(transport, stream=midway))
    )
    with pytest.raises(BaseException) as raised:  # noqa: PT011  compared below
        fail()
    wrapped = isinstance(raised.value, openai.APIConnectionError)
    assert (raised.value.__cause__ if wrapped else raised.value) is failure
    assert not hasattr(failure, "__notes__")


def fail_sync(transport: Any, *, stream: bool) -> None:
    http = openai.DefaultHttpxClient(transport=transport)
    with openai.OpenAI(base_url=NOWHERE, api_key="k", max_retries=0, http_client=http) as client:
        answer: Any = client.chat.completions.create(model="m", messages=ASKED, stream=stream)
        list(answer)


async def fail_async(transport: Any, *, stream: bool) -> None:
    http = openai.DefaultAsyncHttpxClient(transport=transport)
    async with openai.AsyncOpenAI(base_url=NOWHERE, api_key="k", max_retries=0, http_client=http) as client:
        answer: Any = await client.chat.completions.create(model="m", messages=ASKED, stream=stream)
        async for _ in answer:
            pass


@pytest.mark.parametrize("model", ["err-400", "err-429", "err-500"])
@pytest.mark.parametrize("is_async", [False, True])
def test_an_error_of_the_sdk_is_the_object_that_it_made(
    app: str, provider: Provider, model: str, monkeypatch: pytest.MonkeyPatch, *, is_async: bool
) -> None:
    made: list[Exception] = []
    make = openai.OpenAI._make_status_error

    def noting(self: Any, *args: Any, **kwargs: Any) -> Any:
        made.append(make(self, *args, **kwargs))
        return made[-1]

    for cls in (openai.OpenAI, openai.AsyncOpenAI):
        monkeypatch.setattr(cls, "_make_status_error", noting)

    settings: Any = {"base_url": f"{provider.address}/v1", "api_key": "k", "max_retries": 0}

    async def ask_async() -> None:
        async with openai.AsyncOpenAI(**settings) as client:
            await client.chat.completions.create(model=model, messages=ASKED)

    def ask() -> None:
        with openai.OpenAI(**settings) as client:
            client.chat.completions.create(model=model, messages=ASKED)

    with pytest.raises(openai.APIStatusError) as raised:
        asyncio.run(ask_async()) if is_async else ask()
    assert raised.value is made[-1]
    assert len(made) == 1


def test_the_async_half(app: str, provider: Provider) -> None:
    async def chat(client: openai.AsyncOpenAI) -> None:
        answer = await client.chat.completions.create(model=GPT, messages=ASKED)
        assert type(answer) is ChatCompletion
        assert answer.choices[0].message.content == TEXT
        parsed = await client.chat.completions.parse(model=GPT, messages=ASKED, response_format=Note)
        assert parsed.choices[0].message.parsed == Note(text=TEXT)
        raw = await client.chat.completions.with_raw_response.create(model=GPT, messages=ASKED)
        assert ChatCompletion.model_validate_json(raw.text).choices[0].message.content == TEXT
        async with client.chat.completions.with_streaming_response.create(model=GPT, messages=ASKED) as response:
            assert (await response.parse()).choices[0].message.content == TEXT

    async def streams(client: openai.AsyncOpenAI) -> None:
        stream = await client.chat.completions.create(model=GPT, messages=ASKED, stream=True)
        assert isinstance(stream, openai.AsyncStream)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == TEXT
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        await stream.close()
        async with client.chat.completions.stream(model=GPT, messages=ASKED, response_format=Note) as helped:
            done = [event.parsed async for event in helped if event.type == "content.done"]
        assert done == [Note(text=TEXT)]

    async def responses(client: openai.AsyncOpenAI) -> None:
        assert (await client.responses.create(model=GPT, input=TEXT)).output_text == TEXT
        assert (await client.responses.parse(model=GPT, input=TEXT, text_format=Note)).output_parsed == Note(text=TEXT)
        async with client.responses.stream(model=GPT, input=TEXT) as stream:
            assert (await stream.get_final_response()).output_text == TEXT
        embedded = await client.embeddings.create(model="text-embedding-3-small", input=[TEXT], dimensions=8)
        assert len(embedded.data[0].embedding) == 8

    async def messages(client: anthropic.AsyncAnthropic) -> None:
        answer: Any = await client.messages.create(model=CLAUDE, messages=ASKED, max_tokens=99)
        assert answer.content[0].text == TEXT
        async with client.messages.stream(model=CLAUDE, messages=ASKED, max_tokens=99) as stream:
            assert "".join([text async for text in stream.text_stream]) == TEXT
            assert await stream.get_final_text() == TEXT
        raw: Any = await client.messages.with_raw_response.create(model=CLAUDE, messages=ASKED, max_tokens=99)
        assert (await raw.parse() if inspect.iscoroutinefunction(raw.parse) else raw.parse()).content[0].text == TEXT

    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=f"{provider.address}/v1", api_key="demo", max_retries=0) as gpt:
            await chat(gpt)
            await streams(gpt)
            await responses(gpt)
        async with anthropic.AsyncAnthropic(base_url=provider.address, api_key="demo", max_retries=0) as claude:
            await messages(claude)

    asyncio.run(main())


def test_wrong_arguments_fail_as_ever(gpt: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    with pytest.raises(TypeError, match="model"):
        gpt.chat.completions.create(messages=ASKED)  # type: ignore[call-overload]  # that is the point
    with pytest.raises(TypeError, match="max_tokens"):
        claude.messages.stream(model=CLAUDE, messages=ASKED)  # type: ignore[call-arg]  # that is the point


def test_retries(provider: Provider, app: str) -> None:
    with openai.OpenAI(base_url=f"{provider.address}/v1", api_key="demo", max_retries=2) as client:
        answer = client.chat.completions.create(model="gpt-4o-mini-echo-err-429-once", messages=ASKED)
    assert answer.choices[0].message.content == TEXT


def test_what_the_caller_owns_is_untouched(gpt: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    turn: Any = {"role": "user", "content": [{"type": "text", "text": TEXT}]}
    turns = [turn]
    gpt.chat.completions.create(model=GPT, messages=turns)
    claude.messages.create(model=CLAUDE, messages=turns, max_tokens=9)
    assert turns == [{"role": "user", "content": [{"type": "text", "text": TEXT}]}]
    assert turns[0] is turn


def test_messages(claude: anthropic.Anthropic) -> None:
    both: Any = (
        (claude.messages, anthropic.types.Message),
        (claude.beta.messages, anthropic.types.beta.BetaMessage),
    )
    for resource, kind in both:
        answer: Any = resource.create(model=CLAUDE, messages=ASKED, max_tokens=99)
        assert type(answer) is kind
        assert answer.content[0].text == TEXT
        stream: Any = resource.create(model=CLAUDE, messages=ASKED, max_tokens=99, stream=True)
        # the Stream of 0.x overrides isinstance() and accepts no stand-in, which ours is
        assert isinstance(stream, anthropic.Stream) or anthropic.__version__.startswith("0.")
        deltas = [event.delta.text for event in stream if event.type == "content_block_delta"]
        assert "".join(deltas) == TEXT


def test_messages_helper(claude: anthropic.Anthropic) -> None:
    with claude.messages.stream(model=CLAUDE, messages=ASKED, max_tokens=99) as stream:
        assert isinstance(stream, MessageStream)
        assert "".join(stream.text_stream) == TEXT
        assert stream.get_final_text() == TEXT
        assert stream.get_final_message().usage.output_tokens > 0
        assert stream.response.headers["request-id"] == stream.request_id
    with claude.beta.messages.stream(model=CLAUDE, messages=ASKED, max_tokens=99) as beta:
        assert beta.get_final_text() == TEXT


def test_messages_parse_and_raw(claude: anthropic.Anthropic) -> None:
    answer: Any = claude.messages.parse(model=CLAUDE, messages=ASKED, max_tokens=99, output_format=Note)
    assert answer.parsed_output == Note(text=TEXT)
    raw: Any = claude.messages.with_raw_response.create(model=CLAUDE, messages=ASKED, max_tokens=99)
    assert raw.headers["request-id"] == raw.request_id
    assert raw.parse().content[0].text == TEXT


def test_messages_tools(claude: anthropic.Anthropic) -> None:
    tools: Any = [{"name": "notify", "input_schema": {"type": "object", "properties": {"text": {"type": "string"}}}}]
    model = "claude-haiku-4-5-echo-tool-thinking-chunks20"
    answer = claude.messages.create(model=model, messages=ASKED, max_tokens=99, tools=tools)
    thought, called = answer.content
    assert thought.type == "thinking"
    assert called.type == "tool_use"
    assert called.input == {"text": TEXT}
    with claude.messages.stream(model=model, messages=ASKED, max_tokens=99, tools=tools) as stream:
        *_, called = stream.get_final_message().content
    assert called.type == "tool_use"
    assert called.input == {"text": TEXT}
