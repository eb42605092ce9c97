"""What a search says, whichever store was asked."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ...guards.messages import Message, Part
from .. import semconv
from ..operation import Operation
from ..providers.fields import dumps

MOST_DOCUMENTS = 50
"""Of a search that are told one by one; the rest are counted."""
LONGEST_NUMBERS = 8
"""A longer list of numbers is a vector: those are never told."""

_OPAQUE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z]{0,16}[-_#:.]?\d{1,6}", re.IGNORECASE)
_NAME = re.compile(r"[\w.:/-]{1,200}")

Address = tuple[str, int]


class Hit(NamedTuple):
    """One document found. `text` is what the store holds as its text, `fields` what it holds beside."""

    id: Any = None
    score: Any = None
    text: str | None = None
    fields: Mapping[str, Any] | None = None
    source: str = ""


def search(
    system: str,
    method: str,
    *,
    collection: str = "",
    namespace: str = "",
    texts: Iterable[str] = (),
    k: Any = None,
    filtered: Any = None,
    address: Address = ("", 0),
) -> Operation:
    """The record of a search that begins. `k` is how many documents were asked for, if that was said."""
    told = {
        semconv.DB_SYSTEM: system,
        semconv.DB_COLLECTION: collection,
        semconv.DB_NAMESPACE: namespace if _NAME.fullmatch(namespace) else "",
        semconv.DB_OPERATION: method,
        semconv.REQUEST_TOP_K: k if isinstance(k, int) else 0,
        semconv.RETRIEVAL_FILTERED: filtered is not None and filtered != {},
    }
    parts = tuple(Part("text", text) for text in texts if text)
    return Operation(
        "retrieval",
        collection,
        given=(Message("user", parts),) if parts else (),
        attributes={name: value for name, value in told.items() if value},
        server_address=address[0],
        server_port=address[1],
    )


def found(operation: Operation, hits: Iterable[Hit], total: int, *more: Part) -> None:
    """Fill in what a search found: `total` documents, of which the first are told, and other texts that came along."""
    told = list(islice(hits, MOST_DOCUMENTS))
    parts = (*map(document, told), *more)
    if parts:
        operation.found = (Message("tool", parts),)
    operation.attributes[semconv.RETRIEVAL_COUNT] = total
    scores = [hit.score for hit in told if isinstance(hit.score, int | float)]
    if told and len(scores) == len(told):
        operation.attributes[semconv.RETRIEVAL_SCORES] = [float(score) for score in scores]


def document(hit: Hit) -> Part:
    """A document in one part. Guards judge the text of a part only: an id that may tell something belongs into it."""
    name = "" if hit.id is None else str(hit.id)
    opaque = _OPAQUE.fullmatch(name) is not None
    said: dict[str, Any] = {} if opaque or not name else {"id": name}
    if hit.fields:
        said["metadata"] = without_vectors(hit.fields)
    if not said:
        return Part("document", hit.text or "", name=hit.source, id=name)
    if hit.text is not None:
        said["text"] = hit.text
    return Part("document", dumps(said), json=True, name=hit.source, id=name if opaque else "")


def without_vectors(value: Any) -> Any:
    """Dicts, lists and scalars without the vectors among them; anything else as its text."""
    if isinstance(value, Mapping):
        return {str(key): without_vectors(item) for key, item in value.items() if not is_vector(item)}
    if isinstance(value, list | tuple | set):
        return [without_vectors(item) for item in value if not is_vector(item)]
    return value if isinstance(value, str | int | float | None) else str(value)


def is_vector(value: Any) -> bool:
    """Numbers in a row, an array, or a sparse vector's indices and values."""
    if isinstance(value, Mapping):
        return set(value) == {"indices", "values"}
    if isinstance(value, list | tuple):
        return len(value) > LONGEST_NUMBERS and all(isinstance(number, int | float) for number in value)
    return hasattr(value, "__array__")


def texts_of(asked: Any) -> tuple[str, ...]:
    """One text or a list of them; nothing of what is no text."""
    if isinstance(asked, str):
        return (asked,)
    return tuple(text for text in asked if isinstance(text, str)) if isinstance(asked, list | tuple) else ()


def address_of(url: Any) -> Address:
    """Host and port of a URL, with or without its scheme; the scheme's port where none is named."""
    split = urlsplit(url if "//" in str(url) else f"//{url}")
    if not split.hostname:
        return "", 0
    return split.hostname, split.port or (80 if split.scheme == "http" else 443)
