"""Judges stored calls with the rules that stand in nobody's way, and says so in `run_guardrail` spans."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from ..guards.judgement import Check, Context, GuardEvent
from ..tracer import semconv
from ..tracer.segment import bodies, frame
from . import guarded_calls
from .gate import place_of
from .otlp_values import attributes_of, to_attributes
from .stored_messages import messages_of, system_of

SCOPE = "spanward.review"
Attributes = Mapping[str, Any]
RunRule = tuple[str, str, str]
"""Span id of a call (hex), rule, stage."""


class Reviewer(Protocol):
    """The pipeline, as far as it is needed here."""

    @property
    def summary(self) -> Mapping[str, Any]: ...

    def review(self, check: Check) -> tuple[GuardEvent, ...]: ...


@dataclass(slots=True)
class Reviewed:
    """`segment`: the companion segment, empty if nothing was found. `failures`: where judging a call went wrong."""

    segment: bytes = b""
    judged: int = 0
    failures: list[str] = field(default_factory=list)


def review(segment: bytes, reviewer: Reviewer) -> Reviewed:
    """Judge every model call in `segment` that carries content.

    A rule that was run already on a call, as a `run_guardrail` span in the same body says, is not said again.
    """
    result = Reviewed()
    frames = []
    for body in bodies(segment):
        companion = _companion(ExportTraceServiceRequest.FromString(body), reviewer, result)
        if companion.resource_spans:
            frames.append(frame(companion.SerializeToString(deterministic=True)))
    result.segment = b"".join(frames)
    return result


def checks_of(attributes: Attributes, resource: Attributes) -> Iterator[Check]:
    """What was asked and what was answered, as far as the span holds it. ValueError for content of another form."""
    context = context_of(attributes, resource)
    asked = system_of(attributes.get(semconv.SYSTEM_INSTRUCTIONS) or "")
    asked += messages_of(attributes.get(semconv.INPUT_MESSAGES) or "")
    if asked:
        yield Check("input", asked, context)
    if answered := messages_of(attributes.get(semconv.OUTPUT_MESSAGES) or ""):
        yield Check("output", answered, context)


CONTEXT = {
    "provider": semconv.PROVIDER,
    "model": semconv.REQUEST_MODEL,
    "operation": semconv.OPERATION,
    "prompt_name": semconv.PROMPT_NAME,
    "prompt_version": semconv.PROMPT_VERSION,
    "user_id": semconv.USER_ID,
    "user_group": semconv.USER_GROUP,
    "session_id": semconv.CONVERSATION,
}
CONTEXT_OF_RESOURCE = {
    "app": ("service.name",),
    "tenant": ("spanward.tenant",),
    "environment": ("deployment.environment.name", "deployment.environment"),
}


def context_of(attributes: Attributes, resource: Attributes) -> Context:
    told = {field: str(attributes.get(name) or "") for field, name in CONTEXT.items()}
    for field_, names in CONTEXT_OF_RESOURCE.items():
        told[field_] = next((str(resource[name]) for name in names if resource.get(name)), "")
    return Context(**told, tags=tuple(map(str, attributes.get(semconv.TAGS) or ())))


def _companion(request: ExportTraceServiceRequest, reviewer: Reviewer, result: Reviewed) -> ExportTraceServiceRequest:
    known = set(_run_already(request))
    companion = ExportTraceServiceRequest()
    for resource_spans in request.resource_spans:
        resource = attributes_of(resource_spans.resource.attributes)
        found = [
            guardrail
            for call in _spans(resource_spans)
            for guardrail in _judge(call, resource, reviewer, known, result)
        ]
        if found:
            scope = ScopeSpans(scope=InstrumentationScope(name=SCOPE), spans=found)
            companion.resource_spans.add(resource=resource_spans.resource, scope_spans=[scope])
    return companion


def _spans(resource_spans: ResourceSpans) -> Iterator[Span]:
    for scope_spans in resource_spans.scope_spans:
        yield from scope_spans.spans


def _run_already(request: ExportTraceServiceRequest) -> Iterator[RunRule]:
    for resource_spans in request.resource_spans:
        for span in _spans(resource_spans):
            told = attributes_of(span.attributes)
            if told.get(semconv.OPERATION) == semconv.RUN_GUARDRAIL:
                names = semconv.GUARDRAIL_CALL_SPAN, semconv.GUARDRAIL_RULE, semconv.GUARDRAIL_STAGE
                call, rule, stage = (str(told.get(name)) for name in names)
                yield call, rule, stage


def _judge(call: Span, resource: Attributes, reviewer: Reviewer, known: set[RunRule], result: Reviewed) -> list[Span]:
    """The guardrail spans of one call. One that cannot be judged must not hide the next."""
    attributes = attributes_of(call.attributes)
    if attributes.get(semconv.OPERATION) not in semconv.MODEL_OPERATIONS:
        return []
    found: list[Span] = []
    try:
        for check in checks_of(attributes, resource):
            result.judged += 1
            for event in reviewer.review(check):
                if (call.span_id.hex(), event.rule, event.stage) not in known:
                    found.append(_guardrail_span(event, call, check, reviewer.summary, len(found)))
    except Exception as failure:  # noqa: BLE001  see above; counted, and shown on /healthz
        result.failures.append(place_of(failure))
    return found


def _guardrail_span(event: GuardEvent, call: Span, check: Check, policy: Mapping[str, Any], number: int) -> Span:
    identity = f"{call.trace_id.hex()} {call.span_id.hex()} {event.rule} {event.stage} {number}"
    ended = call.end_time_unix_nano
    guard = Span(
        trace_id=call.trace_id,
        span_id=sha256(identity.encode()).digest()[:8],
        parent_span_id=call.span_id,
        name=semconv.RUN_GUARDRAIL,
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=ended,
        end_time_unix_nano=ended + int(event.latency_ms * 1e6),
        attributes=to_attributes(
            {
                semconv.OPERATION: semconv.RUN_GUARDRAIL,
                semconv.GUARDRAIL_CALL_SPAN: call.span_id.hex(),
                semconv.GUARDRAIL_RULE: event.rule,
                semconv.GUARDRAIL_POLICY: str(policy["name"]),
                semconv.GUARD_POLICY_HASH: str(policy["hash"]),
                semconv.GUARDRAIL_TARGET: check.side,
                semconv.GUARDRAIL_STAGE: event.stage,
                semconv.GUARDRAIL_COMPONENT: event.detector,
                semconv.GUARDRAIL_CATEGORY: event.label,
                semconv.GUARDRAIL_SCORE: event.score,
                semconv.GUARDRAIL_FINDINGS: event.findings,
                semconv.GUARDRAIL_VERDICT: event.verdict,
                semconv.GUARDRAIL_ACTION: event.action,
                semconv.GUARDRAIL_MODE: event.mode,
                semconv.GUARDRAIL_ENGINE: event.engine,
                semconv.GUARDRAIL_DEGRADED: event.degraded,
                semconv.GUARDRAIL_REASON: event.reason,
            }
        ),
    )
    guarded_calls.copy(guard, call)
    return guard
