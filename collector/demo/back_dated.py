"""One back-dated request to an application of the demonstration: its span, the model call in it, what guards did."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp
from random import Random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

from ...tracer import semconv
from ..otlp_values import to_attributes
from .phrases import ANSWERS, DECLINED, GERMAN_QUESTIONS, QUESTIONS, RUDE_ANSWERS
from .workloads import CUT, DECLINES, GERMAN, LONG_PROMPTS, RATE_LIMITED, SLOW, Workload

ERRORS = {429: "RateLimitError", 500: "InternalServerError", 503: "InternalServerError", 408: "APITimeoutError"}
MESSAGES = {
    429: "Rate limit reached for {model}: limit 200000 tokens per minute, used {n}. Please try again in {ms}ms.",
    500: "The server had an error while processing your request (request id req_{id}).",
    503: "The model is overloaded. Please try again in {ms}ms.",
    408: "Request timed out after 30 s.",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose conversation a call belongs to."""

    ticket: str
    customer: int


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a call: `error` is an HTTP status, 0 for none; `finish` as the provider says it."""

    error: int
    seconds: float
    finish: str
    said: str
    answered: str
    rude: bool
    tokens: tuple[int, int]


def add_trace(
    request: ExportTraceServiceRequest, workload: Workload, turn: Turn, start: datetime, end: datetime, random: Random
) -> int:
    """Returns the number of spans."""
    resource = request.resource_spans.add()
    resource.resource.attributes.extend(
        to_attributes({"service.name": workload.service, "deployment.environment.name": "demo"})
    )
    spans = resource.scope_spans.add()
    spans.scope.name = "spanward.demo"
    fate = drawn(workload, start, end, random)
    trace_id = random.randbytes(16)
    root = new_span(
        spans, trace_id, b"", f"POST /{workload.service}", Span.SPAN_KIND_SERVER, start, fate.seconds + 0.02, random
    )
    root.attributes.extend(to_attributes({"http.request.method": "POST", "url.path": f"/{workload.service}"}))
    begins = start + timedelta(milliseconds=12)
    name = f"{workload.operation} {workload.model}"
    call = new_span(spans, trace_id, root.span_id, name, Span.SPAN_KIND_CLIENT, begins, fate.seconds, random)
    fill_call(call, workload, turn, fate, random)
    if fate.error:
        root.status.code = Status.STATUS_CODE_ERROR
    add_guards(spans, call, fate, begins, random)
    return len(spans.spans)


def drawn(workload: Workload, start: datetime, end: datetime, random: Random) -> Fate:
    prompt = f"{workload.prompt}/{workload.version}"
    refused = RATE_LIMITED.holds(workload.provider, start, end) and random.random() < RATE_LIMITED.size
    failed = refused or random.random() < 0.012
    seconds = workload.latency * exp(random.gauss(0, 0.35))
    seconds *= SLOW.size if SLOW.holds(workload.model, start, end) else 1
    grown = LONG_PROMPTS.size if LONG_PROMPTS.holds(workload.service, start, end) else 1
    tokens = (
        round(workload.tokens[0] * exp(random.gauss(0, 0.3)) * grown),
        round(workload.tokens[1] * exp(random.gauss(0, 0.4))),
    )
    number = random.randrange(len(QUESTIONS))
    rude = workload.prompt == "answer" and not failed and random.random() < 0.01
    answered, finish = ANSWERS[number], "stop"
    if rude:
        answered = random.choice(RUDE_ANSWERS)
    elif DECLINES.holds(prompt, start, end) and random.random() < DECLINES.size:
        answered = random.choice(DECLINED)
    elif random.random() < (CUT.size if CUT.holds(prompt, start, end) else 0.02):
        answered, finish = answered[: len(answered) // 2], "length"
    elif random.random() < workload.tools:
        answered, finish = "", "tool_calls"
    german = GERMAN.holds(prompt, start, end) and random.random() < GERMAN.size
    return Fate(
        error=(429 if refused else random.choice((500, 503, 408))) if failed else 0,
        seconds=random.uniform(0.08, 0.3) if failed else seconds,
        finish=finish,
        said=(GERMAN_QUESTIONS if german else QUESTIONS)[number],
        answered=answered,
        rude=rude,
        tokens=tokens,
    )


def new_span(
    spans: ScopeSpans, trace_id: bytes, parent: bytes, name: str, kind: Span.SpanKind.ValueType,
    start: datetime, seconds: float, random: Random,
) -> Span:  # fmt: skip
    began = int(start.timestamp() * 1e9)
    return spans.spans.add(
        trace_id=trace_id, span_id=random.randbytes(8), parent_span_id=parent, name=name, kind=kind,
        start_time_unix_nano=began, end_time_unix_nano=began + int(seconds * 1e9),
    )  # fmt: skip


def fill_call(call: Span, workload: Workload, turn: Turn, fate: Fate, random: Random) -> None:
    call.attributes.extend(to_attributes(request_attributes(workload, turn, fate)))
    if fate.error:
        told = MESSAGES[fate.error].format(
            model=workload.model, n=random.randrange(180_000, 200_000), ms=random.randrange(90, 3000),
            id=f"{random.getrandbits(64):016x}",
        )  # fmt: skip
        call.status.code = Status.STATUS_CODE_ERROR
        call.status.message = f"HTTP {fate.error}: {told}"
        call.attributes.extend(to_attributes({semconv.ERROR_TYPE: ERRORS[fate.error]}))
        return
    tokens_in, tokens_out = fate.tokens
    found: dict[str, object] = {
        semconv.RESPONSE_MODEL: workload.model,
        semconv.INPUT_TOKENS: tokens_in,
        semconv.OUTPUT_TOKENS: tokens_out,
        semconv.USAGE_SOURCE: "provider",
    }
    if workload.prompt == "answer" and random.random() < 0.5:
        found[semconv.CACHE_READ_TOKENS] = round(tokens_in * 0.6)
    if workload.operation == "chat":
        found[semconv.FINISH_REASONS] = [fate.finish]
        found[semconv.OUTPUT_MESSAGES] = json.dumps([{"role": "assistant", "parts": answer_parts(workload, fate)}])
    if workload.stream:
        found[semconv.TIME_TO_FIRST_CHUNK] = fate.seconds * random.uniform(0.12, 0.3)
        found[semconv.STREAM_END] = "complete"
        found[semconv.STREAM_CHUNKS] = max(tokens_out // 2, 1)
    call.attributes.extend(to_attributes(found))


def answer_parts(workload: Workload, fate: Fate) -> list[dict[str, object]]:
    if fate.finish != "tool_calls":
        return [{"type": "text", "content": fate.answered}]
    name = "refund" if workload.service == "billing-bot" else "find_order"
    return [{"type": "tool_call", "id": "call_1", "name": name, "arguments": {"order": "<ORDER>"}}]


def request_attributes(workload: Workload, turn: Turn, fate: Fate) -> dict[str, object]:
    found: dict[str, object] = {
        semconv.OPERATION: workload.operation,
        semconv.PROVIDER: workload.provider,
        semconv.REQUEST_MODEL: workload.model,
        semconv.REQUEST_STREAM: workload.stream,
        semconv.CONVERSATION: turn.ticket,
        semconv.USER_ID: f"customer-{turn.customer:02}",
        semconv.USER_GROUP: "paid" if turn.customer % 3 else "free",
        semconv.SERVER_ADDRESS: "127.0.0.1",
        semconv.INPUT_MESSAGES: json.dumps([{"role": "user", "parts": [{"type": "text", "content": fate.said}]}]),
    }
    if workload.prompt:
        found |= {semconv.PROMPT_NAME: workload.prompt, semconv.PROMPT_VERSION: workload.version}
        found[semconv.SYSTEM_INSTRUCTIONS] = json.dumps(
            [{"type": "text", "content": f"You are the {workload.service} of a furniture shop. Be brief and kind."}]
        )
    return found


_GUARDED = {
    semconv.OPERATION: semconv.RUN_GUARDRAIL,
    semconv.GUARDRAIL_POLICY: "default",
    semconv.GUARDRAIL_FINDINGS: 1,
}
PSEUDONYMISED = _GUARDED | {
    semconv.GUARDRAIL_RULE: "pii-out",
    semconv.GUARDRAIL_COMPONENT: "pii",
    semconv.GUARDRAIL_TARGET: "input",
    semconv.GUARDRAIL_STAGE: "input",
    semconv.GUARDRAIL_VERDICT: "modify",
    semconv.GUARDRAIL_ACTION: "modify",
    semconv.GUARDRAIL_SCORE: 1.0,
    semconv.GUARDRAIL_MODE: "enforce",
    semconv.GUARDRAIL_ENGINE: "presidio-patterns",
}
WOULD_BLOCK = _GUARDED | {
    semconv.GUARDRAIL_RULE: "no-insults",
    semconv.GUARDRAIL_COMPONENT: "toxicity",
    semconv.GUARDRAIL_CATEGORY: "insult",
    semconv.GUARDRAIL_TARGET: "output",
    semconv.GUARDRAIL_STAGE: "output",
    semconv.GUARDRAIL_VERDICT: "deny",
    semconv.GUARDRAIL_ACTION: "block",
    semconv.GUARDRAIL_SCORE: 0.93,
    semconv.GUARDRAIL_MODE: "shadow",
    semconv.GUARDRAIL_ENGINE: "baseline-2",
    semconv.GUARDRAIL_DEGRADED: "baseline",
}
"""A rule that is tried out: it would have blocked the rude answers."""


def add_guards(spans: ScopeSpans, call: Span, fate: Fate, begins: datetime, random: Random) -> None:
    """What the guards found is what stands in the text: a placeholder for each value that was hidden."""
    hidden = [label for label in ("EMAIL_ADDRESS", "CREDIT_CARD", "PHONE_NUMBER") if f"<{label}_1>" in fate.said]
    took = random.uniform(0.0015, 0.006)
    events = [PSEUDONYMISED | {semconv.GUARDRAIL_CATEGORY: label} for label in hidden]
    if fate.rude:
        events.append(WOULD_BLOCK)
    for event in events:
        guard = new_span(
            spans, call.trace_id, call.span_id, semconv.RUN_GUARDRAIL, Span.SPAN_KIND_INTERNAL, begins, took, random
        )
        guard.attributes.extend(to_attributes(event | {semconv.GUARDRAIL_CALL_SPAN: call.span_id.hex()}))
    made = "modify" if hidden else "allow"
    told = {semconv.GUARD_VERDICT: made, semconv.GUARD_ACTION: made, semconv.GUARD_LATENCY_MS: round(took * 1000, 3)}
    call.attributes.extend(to_attributes(told))
