"""What of a document is told as it is, what guards have to see first, and what is never told."""

import json
import uuid
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.messages import Part
from spanward.tracer import semconv
from spanward.tracer.stores.retrieval import Hit, address_of, document, found, is_vector, search, without_vectors


@pytest.mark.parametrize(
    "name", ["doc-1", "movie_42", "chunk:7", "7", 123456, uuid.UUID(int=7), str(uuid.UUID(int=2**127)), "a.9"]
)
def test_an_id_that_tells_nothing_stands_beside_the_text(name: Any) -> None:
    assert document(Hit(name, text="figs")) == Part("document", "figs", id=str(name))


@pytest.mark.parametrize(
    "name",
    ["ada@example.com", "123-45-6789", "5551234567", "4111 1111 1111 1111", "Ada Lovelace", "+1-555-0100", "1-2-3"],
)
def test_any_other_id_is_for_the_guards(name: str) -> None:
    part = document(Hit(name, text="figs"))
    assert (part.id, part.json, json.loads(part.text)) == ("", True, {"id": name, "text": "figs"})


def test_what_a_store_holds_beside_the_text_is_told_with_it() -> None:
    part = document(Hit("doc-1", 0.5, "figs", {"by": "Ada", "vector": [0.5] * 12, "when": uuid.UUID(int=1)}))
    assert json.loads(part.text) == {"metadata": {"by": "Ada", "when": str(uuid.UUID(int=1))}, "text": "figs"}


def test_a_document_without_anything() -> None:
    assert document(Hit()) == Part("document")


@pytest.mark.parametrize(
    ("value", "whether"),
    [
        ([0.1] * 9, True),
        (tuple(range(9)), True),
        (np.zeros(2), True),
        ({"indices": [1], "values": [0.5]}, True),
        ([2019, 2020], False),
        (["figs"] * 20, False),
        ([], False),
        ({"indices": [1]}, False),
        ("0.1 0.2", False),
        (None, False),
    ],
)
def test_vectors(value: Any, whether: bool) -> None:
    assert is_vector(value) is whether
    assert without_vectors({"a": value}) == ({} if whether else {"a": value})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), anything))
def test_whatever_a_payload_holds_is_told_as_json(payload: dict[str, Any]) -> None:
    part = document(Hit("doc-1", text="figs", fields=payload))
    assert (json.loads(part.text)["text"] if part.json else part.text) == "figs"


def test_scores_are_told_if_each_document_has_one() -> None:
    operation = search("store", "query")
    found(operation, [Hit("1", 0.5), Hit("2", 1)], 2)
    assert operation.attributes[semconv.RETRIEVAL_SCORES] == [0.5, 1.0]
    operation = search("store", "query")
    found(operation, [Hit("1", 0.5), Hit("2")], 2)
    assert semconv.RETRIEVAL_SCORES not in operation.attributes


def test_a_filter_is_told_of_and_not_told() -> None:
    assert semconv.RETRIEVAL_FILTERED not in search("store", "query", filtered={}).attributes
    assert search("store", "query", filtered={"mail": "ada@example.com"}).attributes == {
        semconv.DB_SYSTEM: "store",
        semconv.DB_OPERATION: "query",
        semconv.RETRIEVAL_FILTERED: True,
    }


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://db.example.com", ("db.example.com", 443)),
        ("http://db.example.com/v2", ("db.example.com", 80)),
        ("http://127.0.0.1:8000/api", ("127.0.0.1", 8000)),
        ("db.example.com:6333", ("db.example.com", 6333)),
        ("", ("", 0)),
    ],
)
def test_where_a_url_leads(url: str, address: tuple[str, int]) -> None:
    assert address_of(url) == address
