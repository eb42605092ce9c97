"""The real Weaviate client against a server on loopback that speaks its gRPC, and as much REST as it asks for."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent import futures
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from spanward.tracer import semconv

from ..inmemory import Spans
from ..loopback import serving_json
from .searches import MAIL, only, said, searches

weaviate = pytest.importorskip("weaviate")
grpc = pytest.importorskip("grpc")

from weaviate.classes.query import Filter, GroupBy, MetadataQuery  # noqa: E402  not before the library is known to be there
from weaviate.proto.v1 import generative_pb2, properties_pb2, search_get_pb2, weaviate_pb2_grpc  # noqa: E402  as above

IDS = [uuid.UUID(int=number) for number in (7, 8)]
TEXTS = [f"write to {MAIL}", "figs"]


def result(place: int, generated: str = "") -> Any:
    """One object as it crosses the wire."""
    values = [generative_pb2.GenerativeReply(result=generated)] if generated else []
    return search_get_pb2.SearchResult(
        metadata=search_get_pb2.MetadataResult(
            id=str(IDS[place]),
            id_as_bytes=IDS[place].bytes,
            score=0.5 - place / 4,
            score_present=True,
            distance=0.25,
            distance_present=True,
            creation_time_unix=1_700_000_000_000,
            creation_time_unix_present=True,
            last_update_time_unix=1_700_000_000_000,
            last_update_time_unix_present=True,
        ),
        properties=search_get_pb2.PropertiesResult(
            target_collection="Garden",
            non_ref_props=properties_pb2.Properties(
                fields={
                    "text": properties_pb2.Value(text_value=TEXTS[place]),
                    "year": properties_pb2.Value(int_value=2024),
                }
            ),
        ),
        generative=generative_pb2.GenerativeResult(values=values),
    )


@dataclass
class Fake(weaviate_pb2_grpc.WeaviateServicer):
    """Gives both objects to any search; a collection of the name `Broken` is refused."""

    http: int = 0
    port: int = 0
    asked: list[Any] = field(default_factory=list)

    def Search(self, request: Any, context: Any) -> Any:  # noqa: N802  the stub says so
        self.asked.append(request)
        if request.collection == "Broken":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"no such thing for {MAIL}")
        if request.HasField("group_by"):
            group = search_get_pb2.GroupByResult(
                name="2024", number_of_objects=2, objects=[result(0), result(1)], min_distance=0.1, max_distance=0.2
            )
            return search_get_pb2.SearchReply(group_by_results=[group])
        if request.HasField("generative"):
            answer = generative_pb2.GenerativeReply(result=f"All of it is about {MAIL}.")
            grouped = generative_pb2.GenerativeResult(values=[answer] if request.generative.grouped.task else [])
            one = f"Send it to {MAIL}." if request.generative.single.prompt else ""
            return search_get_pb2.SearchReply(results=[result(0, one)], generative_grouped_results=grouped)
        return search_get_pb2.SearchReply(results=[result(0), result(1)][: request.limit or 2])


def meta(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return (200, {"version": "1.33.0", "hostname": "http://127.0.0.1", "modules": {}}) if "meta" in path else (404, {})


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    made = Fake()
    server = grpc.server(futures.ThreadPoolExecutor(8))
    weaviate_pb2_grpc.add_WeaviateServicer_to_server(made, server)  # type: ignore[no-untyped-call]  # generated
    made.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with serving_json(meta) as made.http:
        yield made
    server.stop(None).wait()


def parameters(fake: Fake) -> dict[str, Any]:
    return {
        "http_host": "127.0.0.1",
        "http_port": fake.http,
        "http_secure": False,
        "grpc_host": "127.0.0.1",
        "grpc_port": fake.port,
        "grpc_secure": False,
        "skip_init_checks": True,
    }


@pytest.fixture
def client(fake: Fake) -> Iterator[Any]:
    with weaviate.connect_to_custom(**parameters(fake)) as made:
        yield made


@asynccontextmanager
async def connected(fake: Fake) -> AsyncIterator[Any]:
    async with weaviate.use_async_with_custom(**parameters(fake)) as made:
        yield made


def test_near_text(spans: Spans, fake: Fake, client: Any) -> None:
    garden = client.collections.get("Garden").with_tenant("north")
    answer = garden.query.near_text(
        f"who is {MAIL}",
        limit=2,
        filters=Filter.by_property("text").equal(MAIL),
        return_metadata=MetadataQuery(score=True),
        include_vector=True,
    )
    assert type(answer).__name__ == "QueryReturn"
    assert [(one.uuid, one.properties["text"]) for one in answer.objects] == list(zip(IDS, TEXTS, strict=True))
    assert fake.asked[-1].near_text.query == [f"who is {MAIL}"]
    span = only(spans)
    told = said(span)
    documents, query = json.loads(told.pop(semconv.DOCUMENTS)), told.pop(semconv.QUERY)
    assert told == {
        semconv.OPERATION: "retrieval",
        semconv.DATA_SOURCE: "Garden",
        semconv.DB_SYSTEM: "weaviate",
        semconv.DB_COLLECTION: "Garden",
        semconv.DB_NAMESPACE: "north",
        semconv.DB_OPERATION: "near_text",
        semconv.REQUEST_TOP_K: 2,
        semconv.RETRIEVAL_FILTERED: True,
        semconv.RETRIEVAL_COUNT: 2,
        semconv.RETRIEVAL_SCORES: (0.5, 0.25),
        semconv.SERVER_ADDRESS: "127.0.0.1",
        semconv.SERVER_PORT: fake.port,
        semconv.GUARD_VERDICT: "modify",
        semconv.GUARD_ACTION: "modify",
        semconv.GUARD_POLICY_NAME: "default",
    }
    assert query.startswith("who is ")
    assert documents[1] == {"id": str(IDS[1]), "content": {"metadata": {"text": "figs", "year": 2024}}}


QUERIES: dict[str, Callable[[Any], Any]] = {
    "bm25": lambda c: c.query.bm25("figs", limit=1),
    "hybrid": lambda c: c.query.hybrid("figs", vector=[0.1] * 12, limit=1),
    "near_text": lambda c: c.query.near_text(["figs"], limit=1),
    "near_vector": lambda c: c.query.near_vector([0.1] * 12, limit=1),
    "near_object": lambda c: c.query.near_object(IDS[0], limit=1),
    "near_image": lambda c: c.query.near_image("aGFsbG8=", limit=1),
    "near_media": lambda c: c.query.near_media("aGFsbG8=", weaviate.classes.query.NearMediaType.AUDIO, limit=1),
    "fetch_objects": lambda c: c.query.fetch_objects(limit=1),
    "fetch_objects_by_ids": lambda c: c.query.fetch_objects_by_ids(IDS, limit=1),
}
BY_TEXT = {"bm25", "hybrid", "near_text"}


def check(span: Any, method: str) -> None:
    told = said(span)
    assert (told[semconv.DB_OPERATION], told[semconv.REQUEST_TOP_K]) == (method, 1)
    assert told[semconv.RETRIEVAL_COUNT] == 1
    assert told.get(semconv.QUERY) == ("figs" if method in BY_TEXT else None)
    assert "aGFsbG8=" not in str(told)


@pytest.mark.parametrize("method", QUERIES)
def test_queries(spans: Spans, client: Any, method: str) -> None:
    answer = QUERIES[method](client.collections.get("Garden"))
    assert [one.uuid for one in answer.objects] == IDS[:1]
    check(only(spans), method)


def test_async_queries(spans: Spans, fake: Fake) -> None:
    async def run() -> list[Any]:
        async with connected(fake) as client:
            garden = client.collections.get("Garden")
            return [await ask(garden) for ask in QUERIES.values()]

    answers = asyncio.run(run())
    assert [one.objects[0].properties["text"] for one in answers] == TEXTS[:1] * len(QUERIES)
    assert MAIL not in str([span.attributes for span in spans.all()])
    for span, method in zip(searches(spans), QUERIES, strict=True):
        check(span, method)


def test_at_once(spans: Spans, fake: Fake) -> None:
    async def run() -> list[Any]:
        async with connected(fake) as client:
            garden = client.collections.get("Garden")
            asked = [garden.query.bm25(f"figs {number}", limit=1 + number % 2) for number in range(10)]
            return await asyncio.gather(*asked)

    assert [len(answer.objects) for answer in asyncio.run(run())] == [1, 2] * 5
    told = [said(span) for span in searches(spans)]
    assert sorted(one[semconv.QUERY] for one in told) == [f"figs {number}" for number in range(10)]
    assert all(one[semconv.RETRIEVAL_COUNT] == one[semconv.REQUEST_TOP_K] for one in told)


def test_one_object(spans: Spans, client: Any) -> None:
    one = client.collections.get("Garden").query.fetch_object_by_id(IDS[0])
    assert one.properties["text"] == TEXTS[0]
    told = said(only(spans))
    assert (told[semconv.DB_OPERATION], told[semconv.RETRIEVAL_COUNT]) == ("fetch_object_by_id", 1)


def test_in_groups(spans: Spans, client: Any) -> None:
    by_year = GroupBy(prop="year", objects_per_group=2, number_of_groups=1)
    answer = client.collections.get("Garden").query.bm25("figs", group_by=by_year)
    assert list(answer.groups) == ["2024"]
    assert said(only(spans))[semconv.RETRIEVAL_COUNT] == 2


def test_what_a_model_of_the_server_made_of_it(spans: Spans, client: Any) -> None:
    garden = client.collections.get("Garden")
    answer = garden.generate.bm25("figs", single_prompt="Mail {text}", grouped_task=f"Sum up for {MAIL}", limit=1)
    assert answer.generative.text == f"All of it is about {MAIL}."
    assert answer.objects[0].generative.text == f"Send it to {MAIL}."
    told = said(only(spans))
    assert told[semconv.RETRIEVAL_COUNT] == 1
    query, contents = json.loads(told[semconv.QUERY]), [one["content"] for one in json.loads(told[semconv.DOCUMENTS])]
    assert (query[:2], query[2][:11]) == (["figs", "Mail {text}"], "Sum up for ")
    assert (contents[1][:11], contents[2][:19]) == ("Send it to ", "All of it is about ")


def test_the_exception_is_the_librarys(spans: Spans, client: Any) -> None:
    with pytest.raises(weaviate.exceptions.WeaviateQueryError, match="no such thing"):
        client.collections.get("Broken").query.bm25("figs")
    span = only(spans)
    assert (span.status.description, said(span)[semconv.ERROR_TYPE]) == ("WeaviateQueryError",) * 2


def test_wrong_arguments_fail_as_they_did(spans: Spans, client: Any) -> None:
    with pytest.raises(weaviate.exceptions.WeaviateInvalidInputError):
        client.collections.get("Garden").query.bm25("figs", limit="many")
    assert said(only(spans))[semconv.ERROR_TYPE] == "WeaviateInvalidInputError"
