"""Azure OpenAI, and every other server that an OpenAI client talks to: who it is, and what only it says."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from spanward.collector.demo.provider_answers import Behaviour
from spanward.tracer import semconv
from spanward.tracer.providers import openai_hosts

from ..conformance.serving import Fake, served
from ..conformance.subject import Json, Route
from ..conformance.subjects.azure import PROMPT, SAFE
from .driving import WAYS, drive

MAIL = "ada@example.com"
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
HIGH = {**SAFE, "hate": {"filtered": True, "severity": "high"}}


def filtered(body: Json, how: Behaviour) -> Json:
    """The answer was withheld: there is no message at all."""
    choice = {"index": 0, "finish_reason": "content_filter", "logprobs": None, "content_filter_results": HIGH}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-35-turbo",
            "choices": [choice], "prompt_filter_results": PROMPT, "usage": USAGE}  # fmt: skip


def filtered_chunks(body: Json, how: Behaviour) -> Iterator[str]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-35-turbo"}
    told: tuple[Json, ...] = (
        {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": PROMPT},
        {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Well"}, "finish_reason": None,
                              "content_filter_results": SAFE}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "content_filter",
                              "content_filter_results": HIGH}]},
    )  # fmt: skip
    yield from (f"data: {json.dumps(chunk)}\n\n" for chunk in told)
    if (body.get("stream_options") or {}).get("include_usage"):
        yield f"data: {json.dumps({**head, 'choices': [], 'usage': USAGE})}\n\n"
    yield "data: [DONE]\n\n"


def refusal(status: int, said: str) -> Json:
    """The prompt was refused, with a text that quotes it."""
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": HIGH}
    return {"error": {"code": "content_filter", "message": said, "status": status, "innererror": inner}}


def embeddings(body: Json, how: Behaviour) -> Json:
    data = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
    return {"object": "list", "data": data, "model": "ada", "usage": {"prompt_tokens": 4, "total_tokens": 4}}


ROUTES = (
    Route("/openai/deployments/{model}/chat/completions", filtered, filtered_chunks, error=refusal),
    Route("/openai/deployments/{model}/embeddings", embeddings),
    Route("/openai/deployments/{model}/images/generations", lambda body, how: {"created": 1, "data": []}),
    Route("/openai/deployments/{model}/audio/transcriptions", lambda body, how: {"text": body["prompt"]}),
)


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with served(ROUTES, "gpt") as serving:
        yield serving


@pytest.fixture
def ask(fake: Fake) -> Any:
    fake.clear()

    def call(way: str, method: str, deployment: str | None = None, **kwargs: Any) -> Any:
        def make(way: str) -> Any:
            kind: Any = openai.AzureOpenAI if way == "sync" else openai.AsyncAzureOpenAI
            return kind(
                azure_endpoint=fake.address,
                azure_deployment=deployment,
                api_version="2024-10-21",
                api_key="k",
                max_retries=0,
            )

        return drive(make, way, method, **kwargs)

    return call


ASKED: list[Any] = [{"role": "user", "content": f"Mail {MAIL}"}]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("deployment", [None, "mine"])
def test_an_answer_that_was_filtered(way: str, deployment: str | None, ask: Any, fake: Fake, spans: Any) -> None:
    answer = ask(way, "chat.completions.create", deployment, model="gpt", messages=ASKED)
    assert answer.choices[0].finish_reason == "content_filter"
    assert fake.last().path == f"/openai/deployments/{deployment or 'gpt'}/chat/completions"
    assert fake.last().query == "api-version=2024-10-21"
    assert not fake.last().has(MAIL)
    told = spans.one().attributes
    assert told[semconv.PROVIDER] == "azure.ai.openai"
    assert told[semconv.REQUEST_MODEL] == "gpt"
    assert told[semconv.RESPONSE_MODEL] == "gpt-35-turbo"
    assert told[semconv.FINISH_REASONS] == ("content_filter",)
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (9, 2)


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_that_is_filtered(way: str, ask: Any, fake: Fake, spans: Any) -> None:
    usage = {"stream_options": {"include_usage": True}}
    chunks = ask(way, "chat.completions.create", model="gpt", messages=ASKED, stream=True, **usage)
    assert [len(chunk.choices) for chunk in chunks] == [0, 1, 1, 0]
    told = spans.one().attributes
    assert told[semconv.RESPONSE_ID] == "chatcmpl-1"
    assert told[semconv.RESPONSE_MODEL] == "gpt-35-turbo"
    assert told[semconv.FINISH_REASONS] == ("content_filter",)
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (9, 2)
    assert spans.said(spans.one()) == "Well"


def test_a_prompt_that_was_refused(ask: Any, fake: Fake, spans: Any) -> None:
    with pytest.raises(openai.BadRequestError) as failed:
        ask("sync", "chat.completions.create", model="gpt-err-400", messages=ASKED)
    assert failed.value.code == "content_filter"
    assert spans.one().status.description == "BadRequestError HTTP 400 content_filter"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("method", "given", "path", "operation"),
    [
        ("embeddings.create", {"input": MAIL}, "embeddings", "embeddings"),
        ("images.generate", {"prompt": MAIL}, "images/generations", "image_generation"),
        ("audio.transcriptions.create", {"prompt": MAIL, "file": b"x"}, "audio/transcriptions", "transcription"),
    ],
)
def test_other_methods(
    way: str, method: str, given: Any, path: str, operation: str, ask: Any, fake: Fake, spans: Any
) -> None:
    ask(way, method, "mine", model="gpt", **given)
    assert fake.last().path == f"/openai/deployments/mine/{path}"
    assert not fake.last().has(MAIL)
    assert MAIL not in spans.one().to_json()
    assert spans.one().attributes[semconv.OPERATION] == operation
    assert spans.one().attributes[semconv.PROVIDER] == "azure.ai.openai"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("api.openai.com", "openai"),
        ("eu.api.openai.com", "openai"),
        ("mine.openai.azure.com", "azure.ai.openai"),
        ("api.deepseek.com", "deepseek"),
        ("api.x.ai", "x_ai"),
        ("api.groq.com", "groq"),
        ("api.mistral.ai", "mistral_ai"),
        ("api.perplexity.ai", "perplexity"),
        ("generativelanguage.googleapis.com", "gcp.gemini"),
        ("europe-west1-aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("bedrock-runtime.eu-central-1.amazonaws.com", "aws.bedrock"),
        ("bedrock-mantle.us-east-1.api.aws", "aws.bedrock"),
        ("api.together.xyz", "together"),
        ("openrouter.ai", "openrouter"),
        ("api.fireworks.ai", "fireworks"),
        ("127.0.0.1", "openai"),
        ("llm.example.com", "openai"),
        ("api.x.ai.example.com", "openai"),
        ("notapi.openai.com", "openai"),
        ("myopenai.azure.com", "openai"),
        ("fakeapi.deepseek.com", "openai"),
    ],
)
def test_who_answers_is_told_by_the_host(host: str, name: str) -> None:
    with openai.OpenAI(base_url=f"https://{host}/v1", api_key="k") as client:
        assert openai_hosts.provider(client, host, 443) == name


def test_a_client_of_azure_is_azure_wherever_it_talks_to() -> None:
    class Mine(openai.AzureOpenAI):
        """An application's own."""

    with Mine(azure_endpoint="https://gateway.example.com", api_version="2024-10-21", api_key="k") as client:
        assert openai_hosts.provider(client, "gateway.example.com", 443) == "azure.ai.openai"
