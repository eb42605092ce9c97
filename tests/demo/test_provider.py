"""The local provider speaks the real protocols: held against the real SDKs and, where they hide it, on the wire."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from spanward.collector.demo.provider import Provider, serve_in_thread
from spanward.collector.demo.provider_answers import RUDE, Behaviour, behaviour, instance, pieces, tokens

ASKED: Any = [{"role": "user", "content": "Where is my parcel? Write to <EMAIL_ADDRESS_1>."}]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with serve_in_thread(keep=3) as serving:
        yield serving


@pytest.fixture
def gpt(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{provider.address}/v1", api_key="k", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(provider: Provider) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=provider.address, api_key="k", max_retries=0) as client:
        yield client


def post(provider: Provider, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(provider.address + path, body, {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o-mini", Behaviour("gpt-4o-mini", frozenset())),
        ("gpt-4o-mini-slow", Behaviour("gpt-4o-mini", frozenset({"slow"}))),
        ("gpt-4o-mini-echo-chunks7", Behaviour("gpt-4o-mini", frozenset({"echo", "chunks7"}), chunks=7)),
        ("err-429", Behaviour("m", frozenset({"err-429"}), error=429)),
        ("x-err-500-once", Behaviour("x", frozenset({"err-500-once"}), error=500, error_once=True)),
        ("slower", Behaviour("slower", frozenset())),
        ("chunks", Behaviour("chunks", frozenset())),
        ("tool-user", Behaviour("tool-user", frozenset())),
    ],
)
def test_a_model_name_steers(model: str, expected: Behaviour) -> None:
    assert behaviour(model, "m") == expected


@pytest.mark.parametrize("count", [1, 3, 7, 40])
def test_pieces_are_as_many_as_asked_and_make_the_text(count: int) -> None:
    how = behaviour(f"m-chunks{count}", "m")
    text = "Thank you, ünïcode <EMAIL_ADDRESS_1> and more of it."
    assert len(pieces(how, text)) == count
    assert "".join(pieces(how, text)) == text
    assert "".join(pieces(behaviour("m", "m"), f"  {text}\n")) == f"  {text}\n"


def test_an_instance_fits_its_schema() -> None:
    schema = {
        "$defs": {"Item": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
            "kind": {"enum": ["a", "b"]},
            "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "sure": {"type": "boolean"},
        },
    }
    assert instance(schema, "four") == {"items": [{"n": 1}], "kind": "a", "maybe": "four", "sure": True}


def test_answers_are_the_same_for_the_same_question(gpt: openai.OpenAI) -> None:
    said = [gpt.chat.completions.create(model="gpt-4o-mini", messages=ASKED).choices[0].message.content for _ in "ab"]
    assert said[0] == said[1]
    assert "<EMAIL_ADDRESS_1>" in (said[0] or "")
    other: Any = [{"role": "user", "content": "And the lamp?"}]
    assert gpt.chat.completions.create(model="gpt-4o-mini", messages=other).choices[0].message.content != said[0]


def test_counts_depend_on_the_text(gpt: openai.OpenAI) -> None:
    answer = gpt.chat.completions.create(model="gpt-4o-mini-cached", messages=ASKED)
    assert answer.usage
    assert answer.usage.prompt_tokens == tokens(ASKED[0]["content"])
    assert answer.usage.prompt_tokens_details
    assert answer.usage.prompt_tokens_details.cached_tokens == answer.usage.prompt_tokens // 2
    assert answer.usage.completion_tokens == tokens(answer.choices[0].message.content or "")


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4o-mini-thinking", "gpt-4o-mini-refusal", "gpt-4o-mini-empty"])
def test_streams_add_up_to_the_whole(gpt: openai.OpenAI, model: str) -> None:
    whole = gpt.chat.completions.create(model=model, messages=ASKED).choices[0].message
    with gpt.chat.completions.stream(model=model, messages=ASKED) as stream:
        streamed = stream.get_final_completion().choices[0].message
    assert (streamed.content or None, streamed.refusal) == (whole.content or None, whole.refusal)
    response = gpt.responses.create(model=model, input=ASKED)
    with gpt.responses.stream(model=model, input=ASKED) as events:
        final = events.get_final_response()
    assert [item.to_dict() for item in final.output if item.type != "message"] == [
        item.to_dict() for item in response.output if item.type != "message"
    ]
    assert final.output_text == response.output_text


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-haiku-4-5-thinking", "claude-haiku-4-5-cached"])
def test_message_streams_add_up_to_the_whole(claude: anthropic.Anthropic, model: str) -> None:
    whole = claude.messages.create(model=model, messages=ASKED, max_tokens=9)
    with claude.messages.stream(model=model, messages=ASKED, max_tokens=9) as stream:
        streamed = stream.get_final_message()
    assert [b.to_dict(exclude_none=True) for b in streamed.content] == [b.to_dict() for b in whole.content]
    assert (streamed.usage, streamed.stop_reason) == (whole.usage, whole.stop_reason)


def test_usage_in_a_stream_only_on_request(gpt: openai.OpenAI) -> None:
    for asked in (False, True):
        stream = gpt.chat.completions.create(
            model="gpt-4o-mini", messages=ASKED, stream=True, stream_options={"include_usage": asked}
        )
        assert any(chunk.usage for chunk in stream) is asked


def test_rude(gpt: openai.OpenAI) -> None:
    answer = gpt.chat.completions.create(model="gpt-4o-mini-rude", messages=ASKED)
    assert answer.choices[0].message.content in RUDE


@pytest.mark.parametrize(
    ("path", "headers", "body", "status", "kind"),
    [
        ("/v1/chat/completions", {}, b"{}", 401, "invalid_request_error"),
        ("/v1/chat/completions", {"authorization": "Bearer k"}, b"{", 400, "invalid_request_error"),
        ("/v1/chat/completions", {"authorization": "Bearer k"}, b"[]", 400, "invalid_request_error"),
        ("/v1/messages", {}, b"{}", 401, "authentication_error"),
        ("/v1/messages", {"x-api-key": "k"}, b'{"messages": []}', 400, "invalid_request_error"),
        ("/v1/messages", {"x-api-key": "k"}, b'{"model": "err-529", "messages": [{}]}', 529, "overloaded_error"),
        ("/v1/responses", {"authorization": "k"}, b'{"model": "err-500", "input": "x"}', 500, "server_error"),
    ],
)
def test_errors_on_the_wire(
    provider: Provider, path: str, headers: dict[str, str], body: bytes, status: int, kind: str
) -> None:
    code, told, said = post(provider, path, body, **headers)
    error = json.loads(said)
    assert (code, error["error"]["type"]) == (status, kind)
    assert told["request-id" if path == "/v1/messages" else "x-request-id"]
    assert (error.get("type") == "error") is (path == "/v1/messages")


def test_a_limit_says_when_to_come_back(provider: Provider) -> None:
    body = json.dumps({"model": "err-429", "messages": ASKED}).encode()
    _, headers, _ = post(provider, "/v1/chat/completions", body, authorization="Bearer k")
    assert headers["retry-after"] == "1"


def test_a_call_that_fails_once(gpt: openai.OpenAI) -> None:
    asked: Any = {"model": "err-429-once", "messages": ASKED}
    with pytest.raises(openai.RateLimitError):
        gpt.chat.completions.create(**asked)
    assert gpt.chat.completions.create(**asked).choices
    with pytest.raises(openai.RateLimitError):
        gpt.chat.completions.create(**asked)


def test_azure(provider: Provider) -> None:
    with openai.AzureOpenAI(azure_endpoint=provider.address, api_key="k", api_version="2024-10-21") as client:
        assert client.chat.completions.create(model="gpt-4o-mini", messages=ASKED).choices[0].message.content
        assert client.embeddings.create(model="text-embedding-3-small", input="a").data


def test_embeddings_are_vectors_of_length_one(gpt: openai.OpenAI) -> None:
    one, two = gpt.embeddings.create(model="text-embedding-3-small", input=["a", "b"]).data
    assert sum(value * value for value in one.embedding) == pytest.approx(1)
    assert one.embedding != two.embedding


def test_only_the_last_requests_are_kept_and_only_if_asked(provider: Provider, gpt: openai.OpenAI) -> None:
    for text in "abcd":
        gpt.embeddings.create(model="text-embedding-3-small", input=text)
    assert [json.loads(kept.body)["input"] for kept in provider.record] == ["b", "c", "d"]
    assert provider.record[0].headers["authorization"] == "Bearer k"
    assert Provider().record == []


def test_as_a_program_it_prints_where_it_listens() -> None:
    command = [sys.executable, "-m", "spanward.collector.demo.provider", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        try:
            with openai.OpenAI(base_url=f"{address}/v1", api_key="k", max_retries=0) as client:
                assert client.chat.completions.create(model="gpt-4o-mini", messages=ASKED).choices
        finally:
            process.terminate()
