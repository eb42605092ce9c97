"""A search among other spans, and the libraries as they were before and after us."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import wrapt
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import spanward
from spanward.collector.demo.provider import serve_in_thread
from spanward.tracer import patching, registry, semconv

from ..inmemory import Spans, traced
from .searches import MAIL, only, said

chromadb = pytest.importorskip("chromadb")

STORES = ("chromadb", "pinecone", "qdrant_client", "weaviate")


class Asking(chromadb.EmbeddingFunction):  # type: ignore[misc, name-defined]  # the library is typed loosely
    """Embeds behind the traced SDK, or fails."""

    address = ""
    error: Exception | None = None

    def __init__(self) -> None:
        pass

    def __call__(self, input: list[str]) -> list[list[float]]:  # noqa: A002  the base class says so
        if self.error is not None:
            raise self.error
        with openai.OpenAI(base_url=f"{self.address}/v1", api_key="demo", max_retries=0) as client:
            answer = client.embeddings.create(model="text-embedding-3-small", input=input)
        return [one.embedding for one in answer.data]

    @staticmethod
    def name() -> str:
        return "asking"

    def get_config(self) -> dict[str, Any]:
        return {}

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> "Asking":  # the base class says so
        return Asking()


@pytest.fixture
def asked() -> Iterator[tuple[Any, Asking]]:
    client = chromadb.EphemeralClient()
    with serve_in_thread() as provider:
        asking = Asking()
        asking.address = provider.address
        made = client.create_collection("asked", embedding_function=asking)
        made.add(ids=["doc-1"], documents=["figs"])
        yield made, asking
    client.delete_collection("asked")


def test_a_model_that_embeds_the_query_is_beneath_the_search(spans: Spans, asked: tuple[Any, Asking]) -> None:
    spans.clear()
    collection, _ = asked
    theirs = TracerProvider().get_tracer("theirs").start_span("theirs")
    with trace.use_span(theirs):
        assert collection.query(query_texts=[f"who is {MAIL}"], n_results=1)["ids"] == [["doc-1"]]
    searched, embedded = only(spans), spans.one()
    assert said(embedded)[semconv.OPERATION] == "embeddings"
    assert embedded.parent is not None
    assert searched.parent is not None
    assert embedded.parent.span_id == searched.context.span_id
    assert searched.parent.span_id == theirs.get_span_context().span_id
    assert semconv.INPUT_TOKENS not in said(searched)


def test_an_exception_is_the_same_object(spans: Spans, asked: tuple[Any, Asking]) -> None:
    spans.clear()
    collection, asking = asked
    asking.error = error = LookupError(MAIL)
    with pytest.raises(LookupError) as raised:
        collection.query(query_texts=["figs"])
    assert raised.value is error
    assert said(only(spans))[semconv.ERROR_TYPE] == "LookupError"


@pytest.mark.parametrize("library", STORES)
def test_methods_are_the_very_same_after_us(library: str, tmp_path: Path, instrumented: Spans) -> None:
    spanward.uninstrument()
    pytest.importorskip(library)
    around = registry.load(library).around
    there = [one for one in around if importlib.util.find_spec(one.module) is not None]
    places = [(one.module, method) for one in there for method, _ in patching.methods(one)]
    for module, _ in places:
        importlib.import_module(module)
    before = {place: patching.find(*place) for place in places}
    assert not any(isinstance(found[2], wrapt.FunctionWrapper) for found in before.values() if found)
    with traced(tmp_path, guards="off"):
        during = {place: patching.find(*place) for place in places}
    after = {place: patching.find(*place) for place in places}
    assert all(isinstance(found[2], wrapt.FunctionWrapper) for found in during.values() if found)
    assert after == before
    assert sum(found is not None for found in after.values()) >= 6
