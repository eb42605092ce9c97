"""What goes to Gemini models and comes back: contents made of parts, as objects of the library, dicts or plain text."""

import re
from collections.abc import Iterator
from typing import Any

from ...guards.messages import Message, Part, PartKind, Path
from .fields import dumps, media, whole

_ROLES = {"model": "assistant", "function": "tool", "tool": "tool", "system": "system"}
_BESIDE_TEXT = {
    "text", "thought", "thought_signature", "thoughtSignature", "video_metadata", "videoMetadata", "media_resolution",
    "mediaResolution", "function_call", "functionCall", "function_response", "functionResponse", "inline_data",
    "inlineData", "file_data", "fileData", "executable_code", "executableCode", "code_execution_result",
    "codeExecutionResult",
}  # fmt: skip
"""Fields of a part that are read by name, or hold nothing readable."""


def at(thing: Any, name: str) -> tuple[str, Any]:
    """(the name that it has there, value) of a field; dicts may spell it in either of two ways."""
    if isinstance(thing, dict):
        if thing.get(name) is None:
            name = re.sub("_(.)", lambda found: found[1].upper(), name)
        return name, thing.get(name)
    return name, getattr(thing, name, None)


def get(thing: Any, name: str) -> Any:
    return at(thing, name)[1]


def dumped(model: Any) -> Any:
    """An object of the library as JSON values; anything else as it is."""
    if hasattr(model, "model_dump"):
        return model.model_dump(mode="json", by_alias=True, exclude_none=True)
    return model


def messages(contents: Any, where: Path) -> Iterator[Message]:
    """The turns of a request: what is no turn is a part of what the user says."""
    if not isinstance(contents, list | tuple):
        contents, places = [contents], [where]
    else:
        places = [(*where, i) for i in range(len(contents))]
    for content, place in zip(contents, places, strict=True):
        yield Message(_ROLES.get(str(get(content, "role") or ""), "user"), tuple(parts(content, place)))


def parts(said: Any, where: Path, kind: PartKind = "text") -> Iterator[Part]:
    """Everything in a text, a part, a turn, a picture, a file, or a list of them."""
    if said is None:
        return
    if isinstance(said, str):
        if said:
            yield Part(kind, said, where=where)
    elif isinstance(said, list | tuple):
        for i, item in enumerate(said):
            yield from parts(item, (*where, i), kind)
    elif get(said, "parts") is not None:
        yield from parts(get(said, "parts"), (*where, "parts"), kind)
    elif type(said).__module__.partition(".")[0] == "PIL":
        yield media(data=said.tobytes(), mime="image/png", name="image")
    elif get(said, "uri") and get(said, "mime_type"):
        yield media(str(get(said, "uri")), mime=str(get(said, "mime_type")), name="file")
    else:
        yield from _part(said, where, kind)


def _part(part: Any, where: Path, kind: PartKind) -> Iterator[Part]:
    if text := get(part, "text"):
        yield Part("reasoning" if get(part, "thought") is True and kind == "text" else kind, text, where=(*where, "text"))  # noqa: E501  # fmt: skip
    yield from _called(part, where)
    name, ran = at(part, "executable_code")
    if get(ran, "code"):
        yield Part("tool_call", get(ran, "code"), name="executable_code", id=str(get(ran, "id") or ""), where=(*where, name, "code"))  # noqa: E501  # fmt: skip
    name, result = at(part, "code_execution_result")
    if get(result, "output"):
        yield Part("tool_result", get(result, "output"), id=str(get(result, "id") or ""), where=(*where, name, "output"))  # noqa: E501  # fmt: skip
    if (blob := get(part, "inline_data")) is not None:
        mime = str(get(blob, "mime_type") or "")
        yield media(data=get(blob, "data") or b"", mime=mime, name=mime.partition("/")[0])
    if (file := get(part, "file_data")) is not None:
        mime = str(get(file, "mime_type") or "")
        yield media(str(get(file, "file_uri") or ""), mime=mime, name=mime.partition("/")[0])
    for name in sorted(_names(part) - _BESIDE_TEXT):
        value = part.get(name) if isinstance(part, dict) else getattr(part, name)
        yield from leaves(value, (*where, name), kind)


def _called(part: Any, where: Path) -> Iterator[Part]:
    """A call of the application's function, or what it gave."""
    name, called = at(part, "function_call")
    if called is not None:
        yield call_part(called, (*where, name))
    name, result = at(part, "function_response")
    if result is not None:
        told = get(result, "response")
        yield Part("tool_result", dumps(told or {}), json=True, name=str(get(result, "name") or ""),
                   id=str(get(result, "id") or ""), where=(*where, name, "response"))  # fmt: skip
        yield from parts(get(result, "parts"), (*where, name, "parts"), "tool_result")


def call_part(called: Any, where: Path) -> Part:
    arguments = get(called, "args")
    return Part("tool_call", dumps(arguments or {}), json=True, name=str(get(called, "name") or ""),
                id=str(get(called, "id") or ""), where=(*where, "args"))  # fmt: skip


def _names(thing: Any) -> set[str]:
    """Fields that are set."""
    if isinstance(thing, dict):
        return {str(name) for name, value in thing.items() if value is not None}
    fields = getattr(type(thing), "model_fields", None)
    return {name for name in fields or () if getattr(thing, name) is not None}


def leaves(value: Any, where: Path, kind: PartKind = "text", name: str = "") -> Iterator[Part]:
    """Every string below a value whose shape says nothing to us."""
    if isinstance(value, str):
        if value and type(value) is str:
            yield Part(kind, value, name=name, where=where)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*where, key), kind, name)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from leaves(item, (*where, i), kind, name)
    else:
        for key in sorted(_names(value)):
            yield from leaves(getattr(value, key), (*where, key), kind, name)


def definition(value: Any, where: Path, name: str) -> Part:
    """A declaration or a schema, as one JSON text."""
    return whole(dumped(value), where, kind="tool_definition", name=name)
