"""OpenAI Agents: workflows, agents, tools and handoffs, as its own tracing tells them.

We listen where its spans are handed to processors, and register none: `set_trace_processors([])`, by which people turn
the upload to OpenAI off, would take ours off, too, and asking for the provider of spans would make one that uploads.
Where its tracing is disabled altogether there are model calls only.
"""

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

import wrapt

from ...guards.messages import Message
from .. import health, semconv
from ..adapter import Adapter, Narrator
from ..operation import Operation
from ..providers.fields import is_json, whole

MOST_SPANS = 10_000
"""Spans at the same time that we remember the place of."""
OTHER = "_OTHER"
"""The error's type where the framework tells only its text (the conventions' word)."""


def _agent(data: Any) -> Operation:
    return Operation("invoke_agent", data.name)


def _tool(data: Any) -> Operation:
    return Operation("execute_tool", data.name, attributes={semconv.TOOL_TYPE: "function"})


def _handoff(_data: Any) -> Operation:
    """The tool by which a model hands over; the agent it goes to is known at the end only."""
    return Operation("execute_tool", "handoff", attributes={semconv.TOOL_TYPE: "function"})


def _guardrail(data: Any) -> Operation:
    return Operation("invoke_workflow", data.name)


OPERATIONS: dict[str, Callable[[Any], Operation]] = {
    "agent": _agent,
    "function": _tool,
    "handoff": _handoff,
    "guardrail": _guardrail,
}
"""By the type of the span's data. Any other (turns, the provider's calls) is a place for others only."""


class Listener:
    """Told in the context of what it is told about, on the event loop too."""

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self._place: dict[str, str] = {}
        self._open: dict[str, Operation] = {}

    def trace_started(self, trace: Any) -> None:
        self._begin(trace.trace_id, Operation("invoke_workflow", trace.name), None)

    def trace_ended(self, trace: Any) -> None:
        self._end(trace.trace_id)

    def span_started(self, span: Any) -> None:
        around = self._place.get(span.parent_id or span.trace_id)
        make = OPERATIONS.get(span.span_data.type)
        if make is not None:
            self._begin(span.span_id, make(span.span_data), around)
        elif around is not None:
            self._keep(span.span_id, around)

    def span_ended(self, span: Any) -> None:
        operation = self._open.get(span.span_id)
        if operation is not None:
            health.fenced("agents.end", _fill, operation, span)
        self._end(span.span_id)

    def current(self) -> Hashable | None:
        """The operation that the calling code runs in."""
        from agents.tracing.scope import Scope

        span, trace = Scope.get_current_span(), Scope.get_current_trace()
        name = span.span_id if span is not None else trace.trace_id if trace is not None else ""
        return self._place.get(name)

    def _begin(self, name: str, operation: Operation, around: str | None) -> None:
        self._keep(name, name)
        self._open[name] = operation
        self._narrator.begin(name, operation, around)

    def _end(self, name: str) -> None:
        self._open.pop(name, None)
        if self._place.pop(name, None) == name:
            self._narrator.end(name)

    def _keep(self, name: str, place: str) -> None:
        self._place[name] = place
        if len(self._place) > MOST_SPANS:
            for oldest in list(self._place)[: MOST_SPANS // 10]:
                self._place.pop(oldest, None)
                self._open.pop(oldest, None)


def _fill(operation: Operation, span: Any) -> None:
    """What is known of a span when it ends. It holds no content where the application said so."""
    data = span.span_data
    if span.error:
        operation.error_type = OTHER
    if data.type == "handoff" and data.to_agent:
        operation.attributes[semconv.AGENT_NAME] = data.to_agent
    if data.type == "function":
        operation.given = _said("assistant", data.input, "tool_call", data.name)
        operation.found = _said("tool", data.output, "tool_result", data.name)


def _said(role: str, value: Any, kind: Any, name: str) -> tuple[Message, ...]:
    if value is None or value == "":
        return ()
    part = whole(value, (), kind=kind, name=name)
    if kind == "tool_call" and isinstance(value, str) and is_json(value):
        part = replace(part, json=True)
    return (Message(role, (part,)),)


HEARD = {
    "on_trace_start": Listener.trace_started,
    "on_trace_end": Listener.trace_ended,
    "on_span_start": Listener.span_started,
    "on_span_end": Listener.span_ended,
}


def listen(narrator: Narrator) -> Callable[[], None]:
    """Hear what the framework hands to its processors, whichever there are."""
    from agents.tracing.provider import SynchronousMultiTracingProcessor as Processors

    listener = Listener(narrator)
    originals = {name: vars(Processors)[name] for name in HEARD}
    ours = {name: wrapt.FunctionWrapper(originals[name], _hearing(listener, heard)) for name, heard in HEARD.items()}
    for name, wrapper in ours.items():
        setattr(Processors, name, wrapper)
    unfollow = narrator.follow(listener.current)

    def undo() -> None:
        unfollow()
        for name, wrapper in ours.items():
            if vars(Processors).get(name) is wrapper:
                setattr(Processors, name, originals[name])

    return undo


def _hearing(listener: Listener, heard: Callable[[Listener, Any], None]) -> Callable[..., Any]:
    def hear(wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        health.fenced(f"agents.{heard.__name__}", heard, listener, args[0] if args else next(iter(kwargs.values())))
        return wrapped(*args, **kwargs)

    return hear


ADAPTER = Adapter(
    library="agents",
    distribution="openai-agents",
    oldest="0.6",
    below="1",
    listens_to="agents.tracing.provider",
    listen=listen,
)
