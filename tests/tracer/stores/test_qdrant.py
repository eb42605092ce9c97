"""The real Qdrant client: its engine in this process, and a server on loopback that speaks its REST."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from spanward.tracer import instrument, semconv
from spanward.tracer.stores.qdrant import _texts

from ..inmemory import Spans
from ..loopback import serving_json
from .searches import MAIL, only, said, searches

qdrant_client = pytest.importorskip("qdrant_client")
models = qdrant_client.models

POINTS = [
    (1, [1.0, 0.0], {"text": f"write to {MAIL}", "source": "letters.txt"}),
    (2, [0.9, 0.1], {"title": "figs", "thumbnail": [0.25] * 12}),
    ("0b6f1bd2-95a5-4d3e-9fb8-3bd5ee1a8c22", [0.0, 1.0], {"text": "plums"}),
]


def points() -> list[Any]:
    return [models.PointStruct(id=key, vector=vector, payload=payload) for key, vector, payload in POINTS]


@pytest.fixture
def client() -> Iterator[Any]:
    made = qdrant_client.QdrantClient(":memory:")
    made.create_collection("garden", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
    made.upsert("garden", points())
    yield made
    made.close()


ASKED = models.Filter(must_not=[models.FieldCondition(key="source", match=models.MatchValue(value=MAIL))])


def test_query_points(spans: Spans, client: Any) -> None:
    answer = client.query_points("garden", [1.0, 0.0], limit=2, query_filter=ASKED, with_vectors=True)
    assert type(answer).__name__ == "QueryResponse"
    assert [(point.id, point.payload) for point in answer.points] == [(key, payload) for key, _, payload in POINTS[:2]]
    told = said(only(spans))
    documents = json.loads(told.pop(semconv.DOCUMENTS))
    assert told == {
        semconv.OPERATION: "retrieval",
        semconv.DATA_SOURCE: "garden",
        semconv.DB_SYSTEM: "qdrant",
        semconv.DB_COLLECTION: "garden",
        semconv.DB_OPERATION: "query_points",
        semconv.REQUEST_TOP_K: 2,
        semconv.RETRIEVAL_FILTERED: True,
        semconv.RETRIEVAL_COUNT: 2,
        semconv.RETRIEVAL_SCORES: pytest.approx((1.0, 0.9)),
        semconv.GUARD_VERDICT: "modify",
        semconv.GUARD_ACTION: "modify",
        semconv.GUARD_POLICY_NAME: "default",
    }
    assert documents[0]["id"] == "1"
    assert documents[0]["content"]["metadata"] == {"source": "letters.txt"}
    assert documents[1] == {"id": "2", "content": {"metadata": {"title": "figs"}}}


def found(answer: Any) -> list[Any]:
    """Ids, whatever the shape of the answer."""
    groups = answer[0] if isinstance(answer, tuple) else getattr(answer, "groups", answer)
    return [point.id for one in groups for point in getattr(one, "hits", getattr(one, "points", [one]))]


ASKING: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "query_points_groups": (
        lambda c: c.query_points_groups("garden", group_by="text", query=[1.0, 0.0], limit=4),
        {semconv.REQUEST_TOP_K: 4, semconv.RETRIEVAL_COUNT: 2},
    ),
    "query_batch_points": (
        lambda c: c.query_batch_points(
            "garden",
            [
                models.QueryRequest(query=[1.0, 0.0], limit=1, with_payload=True),
                models.QueryRequest(query=[0.0, 1.0], limit=2, filter=ASKED),
            ],
        ),
        {semconv.REQUEST_TOP_K: 3, semconv.RETRIEVAL_COUNT: 3, semconv.RETRIEVAL_FILTERED: True},
    ),
    "scroll": (
        lambda c: c.scroll("garden", limit=2, scroll_filter=ASKED),
        {semconv.REQUEST_TOP_K: 2, semconv.RETRIEVAL_COUNT: 2, semconv.RETRIEVAL_FILTERED: True},
    ),
    "retrieve": (lambda c: c.retrieve("garden", ids=[1, 99]), {semconv.RETRIEVAL_COUNT: 1}),
}
NUMBERS = (semconv.REQUEST_TOP_K, semconv.RETRIEVAL_COUNT, semconv.RETRIEVAL_FILTERED)


@pytest.mark.parametrize("method", ASKING)
def test_other_ways_to_search(spans: Spans, client: Any, method: str) -> None:
    ask, expected = ASKING[method]
    answer = ask(client)
    span = only(spans)
    told = said(span)
    assert told[semconv.DB_OPERATION] == method
    assert {name: told[name] for name in NUMBERS if name in told} == expected
    assert len(found(answer)) == expected[semconv.RETRIEVAL_COUNT]


def test_writes_are_no_searches(spans: Spans, client: Any) -> None:
    client.upsert("garden", points())
    client.set_payload("garden", {"seen": True}, points=[1])
    assert client.count("garden").count == 3
    assert spans.all() == []


def test_the_exception_is_the_librarys(spans: Spans, client: Any) -> None:
    with pytest.raises(ValueError, match="nowhere not found"):
        client.query_points("nowhere", [1.0, 0.0])
    span = only(spans)
    assert (span.status.status_code.name, span.status.description) == ("ERROR", "ValueError")


def test_async_and_at_once(spans: Spans) -> None:
    async def run() -> list[Any]:
        client = qdrant_client.AsyncQdrantClient(":memory:")
        vectors = models.VectorParams(size=2, distance=models.Distance.DOT)
        await client.create_collection("garden", vectors_config=vectors)
        await client.upsert("garden", points())
        asked = [client.query_points("garden", [1.0, number / 10], limit=1) for number in range(5)]
        answers = await asyncio.gather(*asked)
        await client.close()
        return answers

    assert [answer.points[0].id for answer in asyncio.run(run())] == [1, 1, 1, 1, 1]
    assert [said(span)[semconv.RETRIEVAL_COUNT] for span in searches(spans)] == [1] * 5
    assert MAIL not in str([span.attributes for span in spans.all()])


def test_a_search_that_is_never_awaited_is_none(spans: Spans) -> None:
    async def run() -> None:
        client = qdrant_client.AsyncQdrantClient(":memory:")
        client.query_points("garden", [1.0, 0.0]).close()
        await client.close()

    asyncio.run(run())
    running = instrument.running()
    assert running is not None
    running.engine.operations.end_all()  # what is still open would be told now
    assert searches(spans) == []


def document(text: str) -> Any:
    return models.Document(text=text, model="any/model")


@pytest.mark.parametrize(
    ("asked", "texts"),
    [
        ({"query": [0.1, 0.2]}, []),
        ({"query": document("plums")}, ["plums"]),
        ({"query": models.NearestQuery(nearest=document("plums"))}, ["plums"]),
        (
            {
                "query": models.FusionQuery(fusion=models.Fusion.RRF),
                "prefetch": [
                    models.Prefetch(query=document("figs")),
                    models.Prefetch(prefetch=models.Prefetch(query=document("pears"))),
                ],
            },
            ["figs", "pears"],
        ),
        (
            {
                "query": models.RecommendQuery(
                    recommend=models.RecommendInput(positive=[3, document("yes")], negative=[document("no")])
                )
            },
            ["yes", "no"],
        ),
        ({"query": "0b6f1bd2-95a5-4d3e-9fb8-3bd5ee1a8c22"}, []),
    ],
)
def test_texts_of_a_query(asked: dict[str, Any], texts: list[str]) -> None:
    assert list(_texts(asked)) == texts


def answer(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """What Qdrant says to a query: one point, or that there is no such collection."""
    if "nowhere" in path:
        return 404, {"status": {"error": f"Not found: no collection for {MAIL}"}, "time": 0.001}
    point = {"id": 1, "version": 3, "score": 0.75, "payload": POINTS[0][2], "vector": None}
    return 200, {"result": {"points": [point]}, "status": "ok", "time": 0.001}


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    with serving_json(answer) as port:
        yield port


def test_over_rest(spans: Spans, server: int) -> None:
    client = qdrant_client.QdrantClient(host="127.0.0.1", port=server, check_compatibility=False)
    answer = client.query_points("garden", [1.0, 0.0], limit=1)
    assert answer.points[0].payload == POINTS[0][2]
    span = only(spans)
    told = said(span)
    assert (told[semconv.SERVER_ADDRESS], told[semconv.SERVER_PORT]) == ("127.0.0.1", server)
    assert (span.kind.name, told[semconv.RETRIEVAL_SCORES]) == ("CLIENT", (0.75,))
    client.close()


def test_a_refusal_over_rest(spans: Spans, server: int) -> None:
    client = qdrant_client.QdrantClient(host="127.0.0.1", port=server, check_compatibility=False)
    with pytest.raises(Exception, match="Not found") as raised:
        client.query_points("nowhere", [1.0, 0.0])
    span = only(spans)
    assert (type(raised.value).__name__, said(span)[semconv.ERROR_TYPE]) == ("UnexpectedResponse",) * 2
    assert span.status.description == "UnexpectedResponse HTTP 404"
    client.close()
