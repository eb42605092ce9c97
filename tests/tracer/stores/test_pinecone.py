"""The real Pinecone client against a server on loopback that speaks its REST."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from spanward.tracer import semconv

from ..inmemory import Spans
from ..loopback import serving_json
from .searches import MAIL, only, said, searches

pinecone = pytest.importorskip("pinecone")

MATCHES = [
    {"id": "doc-1", "score": 0.75, "values": [], "metadata": {"text": f"write to {MAIL}", "year": 2024}},
    {"id": MAIL, "score": 0.5, "values": [], "metadata": {"text": "figs"}},
]
HITS = [{"_id": one["id"], "_score": one["score"], "fields": one["metadata"]} for one in MATCHES]
DOCUMENTS = [
    {"_id": "doc-1", "_score": 0.75, "title": f"write to {MAIL}", "embedding": [0.125] * 12},
    {"_id": "doc-2", "_score": 0.5, "title": "figs"},
]


@dataclass
class Fake:
    """Answers as Pinecone does; `status` other than 200 is what it refuses with."""

    host: str = ""
    port: int = 0
    status: int = 200
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append((path, body))
        if self.status != 200:
            return self.status, {"code": 3, "message": f"refused for {MAIL}", "details": []}
        return 200, self._said(path.partition("?")[0], body)

    def _said(self, path: str, body: dict[str, Any]) -> dict[str, Any]:  # noqa: PLR0911  one route a return
        usage = {"readUnits": 6}
        if path == "/query":
            return {"matches": MATCHES[: body["topK"]], "namespace": body.get("namespace", ""), "usage": usage}
        if path == "/vectors/fetch":
            return {"vectors": {"doc-1": {**MATCHES[0], "values": [0.5] * 12}}, "namespace": "", "usage": usage}
        if path == "/records/namespaces/people/search":
            return {"result": {"hits": HITS}, "usage": {"read_units": 6, "embed_total_tokens": 5}}
        if path.endswith("/documents/search"):
            return {"matches": DOCUMENTS, "namespace": "people", "usage": {"read_units": 6}}
        if path.endswith("/documents/fetch"):
            fetched = {"doc-2": DOCUMENTS[1]}
            return {"documents": fetched, "namespace": "people", "usage": {"read_units": 1}}
        if path == "/embed":
            data = [{"values": [0.1, 0.2], "vector_type": "dense"} for _ in body["inputs"]]
            return {"model": body["model"], "vector_type": "dense", "data": data, "usage": {"total_tokens": 17}}
        assert path == "/rerank", path
        ranked = [{"index": place, "score": 0.9, "document": one} for place, one in enumerate(body["documents"])]
        return {"model": body["model"], "data": ranked, "usage": {"rerank_units": 1}}


@pytest.fixture
def fake() -> Iterator[Fake]:
    made = Fake()
    with serving_json(made.answer) as made.port:
        made.host = f"http://127.0.0.1:{made.port}"
        yield made


@pytest.fixture
def index(fake: Fake) -> Iterator[Any]:
    with pinecone.Index(host=fake.host, api_key="pc-demo") as made:
        yield made


def test_query(spans: Spans, fake: Fake, index: Any) -> None:
    asked = {"vector": [0.1, 0.2], "top_k": 2, "namespace": "people", "include_metadata": True}
    answer = index.query(**asked, filter={"mail": MAIL})
    assert type(answer) is pinecone.QueryResponse
    assert [(one.id, one.metadata) for one in answer.matches] == [(one["id"], one["metadata"]) for one in MATCHES]
    assert fake.asked[0][1]["filter"] == {"mail": MAIL}
    span = only(spans)
    told = said(span)
    documents = json.loads(told.pop(semconv.DOCUMENTS))
    assert told == {
        semconv.OPERATION: "retrieval",
        semconv.DB_SYSTEM: "pinecone",
        semconv.DB_NAMESPACE: "people",
        semconv.DB_OPERATION: "query",
        semconv.REQUEST_TOP_K: 2,
        semconv.RETRIEVAL_FILTERED: True,
        semconv.RETRIEVAL_COUNT: 2,
        semconv.RETRIEVAL_SCORES: (0.75, 0.5),
        semconv.SERVER_ADDRESS: "127.0.0.1",
        semconv.SERVER_PORT: fake.port,
        semconv.GUARD_VERDICT: "modify",
        semconv.GUARD_ACTION: "modify",
        semconv.GUARD_POLICY_NAME: "default",
    }
    assert (span.name, span.kind.name) == ("retrieval", "CLIENT")
    assert documents[0]["id"] == "doc-1"
    assert documents[0]["content"]["metadata"]["year"] == 2024
    assert documents[1]["content"]["metadata"] == {"text": "figs"}


CALLS = {
    "search": lambda index: index.search(namespace="people", top_k=2, inputs={"text": f"who is {MAIL}"}),
    "search_records": lambda index: index.search_records(
        namespace="people", query={"inputs": {"text": f"who is {MAIL}"}, "top_k": 2}
    ),
    "fetch": lambda index: index.fetch(ids=["doc-1"]),
    "documents.search": lambda index: index.documents.search(
        namespace="people", top_k=2, score_by=[pinecone.TextQuery(query=f"who is {MAIL}", fields=["title"])]
    ),
    "documents.fetch": lambda index: index.documents.fetch(namespace="people", ids=["doc-2"]),
}
EXPECTED: dict[str, tuple[str, int, int, bool]] = {
    "search": ("search", 2, 2, True),
    "search_records": ("search", 2, 2, True),
    "fetch": ("fetch", 0, 1, False),
    "documents.search": ("search", 2, 2, True),
    "documents.fetch": ("fetch", 0, 1, False),
}


def check(span: Any, expected: tuple[str, int, int, bool]) -> None:
    told = said(span)
    method, k, count, by_text = expected
    assert (told[semconv.DB_OPERATION], told.get(semconv.REQUEST_TOP_K, 0)) == (method, k)
    assert told[semconv.RETRIEVAL_COUNT] == count
    assert str(told.get(semconv.QUERY, "")).startswith("who is ") is by_text
    assert "0.125" not in str(told)
    assert len(json.loads(told[semconv.DOCUMENTS])) == count


@pytest.mark.parametrize("call", CALLS)
def test_other_ways_to_search(spans: Spans, index: Any, call: str) -> None:
    CALLS[call](index)
    check(only(spans), EXPECTED[call])


@pytest.mark.parametrize("call", CALLS)
def test_async(spans: Spans, fake: Fake, call: str) -> None:
    async def run() -> None:
        async with pinecone.AsyncIndex(host=fake.host, api_key="pc-demo") as index:
            await CALLS[call](index)

    asyncio.run(run())
    check(only(spans), EXPECTED[call])


def test_at_once(spans: Spans, fake: Fake) -> None:
    async def run() -> list[Any]:
        async with pinecone.AsyncIndex(host=fake.host, api_key="pc-demo") as index:
            asked = [index.query(id=f"doc-{number}", top_k=1 + number % 2) for number in range(10)]
            return await asyncio.gather(*asked)

    answers = asyncio.run(run())
    assert [len(answer.matches) for answer in answers] == [1, 2] * 5
    assert sorted(said(span)[semconv.RETRIEVAL_COUNT] for span in searches(spans)) == [1] * 5 + [2] * 5


def test_threads(spans: Spans, index: Any) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: index.query(id=f"doc-{number}", top_k=1), range(8)))
    assert [len(answer.matches) for answer in answers] == [1] * 8
    assert len(searches(spans)) == 8


def test_each_namespace_is_a_search(spans: Spans, index: Any) -> None:
    answer = index.query_namespaces(vector=[0.1], namespaces=["one", "two"], metric="cosine", top_k=2)
    assert len(answer.matches) == 2
    assert sorted(said(span)[semconv.DB_NAMESPACE] for span in searches(spans)) == ["one", "two"]


def test_the_older_way_to_ask_without_waiting(spans: Spans, index: Any) -> None:
    assert len(index.query(id="doc-1", top_k=2, async_req=True).get().matches) == 2
    assert said(only(spans))[semconv.RETRIEVAL_COUNT] == 2


def test_a_namespace_that_tells_something_is_left_out(spans: Spans, index: Any) -> None:
    index.query(id="doc-1", top_k=1, namespace=MAIL)
    assert semconv.DB_NAMESPACE not in said(only(spans))


def test_the_exception_is_the_librarys(spans: Spans, fake: Fake, index: Any) -> None:
    fake.status = 400
    with pytest.raises(pinecone.PineconeException, match="refused") as raised:
        index.query(id="doc-1", top_k=1)
    span = only(spans)
    assert said(span)[semconv.ERROR_TYPE] == type(raised.value).__qualname__


def test_wrong_arguments_fail_as_they_did(spans: Spans, index: Any) -> None:
    with pytest.raises(pinecone.PineconeValueError, match="keyword-only"):
        index.fetch(["doc-1"])
    with pytest.raises(pinecone.PineconeValueError):
        index.query(top_k=0, id="doc-1")
    assert len(searches(spans)) <= 2


@pytest.fixture
def client(fake: Fake) -> Iterator[Any]:
    with pinecone.Pinecone(api_key="pc-demo", host=fake.host) as made:
        yield made


def test_embed_is_a_model_call(spans: Spans, fake: Fake, client: Any) -> None:
    answer = client.inference.embed("multilingual-e5-large", [f"about {MAIL}", "figs"], {"input_type": "query"})
    assert [one.values for one in answer.data] == [[0.1, 0.2]] * 2
    texts = [one["text"] for one in fake.asked[0][1]["inputs"]]
    assert (texts[1], MAIL in texts[0]) == ("figs", False)
    told = said(spans.one())
    assert (told[semconv.OPERATION], told[semconv.PROVIDER]) == ("embeddings", "pinecone")
    assert (told[semconv.RESPONSE_MODEL], told[semconv.INPUT_TOKENS]) == ("multilingual-e5-large", 17)
    assert (told[semconv.SERVER_ADDRESS], told[semconv.SERVER_PORT]) == ("127.0.0.1", fake.port)
    assert MAIL not in str(told)


def test_rerank_is_a_model_call(spans: Spans, fake: Fake, client: Any) -> None:
    answer = client.inference.rerank("bge-reranker-v2-m3", f"of {MAIL}", [{"text": MAIL}, {"text": "figs"}], top_n=2)
    assert [one.document for one in answer.data] == [{"text": MAIL}, {"text": "figs"}]
    sent = fake.asked[0][1]
    assert MAIL not in str(sent)
    told = said(spans.one())
    assert (told[semconv.OPERATION], told[semconv.REQUEST_MODEL]) == ("rerank", "bge-reranker-v2-m3")
    assert json.loads(told[semconv.USAGE_RAW]) == {"rerank_units": 1}
    assert MAIL not in str(told)


def test_async_inference(spans: Spans, fake: Fake) -> None:
    async def run() -> Any:
        async with pinecone.AsyncPinecone(api_key="pc-demo", host=fake.host) as made:
            return await made.inference.embed("multilingual-e5-large", [MAIL])

    assert asyncio.run(run()).data[0].values == [0.1, 0.2]
    assert MAIL not in str(fake.asked)
    assert said(spans.one())[semconv.INPUT_TOKENS] == 17
