"""Messages as the GenAI conventions write them into span attributes, read back into what guards judge."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..guards.messages import Message, Part, PartKind

TEXT_KEYS: Mapping[str, tuple[PartKind, tuple[str, ...]]] = {
    "text": ("text", ("content",)),
    "reasoning": ("reasoning", ("content",)),
    "thinking": ("reasoning", ("content",)),
    "tool_call": ("tool_call", ("arguments",)),
    "tool_call_response": ("tool_result", ("response", "result")),
    "document": ("document", ("content",)),
}
"""The conventions' part types: our kind, and the keys that may hold the text. Any other type is media."""


def messages_of(value: Any) -> tuple[Message, ...]:
    """`gen_ai.input.messages` or `.output.messages`, as JSON text or structured. ValueError if it is neither."""
    return tuple(_message(item) for item in _listed(value))


def system_of(value: Any) -> tuple[Message, ...]:
    """`gen_ai.system_instructions`: a list of parts, or plain text. ValueError if it is neither."""
    parts = tuple(_part(item) for item in _listed(value))
    return (Message("system", parts),) if parts else ()


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        value = json.loads(value) if value else []
    if not isinstance(value, list):
        raise ValueError("messages are a list")  # noqa: TRY004  the value is at fault, not the caller
    return value


def _message(item: Any) -> Message:
    if not isinstance(item, Mapping):
        raise ValueError("a message is an object")  # noqa: TRY004
    return Message(str(item.get("role", "")), tuple(_parts(item)), str(item.get("finish_reason") or ""))


def _parts(item: Mapping[str, Any]) -> Iterator[Part]:
    """`parts`, as the conventions have it, or the `content` of those who write the provider's own messages."""
    content = item.get("parts", item.get("content"))
    if isinstance(content, str):
        yield Part("text", content)
    elif isinstance(content, list):
        yield from map(_part, content)


def _part(item: Any) -> Part:
    if isinstance(item, str):
        return Part("text", item)
    if not isinstance(item, Mapping):
        raise ValueError("a part is an object")  # noqa: TRY004
    kind, keys = TEXT_KEYS.get(str(item.get("type", "text")), ("media", ()))
    found = next((item[key] for key in (*keys, "text") if item.get(key) is not None), "")
    plain = isinstance(found, str)
    text = found if plain else json.dumps(found, ensure_ascii=False)
    return Part(
        kind,
        "" if kind == "media" else text,
        json=not plain,
        name=str(item.get("name") or ""),
        id=str(item.get("id") or ""),
    )
