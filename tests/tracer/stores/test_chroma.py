"""The real Chroma: its engine in this process, and its server on loopback."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spanward.tracer import semconv
from spanward.tracer.stores.chroma import _search

from ..inmemory import Spans
from .searches import MAIL, only, said, searches

chromadb = pytest.importorskip("chromadb")


class Letters(chromadb.EmbeddingFunction):  # type: ignore[misc, name-defined]  # the library is typed loosely
    """Counts letters: near enough for a test, and downloads nothing."""

    def __init__(self) -> None:
        pass

    def __call__(self, input: list[str]) -> list[list[float]]:  # noqa: A002  the base class says so
        return [[float(text.count(letter)) for letter in "abcdefghijklmnop"] for text in input]

    @staticmethod
    def name() -> str:
        return "letters"

    def get_config(self) -> dict[str, Any]:
        return {}

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> "Letters":
        return Letters()


DOCUMENTS = {
    "ids": ["doc-1", "doc-2", "bob@example.com"],
    "documents": ["bananas and apples", f"write to {MAIL}", "cabbage"],
    "metadatas": [{"source": "fruit.txt"}, {"author": MAIL}, {"source": "veg.txt"}],
}


@pytest.fixture
def collection() -> Iterator[Any]:
    client = chromadb.EphemeralClient()
    made = client.create_collection("garden", embedding_function=Letters())
    made.add(**DOCUMENTS)
    yield made
    client.delete_collection("garden")


def test_query(spans: Spans, collection: Any) -> None:
    answer = collection.query(query_texts=[f"apples for {MAIL}"], n_results=3, where={"source": {"$ne": "x"}})
    assert answer["ids"] == [["doc-2", "doc-1", "bob@example.com"]]
    assert answer["documents"] == [[f"write to {MAIL}", "bananas and apples", "cabbage"]]
    assert answer["metadatas"][0][0] == {"author": MAIL}
    told = said(only(spans))
    query, documents = told.pop(semconv.QUERY), json.loads(told.pop(semconv.DOCUMENTS))
    scores = told.pop(semconv.RETRIEVAL_SCORES)
    assert told == {
        semconv.OPERATION: "retrieval",
        semconv.DATA_SOURCE: "garden",
        semconv.DB_SYSTEM: "chroma",
        semconv.DB_COLLECTION: "garden",
        semconv.DB_NAMESPACE: "default_database",
        semconv.DB_OPERATION: "query",
        semconv.REQUEST_TOP_K: 3,
        semconv.RETRIEVAL_FILTERED: True,
        semconv.RETRIEVAL_COUNT: 3,
        semconv.GUARD_VERDICT: "modify",
        semconv.GUARD_ACTION: "modify",
        semconv.GUARD_POLICY_NAME: "default",
    }
    assert list(scores) == pytest.approx(answer["distances"][0])
    assert query.startswith("apples for ")
    assert documents[0]["id"] == "doc-2"
    fruit = {"metadata": {"source": "fruit.txt"}, "text": "bananas and apples"}
    assert documents[1] == {"id": "doc-1", "content": fruit}
    assert "id" not in documents[2]
    assert documents[2]["content"]["metadata"] == {"source": "veg.txt"}
    assert "bob@example.com" not in str(said(only(spans)))


def test_by_vectors_alone(spans: Spans, collection: Any) -> None:
    answer = collection.query(query_embeddings=[[1.0] * 16, [0.5] * 16], n_results=1, include=["embeddings"])
    assert len(answer["ids"]) == 2
    told = said(only(spans))
    assert semconv.QUERY not in told
    assert told[semconv.RETRIEVAL_COUNT] == 2
    assert semconv.RETRIEVAL_SCORES not in told
    assert "0.5" not in str(told)


def test_get(spans: Spans, collection: Any) -> None:
    answer = collection.get(ids=["doc-1", "doc-9"])
    assert answer["documents"] == ["bananas and apples"]
    told = said(only(spans))
    assert (told[semconv.DB_OPERATION], told[semconv.RETRIEVAL_COUNT]) == ("get", 1)


def test_nothing_found(spans: Spans, collection: Any) -> None:
    assert collection.get(ids=["none"])["ids"] == []
    assert said(only(spans))[semconv.RETRIEVAL_COUNT] == 0
    assert semconv.DOCUMENTS not in said(only(spans))


def test_writes_are_no_searches(spans: Spans, collection: Any) -> None:
    collection.upsert(ids=["doc-1"], documents=["figs"])
    collection.delete(ids=["doc-1"])
    assert collection.count() == 2
    assert spans.all() == []


def test_the_exception_is_the_librarys(spans: Spans, collection: Any) -> None:
    with pytest.raises(ValueError, match="Expected where"):
        collection.query(query_texts=["a"], where={"$and": "nonsense"})
    span = only(spans)
    assert span.status.description == "ValueError"
    assert said(span)[semconv.ERROR_TYPE] == "ValueError"


def test_threads(spans: Spans, collection: Any) -> None:
    answers: list[Any] = []

    def ask(number: int) -> None:
        answers.append((number, collection.query(query_texts=["abcdefghij"[number]], n_results=1)["ids"]))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked = sorted(said(span)[semconv.QUERY] for span in searches(spans))
    assert asked == sorted("abcdefgh")
    assert len(answers) == 8


def test_many_documents_are_counted_and_not_all_told(spans: Spans, collection: Any) -> None:
    collection.add(ids=[f"n-{i}" for i in range(80)], documents=["plum"] * 80)
    assert len(collection.get()["ids"]) == 83
    told = said(only(spans))
    assert told[semconv.RETRIEVAL_COUNT] == 83
    assert len(json.loads(told[semconv.DOCUMENTS])) == 50


def test_a_ranked_search_tells_its_texts() -> None:
    from chromadb.execution.expression import K, Knn, Search, Val

    asked = Search().where(K("kind") == "x").rank(Knn(query="hi there") * 0.8 + Val(0.5)).limit(7)
    assert _search({"searches": asked}) == {"texts": ("hi there",), "k": 7, "filtered": {"kind": {"$eq": "x"}}}
    by_vector = Search(rank=Knn(query=[0.1, 0.2]))
    assert _search({"searches": [asked, by_vector]})["texts"] == ("hi there",)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("chroma")
    program = Path(sys.executable).parent / "chroma"
    if not program.exists():
        pytest.skip("the command `chroma` is not installed beside python")
    environment = {**os.environ, "ANONYMIZED_TELEMETRY": "False"}
    command = [str(program), "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
    try:
        _answers(port)
        yield port
    finally:
        running.terminate()
        running.wait(10)


def _answers(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/heartbeat", timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_over_http(spans: Spans, server: int) -> None:
    client = chromadb.HttpClient(host="127.0.0.1", port=server)
    collection = client.create_collection("remote", embedding_function=Letters())
    collection.add(**DOCUMENTS)
    spans.clear()
    assert collection.query(query_texts=[MAIL], n_results=1)["ids"] == [["doc-2"]]
    span = only(spans)
    assert (said(span)["server.address"], said(span)["server.port"]) == ("127.0.0.1", server)
    assert span.kind.name == "CLIENT"
    client.delete_collection("remote")


def test_async_and_at_once(spans: Spans, server: int) -> None:
    async def run() -> list[Any]:
        client = await chromadb.AsyncHttpClient(host="127.0.0.1", port=server)
        collection = await client.create_collection("remote-async", embedding_function=Letters())
        await collection.add(**DOCUMENTS)
        spans.clear()
        asked = [collection.query(query_texts=[f"{text} {MAIL}"], n_results=1) for text in ("apples", "cabbage")]
        return [*await asyncio.gather(*asked), await collection.get(ids=["doc-1"])]

    first, second, third = asyncio.run(run())
    assert third["documents"] == ["bananas and apples"]
    assert (len(first["ids"][0]), len(second["ids"][0])) == (1, 1)
    told = [said(span) for span in searches(spans)]
    assert sorted(str(one[semconv.DB_OPERATION]) for one in told) == ["get", "query", "query"]
    assert {one["server.port"] for one in told} == {server}
    assert MAIL not in str(told)
