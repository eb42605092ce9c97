"""Spans without OpenTelemetry's SDK: its API, and of its work only what our spans need, in a third of the calls.

Used where the application has no wish that only the SDK can fulfil: no provider of its own, no sampler, no limits
(see `own_provider`). What reaches the spool is the same either way, which a test holds.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from opentelemetry.context import Context, get_current
from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TracerProvider,
    TraceState,
    get_current_span,
    use_span,
)
from opentelemetry.util.types import Attributes, AttributeValue

from .usual import Usual

MOST_ATTRIBUTES = 128
"""As the SDK has it where nobody says otherwise: of more, the first ones are dropped."""
UNSET = Status()
SAMPLED = TraceFlags(TraceFlags.SAMPLED | 0x02)
"""Sampled, and of a trace whose id is random; by its number, since older versions have no name for it."""
NO_STATE = TraceState()


@dataclass(frozen=True, slots=True)
class Scope:
    """Who made the spans."""

    name: str
    version: str = ""
    schema_url: str = ""
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict, hash=False)


class OwnSpan(Span):
    """A span as `Tracer.start_span` gives it, and for the encoder the fields of the SDK's `ReadableSpan`.

    What code that is not ours would add to it was not guarded: events and exceptions are not kept.
    """

    events: Sequence[Any] = ()
    dropped_events = dropped_links = dropped_attributes = 0

    def __init__(
        self,
        tracer: "OwnTracer",
        name: str,
        ids: tuple[bytes, bytes, bytes],
        flags: TraceFlags,
        state: TraceState,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: Mapping[str, Any] | None,
        links: Sequence[Link],
        start_time: int,
    ) -> None:
        self.usual: tuple[Usual, ...]
        """What many spans say alike; `said` is the rest."""
        self.said: dict[str, Any]
        self.name = name
        self.trace_id, self.span_id, self.id_beneath = ids
        """As they are written. The last is nobody's yet: a single span beneath this one may have it."""
        self.flags = flags
        self.state = state
        self.parent = parent
        self.kind = kind
        self.links = links
        self.start_time = start_time
        self.end_time = 0
        self.status = UNSET
        if type(attributes) is Usual:
            self.usual, self.said = (attributes,), {}
        else:
            self.usual, self.said = (), dict(attributes or {})
        self.resource = tracer.resource
        self.instrumentation_scope = tracer.scope
        self._tracer = tracer

    @property
    def attributes(self) -> Mapping[str, Any]:
        """All of them."""
        return {**{name: value for usual in self.usual for name, value in usual.items()}, **self.said}

    @cached_property
    def context(self) -> SpanContext:
        """For what is beneath it: of most calls nobody asks."""
        trace_id, span_id = int.from_bytes(self.trace_id, "big"), int.from_bytes(self.span_id, "big")
        return SpanContext(trace_id, span_id, False, self.flags, self.state)  # noqa: FBT003  its face

    def get_span_context(self) -> SpanContext:
        return self.context

    def is_recording(self) -> bool:
        return self.end_time == 0

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        if self.end_time != 0:
            return
        if any(not known.keys().isdisjoint(attributes) for known in self.usual):
            self.said, self.usual = dict(self.attributes), ()  # a name comes twice: it is not as all say it
        self.said.update(attributes)

    def tell(self, usual: Usual, said: dict[str, Any]) -> None:
        """Both have other names than what was told before, and than each other."""
        self.usual += (usual,)
        self.said = {**self.said, **said} if self.said else said

    def set_attribute(self, key: str, value: Any) -> None:
        self.set_attributes({key: value})

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        if self.end_time == 0:
            self.status = status if isinstance(status, Status) else Status(status, description)

    def update_name(self, name: str) -> None:
        if self.end_time == 0:
            self.name = name

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Not kept: see the class."""

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002  the face of a span
    ) -> None:
        """Not kept: see the class."""

    def end(self, end_time: int | None = None) -> None:
        if self.end_time == 0:
            self.close(end_time or time.time_ns())
            self._tracer.on_end(self)

    def close(self, end_time: int) -> None:
        """It is over, and whoever closes it sees to what becomes of it."""
        self.end_time = end_time
        if len(self.said) + sum(map(len, self.usual)) > MOST_ATTRIBUTES:
            self.dropped_attributes = len(self.attributes) - MOST_ATTRIBUTES


class OwnTracer(Tracer):
    """Every span is sampled; `on_end` gets each that ended."""

    def __init__(self, scope: Scope, resource: Any, on_end: Callable[[Any], None]) -> None:
        self.scope = scope
        self.resource = resource
        self.on_end = on_end

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: ARG002, FBT001, FBT002  the face of a tracer
        set_status_on_exception: bool = True,  # noqa: ARG002, FBT001, FBT002  as above
    ) -> OwnSpan:
        around = get_current() if context is None else context
        # nearly always there is nothing around, and a look at what is current is six calls
        parent = get_current_span(around).get_span_context() if around else None
        # from the system, not from `random`: an application that seeds it would give two processes the same ids
        fresh = os.urandom(32)
        own, beneath = fresh[16:24], fresh[24:]
        if parent is not None and parent.is_valid:
            ids = parent.trace_id.to_bytes(16, "big"), own, beneath
            flags, state = TraceFlags(parent.trace_flags | 1), parent.trace_state
        else:
            parent, ids, flags, state = None, (fresh[:16], own, beneath), SAMPLED, NO_STATE
        return OwnSpan(
            self, name, ids, flags, state, parent, kind, attributes, links or (), start_time or time.time_ns()
        )

    @contextmanager
    def start_as_current_span(  # type: ignore[override]  # the API's own decorator gives the same and is private
        self,
        name: str,
        *args: Any,
        end_on_exit: bool = True,
        **kwargs: Any,
    ) -> Iterator[Span]:
        with use_span(self.start_span(name, *args, **kwargs), end_on_exit=end_on_exit) as span:
            yield span


class OwnProvider(TracerProvider):
    """Gives tracers whose spans go to `on_end`. `resource` is one of the SDK's."""

    def __init__(self, resource: Any, on_end: Callable[[Any], None]) -> None:
        self.resource = resource
        self._on_end = on_end

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> OwnTracer:
        scope = Scope(
            instrumenting_module_name, instrumenting_library_version or "", schema_url or "", dict(attributes or {})
        )
        return OwnTracer(scope, self.resource, self._on_end)
