"""Pinecone: searches of an index (over REST or gRPC) and of its documents, and the models it serves."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from ...guards.messages import Message, Part
from ..adapter import Adapter, Around, Endpoint, Kwargs
from ..call import ModelCall, Usage
from ..operation import Operation
from ..providers.fields import counts, field, given, number, plain, whole
from .retrieval import Address, Hit, address_of, found, search, texts_of


def _begin(method: str, read: Callable[[Kwargs], Kwargs], owner: Any, kwargs: Kwargs) -> Operation:
    address = _address(owner)
    return search(
        "pinecone",
        method,
        collection=address[0].partition(".")[0] if address[0].endswith(".pinecone.io") else "",
        namespace=str(kwargs.get("namespace") or ""),
        address=address,
        **read(kwargs),
    )


def _address(owner: Any) -> Address:
    """An index is known by its host alone, whose first label begins with its name."""
    config = getattr(owner, "_config", None) or getattr(owner, "config", None)
    return address_of(getattr(owner, "_host", None) or getattr(config, "host", ""))


def _by_vector(kwargs: Kwargs) -> Kwargs:
    return {"k": kwargs.get("top_k"), "filtered": kwargs.get("filter")}


def _by_text(kwargs: Kwargs) -> Kwargs:
    """The index's own model embeds the text. `query` is the older form, a mapping or object with the same fields."""
    asked = kwargs.get("query") or kwargs
    return {
        "texts": texts_of(field(field(asked, "inputs", {}), "text")),
        "k": field(asked, "top_k"),
        "filtered": field(asked, "filter"),
    }


def _by_scores(kwargs: Kwargs) -> Kwargs:
    clauses = kwargs.get("score_by") or ()
    return {
        "texts": [text for clause in clauses for text in texts_of(field(clause, "query"))],
        "k": kwargs.get("top_k"),
        "filtered": kwargs.get("filter"),
    }


def _by_id(kwargs: Kwargs) -> Kwargs:
    return {"filtered": kwargs.get("filter")}


def _matches(answer: Any) -> Iterable[Hit]:
    """None where the answer is still to come (`async_req`)."""
    return [Hit(one.id, one.score, fields=field(one, "metadata")) for one in getattr(answer, "matches", ())]


def _hits(answer: Any) -> Iterable[Hit]:
    return [Hit(_reserved(one, "id"), _reserved(one, "score"), fields=one.fields) for one in answer.result.hits]


def _reserved(hit: Any, name: str) -> Any:
    """`id_` since version 9, `_id` before."""
    value = getattr(hit, f"{name}_", None)
    return hit[f"_{name}"] if value is None else value


def _vectors(answer: Any) -> Iterable[Hit]:
    return [Hit(key, fields=one.metadata) for key, one in answer.vectors.items()]


def _documents(answer: Any) -> Iterable[Hit]:
    """Matches of a search, or a dict of what was fetched. The reserved fields are told by their own names."""
    documents = answer.matches if hasattr(answer, "matches") else answer.documents.values()
    return [Hit(one.id, one.score, fields=_unreserved(one.to_dict())) for one in documents]


def _unreserved(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in {"_id", "_score"}}


def _found(hits: Callable[[Any], Iterable[Hit]], operation: Operation, answer: Any) -> None:
    told = list(hits(answer))
    found(operation, told, len(told))


def _request(operation: str, fill: Callable[[ModelCall, Kwargs], None], service: Any, kwargs: Kwargs) -> ModelCall:
    host, port = address_of(service._http._config.host)  # noqa: SLF001  nothing else says where it is
    model = kwargs.get("model")
    call = ModelCall(operation, "pinecone", request_model=str(getattr(model, "value", model) or ""))
    call.server_address, call.server_port = host, port
    fill(call, kwargs)
    return call


def _embed(call: ModelCall, kwargs: Kwargs) -> None:
    kwargs["inputs"] = plain(kwargs.get("inputs"))
    call.messages = (Message("user", tuple(_texts(kwargs["inputs"], ("inputs",)))),)
    call.params = given(kwargs, ("dimension",))


def _rerank(call: ModelCall, kwargs: Kwargs) -> None:
    kwargs["documents"] = plain(kwargs.get("documents"))
    asked = [Part("text", str(kwargs["query"]), where=("query",))] if kwargs.get("query") else []
    call.messages = (Message("user", (*asked, *_texts(kwargs["documents"], ("documents",)))),)
    call.params = given(kwargs, ("top_n",))


def _texts(asked: Any, where: tuple[str | int, ...]) -> Iterator[Part]:
    """One text, or a list of texts and of mappings whose values are texts."""
    if isinstance(asked, str):
        yield Part("text", asked, where=where)
    elif isinstance(asked, dict):
        for name, value in asked.items():
            if isinstance(value, str | dict | list):
                yield whole(value, (*where, name), name=name)
    elif isinstance(asked, list):
        for place, one in enumerate(asked):
            yield from _texts(one, (*where, place))


def _embedded(call: ModelCall, answer: Any) -> None:
    call.response_model = answer.model
    call.usage = Usage(input=number(answer.usage, "total_tokens"), source="provider", raw=_raw(answer.usage))


def _reranked(call: ModelCall, answer: Any) -> None:
    """What comes back of the documents is what was sent, with the placeholders that the guards put in."""
    call.response_model = answer.model
    call.usage = Usage(source="provider", raw=_raw(answer.usage))
    places = ((place, one.document) for place, one in enumerate(answer.data) if one.document)
    parts = tuple(part for place, document in places for part in _texts(document, ("data", place, "document")))
    call.output = (Message("assistant", parts),) if parts else ()


def _raw(usage: Any) -> dict[str, Any]:
    return counts({name: getattr(usage, name, None) for name in usage.__struct_fields__})


_INDEX = {
    "query": (_by_vector, _matches),
    "search": (_by_text, _hits),
    "fetch": (_by_id, _vectors),
}
_INDICES = (
    ("index", "Index"),
    ("async_client.async_index", "AsyncIndex"),
    ("grpc", "GrpcIndex"),
    ("db_data.index", "Index"),  # before version 9, as the next
    ("db_data.index_asyncio", "_IndexAsyncio"),
)
_DOCUMENTS = {"search": (_by_scores, _documents), "fetch": (_by_id, _documents)}


def _around(
    module: str, owner: str, method: str, of: dict[str, tuple[Callable[..., Any], Callable[..., Any]]]
) -> Around:
    read, hits = of[method]
    place = f"{owner}.{method}"
    is_async = "Async" in owner
    return Around(
        module=f"pinecone.{module}",
        sync_method="" if is_async else place,
        async_method=place if is_async else "",
        begin=partial(_begin, method, read),
        done=partial(_found, hits),
    )


def _endpoint(method: str, module: str, owner: str, read: Callable[..., None], done: Callable[..., None]) -> Endpoint:
    place = f"{owner}.{method}"
    is_async = owner.startswith("Async")
    return Endpoint(
        module=f"pinecone.{module}",
        sync_method="" if is_async else place,
        async_method=place if is_async else "",
        request=partial(_request, {"embed": "embeddings"}.get(method, method), read),
        response=done,
    )


ADAPTER = Adapter(
    library="pinecone",
    distribution="pinecone",
    oldest="10.0",
    below="11",
    endpoints=tuple(
        _endpoint(method, module, owner, read, done)
        for module, owner in (("client.inference", "Inference"), ("async_client.inference", "AsyncInference"))
        for method, read, done in (("embed", _embed, _embedded), ("rerank", _rerank, _reranked))
    ),
    around=(
        # `search_records` calls `search`, `query_namespaces` calls `query` for each
        *(_around(module, owner, method, _INDEX) for module, owner in _INDICES for method in _INDEX),
        *(
            _around(module, owner, method, _DOCUMENTS)
            for module, owner in (("client.documents", "Documents"), ("async_client.documents", "AsyncDocuments"))
            for method in _DOCUMENTS
        ),
    ),
)
