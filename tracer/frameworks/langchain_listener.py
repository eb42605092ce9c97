"""The callback handler that LangChain tells what it runs, and where the code that runs right now belongs.

Imports LangChain: only to be imported where that is there already.
"""

# ruff: noqa: ARG002  LangChain gives arguments by their names, and more than we read

import functools
import time
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from ...guards.messages import Message
from .. import health, semconv
from ..adapter import Narrator
from ..call import ModelCall
from ..operation import Operation
from . import langchain_messages as said

MOST_RUNS = 10_000
"""Runs at the same time that we remember the place of."""
CREATE_AGENT = "langchain_create_agent"
STEP = "graph:step:"
"""Tag of a node of a graph."""

_runs: ContextVar[tuple[UUID, ...]] = ContextVar("spanward_langchain_runs", default=())
"""Retrievers and models that run in this context, of which LangChain keeps no note in a context of its own."""


def quiet(method: Callable[..., None]) -> Callable[..., None]:
    """LangChain would write our failure into the application's log, with what it quotes."""
    name = f"langchain.{method.__name__}"

    @functools.wraps(method)
    def fenced(*args: Any, **kwargs: Any) -> None:
        health.fenced(name, functools.partial(method, *args, **kwargs))

    return fenced


class Listener(BaseCallbackHandler):
    """Told in the thread and the context of what it is told about, so it must not block there.

    A chain within a chain is no operation, but what runs in it has a place: `_place` is the operation of a run.
    """

    run_inline = True

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self._place: dict[UUID, UUID] = {}
        self._tools: dict[UUID, Operation] = {}
        self._calls: dict[UUID, tuple[ModelCall, Callable[[], tuple[Message, ...]]]] = {}
        self.over = False

    def __deepcopy__(self, _: dict[int, Any]) -> "Listener":
        """Applications copy the configuration of a run, with all handlers in it."""
        return self

    # LangChain asks these before it tells us anything
    @property
    def ignore_chain(self) -> bool:
        return self.over

    @property
    def ignore_llm(self) -> bool:
        return self.over

    @property
    def ignore_chat_model(self) -> bool:
        return self.over

    @property
    def ignore_agent(self) -> bool:
        return self.over

    @property
    def ignore_retriever(self) -> bool:
        return self.over

    ignore_retry = ignore_custom_event = True

    @quiet
    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **told: Any) -> None:
        around = self.place(told.get("parent_run_id"))
        name, metadata = _name(serialized, told), told.get("metadata") or {}
        if _is_agent(name, metadata, told.get("tags") or ()):
            operation = Operation("invoke_agent", name, attributes={semconv.AGENT_NAME: name})
        elif around is None:
            operation = Operation("invoke_workflow", name)
        else:
            self._keep(run_id, around)
            return
        self._begin(run_id, operation, around)

    @quiet
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **told: Any) -> None:
        self._end(run_id)

    @quiet
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **told: Any) -> None:
        self._end(run_id, error=error)

    @quiet
    def on_tool_start(self, serialized: Any, input_str: str, *, run_id: UUID, **told: Any) -> None:
        name, call_id = _name(serialized, told), str(told.get("tool_call_id") or "")
        operation = Operation(
            "execute_tool",
            name,
            said.arguments(told.get("inputs"), input_str, name, call_id),
            attributes={semconv.TOOL_TYPE: "function", semconv.TOOL_CALL_ID: call_id or None},
        )
        self._tools[run_id] = operation
        _bound(self._tools)
        self._begin(run_id, operation, self.place(told.get("parent_run_id")))

    @quiet
    def on_tool_end(self, output: Any, *, run_id: UUID, **told: Any) -> None:
        tool = self._tools.pop(run_id, None)
        if tool is not None:  # older versions tell the id of the call with its result only
            tool.attributes[semconv.TOOL_CALL_ID] = (
                tool.attributes[semconv.TOOL_CALL_ID] or getattr(output, "tool_call_id", "") or None
            )
        self._end(run_id, health.fenced("langchain.result", said.result, output, "") or ())

    @quiet
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **told: Any) -> None:
        self._tools.pop(run_id, None)
        self._end(run_id, error=error)

    @quiet
    def on_retriever_start(self, serialized: Any, query: str, *, run_id: UUID, **told: Any) -> None:
        name = _name(serialized, told)
        given = said.texts([query])
        operation = Operation("retrieval", name, given)
        self._begin(run_id, operation, self.place(told.get("parent_run_id")))
        self._enter(run_id)

    @quiet
    def on_retriever_end(self, documents: Any, *, run_id: UUID, **told: Any) -> None:
        self._end(run_id, health.fenced("langchain.documents", said.documents, documents) or ())

    @quiet
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **told: Any) -> None:
        self._end(run_id, error=error)

    @quiet
    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **told: Any) -> None:
        self._call(run_id, "chat", lambda: said.conversation(messages[0] if messages else ()), told)

    @quiet
    def on_llm_start(self, serialized: Any, prompts: list[str], *, run_id: UUID, **told: Any) -> None:
        self._call(run_id, "text_completion", lambda: said.texts(prompts), told)

    @quiet
    def on_llm_new_token(self, token: Any, *, run_id: UUID, **told: Any) -> None:
        known = self._calls.get(run_id)
        if known is not None:
            call = known[0]
            call.first_chunk_ns = call.first_chunk_ns or time.time_ns()
            call.stream = True
            call.chunks += 1

    @quiet
    def on_llm_end(self, response: Any, *, run_id: UUID, **told: Any) -> None:
        call = self._heard(run_id)
        if call is not None and health.fenced("langchain.answer", said.answer, call, response) is False:
            self._narrator.drop(run_id)
        else:
            self._narrator.end(run_id)

    @quiet
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **told: Any) -> None:
        call = self._heard(run_id)
        closed = isinstance(error, GeneratorExit)
        if call is not None and call.stream:
            call.stream_end = "closed" if closed else "error"
        self._narrator.end(run_id, error=None if closed else error)

    def place(self, run_id: UUID | None) -> UUID | None:
        """The operation that a run belongs to."""
        return None if run_id is None else self._place.get(run_id)

    def here(self) -> Hashable | None:
        """The operation of the retriever or model that runs here."""
        return next((self._place[run] for run in reversed(_runs.get()) if run in self._place), None)

    def _enter(self, run_id: UUID) -> None:
        _runs.set((*(run for run in _runs.get() if run in self._place), run_id))

    def _heard(self, run_id: UUID) -> ModelCall | None:
        """The model call that is over, with what it was asked; None if a wrapper of ours saw it itself."""
        self._place.pop(run_id, None)
        call, asked = self._calls.pop(run_id, (None, tuple))
        if call is None or not self._narrator.waits(run_id):
            return None
        call.messages = health.fenced("langchain.messages", asked) or ()
        if call.stream:
            call.stream_end = "complete"
        return call

    def _call(self, run_id: UUID, operation: str, asked: Callable[[], Any], told: dict[str, Any]) -> None:
        call = said.model_call(operation, told.get("metadata") or {}, told.get("invocation_params") or {})
        self._calls[run_id] = (call, asked)
        _bound(self._calls)
        around = self.place(told.get("parent_run_id"))
        self._narrator.begin(run_id, call, around)
        if around is not None:
            self._keep(run_id, around)
            self._enter(run_id)

    def _begin(self, run_id: UUID, operation: Operation, around: UUID | None) -> None:
        self._keep(run_id, run_id)
        self._narrator.begin(run_id, operation, around)

    def _end(self, run_id: UUID, found: Any = (), error: BaseException | None = None) -> None:
        if self._place.pop(run_id, None) == run_id:
            self._narrator.end(run_id, found, None if _is_no_failure(error) else error)

    def _keep(self, run_id: UUID, place: UUID) -> None:
        self._place[run_id] = place
        _bound(self._place)


def _bound(runs: dict[UUID, Any]) -> None:
    if len(runs) > MOST_RUNS:
        for run in list(runs)[: MOST_RUNS // 10]:
            runs.pop(run, None)


def _name(serialized: Any, told: dict[str, Any]) -> str:
    """As LangChain's own tracer names a run."""
    known = serialized or {}
    return str(told.get("name") or known.get("name") or (known.get("id") or ["unknown"])[-1])


def _is_agent(name: str, metadata: dict[str, Any], tags: Any) -> bool:
    """Whether this is the run of a whole agent: its metadata are those of every run beneath it, too.

    The first versions do not mark the graphs that `create_agent` makes: there they are workflows.
    """
    if any(str(tag).startswith(STEP) for tag in tags):
        return False
    if metadata.get("ls_integration") == CREATE_AGENT:
        return bool(name == metadata.get("lc_agent_name", "LangGraph"))
    return name == "AgentExecutor"


def _is_no_failure(error: BaseException | None) -> bool:
    """A stream that was closed, or what LangGraph raises to wait for a person or to go on in the graph around."""
    return isinstance(error, GeneratorExit) or any(cls.__name__ == "GraphBubbleUp" for cls in type(error).__mro__)
