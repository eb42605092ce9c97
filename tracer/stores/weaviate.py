"""Weaviate, by its v4 collections: what `query` and `generate` ask over gRPC.

A method stands once, in an executor class that the sync and the async collection share: it gives the answer for one
and an awaitable for the other. So each is wrapped for both, and the connection says which it is.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from ...guards.messages import Part
from ..adapter import Adapter, Around, Kwargs
from ..operation import Operation
from ..providers.fields import field
from .retrieval import Address, Hit, found, search, texts_of


def _begin(method: str, executor: Any, kwargs: Kwargs) -> Operation:
    prompts = (kwargs.get("single_prompt"), kwargs.get("grouped_task"))
    return search(
        "weaviate",
        method,
        collection=executor._name,  # noqa: SLF001  nothing else says what it asks
        namespace=str(getattr(executor, "_BaseExecutor__tenant", None) or ""),
        texts=(*texts_of(kwargs.get("query")), *(text for prompt in prompts for text in _prompt(prompt))),
        k=kwargs.get("limit"),
        filtered=kwargs.get("filters"),
        address=_address(executor),
    )


def _prompt(prompt: Any) -> tuple[str, ...]:
    return texts_of(prompt if isinstance(prompt, str) else getattr(prompt, "prompt", None))


def _address(executor: Any) -> Address:
    grpc = executor._connection._connection_params.grpc  # noqa: SLF001  as above
    return grpc.host, grpc.port


def _is_async(executor: Any) -> bool:
    return type(executor._connection).__name__.endswith("Async")  # noqa: SLF001  as above


def _asked_async(executor: Any, kwargs: Kwargs) -> bool:  # noqa: ARG001  the face of `applies`
    return _is_async(executor)


def _asked_sync(executor: Any, kwargs: Kwargs) -> bool:  # noqa: ARG001  as above
    return not _is_async(executor)


def _found(operation: Operation, answer: Any) -> None:
    """Objects, in groups or not, and what a model of the server's made of them; None for an id that is not there."""
    objects = field(answer, "objects", ()) if hasattr(answer, "objects") else [answer] if answer is not None else []
    found(operation, map(_hit, objects), len(objects), *(Part("text", text) for text in _generated(answer, objects)))


def _hit(one: Any) -> Hit:
    said = one.metadata
    scores = (field(said, name) for name in ("rerank_score", "score", "distance", "certainty"))
    score = next((score for score in scores if score is not None), None)
    return Hit(one.uuid, score, fields=one.properties)


def _generated(answer: Any, objects: Any) -> Iterator[str]:
    """For each object, for each group, for all together."""
    groups = getattr(answer, "groups", None) or {}
    alike = (*objects, *(groups.values() if isinstance(groups, dict) else ()), answer)
    for one in alike:
        text = field(getattr(one, "generative", None), "text") or vars(one).get("generated") if one else None
        if isinstance(text, str) and text:
            yield text


_MODULES = {
    "bm25": "_BM25", "fetch_objects": "_FetchObjects", "fetch_objects_by_ids": "_FetchObjectsByIDs",
    "hybrid": "_Hybrid", "near_image": "_NearImage", "near_media": "_NearMedia", "near_object": "_NearObject",
    "near_text": "_NearText", "near_vector": "_NearVector",
}  # fmt: skip
_PLACES = (
    *((f"{method}.{what}", f"{name}{what.title()}Executor.{method}", method)
      for method, name in _MODULES.items() for what in ("query", "generate")),
    ("fetch_object_by_id", "_FetchObjectByIDQueryExecutor.fetch_object_by_id", "fetch_object_by_id"),
)  # fmt: skip


def _around(module: str, place: str, method: str, *, is_async: bool) -> Around:
    return Around(
        module=f"weaviate.collections.queries.{module}.executor",
        sync_method="" if is_async else place,
        async_method=place if is_async else "",
        begin=partial(_begin, method),
        done=_found,
        applies=_asked_async if is_async else _asked_sync,
    )


ADAPTER = Adapter(
    library="weaviate",
    distribution="weaviate-client",
    oldest="4.16",
    below="5",
    around=tuple(_around(*place, is_async=is_async) for place in _PLACES for is_async in (False, True)),
)
