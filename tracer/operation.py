"""The record of what an application does around its model calls: a workflow, an agent, a tool, a search."""

from dataclasses import dataclass, field
from typing import Any, Literal

from ..guards.judgement import Decision
from ..guards.messages import Message

OperationKind = Literal["invoke_workflow", "invoke_agent", "execute_tool", "retrieval", ""]
"""'' for what the GenAI conventions have no name for: its own name is the span's then."""


@dataclass(slots=True)
class Operation:
    """One operation. `name` is the workflow's, agent's, tool's or data source's; times are nanoseconds, 0 for not yet.

    `given` and `found` are what went in and what came out, in parts that guards judge before they are recorded: the
    arguments of a tool (`tool_call`) and its result (`tool_result`), a query and the documents found (`document`, one
    part each; `id` the document's, `name` its source, `uri` where it lies). What was found is judged as a tool result
    or a document, whatever the kind of its parts: it is the application's own data, with the originals of pseudonyms in
    it. Nothing of them is changed on its way to the application, and tokens and cost are never counted here: the model
    calls beneath have them. `attributes` hold no content.
    """

    kind: OperationKind
    name: str = ""
    given: tuple[Message, ...] = ()
    found: tuple[Message, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    server_address: str = ""
    server_port: int = 0
    started_ns: int = 0
    ended_ns: int = 0
    error: BaseException | None = None
    error_type: str = ""
    guarded_input: Decision | None = None
    guarded_output: Decision | None = None
    content_withheld: str = ""
