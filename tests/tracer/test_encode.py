"""Our encoder says what the library's says, byte for byte once parsed."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from spanward.tracer.encode import Encoder

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.one_of(
    TEXT, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.lists(TEXT, max_size=3)
)
ATTRIBUTES = st.dictionaries(TEXT.filter(bool), VALUES, max_size=5)


def finished(attributes: dict[str, Any], *, remote: bool, failed: bool, kind: SpanKind) -> list[ReadableSpan]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("spanward")
    above = SpanContext(7, 9, is_remote=remote, trace_flags=TraceFlags(1), trace_state=TraceState([("a", "b")]))
    span = tracer.start_span(
        "é", context=set_span_in_context(NonRecordingSpan(above)), attributes=attributes, kind=kind
    )
    tracer.start_span("root").end()
    if failed:
        span.set_status(Status(StatusCode.ERROR, "TinyError HTTP 500"))
    span.end()
    return list(exporter.get_finished_spans())


@given(attributes=ATTRIBUTES, remote=st.booleans(), failed=st.booleans(), kind=st.sampled_from(SpanKind))
def test_as_the_library_does(attributes: dict[str, Any], *, remote: bool, failed: bool, kind: SpanKind) -> None:
    spans = finished(attributes, remote=remote, failed=failed, kind=kind)
    encoder = Encoder()
    for _ in range(2):
        assert ExportTraceServiceRequest.FromString(encoder.request(spans)) == encode_spans(spans)


def test_another_resource_is_noticed() -> None:
    encoder = Encoder()
    for _ in range(2):
        spans = finished({}, remote=False, failed=False, kind=SpanKind.CLIENT)
        assert ExportTraceServiceRequest.FromString(encoder.request(spans)) == encode_spans(spans)
