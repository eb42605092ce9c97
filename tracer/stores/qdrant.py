"""Qdrant: in this process, over REST or over gRPC, by one client class each for sync and async."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from ..adapter import Adapter, Around, Kwargs
from ..operation import Operation
from ..providers.fields import field
from .retrieval import Address, Hit, found, search

_BELOW = ("query", "prefetch", "nearest", "recommend", "positive", "negative", "discover", "context", "target",
          "relevance_feedback", "feedback", "example", "mmr")  # fmt: skip
"""Fields of a query in which other queries are."""
_DEEPEST = 8
_TEXT_KEYS = ("document", "text", "page_content", "content")


def _begin(method: str, filters: tuple[str, ...], client: Any, kwargs: Kwargs) -> Operation:
    requests = kwargs.get("requests")
    asked = requests if isinstance(requests, list | tuple) else [kwargs]
    filtered = [field(one, name) for one in asked for name in filters]
    return search(
        "qdrant",
        method,
        collection=str(kwargs.get("collection_name") or ""),
        texts=[text for one in asked for text in _texts(one)],
        k=None if method == "retrieve" else sum(field(one, "limit", 10) for one in asked),
        filtered=next((one for one in filtered if one is not None), None),
        address=_address(client),
    )


def _address(client: Any) -> Address:
    """None in local mode."""
    remote = client._client  # noqa: SLF001  nothing else says where it is
    if not hasattr(remote, "_host"):
        return "", 0
    grpc = remote._prefer_grpc  # noqa: SLF001  as above
    return str(remote._host), (remote._grpc_port if grpc else remote._port) or (443 if remote._https else 80)  # noqa: SLF001  as above


def _texts(query: Any, depth: int = 0) -> Iterator[str]:
    """The texts that are embedded on the way: `Document` objects anywhere in a query."""
    if depth > _DEEPEST or query is None:
        return
    if isinstance(query, list | tuple):
        if query and not isinstance(query[0], float):  # a vector
            for one in query:
                yield from () if isinstance(one, int) else _texts(one, depth + 1)
        return
    text = field(query, "text")
    if isinstance(text, str) and field(query, "model"):
        yield text
    for name in _BELOW:
        if _may_hold(query, name):
            yield from _texts(field(query, name), depth + 1)


def _may_hold(query: Any, name: str) -> bool:
    return name in query if isinstance(query, dict) else name in getattr(type(query), "model_fields", ())


def _points(answer: Any) -> Iterable[Any]:
    return answer.points  # type: ignore[no-any-return]  # a list of points


def _batches(answer: Any) -> Iterable[Any]:
    return [point for one in answer for point in _points(one)]


def _groups(answer: Any) -> Iterable[Any]:
    return [point for group in answer.groups for point in group.hits]


def _page(answer: Any) -> Iterable[Any]:
    return answer[0]  # type: ignore[no-any-return]  # (records, offset of the next page)


def _records(answer: Any) -> Iterable[Any]:
    return answer  # type: ignore[no-any-return]  # a list of records


def _found(points: Callable[[Any], Iterable[Any]], operation: Operation, answer: Any) -> None:
    hits = list(points(answer))
    found(operation, map(_hit, hits), len(hits))


def _hit(point: Any) -> Hit:
    payload = field(point, "payload") or {}
    key = next((key for key in _TEXT_KEYS if isinstance(payload.get(key), str)), None)
    beside = {name: value for name, value in payload.items() if name != key}
    return Hit(point.id, field(point, "score"), payload[key] if key else None, beside)


_METHODS = {
    "query_points": (("query_filter",), _points),
    "query_points_groups": (("query_filter",), _groups),
    "query_batch_points": (("filter",), _batches),
    "scroll": (("scroll_filter",), _page),
    "retrieve": ((), _records),
}

ADAPTER = Adapter(
    library="qdrant_client",
    distribution="qdrant-client",
    oldest="1.16",
    below="2",
    around=tuple(
        Around(
            module=f"qdrant_client.{module}",
            sync_method="" if is_async else f"{owner}.{method}",
            async_method=f"{owner}.{method}" if is_async else "",
            begin=partial(_begin, method, filters),
            done=partial(_found, points),
        )
        for module, owner, is_async in (
            ("qdrant_client", "QdrantClient", False),
            ("async_qdrant_client", "AsyncQdrantClient", True),
        )
        for method, (filters, points) in _METHODS.items()
    ),
)
