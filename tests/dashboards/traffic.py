"""Model calls as OTLP spans, put into the store as the sidecar puts them: what the dashboards are tested on."""

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spanward.collector import guarded_calls
from spanward.collector.otlp_values import to_attributes
from spanward.collector.store import Store
from spanward.tracer import semconv
from spanward.tracer.segment import frame

_numbers = itertools.count(1)


@dataclass
class Call:
    """`at` and `latency_ms` in milliseconds; `trace` and `span` are numbers. `guards` are attributes of guard spans."""

    at: int
    model: str = "gpt-4o"
    provider: str = "openai"
    latency_ms: float = 100.0
    ttft_ms: float = 0.0
    tokens: tuple[int, int] = (10, 5)
    cost: float | None = 0.01
    error: str = ""
    message: str = ""
    service: str = "shop"
    env: str = "prod"
    cached: int = 0
    said: str = "hello"
    answered: str = "hi there"
    attributes: dict[str, Any] = field(default_factory=dict)
    guards: list[dict[str, Any]] = field(default_factory=list)
    trace: int = field(default_factory=lambda: next(_numbers))
    span: int = field(default_factory=lambda: next(_numbers))

    @property
    def trace_id(self) -> str:
        return f"{self.trace:032x}"

    @property
    def span_id(self) -> str:
        return f"{self.span:016x}"


def put(store: Store, folder: Path, calls: Iterable[Call], *, told: bool = True) -> None:
    """`told`: as the receiver does, events are told of their calls."""
    body = ExportTraceServiceRequest()
    for call in calls:
        resource = body.resource_spans.add()
        resource.resource.attributes.extend(
            to_attributes({"service.name": call.service, "deployment.environment.name": call.env})
        )
        resource.scope_spans.add().spans.extend([_span(call), *(_guard(call, guard) for guard in call.guards)])
    if told:
        guarded_calls.tell(body)
    _ingest(store, folder, body)


def _ingest(store: Store, folder: Path, body: ExportTraceServiceRequest) -> None:
    segment = folder / f"segment-{next(_numbers)}"
    segment.write_bytes(frame(body.SerializeToString()))
    store.ingest(segment, segment.name)


def report(store: Store, folder: Path, at: int, kind: str, reason: str, count: int, service: str = "shop") -> None:
    """What a tracer tells of itself; `at` in milliseconds."""
    body = ExportTraceServiceRequest()
    resource = body.resource_spans.add()
    resource.resource.attributes.extend(to_attributes({"service.name": service}))
    says = {semconv.REPORT_KIND: kind, semconv.REPORT_REASON: reason, semconv.REPORT_COUNT: count}
    start = at * 1_000_000
    span = Span(
        trace_id=next(_numbers).to_bytes(16),
        span_id=next(_numbers).to_bytes(8),
        name=semconv.REPORT,
        start_time_unix_nano=start,
        end_time_unix_nano=start,
        attributes=to_attributes(says),
    )
    resource.scope_spans.add().spans.append(span)
    _ingest(store, folder, body)


def operation(store: Store, folder: Path, call: Call, kind: str, name: str, content: dict[str, str]) -> str:
    """A tool or a search in the trace of `call`; its span id."""
    body = ExportTraceServiceRequest()
    resource = body.resource_spans.add()
    resource.resource.attributes.extend(to_attributes({"service.name": call.service}))
    start = (call.at - 50) * 1_000_000
    span = Span(
        trace_id=call.trace.to_bytes(16),
        span_id=next(_numbers).to_bytes(8),
        name=f"{kind} {name}",
        start_time_unix_nano=start,
        end_time_unix_nano=start + 30_000_000,
        attributes=to_attributes({semconv.OPERATION: kind, **content}),
    )
    resource.scope_spans.add().spans.append(span)
    _ingest(store, folder, body)
    return span.span_id.hex()


def message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _span(call: Call) -> Span:
    attributes: dict[str, Any] = {
        semconv.OPERATION: "chat",
        semconv.PROVIDER: call.provider,
        semconv.REQUEST_MODEL: call.model,
        semconv.RESPONSE_MODEL: call.model,
        semconv.INPUT_TOKENS: call.tokens[0],
        semconv.OUTPUT_TOKENS: call.tokens[1],
        semconv.CACHE_READ_TOKENS: call.cached,
        semconv.USAGE_SOURCE: "provider",
        semconv.INPUT_MESSAGES: json.dumps([message("user", call.said)]),
        semconv.OUTPUT_MESSAGES: json.dumps([message("assistant", call.answered)]),
        semconv.GUARD_VERDICT: "allow",
        semconv.GUARD_ACTION: "allow",
    }
    if call.ttft_ms:
        attributes |= {semconv.REQUEST_STREAM: True, semconv.TIME_TO_FIRST_CHUNK: call.ttft_ms / 1000}
    if call.cost is not None:
        attributes |= {semconv.COST_USD: call.cost, semconv.PRICE_VERSION: "2026-11"}
    if call.error:
        attributes |= {semconv.ERROR_TYPE: call.error}
    start = call.at * 1_000_000
    return Span(
        trace_id=call.trace.to_bytes(16),
        span_id=call.span.to_bytes(8),
        name=f"chat {call.model}",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=start,
        end_time_unix_nano=start + round(call.latency_ms * 1e6),
        attributes=to_attributes(attributes | call.attributes),
        status=Status(code=Status.STATUS_CODE_ERROR, message=call.message) if call.error else Status(),
    )


def _guard(call: Call, guard: dict[str, Any]) -> Span:
    start = call.at * 1_000_000
    return Span(
        trace_id=call.trace.to_bytes(16),
        span_id=next(_numbers).to_bytes(8),
        parent_span_id=call.span.to_bytes(8),
        name=semconv.RUN_GUARDRAIL,
        start_time_unix_nano=start,
        end_time_unix_nano=start + 2_000_000,
        attributes=to_attributes(
            {
                semconv.OPERATION: semconv.RUN_GUARDRAIL,
                semconv.GUARDRAIL_RULE: "pii-out",
                semconv.GUARDRAIL_COMPONENT: "pii",
                semconv.GUARDRAIL_CATEGORY: "EMAIL_ADDRESS",
                semconv.GUARDRAIL_VERDICT: "modify",
                semconv.GUARDRAIL_ACTION: "modify",
                semconv.GUARDRAIL_MODE: "enforce",
                semconv.GUARDRAIL_STAGE: "input",
                semconv.GUARDRAIL_SCORE: 0.5,
                semconv.GUARDRAIL_FINDINGS: 1,
            }
            | guard
        ),
    )
