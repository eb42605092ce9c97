"""Chroma: collections in this process or behind HTTP."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat
from typing import Any

from ..adapter import Adapter, Around, Kwargs
from ..operation import Operation
from ..providers.fields import field
from .retrieval import Address, Hit, address_of, found, search, texts_of


def _begin(method: str, read: Callable[[Kwargs], Kwargs], collection: Any, kwargs: Kwargs) -> Operation:
    return search(
        "chroma",
        method,
        collection=collection.name,
        namespace=collection.database,
        address=_address(collection),
        **read(kwargs),
    )


def _address(collection: Any) -> Address:
    """None in an embedded database."""
    url = getattr(collection._client, "_api_url", "")  # noqa: SLF001  nothing else says where a collection lies
    return address_of(url) if url else ("", 0)


def _query(kwargs: Kwargs) -> Kwargs:
    return {
        "texts": texts_of(kwargs.get("query_texts")),
        "k": kwargs.get("n_results", 10),
        "filtered": _filter(kwargs),
    }


def _get(kwargs: Kwargs) -> Kwargs:
    return {"k": kwargs.get("limit"), "filtered": _filter(kwargs)}


def _filter(kwargs: Kwargs) -> Any:
    return kwargs.get("where") or kwargs.get("where_document") or None


def _search(kwargs: Kwargs) -> Kwargs:
    """One search or several, each an object whose parts are private but for `to_dict`."""
    asked: Any = kwargs.get("searches")
    told = [one.to_dict() for one in (asked if isinstance(asked, list) else [asked])]
    return {
        "texts": tuple(text for one in told for text in _ranked_by(one.get("rank"))),
        "k": sum(one.get("limit", {}).get("limit") or 0 for one in told),
        "filtered": next((one["filter"] for one in told if one.get("filter")), None),
    }


def _ranked_by(rank: Any) -> Iterator[str]:
    """The texts among the queries of a ranking, which is a tree of dicts and lists."""
    if isinstance(rank, dict):
        query = rank.get("query")
        yield from (query,) if isinstance(query, str) else ()
        for below in rank.values():
            yield from _ranked_by(below)
    elif isinstance(rank, list):
        for below in rank:
            yield from _ranked_by(below)


def _found(operation: Operation, answer: Any) -> None:
    """Columns of rows, or of batches of rows."""
    names = ("ids", "documents", "metadatas", "distances" if "distances" in answer else "scores")
    columns = [field(answer, name) for name in names]
    nested = bool(columns[0]) and isinstance(columns[0][0], list)
    batches = zip(*(column or repeat(None) for column in columns), strict=False) if nested else (tuple(columns),)
    rows = (Hit(key, score, text, beside) for batch in batches for key, text, beside, score in _rows(batch))
    total = sum(map(len, columns[0])) if nested else len(columns[0] or ())
    found(operation, rows, total)


def _rows(batch: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    return zip(*(column or repeat(None) for column in batch), strict=False) if batch[0] else iter(())


_METHODS = {"query": _query, "get": _get, "search": _search}


def _around(method: str, module: str, *, is_async: bool) -> Around:
    place = f"{module}.{method}"
    return Around(
        module=f"chromadb.api.models.{module}",
        sync_method="" if is_async else place,
        async_method=place if is_async else "",
        begin=partial(_begin, method, _METHODS[method]),
        done=_found,
    )


ADAPTER = Adapter(
    library="chromadb",
    distribution="chromadb",
    oldest="1.2.0",
    below="2",
    around=tuple(
        _around(method, module, is_async=is_async)
        for module, is_async in (("Collection", False), ("AsyncCollection", True))
        for method in _METHODS
    ),
)
