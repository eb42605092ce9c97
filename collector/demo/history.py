"""Two weeks of back-dated calls, so that charts have something to show: a busy support desk with its bad days.

Deterministic for a given end time. Everything carries `deployment.environment.name = demo`, so it can be removed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import exp
from random import Random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

from ...tracer import semconv
from ..otlp_values import to_attributes
from .phrases import ANSWERS, QUESTIONS, RUDE_ANSWERS

DAYS = 14
CALLS_A_DAY = 240
HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 12, 14, 14, 13, 11, 13, 14, 13, 12, 9, 6, 5, 4, 3, 2, 1)
"""Weight of each hour of the day (UTC)."""
WEEKEND = 0.35


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of call: `latency` is the median in seconds, `tokens` the medians in and out."""

    weight: int
    service: str
    provider: str
    model: str
    prompt: str
    version: str
    latency: float
    tokens: tuple[int, int]
    stream: bool = False
    operation: str = "chat"


WORKLOADS = (
    Workload(40, "support-desk", "openai", "gpt-4o-mini", "triage", "3", 0.9, (420, 60)),
    Workload(22, "support-desk", "anthropic", "claude-sonnet-4-6", "answer", "7", 2.8, (1400, 320), stream=True),
    Workload(12, "support-desk", "openai", "gpt-4o", "answer", "6", 2.2, (1350, 280), stream=True),
    Workload(10, "billing-bot", "openai", "gpt-4o-mini", "refund", "1", 1.1, (600, 120)),
    Workload(12, "search", "openai", "text-embedding-3-small", "", "", 0.12, (90, 0), operation="embeddings"),
    Workload(4, "billing-bot", "openai", "house-model-1", "refund", "2", 0.7, (600, 110)),
)


@dataclass(frozen=True, slots=True)
class Episode:
    """A bad time: `hours` (UTC) of the day that was `days` before the end; `size` is a share or a factor."""

    subject: str
    days: int
    hours: range
    size: float

    def holds(self, subject: str, time: datetime, end: datetime) -> bool:
        return subject == self.subject and (end.date() - time.date()).days == self.days and time.hour in self.hours


RATE_LIMITED = Episode("openai", 3, range(9, 13), 0.45)
"""Share of refused calls of a provider."""
SLOW = Episode("claude-sonnet-4-6", 8, range(6, 20), 3.2)
"""Factor on a model's latency."""
LONG_PROMPTS = Episode("billing-bot", 5, range(24), 9.0)
"""Factor on a service's input tokens: a prompt that grew by mistake."""


def bodies(end: datetime, spans_a_body: int = 256) -> Iterator[bytes]:
    """OTLP requests with the calls of the two weeks before `end` (UTC), oldest first."""
    random = Random(20261121)
    request, held = ExportTraceServiceRequest(), 0
    for call_time in call_times(end, random):
        workload = random.choices(WORKLOADS, [workload.weight for workload in WORKLOADS])[0]
        held += add_trace(request, workload, call_time, end, random)
        if held >= spans_a_body:
            yield request.SerializeToString()
            request, held = ExportTraceServiceRequest(), 0
    if held:
        yield request.SerializeToString()


def call_times(end: datetime, random: Random) -> Iterator[datetime]:
    hour = (end - timedelta(days=DAYS)).replace(minute=0, second=0, microsecond=0)
    while hour < end:
        expected = CALLS_A_DAY * HOURS[hour.hour] / sum(HOURS) * (WEEKEND if hour.weekday() >= 5 else 1)
        count = round(expected * random.uniform(0.6, 1.4))
        moments = sorted(hour + timedelta(seconds=random.uniform(0, 3600)) for _ in range(count))
        yield from (moment for moment in moments if moment < end - timedelta(minutes=5))
        hour += timedelta(hours=1)


def add_trace(
    request: ExportTraceServiceRequest, workload: Workload, start: datetime, end: datetime, random: Random
) -> int:
    """One request to the application, the model call in it and what guards did; returns the number of spans."""
    resource = request.resource_spans.add()
    resource.resource.attributes.extend(
        to_attributes({"service.name": workload.service, "deployment.environment.name": "demo"})
    )
    spans = resource.scope_spans.add()
    spans.scope.name = "spanward.demo"
    refused = RATE_LIMITED.holds(workload.provider, start, end) and random.random() < RATE_LIMITED.size
    failed = refused or random.random() < 0.012
    seconds = workload.latency * exp(random.gauss(0, 0.35))
    seconds *= SLOW.size if SLOW.holds(workload.model, start, end) else 1
    seconds = random.uniform(0.08, 0.3) if failed else seconds
    trace_id = random.randbytes(16)
    root = new_span(
        spans, trace_id, b"", f"POST /{workload.service}", Span.SPAN_KIND_SERVER, start, seconds + 0.02, random
    )
    root.attributes.extend(to_attributes({"http.request.method": "POST", "url.path": f"/{workload.service}"}))
    begins = start + timedelta(milliseconds=12)
    name = f"{workload.operation} {workload.model}"
    call = new_span(spans, trace_id, root.span_id, name, Span.SPAN_KIND_CLIENT, begins, seconds, random)
    rude = workload.prompt == "answer" and not failed and random.random() < 0.01
    grown = LONG_PROMPTS.size if LONG_PROMPTS.holds(workload.service, start, end) else 1
    error = (429 if refused else random.choice((500, 503, 408))) if failed else 0
    fill_call(call, workload, grown, error=error, rude=rude, seconds=seconds, random=random)
    if failed:
        root.status.code = Status.STATUS_CODE_ERROR
    if workload.operation == "chat" and random.random() < 0.4:
        guard = new_span(
            spans, trace_id, call.span_id, semconv.RUN_GUARDRAIL, Span.SPAN_KIND_INTERNAL, begins, 0.004, random
        )
        guard.attributes.extend(to_attributes(PSEUDONYMISED | {semconv.GUARDRAIL_CALL_SPAN: call.span_id.hex()}))
        call.attributes.extend(to_attributes({semconv.GUARD_VERDICT: "modify", semconv.GUARD_ACTION: "modify"}))
    else:
        call.attributes.extend(to_attributes({semconv.GUARD_VERDICT: "allow", semconv.GUARD_ACTION: "allow"}))
    return len(spans.spans)


PSEUDONYMISED = {
    semconv.OPERATION: semconv.RUN_GUARDRAIL,
    semconv.GUARDRAIL_RULE: "pii-out",
    semconv.GUARDRAIL_POLICY: "default",
    semconv.GUARDRAIL_COMPONENT: "pii",
    semconv.GUARDRAIL_TARGET: "input",
    semconv.GUARDRAIL_STAGE: "input",
    semconv.GUARDRAIL_VERDICT: "modify",
    semconv.GUARDRAIL_ACTION: "modify",
    semconv.GUARDRAIL_CATEGORY: "EMAIL_ADDRESS",
    semconv.GUARDRAIL_SCORE: 1.0,
    semconv.GUARDRAIL_FINDINGS: 1,
    semconv.GUARDRAIL_MODE: "enforce",
    semconv.GUARDRAIL_ENGINE: "presidio-patterns",
}


def new_span(
    spans: ScopeSpans, trace_id: bytes, parent: bytes, name: str, kind: Span.SpanKind.ValueType,
    start: datetime, seconds: float, random: Random,
) -> Span:  # fmt: skip
    began = int(start.timestamp() * 1e9)
    return spans.spans.add(
        trace_id=trace_id, span_id=random.randbytes(8), parent_span_id=parent, name=name, kind=kind,
        start_time_unix_nano=began, end_time_unix_nano=began + int(seconds * 1e9),
    )  # fmt: skip


def fill_call(
    call: Span, workload: Workload, grown: float, *, error: int, rude: bool, seconds: float, random: Random
) -> None:
    tokens_in = round(workload.tokens[0] * exp(random.gauss(0, 0.3)) * grown)
    tokens_out = round(workload.tokens[1] * exp(random.gauss(0, 0.4)))
    cached = round(tokens_in * 0.6) if workload.prompt == "answer" and random.random() < 0.5 else 0
    call.attributes.extend(to_attributes(request_attributes(workload, random)))
    if error:
        call.status.code = Status.STATUS_CODE_ERROR
        call.status.message = f"HTTP {error}"
        call.attributes.extend(to_attributes({semconv.ERROR_TYPE: ERRORS[error]}))
        return
    found = {
        semconv.RESPONSE_MODEL: workload.model,
        semconv.INPUT_TOKENS: tokens_in,
        semconv.OUTPUT_TOKENS: tokens_out,
        semconv.USAGE_SOURCE: "provider",
    }
    if cached:
        found[semconv.CACHE_READ_TOKENS] = cached
    if workload.operation == "chat":
        answer = random.choice(RUDE_ANSWERS if rude else ANSWERS)
        found[semconv.FINISH_REASONS] = ["length" if random.random() < 0.03 else "stop"]
        found[semconv.OUTPUT_MESSAGES] = messages("assistant", answer)
    if workload.stream:
        found[semconv.TIME_TO_FIRST_CHUNK] = seconds * random.uniform(0.12, 0.3)
        found[semconv.STREAM_END] = "complete"
        found[semconv.STREAM_CHUNKS] = max(tokens_out // 2, 1)
    call.attributes.extend(to_attributes(found))


ERRORS = {429: "RateLimitError", 500: "InternalServerError", 503: "InternalServerError", 408: "APITimeoutError"}


def request_attributes(workload: Workload, random: Random) -> dict[str, object]:
    customer = random.randrange(60)
    found: dict[str, object] = {
        semconv.OPERATION: workload.operation,
        semconv.PROVIDER: workload.provider,
        semconv.REQUEST_MODEL: workload.model,
        semconv.REQUEST_STREAM: workload.stream,
        semconv.CONVERSATION: f"ticket-{random.randrange(4000):04}",
        semconv.USER_ID: f"customer-{customer:02}",
        semconv.USER_GROUP: "paid" if customer % 3 else "free",
        semconv.SERVER_ADDRESS: "127.0.0.1",
        semconv.INPUT_MESSAGES: messages("user", random.choice(QUESTIONS)),
    }
    if workload.prompt:
        found |= {semconv.PROMPT_NAME: workload.prompt, semconv.PROMPT_VERSION: workload.version}
        found[semconv.SYSTEM_INSTRUCTIONS] = json.dumps(
            [{"type": "text", "content": f"You are the {workload.service} of a furniture shop. Be brief and kind."}]
        )
    return found


def messages(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def now() -> datetime:
    return datetime.now(UTC)
