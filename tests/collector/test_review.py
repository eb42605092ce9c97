"""What rules that stand in nobody's way find in stored calls."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spanward.collector.otlp_values import attributes_of, to_attributes
from spanward.collector.review import Reviewed, checks_of, review
from spanward.guards import policy as policies
from spanward.guards.judgement import Check, Context, GuardEvent
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline
from spanward.tracer import semconv
from spanward.tracer.segment import bodies, frame

from .otlp import CALL, body, call, said
from .sidecar_process import Running, until

ANSWER = said("assistant", "write to ada@example.com")


@pytest.fixture(scope="module")
def pipeline(policy_file: Path) -> Pipeline:
    return Pipeline(policies.load(policy_file))


def spans_of(segment: bytes) -> list[Span]:
    requests = map(ExportTraceServiceRequest.FromString, bodies(segment))
    return [
        span
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_a_finding_becomes_a_guardrail_span_beside_its_call(pipeline: Pipeline) -> None:
    judged = call(2, OUTPUT_MESSAGES=ANSWER)
    reviewed = review(frame(body("desk", call(1), judged)), pipeline)
    [span] = spans_of(reviewed.segment)
    told = attributes_of(span.attributes)
    assert told == {
        semconv.OPERATION: "run_guardrail",
        semconv.GUARDRAIL_CALL_SPAN: f"{2:016x}",
        semconv.GUARDRAIL_RULE: "mail-in-answers",
        semconv.GUARDRAIL_POLICY: "house",
        semconv.GUARD_POLICY_HASH: pipeline.summary["hash"],
        semconv.GUARDRAIL_TARGET: "output",
        semconv.GUARDRAIL_STAGE: "output",
        semconv.GUARDRAIL_COMPONENT: "pii",
        semconv.GUARDRAIL_CATEGORY: "EMAIL_ADDRESS",
        semconv.GUARDRAIL_SCORE: 1.0,
        semconv.GUARDRAIL_FINDINGS: 1,
        semconv.GUARDRAIL_VERDICT: "warn",
        semconv.GUARDRAIL_ACTION: "allow",
        semconv.GUARDRAIL_MODE: "enforce",
        semconv.GUARDRAIL_ENGINE: told[semconv.GUARDRAIL_ENGINE],
        semconv.GUARDRAIL_DEGRADED: told[semconv.GUARDRAIL_DEGRADED],
        semconv.GUARDRAIL_REASON: "",
        **{f"spanward.call.{name}": value for name, value in CALL.items() if "usage" not in name},
        semconv.CALL_START: judged.start_time_unix_nano,
    }
    assert (span.trace_id.hex(), span.parent_span_id.hex(), span.name) == (f"{2:032x}", f"{2:016x}", "run_guardrail")
    assert (reviewed.judged, reviewed.failures) == (1, [])
    assert b"ada@" not in reviewed.segment
    [request] = map(ExportTraceServiceRequest.FromString, bodies(reviewed.segment))
    assert attributes_of(request.resource_spans[0].resource.attributes) == {
        "service.name": "desk",
        "deployment.environment.name": "test",
    }


def test_ids_follow_from_the_call_and_the_rule(pipeline: Pipeline) -> None:
    segment = frame(body("desk", call(1, OUTPUT_MESSAGES=ANSWER), call(2, OUTPUT_MESSAGES=ANSWER)))
    first, again = (spans_of(review(segment, pipeline).segment) for _ in range(2))
    assert [span.span_id for span in first] == [span.span_id for span in again]
    assert len({span.span_id for span in first}) == 2


def guardrail(**attributes: Any) -> Span:
    told = {
        semconv.OPERATION: "run_guardrail",
        semconv.GUARDRAIL_CALL_SPAN: f"{1:016x}",
        semconv.GUARDRAIL_RULE: "mail-in-answers",
        semconv.GUARDRAIL_STAGE: "output",
    }
    told |= {getattr(semconv, name): value for name, value in attributes.items()}
    return Span(trace_id=bytes(15) + b"\1", span_id=b"guardrai", attributes=to_attributes(told))


@pytest.mark.parametrize(
    ("beside", "found"),
    [
        (guardrail(), 0),
        (guardrail(GUARDRAIL_RULE="another"), 1),
        (guardrail(GUARDRAIL_STAGE="input"), 1),
        (guardrail(GUARDRAIL_CALL_SPAN=f"{9:016x}"), 1),
        (guardrail(OPERATION="chat"), 1),
    ],
)
def test_what_was_judged_where_the_call_was_made_is_not_said_twice(
    pipeline: Pipeline, beside: Span, found: int
) -> None:
    segment = frame(body("desk", call(1, OUTPUT_MESSAGES=ANSWER), beside))
    assert len(spans_of(review(segment, pipeline).segment)) == found


@pytest.mark.parametrize(
    "span",
    [
        call(1),
        call(1, INPUT_MESSAGES=said("user", "write to ada@example.com")),
        call(1, OUTPUT_MESSAGES=said("assistant", "nothing here")),
        call(1, OPERATION="invoke_agent", OUTPUT_MESSAGES=ANSWER),
        Span(name="GET /"),
    ],
    ids=["no content", "only the input has it", "nothing to find", "no model call", "another span"],
)
def test_nothing_to_say_is_no_segment(pipeline: Pipeline, span: Span) -> None:
    assert review(frame(body("desk", span)), pipeline).segment == b""


@pytest.mark.parametrize("content", ["{", "{}", '"text"', "[1]", '[{"role": "assistant", "parts": [7]}]'])
def test_content_of_another_form_is_counted_and_hides_nothing_else(pipeline: Pipeline, content: str) -> None:
    broken, fine = call(1, OUTPUT_MESSAGES=content), call(2, OUTPUT_MESSAGES=ANSWER)
    reviewed = review(frame(body("desk", broken, fine)), pipeline)
    assert [span.parent_span_id.hex() for span in spans_of(reviewed.segment)] == [f"{2:016x}"]
    assert len(reviewed.failures) == 1
    assert "Error at " in reviewed.failures[0]


class Breaking:
    """A pipeline whose detector fails on one word: what a review must survive."""

    @property
    def summary(self) -> Mapping[str, Any]:
        return {"name": "breaking", "hash": "0"}

    def review(self, check: Check) -> tuple[GuardEvent, ...]:
        if "boom" in check.messages[0].parts[0].text:
            raise RuntimeError(check.messages[0].parts[0].text)
        return (GuardEvent("r", "output", "d", "l", "warn", "allow"),)


def test_a_detector_that_raises_spoils_one_call_only_and_tells_no_content() -> None:
    spans = (
        call(1, OUTPUT_MESSAGES=said("assistant", "boom secret")),
        call(2, OUTPUT_MESSAGES=said("assistant", "fine")),
    )
    reviewed: Reviewed = review(frame(body("desk", *spans)), Breaking())
    assert (len(spans_of(reviewed.segment)), len(reviewed.failures)) == (1, 1)
    assert reviewed.failures[0].startswith("RuntimeError at ")
    assert "secret" not in reviewed.failures[0]


def test_a_check_holds_what_the_span_says_of_the_call() -> None:
    parts = [
        {"type": "text", "content": "hello"},
        {"type": "reasoning", "content": "hm"},
        {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"at": "it"}},
        {"type": "tool_call_response", "id": "c1", "response": "seen"},
        {"type": "uri", "modality": "image", "uri": "https://x/y.png"},
    ]
    attributes = {
        semconv.OPERATION: "chat",
        semconv.PROVIDER: "openai",
        semconv.REQUEST_MODEL: "gpt",
        semconv.CONVERSATION: "s1",
        semconv.USER_ID: "u1",
        semconv.USER_GROUP: "staff",
        semconv.PROMPT_NAME: "p",
        semconv.PROMPT_VERSION: "3",
        semconv.TAGS: ["a", "b"],
        semconv.SYSTEM_INSTRUCTIONS: json.dumps([{"type": "text", "content": "be kind"}]),
        semconv.INPUT_MESSAGES: json.dumps([{"role": "user", "parts": parts}]),
        semconv.OUTPUT_MESSAGES: [
            {"role": "assistant", "parts": [{"type": "text", "content": "hi"}], "finish_reason": "stop"}
        ],
    }
    resource = {"service.name": "desk", "deployment.environment": "prod"}
    context = Context(
        app="desk", environment="prod", provider="openai", model="gpt", operation="chat", prompt_name="p",
        prompt_version="3", user_id="u1", user_group="staff", session_id="s1", tags=("a", "b"),
    )  # fmt: skip
    asked = (
        Message("system", (Part("text", "be kind"),)),
        Message(
            "user",
            (
                Part("text", "hello"),
                Part("reasoning", "hm"),
                Part("tool_call", '{"at": "it"}', json=True, name="look", id="c1"),
                Part("tool_result", "seen", id="c1"),
                Part("media"),
            ),
        ),
    )
    answered = (Message("assistant", (Part("text", "hi"),), "stop"),)
    assert list(checks_of(attributes, resource)) == [Check("input", asked, context), Check("output", answered, context)]


def test_the_event_appears_in_guard_events(sidecar: Running) -> None:
    judged = sidecar.metric('spanward_guard_reviews_total{outcome="judged"}')
    assert sidecar.post(body("reviewed", call(11, OUTPUT_MESSAGES=ANSWER), call(12))).status_code == 200
    sql = (
        "SELECT trace_id, span_id, rule, policy, stage, detector, label, findings, verdict, action, mode, env "
        "FROM guard_events WHERE service = 'reviewed'"
    )
    expected = [
        f"{11:032x}", f"{11:016x}", "mail-in-answers", "house", "output", "pii", "EMAIL_ADDRESS", 1, "warn", "allow",
        "enforce", "test",
    ]  # fmt: skip
    assert until(lambda: sidecar.query(sql), bool) == [expected]
    assert sidecar.count("llm_calls", "reviewed") == 2
    assert sidecar.metric('spanward_guard_reviews_total{outcome="judged"}') == judged + 1
