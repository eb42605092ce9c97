"""Counting tokens carries the prompt, and is no call to a model: guarded, told, and no row of `llm_calls`."""

import asyncio
import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import spanward
from spanward.tracer import semconv

from ..inmemory import Spans
from ..loopback import Server, repeating

MAIL = "jane.roe@example.org"
TEXT = f"Write to {MAIL} about the parcel."
SECRET = "My key is sk-proj-" + "Zx8Kq2Vb7Nw4Tr9Ye3Uj6Hm5Pd1Ls0Gc8Fa2Bt7Rv4"
TOOL: Any = {"type": "object", "properties": {"to": {"type": "string", "description": TEXT}}}


def openai(address: str, text: str) -> Any:
    import openai

    return openai.OpenAI(base_url=address, api_key="k", max_retries=0).responses.input_tokens.count(
        model="gpt-5", input=text, instructions=text, conversation="conv_1"
    )


def openai_async(address: str, text: str) -> Any:
    import openai

    async def count() -> Any:
        async with openai.AsyncOpenAI(base_url=address, api_key="k", max_retries=0) as client:
            return await client.responses.input_tokens.count(model="gpt-5", input=[{"role": "user", "content": text}])

    return asyncio.run(count())


def anthropic(address: str, text: str) -> Any:
    import anthropic

    return anthropic.Anthropic(base_url=address, api_key="k", max_retries=0).messages.count_tokens(
        model="claude-haiku-4-5",
        system=text,
        messages=[{"role": "user", "content": text}],
        tools=[{"name": "send", "description": text, "input_schema": TOOL}],
    )


def anthropic_beta(address: str, text: str) -> Any:
    import anthropic

    return anthropic.Anthropic(base_url=address, api_key="k", max_retries=0).beta.messages.count_tokens(
        model="claude-haiku-4-5", messages=[{"role": "user", "content": text}]
    )


def google(address: str, text: str) -> Any:
    from google import genai

    client = genai.Client(api_key="k", http_options={"base_url": address})
    contents: Any = [text, {"role": "user", "parts": [{"text": text}]}]
    return client.models.count_tokens(model="gemini-2.5-flash", contents=contents)


def vertex_client(address: str) -> Any:
    from google import genai
    from google.auth.credentials import AnonymousCredentials

    credentials: Any = AnonymousCredentials()  # type: ignore[no-untyped-call]  # a library without types
    credentials.token = "demo"
    return genai.Client(
        vertexai=True, project="p", location="l", credentials=credentials, http_options={"base_url": address}
    )


def vertex(address: str, text: str) -> Any:
    client = vertex_client(address)
    return client.models.count_tokens(
        model="gemini-2.5-flash",
        contents=text,
        config={"system_instruction": text, "tools": [{"function_declarations": [{"name": "f", "description": text}]}]},
    )


def vertex_pieces(address: str, text: str) -> Any:
    client = vertex_client(address)
    return client.models.compute_tokens(model="gemini-2.5-flash", contents=text)


def cohere(address: str, text: str) -> Any:
    import cohere

    return cohere.ClientV2("k", base_url=address).tokenize(text=text, model="command-a", offline=False)


def bedrock(address: str) -> Any:
    import boto3

    return boto3.client(
        "bedrock-runtime", endpoint_url=address, region_name="us-east-1",
        aws_access_key_id="k", aws_secret_access_key="k",
    )  # fmt: skip


def converse(address: str, text: str) -> Any:
    asked = {"messages": [{"role": "user", "content": [{"text": text}]}], "system": [{"text": text}]}
    return bedrock(address).count_tokens(modelId="anthropic.claude", input={"converse": asked})


def invoke(address: str, text: str) -> Any:
    body = {"anthropic_version": "x", "max_tokens": 9, "messages": [{"role": "user", "content": text}]}
    asked = {"body": json.dumps(body).encode()}
    return bedrock(address).count_tokens(modelId="anthropic.claude", input={"invokeModel": asked})


COUNTED = {
    "openai": (openai, {"object": "response.input_tokens", "input_tokens": 7}),
    "openai async": (openai_async, {"object": "response.input_tokens", "input_tokens": 7}),
    "anthropic": (anthropic, {"input_tokens": 7}),
    "anthropic beta": (anthropic_beta, {"input_tokens": 7}),
    "google": (google, {"totalTokens": 7}),
    "vertex": (vertex, {"totalTokens": 7}),
    "vertex pieces": (vertex_pieces, {"tokensInfo": [{"tokenIds": ["1"], "tokens": ["V3JpdGU="]}]}),
    "cohere": (cohere, {"tokens": [1], "token_strings": ["Write"]}),
    "bedrock converse": (converse, {"inputTokens": 7}),
    "bedrock invoke": (invoke, {"inputTokens": 7}),
}


@pytest.fixture
def server() -> Iterator[Server]:
    with repeating() as serving:
        yield serving


def sent(server: Server) -> str:
    """What came, the body of a Bedrock request opened."""
    body = server.got
    invoked = body.get("input", {}).get("invokeModel") if isinstance(body.get("input"), dict) else None
    if invoked is not None:
        import base64

        return base64.b64decode(invoked["body"]).decode()
    return server.body.decode()


def count(name: str, server: Server, text: str) -> Any:
    ask: Callable[[str, str], Any]
    ask, answer = COUNTED[name]
    pytest.importorskip({"converse": "boto3", "invoke": "boto3"}.get(ask.__name__, "openai"))
    server.says(answer)
    result = ask(server.address, text)
    assert not inspect.isawaitable(result)
    return result


@pytest.mark.parametrize("name", COUNTED)
def test_a_counted_prompt_is_guarded(name: str, server: Server, spans: Spans) -> None:
    assert count(name, server, TEXT) is not None
    assert MAIL not in sent(server)
    assert "<EMAIL_ADDRESS_1>" in sent(server)
    assert spans.calls() == []
    (span,) = [s for s in spans.all() if (s.attributes or {}).get(semconv.OPERATION) == semconv.COUNT_TOKENS]
    assert MAIL not in span.to_json()
    assert (span.attributes or {})[semconv.GUARD_ACTION] == "modify"
    assert semconv.INPUT_TOKENS not in (span.attributes or {})


@pytest.mark.parametrize("name", COUNTED)
def test_a_secret_is_not_counted(name: str, server: Server, spans: Spans) -> None:
    with pytest.raises(spanward.ModelCallBlocked):
        count(name, server, SECRET)
    assert server.requests == []
    assert all("sk-proj" not in span.to_json() for span in spans.all())


def test_it_is_no_model_operation() -> None:
    assert semconv.COUNT_TOKENS not in semconv.MODEL_OPERATIONS
