"""Texts of a request that its adapter named nowhere: arguments newer than it, shapes that nobody expected.

Nothing goes to a provider unjudged because nobody thought of it: what is left is judged text by text, and never
recorded. References, ids, names and what is shorter than any secret and made like a word are no texts.
"""

import re
from collections.abc import Iterable
from typing import Any

from ..guards.messages import Message, Part, Path

KEYS = frozenset({
    "type", "role", "id", "name", "model", "models", "object", "status", "signature", "thought_signature",
    "thoughtSignature", "encrypted_content", "encrypted_index", "redactedContent", "data", "file_data", "fileData",
    "image_url", "video_url", "audio_url", "document_url", "url", "uri", "file_url", "file_uri", "fileUri", "gcs_uri",
    "gcsUri", "b64_json", "bytes", "image", "images", "audio", "video", "input_audio", "result", "conversation",
    "container", "cached_content", "cachedContent", "betas", "inputImage", "maskImage", "init_image", "mask",
    "mask_image", "referenceImage", "base64", "source_image",
})  # fmt: skip
"""Keys of ids, names, addresses, media and what is sealed: a string there, or in a list there, is no text."""
IDS = ("_id", "_ids", "Id", "Ids", "Identifier", "Arn")
"""Ends of such keys."""
TRANSPORT = frozenset({
    "headers", "additional_headers", "additional_query_parameters", "authorization_token", "base_url", "baseUrl",
    "client_args", "clientArgs", "async_client_args", "asyncClientArgs",
})  # fmt: skip
"""Keys of what is for the transport, credentials and all, wherever it stands."""
WORD = re.compile(r"[A-Za-z][\w./:+-]{0,18}").fullmatch
"""One of a few words, as settings are; no personal datum with a pattern and no secret is so short."""
BLOB = 512
"""Characters: so many without a space are encoded bytes."""
MOST = 200_000
"""Values that are looked at."""
DEEPEST = 2_000
"""Steps into a value: more than any encoder of JSON goes. One that holds itself has no end."""
_NUMBERS = frozenset({int, float, bool, type(None)})


def leftover(
    kwargs: dict[str, Any], known: Iterable[Message], apart: frozenset[str] | None, whole: tuple[str, ...]
) -> tuple[Message, ...]:
    """What `known` parts do not cover of the arguments, without those `apart` and those that they cover `whole`. Raises
    ValueError if there is no end.
    """
    if apart is None or not (rest := _rest(kwargs, whole)):
        return ()
    covered = {part.where for message in known for part in message.parts}
    stack: list[tuple[Path, Any]] = [((), rest)]
    found: list[Part] = []
    looked = 0
    while stack:
        where, value = stack.pop()
        looked += 1
        items: Iterable[tuple[Any, Any]] = value.items() if type(value) is dict else _items(value)
        for key, item in items:
            looked += 1
            kind = type(item)
            is_text = kind is str or isinstance(item, str)
            if kind in _NUMBERS or (is_text and key in KEYS):  # as many are: no path is made for them
                continue
            here = (*where, key)
            if here in covered or key in (TRANSPORT if where else apart):
                continue
            if not is_text:
                if kind is dict and len(item) == 2 and (*here, "content") in covered and type(item.get("role")) is str:
                    continue  # a text and who said it, as nearly all of a conversation is
                stack.append((here, item))
            elif _is_text(item) and not _is_reference(here):
                found.append(Part("text", item, name="other", where=here))
        if looked > MOST or len(where) > DEEPEST:
            raise ValueError("a request without an end")
    return (Message("user", tuple(found)),) if found else ()


def _rest(kwargs: dict[str, Any], whole: tuple[str, ...]) -> dict[str, Any]:
    """Arguments that have to be looked through: of most calls none."""
    rest = {}
    for key, item in kwargs.items():
        kind = type(item)
        if kind not in _NUMBERS and key not in whole and (kind is not str or key not in KEYS):
            rest[key] = item
    return rest


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    """What is in it, by key or place."""
    if isinstance(value, dict):
        return value.items()
    if isinstance(value, (list, tuple)):
        return enumerate(value)
    return vars(value).items() if hasattr(type(value), "model_fields") else ()


def _is_text(value: str) -> bool:
    if not value or WORD(value):
        return False
    return len(value) < BLOB or any(map(str.isspace, value[:BLOB]))


def _is_reference(where: Path) -> bool:
    """By the last key on the way that is none of a list."""
    key = next((str(step) for step in reversed(where) if isinstance(step, str)), "")
    return key in KEYS or key.endswith(IDS)


HTTP = frozenset({"extra_headers", "extra_query", "timeout", "stream", "max_retries", "idempotency_key"})
"""What the methods of Stainless' SDKs take for the transport."""
