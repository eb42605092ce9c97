"""A blocked call raises ModelCallBlocked, or answers in the provider's own type as if a model had said so."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import Response
from pydantic import BaseModel

import spanward
from spanward.collector.demo.provider import Provider

REPLY = "That message held an address and was not sent."
POLICY = f"""
version: 1
name: test
rules:
  - name: no-addresses
    when: {{{{ stage: [input] }}}}
    detect: {{{{ pii: {{{{ entities: {{{{ PHONE_NUMBER: 0.4, EMAIL_ADDRESS: {{label}} }}}} }}}} }}}}
    action: {{action}}
    reply: "{REPLY}"
"""
BLOCKED_BY = {
    "the rule": POLICY.format(label="0.4", action="block"),
    "the label": POLICY.format(label="{ threshold: 0.4, action: block }", action="pseudonymise"),
}
ASKED: Any = [{"role": "user", "content": "Write to ada.lovelace@example.org about it."}]
GPT: Any = {"model": "gpt-4o-mini", "messages": ASKED}
CLAUDE: Any = {"model": "claude-haiku-4-5", "messages": ASKED, "max_tokens": 9}


class Note(BaseModel):
    text: str


@pytest.fixture(scope="module", autouse=True, params=list(BLOCKED_BY.values()), ids=list(BLOCKED_BY))
def blocking(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("blocking")
    (folder / "policy.yaml").write_text(request.param)
    spanward.instrument(
        endpoint="http://127.0.0.1:9", guards="local", policy=folder / "policy.yaml", spool=folder / "spool"
    )
    yield
    spanward.uninstrument()


@pytest.fixture(autouse=True)
def unasked(provider: Provider) -> Iterator[None]:
    """The provider never hears of any of it."""
    provider.clear()
    yield
    assert provider.record == []


def test_chat(openai_client: openai.OpenAI) -> None:
    answer = openai_client.chat.completions.create(**GPT)
    assert type(answer) is ChatCompletion
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (REPLY, "stop")
    stream = openai_client.chat.completions.create(**GPT, stream=True)
    assert isinstance(stream, openai.Stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == REPLY
    with openai_client.chat.completions.stream(**GPT) as helper:
        assert helper.get_final_completion().choices[0].message.content == REPLY


def test_a_structured_answer_is_refused(openai_client: openai.OpenAI) -> None:
    answer = openai_client.chat.completions.parse(**GPT, response_format=Note)
    assert (answer.choices[0].message.refusal, answer.choices[0].message.parsed) == (REPLY, None)
    response = openai_client.responses.parse(model="gpt-4o-mini", input=ASKED, text_format=Note)
    assert response.output_parsed is None


def test_responses(openai_client: openai.OpenAI) -> None:
    answer = openai_client.responses.create(model="gpt-4o-mini", input=ASKED)
    assert type(answer) is Response
    assert answer.output_text == REPLY
    with openai_client.responses.stream(model="gpt-4o-mini", input=ASKED) as stream:
        assert stream.get_final_response().output_text == REPLY


def test_messages(anthropic_client: anthropic.Anthropic) -> None:
    both: Any = (
        (anthropic_client.messages, anthropic.types.Message),
        (anthropic_client.beta.messages, anthropic.types.beta.BetaMessage),
    )
    for resource, kind in both:
        answer: Any = resource.create(**CLAUDE)
        assert type(answer) is kind
        assert answer.content[0].text == REPLY
        stream: Any = resource.create(**CLAUDE, stream=True)
        assert isinstance(stream, anthropic.Stream)
        assert "".join(event.delta.text for event in stream if event.type == "content_block_delta") == REPLY
        with resource.stream(**CLAUDE) as helper:
            assert helper.get_final_text() == REPLY


def test_async(provider: Provider) -> None:
    async def main() -> list[Any]:
        async with (
            openai.AsyncOpenAI(base_url=f"{provider.address}/v1", api_key="k") as gpt,
            anthropic.AsyncAnthropic(base_url=provider.address, api_key="k") as claude,
        ):
            said: list[Any] = [(await gpt.chat.completions.create(**GPT)).choices[0].message.content]
            stream = await gpt.chat.completions.create(**GPT, stream=True)
            said.append("".join([chunk.choices[0].delta.content or "" async for chunk in stream]))
            async with gpt.responses.stream(model="gpt-4o-mini", input=ASKED) as events:
                said.append((await events.get_final_response()).output_text)
            async with claude.messages.stream(**CLAUDE) as helper:
                said.append(await helper.get_final_text())
        return said

    assert asyncio.run(main()) == [REPLY] * 4


def test_what_has_no_canned_answer_raises(openai_client: openai.OpenAI) -> None:
    with pytest.raises(spanward.ModelCallBlocked):
        openai_client.embeddings.create(model="text-embedding-3-small", input=ASKED[0]["content"])
    with pytest.raises(spanward.ModelCallBlocked):
        openai_client.chat.completions.with_raw_response.create(**GPT)
