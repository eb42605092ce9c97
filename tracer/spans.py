"""Where spans are made and how they reach the spool: one frame for a call and everything that belongs to it."""

import os
import sys
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.environment_variables import OTEL_TRACES_SAMPLER
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import INVALID_SPAN, Span, Status, StatusCode, Tracer, format_span_id, set_span_in_context

from . import health, record
from .call import ModelCall
from .encode import Encoder
from .semconv import GUARD_LATENCY_MS, GUARDRAIL_CALL_SPAN, REPORT, RUN_GUARDRAIL
from .settings import Settings
from .spool import Spool

SCOPE = "spanward"
ENVIRONMENT = "deployment.environment.name"


@dataclass(slots=True)
class Inside:
    """A model call in progress: `finished` are the spans that go into its frame."""

    span: Span
    finished: list[ReadableSpan] = field(default_factory=list)
    attempts: int = 0
    """HTTP requests so far."""
    instance: Any = None
    """The library's object whose method was called."""
    over: bool = False
    quiet: bool = False
    """The library's own span of this call would go where ours goes: it must not be made."""
    outermost: bool = False
    """Whatever is called beneath, on whatever object, is this call."""

    def covers(self, instance: Any) -> bool:
        """Whether a call on `instance` is a step of this one, and no call of the application's hooks and tasks."""
        return not self.over and (self.outermost or self.instance is instance)


inside: ContextVar[Inside | None] = ContextVar("spanward_inside", default=None)
"""The model call that this code runs in the middle of: calls that its library makes on the way are part of it."""


class ToSpool(SpanProcessor):
    """Writes our spans, and no others: those of an application's own provider were not guarded."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._encoder = Encoder()
        self.active = True

    def on_end(self, span: ReadableSpan) -> None:
        scope = span.instrumentation_scope
        if not self.active or scope is None or scope.name != SCOPE:
            return
        if (call := inside.get()) is not None:
            call.finished.append(span)
        else:
            health.fenced("spool", self.write, [span])

    def write(self, spans: list[ReadableSpan], *, bounded: bool = True) -> bool:
        return self._spool.append(self._encoder.request(spans), bounded=bounded)

    def shutdown(self) -> None:
        """The spool outlives the provider."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002  the face of a processor
        return True


def own_provider(settings: Settings) -> TracerProvider:
    """A provider of our own: everything sampled, unless `OTEL_TRACES_SAMPLER` says otherwise."""
    sampler = None if os.environ.get(OTEL_TRACES_SAMPLER) else ALWAYS_ON
    given = {SERVICE_NAME: settings.service_name, ENVIRONMENT: settings.environment}
    resource = Resource.create({key: value for key, value in given.items() if value})
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: Path(sys.argv[0] if sys.argv else "").stem or "python"}))
    return TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)


def finish(tracer: Tracer, writer: ToSpool, here: Inside, call: ModelCall) -> None:
    """Write everything about a call that ended: its span, its guardrail spans, the HTTP spans that ended before."""
    span = here.span
    if not span.is_recording():
        return
    token = inside.set(here)
    try:
        _guardrails(tracer, span, call)
        span.set_attributes(record.closing(call))
        if (said := record.failure(call)) is not None:
            span.set_status(_error(said))
    except Exception as error:  # noqa: BLE001  the span is written with what it has
        health.mishap("record", error)
        span.set_status(_error("spanward could not record this call"))
    finally:
        span.end(call.ended_ns)
        inside.reset(token)
    if here.finished:
        writer.write(here.finished)


def report(tracer: Tracer, writer: ToSpool) -> None:
    """Ship what was counted as `spanward.report` spans."""
    taken = health.take()
    if not taken:
        return
    here = Inside(INVALID_SPAN)
    token = inside.set(here)
    try:
        for (kind, reason), number in taken.items():
            tracer.start_span(REPORT, context=Context(), attributes=record.report(kind, reason, number)).end()
    finally:
        inside.reset(token)
    if here.finished and not writer.write(here.finished, bounded=False):
        health.give_back(taken)


def _guardrails(tracer: Tracer, span: Span, call: ModelCall) -> None:
    parent = set_span_in_context(span, Context())
    for side, said in record.guardrails(call):
        took = int(float(str(said[GUARD_LATENCY_MS])) * 1e6)
        starts = call.started_ns if side == "input" else max(call.started_ns, call.ended_ns - took)
        said[GUARDRAIL_CALL_SPAN] = format_span_id(span.get_span_context().span_id)
        judged = tracer.start_span(RUN_GUARDRAIL, context=parent, attributes=said, start_time=starts)
        judged.end(starts + took)


def _error(said: str) -> Status:
    return Status(StatusCode.ERROR, said)
