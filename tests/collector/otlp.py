"""Model calls as OTLP requests, as an application would send them."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from spanward.collector.otlp_values import to_attributes
from spanward.tracer import semconv

CALL: Mapping[str, Any] = {
    semconv.OPERATION: "chat",
    semconv.PROVIDER: "openai",
    semconv.REQUEST_MODEL: "gpt-4o-mini",
    semconv.RESPONSE_MODEL: "gpt-4o-mini-2024-07-18",
    semconv.INPUT_TOKENS: 100,
    semconv.OUTPUT_TOKENS: 20,
}


def said(role: str, *texts: str) -> str:
    """One message as the conventions write it."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text} for text in texts]}])


def call(number: int = 1, **attributes: Any) -> Span:
    """A span of one call; keyword arguments are names in `semconv`. Its ids follow from `number`."""
    told = {**CALL, **{getattr(semconv, name): value for name, value in attributes.items()}}
    now = time.time_ns()
    return Span(
        trace_id=number.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        name="chat gpt-4o-mini",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=now - 1_500_000_000,
        end_time_unix_nano=now,
        attributes=to_attributes(told),
    )


def request(service: str, spans: Sequence[Span], environment: str = "test") -> ExportTraceServiceRequest:
    resource = Resource(attributes=to_attributes({"service.name": service, "deployment.environment.name": environment}))
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=spans)])]
    )


def body(service: str, *spans: Span) -> bytes:
    return request(service, spans or (call(),)).SerializeToString()
