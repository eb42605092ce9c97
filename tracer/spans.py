"""Where spans are made and how they reach the spool: one frame for a call and everything that belongs to it."""

import os
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    Status,
    StatusCode,
    Tracer,
    TracerProvider,
    format_span_id,
    set_span_in_context,
)

from ..guards.judgement import Side
from . import health, record
from .call import ModelCall
from .encode import Encoder
from .operation import Operation
from .own_tracer import OwnProvider, OwnSpan
from .semconv import GUARD_LATENCY_MS, GUARDRAIL_CALL_SPAN, REPORT, RUN_GUARDRAIL
from .settings import Settings
from .spool import Spool
from .usual import Usual

SCOPE = "spanward"
ENVIRONMENT = "deployment.environment.name"


@dataclass(slots=True)
class Inside:
    """A model call in progress: `finished` are the spans that go into its frame."""

    span: Span
    finished: list[Any] = field(default_factory=list)
    encoded: list[bytes] = field(default_factory=list)
    """Those that need no more than their bytes; they stand in front."""
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


class ToSpool:
    """Writes our spans that ended, and no others: those of an application's own provider were not guarded.

    Spans are `OwnSpan` or the SDK's `ReadableSpan`.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._encoder = Encoder()
        self.active = True

    def on_end(self, span: Any) -> None:
        scope = span.instrumentation_scope
        if not self.active or scope is None or scope.name != SCOPE:
            return
        if (call := inside.get()) is not None:
            call.finished.append(span)
        else:
            health.fenced("spool", self.write, [span])

    def write(self, spans: list[Any], encoded: Sequence[bytes] = (), *, bounded: bool = True) -> bool:
        return self._spool.append(self._encoder.frame(spans, encoded), bounded=bounded)


SAMPLER = "OTEL_TRACES_SAMPLER"
ONLY_THE_SDK = (
    SAMPLER,
    "OTEL_SDK_DISABLED",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
)
"""Variables by which somebody asks for what only OpenTelemetry's SDK does."""


def own_provider(settings: Settings, writer: ToSpool) -> TracerProvider:
    """A provider of our own: everything sampled, unless `OTEL_TRACES_SAMPLER` says otherwise.

    Without the SDK's spans, which cost more than all the rest of a call's record, where nobody asks for what they do.
    """
    resource = _resource(settings)
    if not any(os.environ.get(name) for name in ONLY_THE_SDK):
        return OwnProvider(resource, writer.on_end)
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    from . import sdk_spans

    provider = sdk_spans.provider(resource, None if os.environ.get(SAMPLER) else ALWAYS_ON)
    provider.add_span_processor(sdk_spans.Processor(writer.on_end))
    return provider


def joined(provider: Any, writer: ToSpool) -> TracerProvider:
    """The application's own provider, whose spans of ours go to the spool as well."""
    from . import sdk_spans

    provider.add_span_processor(sdk_spans.Processor(writer.on_end))
    joined: TracerProvider = provider
    return joined


def _resource(settings: Settings) -> Resource:
    """As the environment says (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, detectors), and the settings."""
    given = {SERVICE_NAME: settings.service_name, ENVIRONMENT: settings.environment}
    resource = Resource.create({key: value for key, value in given.items() if value})
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return resource.merge(Resource({SERVICE_NAME: program(sys.argv)}))
    return resource


def program(argv: Sequence[str]) -> str:
    """The name of a program that nobody named: of its file, or of the package that `python -m` runs."""
    path = Path(argv[0] if argv else "")
    name = path.parent.name if path.stem == "__main__" else path.stem
    return name if name and not name.startswith("-") else "python"


NOTHING = Usual({})
Recorded = TypeVar("Recorded", bound=ModelCall | Operation)


def finish(
    tracer: Tracer, writer: ToSpool, here: Inside, call: Recorded, closing: Callable[[Recorded], record.Attributes]
) -> None:
    """Write everything about a call (or operation) that ended: its span, its guardrail spans, the HTTP spans that
    ended before. `closing` gives its attributes.
    """
    span = here.span
    if not span.is_recording():
        return
    try:
        if judged := record.guardrails(call):
            _guardrails(tracer, here, call, judged)
        attributes = closing(call)
        usual = record.usual(call) if isinstance(call, ModelCall) else NOTHING
        if type(span) is OwnSpan:
            span.tell(usual, attributes)
        else:
            span.set_attributes({**usual, **attributes})
        if (said := record.failure(call)) is not None:
            span.set_status(_error(said))
    except Exception as error:  # noqa: BLE001  the span is written with what it has
        health.mishap("record", error)
        span.set_status(_error("spanward could not record this call"))
    finally:
        _end(writer, here, call.ended_ns)
    if here.finished:
        writer.write(here.finished, here.encoded)


def _end(writer: ToSpool, here: Inside, ended_ns: int) -> None:
    """The span goes into the call's frame: our own without a way around."""
    span = here.span
    if type(span) is OwnSpan:
        span.close(ended_ns)
        if writer.active:
            here.finished.append(span)
        return
    token = inside.set(here)
    try:
        span.end(ended_ns)
    finally:  # processors of an application's own provider may fail
        inside.reset(token)


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


def _guardrails(
    tracer: Tracer, here: Inside, call: ModelCall | Operation, judged: list[tuple[Side, record.Attributes]]
) -> None:
    span = here.span
    parent = set_span_in_context(span, Context())
    token = inside.set(here)
    try:
        for side, said in judged:
            took = int(float(str(said[GUARD_LATENCY_MS])) * 1e6)
            starts = call.started_ns if side == "input" else max(call.started_ns, call.ended_ns - took)
            said[GUARDRAIL_CALL_SPAN] = format_span_id(span.get_span_context().span_id)
            made = tracer.start_span(RUN_GUARDRAIL, context=parent, attributes=said, start_time=starts)
            made.end(starts + took)
    finally:
        inside.reset(token)


def _error(said: str) -> Status:
    return Status(StatusCode.ERROR, said)
