"""Anthropic's clients for Bedrock and Vertex: what is special to them, beside the conformance suite."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest

import spanward
from spanward.collector.demo import provider_anthropic
from spanward.collector.demo.provider_answers import Behaviour
from spanward.tracer import semconv

from ..conformance import eventstream
from ..conformance.serving import Fake, served
from ..conformance.subject import Json, Route
from ..conformance.subjects import anthropic as direct
from ..conformance.subjects import anthropic_bedrock as bedrock
from ..conformance.subjects import anthropic_vertex as vertex
from ..inmemory import traced
from .driving import WAYS, drive

MAIL = "ada@example.com"
MASKED = "<EMAIL_ADDRESS_1>"


def broken(body: Json, how: Behaviour) -> Iterator[bytes]:
    """Bedrock tells of a failure in the middle of a stream in a frame of another kind."""
    frames = list(bedrock.frames({**body, "model": "m-echo"}, how))
    yield from frames[:4]
    yield eventstream.exception("throttlingException", "Too many tokens, please wait.")


FOUNDRY = (Route("/anthropic/v1/messages", direct.message, direct.frames, error=provider_anthropic.error),)
BROKEN = (Route("/broken/model/{model}/invoke-with-response-stream", direct.message, broken, lambda body: True,
                "application/vnd.amazon.eventstream"),)  # fmt: skip


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with served((*bedrock.ROUTES, *vertex.CLOUD["routes"], *FOUNDRY, *BROKEN), "claude") as serving:
        yield serving


def on_bedrock(address: str) -> Callable[[str], Any]:
    return lambda way: (bedrock.client if way == "sync" else bedrock.async_client)(address, 0, 20)


def on_vertex(address: str) -> Callable[[str], Any]:
    return lambda way: (vertex.client if way == "sync" else vertex.async_client)(address, 0, 20)


def on_foundry(address: str) -> Callable[[str], Any]:
    def make(way: str) -> Any:
        kind = anthropic.AnthropicFoundry if way == "sync" else anthropic.AsyncAnthropicFoundry
        return kind(base_url=f"{address}/anthropic", api_key="k", max_retries=0)

    return make


CLOUDS = [
    (on_bedrock, "aws.bedrock", "anthropic.claude-v1:0-echo", "/model/anthropic.claude-v1:0-echo/invoke"),
    (
        on_vertex,
        "gcp.vertex_ai",
        "claude@2025-echo",
        "/v1/projects/a-project/locations/europe-west1/publishers/anthropic/models/claude@2025-echo:rawPredict",
    ),
    (on_foundry, "anthropic", "claude-echo", "/anthropic/v1/messages"),
]
ASKED: Json = {"max_tokens": 9, "messages": [{"role": "user", "content": f"I am {MAIL}"}]}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["messages.create", "beta.messages.create"])
@pytest.mark.parametrize(("make", "name", "model", "path"), CLOUDS, ids=["bedrock", "vertex", "foundry"])
def test_plain_and_beta(
    way: str, method: str, make: Any, name: str, model: str, path: str, fake: Fake, spans: Any
) -> None:
    fake.clear()
    answer = drive(make(fake.address), way, method, model=model, metadata={"user_id": MAIL}, **ASKED)
    assert answer.content[0].text == f"I am {MAIL}"
    (asked,) = fake.received
    assert asked.path == path
    assert not asked.has(MAIL)
    span = spans.one()
    assert MAIL not in span.to_json()
    told = span.attributes
    assert told[semconv.PROVIDER] == name
    assert told[semconv.REQUEST_MODEL] == model
    usage = json.loads(json.dumps(asked.whole()["usage"]))  # type: ignore[call-overload]  # this fake's answers are JSON
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (usage["input_tokens"], usage["output_tokens"])
    assert told[semconv.FINISH_REASONS] == ("end_turn",)
    assert spans.said(span) == f"I am {MASKED}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["messages.create", "beta.messages.create"])
@pytest.mark.parametrize(("make", "name", "model", "path"), CLOUDS, ids=["bedrock", "vertex", "foundry"])
def test_plain_and_beta_streamed(
    way: str, method: str, make: Any, name: str, model: str, path: str, fake: Fake, spans: Any
) -> None:
    fake.clear()
    events = drive(make(fake.address), way, method, model=f"{model}-chunks20", stream=True, **ASKED)
    deltas = [event.delta for event in events if event.type == "content_block_delta"]
    assert "".join(delta.text for delta in deltas) == f"I am {MAIL}"
    assert not fake.last().has(MAIL)
    told = spans.one().attributes
    assert told[semconv.PROVIDER] == name
    assert told[semconv.STREAM_END] == "complete"
    assert spans.said(spans.one()) == f"I am {MASKED}"


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_that_fails_in_a_frame_of_its_own(way: str, fake: Fake, spans: Any) -> None:
    with pytest.raises((anthropic.APIError, ValueError)) as failed:  # older versions raise what botocore does
        drive(on_bedrock(f"{fake.address}/broken"), way, "messages.create", model="m", stream=True, **ASKED)
    span = spans.one()
    assert span.attributes[semconv.STREAM_END] == "error"
    assert span.attributes[semconv.ERROR_TYPE] == type(failed.value).__qualname__
    assert MAIL not in span.to_json()


SECRET = "AKIAIOSFODNN7REALKEY"
POLICY = """
version: 1
name: reply
rules:
  - name: no-secrets
    when: { stage: input }
    detect: { secrets: {} }
    action: block
    reply: That held a credential.
"""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("make", "name", "model", "path"), CLOUDS, ids=["bedrock", "vertex", "foundry"])
def test_a_reply_in_the_place_of_the_answer(
    way: str, make: Any, name: str, model: str, path: str, fake: Fake, tmp_path: Path
) -> None:
    """Streamed, too: the library's stream over a response that never was, whatever it decodes otherwise."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    fake.clear()
    spanward.uninstrument()  # this module's, which has another policy
    with traced(tmp_path / "spool", policy=policy):
        asked: Json = {"max_tokens": 9, "messages": [{"role": "user", "content": SECRET}]}
        answer = drive(make(fake.address), way, "messages.create", model=model, **asked)
        assert answer.content[0].text == "That held a credential."
        events = drive(make(fake.address), way, "messages.create", model=model, stream=True, **asked)
        deltas = [event.delta for event in events if event.type == "content_block_delta"]
        assert "".join(delta.text for delta in deltas) == "That held a credential."
    assert fake.received == []
