"""What the span of a guard tells of the call that it judged: so pages need not look for the call of each finding.

A call and its guards come in one request. What the call's own row is made of is copied as it stands, and the store
makes the same of it (0018_events.sql).
"""

from collections.abc import Iterable

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

from ..tracer import semconv

_NONE = "none"
"""Operation of a span that names none."""


def tell(request: ExportTraceServiceRequest) -> int:
    """Give each guard span of `request` what the call says that it judged, as far as that came from the same process;
    whoever sent it cannot say it instead. The number of spans that were changed.
    """
    return sum(_tell(resource) for resource in request.resource_spans)


def copy(guard: Span, call: Span) -> None:
    """`guard` gets what `call` is told apart by; of what is no call to a model, only its operation."""
    copied = [pair for pair in call.attributes if pair.key in semconv.OF_GUARDED_CALL]
    operation = next((pair.value.string_value for pair in copied if pair.key == semconv.OPERATION), "")
    if operation not in semconv.MODEL_OPERATIONS:
        guard.attributes.add(key=semconv.CALL_PREFIX + semconv.OPERATION).value.string_value = operation or _NONE
        return
    guard.attributes.add(key=semconv.CALL_START).value.int_value = call.start_time_unix_nano
    for pair in copied:
        guard.attributes.add(key=semconv.CALL_PREFIX + pair.key).value.CopyFrom(pair.value)
    if call.status.code == Status.STATUS_CODE_ERROR:
        guard.attributes.add(key=semconv.CALL_FAILED).value.bool_value = True


def _tell(resource: ResourceSpans) -> int:
    spans = [span for scope in resource.scope_spans for span in scope.spans]
    guards = [span for span in spans if _is_guard(span)]
    if not guards:
        return 0
    calls = _by_ids(spans)
    changed = 0
    for guard in guards:
        changed += _forget(guard)
        if call := calls.get((guard.trace_id, _judged(guard))):
            copy(guard, call)
            changed += 1
    return changed


def _is_guard(span: Span) -> bool:
    """Of an attribute that is said twice the store takes the first, so the others need not be looked at."""
    said = (pair.value.string_value for pair in span.attributes if pair.key == semconv.OPERATION)
    return next(said, "") == semconv.RUN_GUARDRAIL


def _by_ids(spans: Iterable[Span]) -> dict[tuple[bytes, str], Span | None]:
    """None for ids that two spans share: which of them was judged is not known."""
    found: dict[tuple[bytes, str], Span | None] = {}
    for span in spans:
        key = (span.trace_id, span.span_id.hex())
        found[key] = None if key in found else span
    return found


def _judged(guard: Span) -> str:
    named = (pair.value.string_value for pair in guard.attributes if pair.key == semconv.GUARDRAIL_CALL_SPAN)
    return next(named, "") or guard.parent_span_id.hex()


def _forget(guard: Span) -> bool:
    """Take away what only `copy` may say."""
    kept = [pair for pair in guard.attributes if not pair.key.startswith(semconv.CALL_PREFIX)]
    if len(kept) == len(guard.attributes):
        return False
    del guard.attributes[:]
    guard.attributes.extend(kept)
    return True
