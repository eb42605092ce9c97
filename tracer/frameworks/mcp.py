"""The client half of the Model Context Protocol: calls of tools, and the other requests of a session.

The library has spans of its own on the process's tracer, and sends the trace context of OpenTelemetry's current span
to the server. Ours is never that one: with us a server is told what it was told without us.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from ...guards.messages import Message, Part
from .. import semconv
from ..adapter import Adapter, Around, Kwargs
from ..operation import Operation
from ..providers.fields import dumps, field, media

TOOL_ERROR = "tool_error"
"""The conventions' `error.type` of a tool that answered, and said that it failed."""


def _begin(method: str, given: Callable[[Kwargs], Iterable[Part]], session: Any, kwargs: Kwargs) -> Operation:
    name = str(kwargs.get("name") or "")
    parts = tuple(given(kwargs))
    operation = Operation(
        "execute_tool" if method == "tools/call" else "",
        name if method == "tools/call" else f"{method} {name}".rstrip(),
        given=(Message("assistant" if method == "tools/call" else "user", parts),) if parts else (),
        attributes={semconv.MCP_METHOD: method},
    )
    if method == "tools/call":
        operation.attributes[semconv.TOOL_TYPE] = "extension"
    elif method == "prompts/get":
        operation.attributes[semconv.PROMPT_NAME] = name
    _tell_server(operation, session)
    return operation


def _tell_server(operation: Operation, session: Any) -> None:
    """What it agreed on with the server, once it did: the older library forgets it."""
    server = getattr(session, "server_info", None)
    if server is not None:
        operation.attributes[semconv.MCP_SERVER] = f"{server.name} {server.version or ''}".rstrip()
    version = getattr(session, "protocol_version", None)
    if isinstance(version, str):
        operation.attributes[semconv.MCP_PROTOCOL] = version


def _arguments(kwargs: Kwargs) -> Iterator[Part]:
    if kwargs.get("arguments"):
        yield Part("tool_call", dumps(kwargs["arguments"]), json=True, name=str(kwargs.get("name") or ""))


def _uri(kwargs: Kwargs) -> Iterator[Part]:
    if kwargs.get("uri"):
        yield Part("text", str(kwargs["uri"]))


def _argument(kwargs: Kwargs) -> Iterator[Part]:
    if kwargs.get("argument"):
        yield Part("text", dumps(kwargs["argument"]), json=True)


def _nothing(kwargs: Kwargs) -> Iterator[Part]:  # noqa: ARG001  the face of the others
    return iter(())


def _tool_result(operation: Operation, answer: Any) -> None:
    content = list(field(answer, "content", ()))
    structured = _either(answer, "structured_content", "structuredContent")
    parts = [part for block in content for part in _block(block)]
    if structured is not None:
        said = Part("tool_result", dumps(structured), json=True)
        parts = [said, *(part for part in parts if not _repeats(part, structured))]
    operation.found = (Message("tool", tuple(parts)),) if parts else ()
    if _either(answer, "is_error", "isError"):
        operation.error_type = TOOL_ERROR


def _either(thing: Any, name: str, older: str) -> Any:
    return getattr(thing, name, None) if hasattr(thing, name) else getattr(thing, older, None)


def _repeats(part: Part, structured: Any) -> bool:
    """Servers say structured content once more as text, for clients that do not know it."""
    try:
        return part.kind == "tool_result" and bool(json.loads(part.text) == structured)
    except (ValueError, RecursionError):
        return False


def _block(block: Any) -> Iterator[Part]:
    """One block of content, by its kind. One that we do not know is judged as a whole."""
    kind = field(block, "type", "")
    mime = str(_either(block, "mime_type", "mimeType") or "")
    if kind == "text":
        yield Part("tool_result", str(block.text))
    elif kind in {"image", "audio"}:
        yield media(data=block.data, mime=mime)
    elif kind == "resource":
        yield from _resource(block.resource)
    else:
        yield Part("tool_result", dumps(block.model_dump(mode="json", exclude_none=True)), json=True)


def _resource(contents: Any) -> Iterator[Part]:
    text = field(contents, "text")
    if isinstance(text, str):
        yield Part("tool_result", text)
    else:
        yield media(data=field(contents, "blob", ""), mime=str(_either(contents, "mime_type", "mimeType") or ""))


def _contents(operation: Operation, answer: Any) -> None:
    parts = tuple(part for one in field(answer, "contents", ()) for part in _resource(one))
    operation.found = (Message("tool", parts),) if parts else ()


def _messages(operation: Operation, answer: Any) -> None:
    told = field(answer, "messages", ())
    operation.found = tuple(Message(str(one.role), tuple(_block(one.content))) for one in told)


def _untold(operation: Operation, answer: Any) -> None:
    """A list of what there is says nothing that has to be kept."""


def _agreed(operation: Operation, answer: Any) -> None:
    version = _either(answer, "protocol_version", "protocolVersion")
    server = _either(answer, "server_info", "serverInfo")
    if isinstance(version, str):
        operation.attributes[semconv.MCP_PROTOCOL] = version
    if server is not None:
        operation.attributes[semconv.MCP_SERVER] = f"{server.name} {server.version or ''}".rstrip()


_METHODS: dict[str, tuple[str, Callable[[Kwargs], Iterable[Part]], Callable[[Operation, Any], None]]] = {
    "call_tool": ("tools/call", _arguments, _tool_result),
    "list_tools": ("tools/list", _nothing, _untold),
    "read_resource": ("resources/read", _uri, _contents),
    "list_resources": ("resources/list", _nothing, _untold),
    "list_resource_templates": ("resources/templates/list", _nothing, _untold),
    "get_prompt": ("prompts/get", _arguments, _messages),
    "list_prompts": ("prompts/list", _nothing, _untold),
    "complete": ("completion/complete", _argument, _untold),
    "initialize": ("initialize", _nothing, _agreed),
}

ADAPTER = Adapter(
    library="mcp",
    distribution="mcp",
    oldest="2.1",
    below="3",
    around=tuple(
        Around(
            module="mcp.client.session",
            sync_method="",
            async_method=f"ClientSession.{name}",
            begin=partial(_begin, method, given),
            done=done,
            private=True,
        )
        for name, (method, given, done) in _METHODS.items()
    ),
)
