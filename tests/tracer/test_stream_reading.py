"""A stream read in odd ways, with the real openai SDK: left and taken up, by `next` and loops, changed by its reader.

What the application was given is what is recorded, each chunk once, as it came.
"""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import openai
import pytest

import spanward
from spanward.guards.judgement import Check, Decision
from spanward.tracer import bound, guarding, instrument, semconv

from .conftest import NOWHERE, Spooled

WORDS = 600
"""More than two rounds of looking whether too much is kept."""
HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
USAGE = {"prompt_tokens": 7, "completion_tokens": WORDS, "total_tokens": 7 + WORDS}


def event(deltas: dict[int, dict[str, Any]], reason: str | None = None, **more: Any) -> str:
    choices = [{"index": index, "delta": delta, "finish_reason": reason} for index, delta in deltas.items()]
    return f"data: {json.dumps({**HEAD, 'choices': choices, **more})}\n\n"


def word(i: int) -> str:
    return f"word{i} "


PLAIN = (
    event({0: {"role": "assistant", "content": ""}})
    + "".join(event({0: {"content": word(i)}}) for i in range(WORDS))
    + event({0: {}}, "stop")
    + event({}, usage=USAGE)
)
ODD = (
    event({0: {"role": "assistant", "content": "a0 "}})
    + event({0: {"role": "assistant", "content": "a1 "}})
    + event({1: {"content": "b0 "}})
    + event({0: {"content": "a2 ", "refusal": None, "tool_calls": None}}, usage={**USAGE, "completion_tokens": 1})
    + event({1: {"content": "b1 ", "refusal": "no "}})
    + event({0: {"content": "a3 ", "reasoning_content": "hm "}})
    + event({0: {"content": ""}, 1: {"content": "b2"}})
    + event({0: {"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": "{}"}}]}})
    + event({0: {"content": "a4"}})
    + event({0: {}}, "tool_calls")
    + event({1: {}}, "stop")
    + event({}, usage=USAGE)
)
UNNUMBERED = PLAIN.replace('"index": 0', '"index": null')
"""As some servers that speak OpenAI's chats have it."""
BODIES = {"plain": PLAIN, "odd": ODD, "unnumbered": UNNUMBERED}
Read = Callable[..., Any]


def answer(request: httpx2.Request) -> httpx2.Response:
    body = BODIES[json.loads(request.content)["user"]] + "data: [DONE]\n\n"
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body.encode())


GIVEN: dict[str, Any] = {"api_key": "none", "base_url": "http://model.test/v1", "max_retries": 0}


@pytest.fixture
def opened(spooled: Spooled) -> Iterator[Callable[[str], Any]]:
    """Opens a stream; all content is recorded."""
    spanward.instrument(guards="off", endpoint=NOWHERE, spool=spooled.folder)
    running = instrument.running()
    assert running is not None

    class Everything:
        def check(self, check: Check) -> Decision:
            return Decision(check.messages)

    running.engine.judge = guarding.Judge(Everything(), guarding.Summary)
    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    with openai.OpenAI(**GIVEN, http_client=http) as client:
        yield lambda body: client.chat.completions.create(**asked(body))


def asked(body: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": "Hi"}]
    return {
        "model": "gpt-4o", "messages": messages, "stream": True, "user": body,
        "stream_options": {"include_usage": True},
    }  # fmt: skip


def said(span: Any) -> str:
    (message,) = json.loads(span.attributes[semconv.OUTPUT_MESSAGES])
    return "".join(part["content"] for part in message["parts"])


def first(stream: Any, number: int) -> list[Any]:
    """So many chunks, by a loop that is left."""
    got = []
    for chunk in stream:
        got.append(chunk)
        if len(got) == number:
            break
    return got


READS: dict[str, Read] = {
    "one loop": list,
    "next": lambda stream: [next(stream) for _ in range(WORDS + 3)] + [*stream],
    "loops": lambda stream: [*first(stream, 1), *first(stream, 300), *stream],
    "next, then a loop": lambda stream: [next(stream), next(stream), *stream],
    "a loop, then next": lambda stream: [*first(stream, 5), next(stream), *stream],
    "two at once": lambda stream: [chunk for pair in zip(stream, stream, strict=False) for chunk in pair] + [*stream],
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_all_of_it_once(opened: Callable[[str], Any], spooled: Spooled, read: Read) -> None:
    chunks = read(opened("plain"))
    assert len(chunks) in {WORDS + 3, WORDS + 2}  # `zip` loses the one that it finds no other for
    span = spooled.one()
    assert said(span) == "".join(map(word, range(WORDS)))
    assert span.attributes[semconv.STREAM_CHUNKS] == WORDS + 3
    assert span.attributes[semconv.STREAM_END] == "complete"
    assert span.attributes["gen_ai.usage.output_tokens"] == WORDS
    assert span.attributes["gen_ai.response.time_to_first_chunk"] > 0


@pytest.mark.parametrize("read", [list, lambda stream: [next(stream) for _ in range(WORDS + 3)] + [*stream]])
def test_of_a_long_one_the_beginning_is_kept_and_all_is_counted(
    opened: Callable[[str], Any], spooled: Spooled, read: Read
) -> None:
    only_a_beginning()
    read(opened("plain"))
    assert_cut(spooled.one())


@pytest.mark.usefixtures("opened")
def test_of_a_long_async_one_too(spooled: Spooled) -> None:
    async def main() -> int:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
        async with openai.AsyncOpenAI(**GIVEN, http_client=http) as client:
            return len([chunk async for chunk in await client.chat.completions.create(**asked("plain"))])

    only_a_beginning()
    assert asyncio.run(main()) == WORDS + 3
    assert_cut(spooled.one())


def only_a_beginning() -> None:
    running = instrument.running()
    assert running is not None
    running.engine.bound = bound.bound(100)


def assert_cut(span: Any) -> None:
    text = "".join(map(word, range(WORDS)))
    assert said(span) == text[:100] + f"…[spanward: {len(text) - 100} characters cut]"
    assert (span.attributes[semconv.CONTENT_CUT], span.attributes[semconv.STREAM_CHUNKS]) == (
        len(text) - 100,
        WORDS + 3,
    )


def test_every_choice_and_every_kind_of_text(opened: Callable[[str], Any], spooled: Spooled) -> None:
    """Chunks that are nearly those which only add text: with usage, a refusal, reasoning, a tool call, two choices."""
    chunks = [*opened("odd")]
    span = spooled.one()
    one, two = json.loads(span.attributes[semconv.OUTPUT_MESSAGES])
    assert [part.get("content") for part in one["parts"]] == ["a0 a1 a2 a3 a4", "hm ", None]
    assert [part.get("content") for part in two["parts"]] == ["b0 b1 b2", "no "]
    assert span.attributes[semconv.STREAM_CHUNKS] == len(chunks) == 12
    assert span.attributes["gen_ai.usage.output_tokens"] == WORDS
    assert list(span.attributes["gen_ai.response.finish_reasons"]) == ["tool_calls", "stop"]


def test_choices_without_a_number_are_one(opened: Callable[[str], Any], spooled: Spooled) -> None:
    chunks = [*opened("unnumbered")]
    span = spooled.one()
    assert said(span) == "".join(map(word, range(WORDS)))
    assert span.attributes[semconv.STREAM_CHUNKS] == len(chunks) == WORDS + 3
    assert list(span.attributes["gen_ai.response.finish_reasons"]) == ["stop"]


def test_what_the_application_does_to_a_chunk_changes_no_record(opened: Callable[[str], Any], spooled: Spooled) -> None:
    for chunk in opened("plain"):
        for choice in chunk.choices:
            choice.delta.content = "changed"
        chunk.choices.clear()
    assert said(spooled.one()) == "".join(map(word, range(WORDS)))


@pytest.mark.parametrize("read", [first, lambda stream, number: [next(stream) for _ in range(number)]])
def test_one_that_is_dropped_ends_at_once(opened: Callable[[str], Any], spooled: Spooled, read: Read) -> None:
    """By the last reference to it, and not when garbage is collected: nothing of ours goes round in a circle."""
    running = instrument.running()
    assert running is not None
    gc.disable()
    try:
        stream = opened("plain")
        read(stream, 300)
        assert (spooled.calls, len(running.engine.streams)) == ([], 1)
        del stream
        assert len(running.engine.streams) == 0
        span = spooled.one()
    finally:
        gc.enable()
    assert span.attributes[semconv.STREAM_END] == "abandoned"
    assert (span.attributes[semconv.STREAM_CHUNKS], said(span)) == (300, "".join(map(word, range(299))))


def test_an_iterator_keeps_its_stream(opened: Callable[[str], Any], spooled: Spooled) -> None:
    chunks = iter(opened("plain"))
    gc.collect()
    assert spooled.calls == []
    assert len([*chunks]) == WORDS + 3
    assert spooled.one().attributes[semconv.STREAM_END] == "complete"


@pytest.mark.usefixtures("opened")
def test_an_async_one(spooled: Spooled) -> None:
    """Left by a loop, taken up by `anext`, read to its end by another."""

    async def main() -> int:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
        async with openai.AsyncOpenAI(**GIVEN, http_client=http) as client:
            stream: AsyncIterator[Any] = await client.chat.completions.create(**asked("plain"))
            async for _ in stream:
                break
            await anext(stream)
            return 2 + len([chunk async for chunk in stream])

    assert asyncio.run(main()) == WORDS + 3
    span = spooled.one()
    assert said(span) == "".join(map(word, range(WORDS)))
    assert (span.attributes[semconv.STREAM_CHUNKS], span.attributes[semconv.STREAM_END]) == (WORDS + 3, "complete")
