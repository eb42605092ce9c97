"""What is special to the `cohere` package: what answers repeat, batches, clients older than us, raw responses."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from spanward.tracer import semconv
from spanward.tracer.providers.cohere import ADAPTER

from ..conformance.serving import Fake, served
from ..conformance.subject import Json, Route
from ..conformance.subjects import cohere as v2
from ..conformance.subjects import cohere_v1 as v1
from ..inmemory import Spans

cohere = pytest.importorskip("cohere")

MAIL = "ada.lovelace@example.org"
MASKED = "<EMAIL_ADDRESS_1>"


def embedded(body: Json, how: Any) -> Json:
    texts = body.get("texts") or []
    meta = {"api_version": {"version": "1"}, "billed_units": {"input_tokens": float(len(texts))}}
    vectors = [[0.5, 0.25] for _ in texts]
    return {"id": "e1", "response_type": "embeddings_by_type", "embeddings": {"float": vectors}, "texts": texts, "meta": meta}  # noqa: E501  # fmt: skip


def ranked(body: Json, how: Any) -> Json:
    first = body["documents"][0]
    document = first if isinstance(first, dict) else {"text": first}
    meta = {"api_version": {"version": "1"}, "billed_units": {"search_units": 1.0}}
    return {"id": "r1", "results": [{"index": 0, "relevance_score": 0.9, "document": document}], "meta": meta}


def generated(body: Json, how: Any) -> Json:
    said = {"id": "g2", "text": f"Dear {MASKED}"}
    return {
        "id": "g1",
        "prompt": body["prompt"],
        "generations": [said],
        "meta": {"billed_units": {"input_tokens": 3.0}},
    }


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    routes = (
        *v1.SUBJECT.routes,
        *v2.SUBJECT.routes,
        Route("/v1/embed", embedded),
        Route("/v2/embed", embedded),
        Route("/v1/rerank", ranked),
        Route("/v2/rerank", ranked),
        Route("/v1/generate", generated),
    )
    with served(routes, "command-a-03-2025") as serving:
        yield serving


@pytest.fixture(scope="module")
def older(fake: Fake) -> Any:
    """A client that was made before `instrument()`, and so holds methods that were not patched then."""
    return cohere.ClientV2(api_key="demo", base_url=fake.address)


@pytest.fixture
def one(fake: Fake) -> Iterator[Any]:
    fake.clear()
    with cohere.Client(api_key="demo", base_url=fake.address) as client:
        yield client


@pytest.fixture
def two(fake: Fake) -> Iterator[Any]:
    fake.clear()
    with cohere.ClientV2(api_key="demo", base_url=fake.address) as client:
        yield client


def clean(spans: Spans, fake: Fake) -> None:
    assert not fake.last().has(MAIL)
    assert fake.last().has(MASKED)
    assert MAIL not in repr([dict(span.attributes or {}) for span in spans.all()])


DOCUMENT = {"id": "d1", "data": {"snippet": f"{MAIL} lives in Leeds"}}


def test_a_client_older_than_us_is_traced(older: Any, spans: Spans, fake: Fake) -> None:
    asked: Any = {"model": "command-echo", "messages": [{"role": "user", "content": MAIL}]}
    assert older.chat(**asked).message.content[0].text == MAIL
    assert "".join(v2.chunk_text(event) for event in older.chat_stream(**asked)) == MAIL
    assert len(spans.calls()) == 2
    clean(spans, fake)


def test_objects_and_citations(spans: Spans, two: Any, fake: Fake) -> None:
    asked: Any = {
        "model": "command-echo",
        "messages": [
            cohere.SystemChatMessageV2(content=f"You serve {MAIL}."),
            cohere.UserChatMessageV2(content=[cohere.TextContent(text=f"to {MAIL}")]),
        ],
        "documents": [DOCUMENT, f"{MAIL} likes tea"],
        "stop_sequences": [MAIL],
        "request_options": {"additional_body_parameters": {"note": MAIL}},
    }
    answer = two.chat(**asked)
    assert answer.message.content[0].text == f"to {MAIL}"
    (cited,) = answer.message.citations
    assert cited.text == f"to {MAIL}"
    assert MAIL in cited.sources[0].document["snippet"]
    clean(spans, fake)
    assert fake.last().body["messages"][0] == {"role": "system", "content": f"You serve {MASKED}."}
    assert spans.said(spans.one()) == f"to {MASKED}"  # what a citation repeats is not recorded once more


def test_citations_in_a_stream(spans: Spans, two: Any, fake: Fake) -> None:
    asked: Any = {"messages": [{"role": "user", "content": f"to {MAIL}"}], "documents": [DOCUMENT]}
    events = list(two.chat_stream(model="command-echo-thinking-chunks20", **asked))
    (cited,) = [event.delta.message.citations for event in events if event.type == "citation-start"]
    assert (cited.text, MAIL in cited.sources[0].document["snippet"]) == (f"to {MAIL}", True)
    assert "".join(map(v2.chunk_text, events)) == f"to {MAIL}"
    clean(spans, fake)
    (message,) = json.loads(str((spans.one().attributes or {})[semconv.OUTPUT_MESSAGES]))
    assert [part["type"] for part in message["parts"]] == ["reasoning", "text"]


HISTORY = [{"role": "USER", "message": f"I am {MAIL}"}, {"role": "CHATBOT", "message": f"Hello {MAIL}"}]


def test_the_first_version_repeats_everything(spans: Spans, one: Any, fake: Fake) -> None:
    asked: Any = {
        "model": "command-r-echo",
        "message": f"to {MAIL}",
        "chat_history": [cohere.UserMessage(message=f"I am {MAIL}"), HISTORY[1]],
        "documents": [{"title": "a", "snippet": f"{MAIL} lives in Leeds"}],
        "connectors": [cohere.ChatConnector(id="web-search")],
    }
    whole = one.chat(**asked)
    *_, last = one.chat_stream(**asked)
    for answer in (whole, last.response):
        said = [turn.message for turn in answer.chat_history]
        assert said == [f"I am {MAIL}", f"Hello {MAIL}", f"to {MAIL}", f"to {MAIL}"]
        assert (answer.text, answer.citations[0].text) == (f"to {MAIL}", f"to {MAIL}")
        assert answer.documents == [{"title": "a", "snippet": f"{MAIL} lives in Leeds"}]
    clean(spans, fake)
    assert [spans.said(span) for span in spans.calls()] == [f"to {MASKED}"] * 2
    assert fake.last().body["connectors"] == [{"id": "web-search"}]


def test_tokens_not_billed_ones(spans: Spans, two: Any) -> None:
    two.chat(model="command-cached", messages=[{"role": "user", "content": "a" * 400}])
    told = dict(spans.one().attributes or {})
    assert (told[semconv.INPUT_TOKENS], told[semconv.CACHE_READ_TOKENS]) == (100, 50)
    assert json.loads(str(told[semconv.USAGE_RAW]))["billed_units"]["input_tokens"] == 97


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the library merges its batches by deprecated methods
def test_embeddings_of_many_texts_are_one_call(spans: Spans, one: Any, fake: Fake) -> None:
    texts = [f"{n} for {MAIL}" for n in range(200)]
    answer = one.embed(texts=texts, model="embed-v4.0", input_type="search_document", embedding_types=["float"])
    assert len(fake.received) > 1
    assert answer.texts == texts
    assert not any(asked.has(MAIL) for asked in fake.received)
    told = dict(spans.one().attributes or {})
    assert (told[semconv.OPERATION], told[semconv.INPUT_TOKENS]) == ("embeddings", 200)


def test_embeddings_of_inputs(spans: Spans, two: Any, fake: Fake) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    inputs: Any = [{"content": [{"type": "text", "text": MAIL}, picture]}]
    two.embed(model="embed-v4.0", input_type="search_document", embedding_types=["float"], inputs=inputs)
    clean(spans, fake)
    assert "iVBORw0KGgo" not in str((spans.one().attributes or {})[semconv.INPUT_MESSAGES])


@pytest.mark.parametrize("version", [1, 2])
def test_rerank(spans: Spans, one: Any, two: Any, fake: Fake, version: int) -> None:
    client, more = (one, {"return_documents": True}) if version == 1 else (two, {})
    found = client.rerank(model="rerank-v3.5", query=f"where is {MAIL}?", documents=[f"{MAIL} is in Leeds"], **more)
    assert found.results[0].index == 0
    if version == 1:
        assert found.results[0].document.text == f"{MAIL} is in Leeds"
    clean(spans, fake)
    told = dict(spans.one().attributes or {})
    assert told[semconv.OPERATION] == "rerank"
    assert json.loads(str(told[semconv.USAGE_RAW]))["billed_units"] == {"search_units": 1.0}


def test_generate(spans: Spans, one: Any, fake: Fake) -> None:
    answer = one.generate(prompt=f"write to {MAIL}", model="command")
    assert (answer.prompt, answer.generations[0].text) == (f"write to {MAIL}", f"Dear {MAIL}")
    clean(spans, fake)
    assert spans.said(spans.one()) == f"Dear {MASKED}"


def test_raw_responses(spans: Spans, two: Any, fake: Fake) -> None:
    asked: Any = {"model": "command-echo", "messages": [{"role": "user", "content": MAIL}]}
    raw = two.with_raw_response.chat(**asked)
    assert raw.data.message.content[0].text == MAIL
    assert getattr(raw, "status_code", 200) == 200  # 5.16 does not tell it
    with two.with_raw_response.chat_stream(**asked) as opened:
        assert "".join(map(v2.chunk_text, opened.data)) == MAIL
    assert len(spans.calls()) == 2
    clean(spans, fake)


def test_nothing_is_asked_before_a_stream_is_read(spans: Spans, two: Any, fake: Fake) -> None:
    stream = two.chat_stream(model="command-echo", messages=[{"role": "user", "content": MAIL}])
    assert (fake.received, spans.calls()) == ([], [])
    stream.close()
    assert (fake.received, spans.calls()) == ([], [])


def test_bedrock_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "s", "DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    request = ADAPTER.endpoints[0].request
    for client, provider, host in (
        (cohere.BedrockClient(aws_region="eu-west-1"), "aws.bedrock", "bedrock-runtime.eu-west-1.amazonaws.com"),
        (cohere.SagemakerClient(aws_region="eu-west-1"), "aws.sagemaker", "runtime.sagemaker.eu-west-1.amazonaws.com"),
        (cohere.Client("k", base_url="https://x.ai.azure.com"), "azure.ai.inference", "x.ai.azure.com"),
        (cohere.Client("k"), "cohere", "api.cohere.com"),
    ):  # fmt: skip
        call = request(client, {"message": "hi", "model": "command-r"})
        assert (call.provider, call.server_address, call.server_port) == (provider, host, 443)
