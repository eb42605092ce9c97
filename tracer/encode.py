"""Our finished spans as OTLP bytes: what `opentelemetry-exporter-otlp-proto-common` writes, in a fraction of the calls.

The resource and the scope are the same in every frame of a process and are encoded once. Spans with events or links,
which we never make, go the library's way. A test holds both to the same message.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.sdk.trace import ReadableSpan

from .segment import frame

RESOURCE_SPANS = b"\x0a"
"""Key of field 1, `resource_spans`, of a request."""
SCOPE_SPANS = b"\x12"
"""Key of field 2, `scope_spans`, of resource spans."""
HAS_IS_REMOTE, IS_REMOTE = 0x100, 0x200


class Encoder:
    """Encodes spans that share the resource and the scope of the last ones fastest. Safe for threads."""

    def __init__(self) -> None:
        self._known: tuple[Any, Any, bytes, bytes] = (None, None, b"", b"")

    def request(self, spans: Sequence[ReadableSpan]) -> bytes:
        """An `ExportTraceServiceRequest`. All spans must be of one scope; there is at least one."""
        first = spans[-1]
        resource, scope = first.resource, first.instrumentation_scope
        known = self._known
        if known[0] is not resource or known[1] is not scope:
            known = self._known = (resource, scope, *_heads(first))
        if any(span.events or span.links or span.resource is not resource for span in spans):
            return encode_spans(spans).SerializeToString()
        _, _, resource_head, scope_head = known
        try:
            body = ScopeSpans(spans=[_span(span) for span in spans]).SerializeToString()
        except UnicodeEncodeError:
            body = ScopeSpans(spans=[_span(span, whole=False) for span in spans]).SerializeToString()
        return RESOURCE_SPANS + frame(resource_head + SCOPE_SPANS + frame(scope_head + body))


def _heads(span: ReadableSpan) -> tuple[bytes, bytes]:
    """The resource's and the scope's own bytes, as the library encodes them."""
    empty = ReadableSpan(
        "", span.context, resource=span.resource, instrumentation_scope=span.instrumentation_scope, kind=span.kind
    )
    (resource,) = encode_spans([empty]).resource_spans
    (scope,) = resource.scope_spans
    return (
        ResourceSpans(resource=resource.resource, schema_url=resource.schema_url).SerializeToString(),
        ScopeSpans(scope=scope.scope, schema_url=scope.schema_url).SerializeToString(),
    )


def _span(span: ReadableSpan, *, whole: bool = True) -> ProtoSpan:
    """With `whole` off halves of surrogate pairs, which are no text in UTF-8, are replaced."""
    here, parent, status = span.context, span.parent, span.status
    remote = parent is not None and parent.is_remote
    return ProtoSpan(
        trace_id=here.trace_id.to_bytes(16, "big"),
        span_id=here.span_id.to_bytes(8, "big"),
        trace_state=",".join(f"{key}={value}" for key, value in here.trace_state.items()) if here.trace_state else "",
        parent_span_id=parent.span_id.to_bytes(8, "big") if parent else b"",
        flags=HAS_IS_REMOTE | (IS_REMOTE if remote else 0),
        name=span.name if whole else _mended(span.name),
        kind=span.kind.value + 1,  # type: ignore[arg-type]  # the enum of protobuf begins with `unspecified`
        start_time_unix_nano=span.start_time or 0,
        end_time_unix_nano=span.end_time or 0,
        attributes=_attributes((span.attributes or {}) if whole else _mended(dict(span.attributes or {}))),
        dropped_attributes_count=span.dropped_attributes,
        status=Status(code=status.status_code.value, message=status.description or ""),  # type: ignore[arg-type]  # same numbers
    )


def _attributes(given: Mapping[str, Any]) -> list[KeyValue]:
    return [
        KeyValue(key=key, value=AnyValue(string_value=value) if type(value) is str else _value(value))
        for key, value in given.items()
    ]


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return [_mended(item) for item in value] if isinstance(value, list | tuple) else value


def _value(value: Any) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, str):
        return AnyValue(string_value=value)
    return AnyValue(array_value=ArrayValue(values=[_value(item) for item in value]))
