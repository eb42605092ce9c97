"""From the record of an operation to span attributes. Pure: no span in sight."""

from collections.abc import Callable

from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from ..guards.messages import Message, Part
from . import record, semconv
from .context import Scope
from .operation import Operation

Attributes = record.Attributes

NAMED = {
    "invoke_workflow": semconv.WORKFLOW_NAME,
    "invoke_agent": semconv.AGENT_NAME,
    "execute_tool": semconv.TOOL_NAME,
    "retrieval": semconv.DATA_SOURCE,
    "": "",
}
"""Where the name of an operation stands, by its kind."""


def name(operation: Operation) -> str:
    return f"{operation.kind} {operation.name}".strip()


def kind(operation: Operation) -> SpanKind:
    """A search in a store at some address leaves the process, and so does a request to a server of tools."""
    leaves = operation.server_address or semconv.MCP_METHOD in operation.attributes
    return SpanKind.CLIENT if leaves else SpanKind.INTERNAL


def opening(operation: Operation, scope: Scope) -> Attributes:
    """What is known when it begins; a sampler may look at it."""
    return record.given(
        {
            semconv.OPERATION: operation.kind,
            NAMED[operation.kind]: operation.name if operation.kind else "",
            semconv.SERVER_ADDRESS: operation.server_address,
            semconv.SERVER_PORT: operation.server_port,
            semconv.CONVERSATION: scope.session_id,
            semconv.PROMPT_NAME: scope.prompt_name,
            semconv.PROMPT_VERSION: scope.prompt_version,
            semconv.USER_ID: scope.user_id,
            semconv.USER_GROUP: scope.user_group,
            semconv.TAGS: scope.tags,
        }
    )


def closing(operation: Operation) -> Attributes:
    """Everything else the span of this operation says, when it is over."""
    failed = record.given({semconv.ERROR_TYPE: operation.error_type})
    told: dict[str, AttributeValue] = {
        name: value for name, value in operation.attributes.items() if value is not None and name not in semconv.CONTENT
    }
    return {**told, **failed, **record.guards(operation), **_content(operation)}


def _content(operation: Operation) -> Attributes:
    if operation.content_withheld:
        return {semconv.CONTENT_WITHHELD: operation.content_withheld}
    (given, write_given), (found, write_found) = CONTENT[operation.kind]
    return record.given(
        {
            given: write_given(operation.given) if operation.given else "",
            found: write_found(operation.found) if operation.found else "",
        }
    )


def _parts(messages: tuple[Message, ...]) -> list[Part]:
    return [part for message in messages for part in message.parts]


def _plain(messages: tuple[Message, ...]) -> str:
    """One text as it is, several as a JSON list."""
    parts = _parts(messages)
    return parts[0].text if len(parts) == 1 else record.to_json([record.meant(part) for part in parts])


def _documents(messages: tuple[Message, ...]) -> str:
    return record.to_json([_document(part) for part in _parts(messages)])


def _document(part: Part) -> dict[str, object]:
    return {"content": record.meant(part)} | record.given({"id": part.id, "source": part.name, "uri": part.uri})


Writer = Callable[[tuple[Message, ...]], str]
_SAID = ((semconv.INPUT_MESSAGES, record.messages_json), (semconv.OUTPUT_MESSAGES, record.messages_json))
CONTENT: dict[str, tuple[tuple[str, Writer], tuple[str, Writer]]] = {
    "invoke_workflow": _SAID,
    "invoke_agent": _SAID,
    "execute_tool": ((semconv.TOOL_ARGUMENTS, _plain), (semconv.TOOL_RESULT, _plain)),
    "retrieval": ((semconv.QUERY, _plain), (semconv.DOCUMENTS, _documents)),
    "": _SAID,
}
"""Where what was given and what was found stand, and how they are written, by the kind of the operation."""
