"""Token counts of streamed chats: asked for where that is safe, recorded, and never seen by who did not ask."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from openai.types import CompletionUsage

import spanward
from spanward.collector.demo.provider import Provider
from spanward.tracer import semconv
from spanward.tracer.providers import openai_chat_stream
from spanward.tracer.providers.fields import figures
from spanward.tracer.providers.openai_usage import ChatUsage

from ..conftest import NOWHERE, Spooled

ASKED: Any = [{"role": "user", "content": "Tell me about the weather on the moon."}]
GPT = "gpt-4o-mini-echo-chunks20"
Start = Callable[..., None]
Client = openai.OpenAI


@pytest.fixture
def start(tmp_path: Any) -> Iterator[Start]:
    def started(**settings: Any) -> None:
        spanward.instrument(
            **{"endpoint": NOWHERE, "guards": "off", "spool": tmp_path / "spool", "usage_hosts": ["127.*"], **settings}
        )

    yield started
    spanward.uninstrument()


@pytest.fixture
def spooled(tmp_path: Any) -> Spooled:
    return Spooled(tmp_path / "spool")


def told(chunk: Any) -> tuple[Any, ...]:
    """All that an application can see of a chunk."""
    return type(chunk), {**chunk.model_dump(), "created": 0}, {**chunk.to_dict(), "created": 0}, chunk.model_fields_set


def streamed(client: Client, **also: Any) -> list[tuple[Any, ...]]:
    stream: Any = client.chat.completions.create(model=GPT, messages=ASKED, stream=True, **also)
    return [told(chunk) for chunk in stream]


def helper(client: Client) -> list[Any]:
    with client.chat.completions.stream(model=GPT, messages=ASKED) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    return [kinds, final.usage, final.choices[0].message.content]


def several(client: Client) -> list[tuple[Any, ...]]:
    return streamed(client, n=2)


def other_options(client: Client) -> list[tuple[Any, ...]]:
    return streamed(client, stream_options={"include_obfuscation": False})


def asynchronous(client: Client) -> list[tuple[Any, ...]]:
    async def run() -> list[tuple[Any, ...]]:
        async with openai.AsyncOpenAI(base_url=client.base_url, api_key="demo", max_retries=0) as made:
            stream: Any = await made.chat.completions.create(model=GPT, messages=ASKED, stream=True)
            return [told(chunk) async for chunk in stream]

    return asyncio.run(run())


@pytest.mark.parametrize("app", [streamed, helper, several, other_options, asynchronous])
@pytest.mark.parametrize("guards", ["off", "local"])
def test_the_application_sees_what_it_always_saw_and_the_record_has_tokens(
    start: Start, spooled: Spooled, openai_client: Client, provider: Provider, app: Callable[[Client], Any], guards: str
) -> None:
    before = app(openai_client)
    start(guards=guards)
    assert app(openai_client) == before
    assert json.loads(provider.record[-1].body)["stream_options"]["include_usage"] is True
    call = spooled.one().attributes
    assert call[semconv.USAGE_SOURCE] == "provider"
    assert call[semconv.INPUT_TOKENS] > 2
    assert call[semconv.OUTPUT_TOKENS] > 2


def test_an_application_that_asked_gets_its_answer(start: Start, spooled: Spooled, openai_client: Client) -> None:
    asks: list[dict[str, Any]] = [
        {"stream_options": {"include_usage": True}},
        {"extra_body": {"stream_options": {"include_usage": True}}},
    ]
    before = [streamed(openai_client, **ask) for ask in asks]
    start()
    assert [streamed(openai_client, **ask) for ask in asks] == before
    assert all(chunks[-1][1]["usage"] for chunks in before)
    assert [call.attributes[semconv.USAGE_SOURCE] for call in spooled.calls] == ["provider", "provider"]


@pytest.mark.parametrize(
    ("settings", "also"),
    [
        ({"usage_hosts": []}, {}),
        ({"usage_hosts": ["localhost", "127.0.0.1:1"]}, {}),
        ({}, {"stream_options": {"include_usage": False}}),
    ],
)
def test_who_must_not_be_asked_is_not(
    start: Start, spooled: Spooled, openai_client: Client, provider: Provider, settings: Any, also: Any
) -> None:
    start(**settings)
    streamed(openai_client, **also)
    assert json.loads(provider.record[-1].body).get("stream_options") == also.get("stream_options")
    call = spooled.one().attributes
    assert call[semconv.USAGE_SOURCE] == "estimated"
    assert call[semconv.INPUT_TOKENS] > 0


def test_the_lines_of_a_raw_stream_are_what_the_application_asked_for(
    start: Start, openai_client: Client, provider: Provider
) -> None:
    start()
    raw = openai_client.chat.completions.with_raw_response.create(model=GPT, messages=ASKED, stream=True)
    list(raw.parse())
    assert "stream_options" not in json.loads(provider.record[-1].body)


def test_of_a_stream_that_is_left_early_the_counts_are_estimates(
    start: Start, spooled: Spooled, openai_client: Client
) -> None:
    start()
    with openai_client.chat.completions.create(model=GPT, messages=ASKED, stream=True) as stream:
        for _ in range(5):
            next(stream)
    call = spooled.one().attributes
    assert call[semconv.STREAM_END] == "closed"
    assert (call[semconv.USAGE_SOURCE], call[semconv.OUTPUT_TOKENS] > 0) == ("estimated", True)


def test_a_chunk_that_only_we_asked_for_stays_hidden_when_nothing_can_be_read(
    start: Start, openai_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = streamed(openai_client)

    def broken(*_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(openai_chat_stream.Reader, "read", broken)
    start(guards="local")
    assert streamed(openai_client) == before


@pytest.mark.parametrize(
    ("base_url", "version", "beside", "asked"),
    [
        ("https://api.openai.com/v1", None, None, True),
        ("https://eu.api.openai.com/v1", None, None, True),
        ("https://api.openai.com/v1", None, {"data_sources": []}, False),
        ("https://api.openai.com.example.net/v1", None, None, False),
        ("https://openrouter.example/api/v1", None, None, False),
        ("http://127.0.0.1:8000/v1", None, None, False),
        ("https://here.openai.azure.com", "2024-10-21", None, True),
        ("https://here.openai.azure.com", "2024-09-01-preview", None, True),
        ("https://here.openai.azure.com", "2024-08-01-preview", None, False),
        ("https://here.openai.azure.com", "2024-10-21", {"data_sources": []}, False),
        ("https://here.openai.azure.com/openai/v1", None, None, True),
        ("https://gateway.example.net", "2024-10-21", None, False),
    ],
)
def test_which_servers_are_asked(base_url: str, version: str | None, beside: Any, *, asked: bool) -> None:
    client: Any
    if version:
        client = openai.AzureOpenAI(azure_endpoint=base_url, api_key="k", api_version=version)
    else:
        client = openai.OpenAI(base_url=base_url, api_key="k")
    given = {"model": "m", **({"extra_body": beside} if beside else {})}
    with client:
        got = ChatUsage().ask(client.chat.completions, given, ())
    assert got == ({**given, "stream_options": {"include_usage": True}} if asked else None)
    assert "stream_options" not in given


def test_figures_are_what_the_library_itself_says_of_its_object() -> None:
    told = {"cached_tokens": 0, "audio_tokens": None, "of_a_newer_server": 3}
    usage = CompletionUsage.model_validate(
        {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12, "prompt_tokens_details": told, "cost": 0.25}
    )
    assert figures(usage) == usage.model_dump(exclude_none=True)
    assert figures(usage)["prompt_tokens_details"] == {"cached_tokens": 0, "of_a_newer_server": 3}
