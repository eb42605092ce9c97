"""Which kind of failure a call is, decided as it is stored; near misses beside each."""

import json
from pathlib import Path
from typing import Any

import pytest

from spanward.collector.store import Store
from spanward.tracer import semconv

from .conftest import NOW
from .traffic import Call, message, put

JSON = {"gen_ai.request.response_format": "json_schema"}
NOTHING = {semconv.OUTPUT_MESSAGES: json.dumps([{"role": "assistant", "parts": []}])}
TOOL = {"type": "tool_call", "id": "1", "name": "look_up", "arguments": {"type": "tool_call"}}


def finished(reason: str, **more: Any) -> dict[str, Any]:
    return {semconv.FINISH_REASONS: [reason], **more}


def parts(*given: dict[str, Any]) -> dict[str, Any]:
    return {semconv.OUTPUT_MESSAGES: json.dumps([{"role": "assistant", "parts": list(given)}])}


FAILED = [
    ("InternalServerError", "InternalServerError HTTP 500", "provider_error"),
    ("InternalServerError", "InternalServerError HTTP 529 overloaded_error", "provider_error"),
    ("APIConnectionError", "APIConnectionError", "provider_error"),
    ("ServerDisconnectedError", "", "provider_error"),
    ("502", "", "provider_error"),
    ("EndpointConnectionError", "", "provider_error"),
    ("APITimeoutError", "APITimeoutError", "timeout"),
    ("ReadTimeout", "", "timeout"),
    ("DeadlineExceeded", "504 Deadline Exceeded", "timeout"),
    ("InternalServerError", "InternalServerError HTTP 504", "timeout"),
    ("", "Request timed out.", "timeout"),
    ("RateLimitError", "RateLimitError HTTP 429 insufficient_quota", "rate_limit"),
    ("ThrottlingException", "ThrottlingException HTTP 400 ThrottlingException", "rate_limit"),
    ("ResourceExhausted", "", "rate_limit"),
    ("429", "", "rate_limit"),
    ("APIStatusError", "Error code: 429 - slow down", "rate_limit"),
    ("BadRequestError", "BadRequestError HTTP 400 content_filter", "refusal"),
    ("ContentPolicyViolationError", "", "refusal"),
    ("LengthFinishReasonError", "LengthFinishReasonError", "cut_by_length"),
    ("BadRequestError", "BadRequestError HTTP 400 context_length_exceeded", "client_error"),
    ("AuthenticationError", "AuthenticationError HTTP 401", "client_error"),
    ("NotFoundError", "NotFoundError HTTP 404 model_not_found", "client_error"),
    ("ValidationException", "ValidationException HTTP 400 ValidationException", "client_error"),
    ("404", "", "client_error"),
    ("ValueError", "", "client_error"),
    ("CancelledError", "", "cancelled"),
    ("OutputParserException", "", "invalid_json"),
    ("RuntimeError", "the cat sat on the keyboard", "other"),
    ("RuntimeError", "row 4290 of 5000 is odd", "other"),
]  # fmt: skip


@pytest.fixture
def kinds(store: Store, tmp_path: Path) -> Any:
    def of(calls: list[Call]) -> list[tuple[str, str]]:
        put(store, tmp_path, calls)
        rows = store.ask("SELECT span_id, failure, failure_text FROM llm_calls").rows
        found = {span: (kind, text) for span, kind, text in rows}
        return [found[call.span_id] for call in calls]

    return of


def test_the_kind_of_an_error_follows_from_its_type_and_status(kinds: Any) -> None:
    calls = [
        Call(NOW, error=kind or "x", message=text, attributes={semconv.ERROR_TYPE: kind}) for kind, text, _ in FAILED
    ]
    assert [
        (call.attributes[semconv.ERROR_TYPE], call.message, kind)
        for call, (kind, _) in zip(calls, kinds(calls), strict=True)
    ] == FAILED


ANSWERS: list[tuple[str, dict[str, Any], str, str]] = [
    ("hello", {}, "", ""),
    ("hello", finished("stop"), "", ""),
    ("", finished("content_filter"), "refusal", "finish reason content_filter"),
    ("x", finished("SAFETY"), "refusal", "finish reason SAFETY"),
    ("x", finished("length"), "cut_by_length", "finish reason length"),
    ("x", finished("MAX_TOKENS"), "cut_by_length", "finish reason MAX_TOKENS"),
    ("", finished("max_tokens"), "cut_by_length", "finish reason max_tokens"),
    ('{"a": [1, 2', finished("length", **JSON), "cut_by_length", "finish reason length, JSON cut off"),
    ('{"a": 1}', finished("stop", **JSON), "", ""),
    ("[1, 2]", JSON, "", ""),
    ('{"a": 1}', {"gen_ai.output.type": "json"}, "", ""),
    ("plain words", {"gen_ai.output.type": "json"}, "invalid_json", "no JSON"),
    ("plain words", {"gen_ai.output.type": "text"}, "", ""),
    ("plain words", {"gen_ai.request.response_format": "text"}, "", ""),
    ('{"a": [1, 2', JSON, "invalid_json", "JSON that breaks off"),
    ('{"a": 1,}', JSON, "invalid_json", "malformed JSON"),
    ('```json\n{"a": 1}\n```', JSON, "invalid_json", "JSON in a code fence"),
    ('Here you are: {"a": 1}', JSON, "invalid_json", "text around the JSON"),
    ("nothing here", JSON | {semconv.OPERATION: "transcription"}, "", ""),
    ('{"a": [1, 2', JSON | {semconv.STREAM_END: "closed"}, "", ""),
    ('{"a": [1, 2', JSON | {semconv.CONTENT_CUT: 900}, "", ""),
    ("", NOTHING, "empty", "no answer"),
    ("", finished("stop", **NOTHING), "empty", "no answer, finish reason stop"),
    ("", parts({"type": "reasoning", "content": "hm"}), "empty", "only reasoning"),
    ("", parts(TOOL), "", ""),
    ("", parts(TOOL) | JSON, "", ""),
    ("", parts({"type": "uri", "uri": "x", "modality": "image"}), "", ""),
    ("", NOTHING | {semconv.CONTENT_WITHHELD: "policy"}, "", ""),
    ("", NOTHING | {semconv.OPERATION: "embeddings"}, "", ""),
    ("", {semconv.OUTPUT_MESSAGES: ""}, "", ""),
    ("", {semconv.OUTPUT_MESSAGES: "", semconv.OUTPUT_TOKENS: "", semconv.USAGE_SOURCE: "none"}, "", ""),
    ("", {semconv.OUTPUT_MESSAGES: "", semconv.OUTPUT_TOKENS: 0}, "empty", "no answer"),
    ("", {semconv.OUTPUT_MESSAGES: "", semconv.OUTPUT_TOKENS: 0, semconv.INPUT_MESSAGES: ""}, "", ""),
    ("", {semconv.OUTPUT_MESSAGES: '[{"role": "assist'}, "", ""),
    ("x", {semconv.STREAM_END: "abandoned"}, "cancelled", "stream abandoned"),
    ("x", {semconv.STREAM_END: "closed"}, "", ""),
    ("x", {semconv.STREAM_END: "complete"}, "", ""),
]  # fmt: skip


def test_an_answer_that_is_none_is_a_failure_of_its_own_kind(kinds: Any) -> None:
    calls = [Call(NOW, answered=text, attributes=attributes) for text, attributes, *_ in ANSWERS]
    found = kinds(calls)
    expected = [(kind, text) for *_, kind, text in ANSWERS]
    assert [(a[0], a[1], f) for a, f in zip(ANSWERS, found, strict=True)] == [
        (a[0], a[1], e) for a, e in zip(ANSWERS, expected, strict=True)
    ]


REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I\N{RIGHT SINGLE QUOTATION MARK}m sorry, I can\N{RIGHT SINGLE QUOTATION MARK}t assist with that request.",
    "I cannot provide instructions for building weapons.",
    "  Unfortunately, I am unable to help with this.",
    "As an AI language model, I cannot have opinions.",
    "I won't be able to help you with that.",
    "I'm unable to assist with that.",
    "Sorry, I cannot comply.",
    "Es tut mir leid, aber ich kann dabei nicht helfen.",
    "Lo siento, pero no puedo ayudar con eso.",
]
NO_REFUSALS = [
    "I'm sorry to hear that your sofa arrived broken. I will send another.",
    "I can help with that.",
    "I can't provide the exact delivery date because the carrier has not scanned it yet.",
    "Unfortunately, the blue one is sold out.",
    "Sorry for the delay! Your order left today.",
    'He said: "I cannot help with that."',
    "You can't assist with that if you are not there.",
    "I cannot recommend it enough: the oak table is wonderful.",
    "We can't wait to help you.",
    "As an AI company, we ship weekly.",
]


def test_a_refusal_is_told_by_how_the_answer_begins(kinds: Any) -> None:
    texts = [*REFUSALS, *NO_REFUSALS]
    found = kinds([Call(NOW, answered=text) for text in texts])
    assert [text for text, (kind, _) in zip(texts, found, strict=True) if kind == "refusal"] == REFUSALS
    assert {group for kind, group in found if kind} == {"the answer begins as a refusal"}


def test_a_block_is_named_by_its_rule_and_a_withheld_answer_is_no_failure(kinds: Any) -> None:
    blocked = {semconv.GUARD_VERDICT: "deny", semconv.GUARD_ACTION: "block"}
    refused = Call(
        NOW, answered="", error="ModelCallBlocked", message="ModelCallBlocked rule pii-out", attributes=blocked
    )
    withheld = Call(NOW, answered="", attributes={semconv.CONTENT_WITHHELD: "policy", semconv.OUTPUT_MESSAGES: ""})
    assert kinds([refused, withheld]) == [("guard_block", "ModelCallBlocked rule pii-out"), ("", "")]


def test_json_and_tool_calls_are_told_beside_the_kind(store: Store, tmp_path: Path) -> None:
    two = {semconv.OUTPUT_MESSAGES: json.dumps([{"role": "assistant", "parts": [TOOL, TOOL]}])}
    quoting = {semconv.OUTPUT_MESSAGES: json.dumps([message("assistant", json.dumps(TOOL))])}
    calls = [
        Call(NOW, answered="{}", attributes=JSON), Call(NOW, answered="{", attributes=finished("length", **JSON)),
        Call(NOW, answered="{}"), Call(NOW, attributes=two), Call(NOW, attributes=quoting),
    ]  # fmt: skip
    put(store, tmp_path, calls)
    rows = store.ask("SELECT span_id, json_valid, tool_calls FROM llm_calls").rows
    found = {span: told for span, *told in rows}
    assert [found[call.span_id] for call in calls] == [["yes", 0], ["no", 0], ["", 0], ["", 2], ["", 0]]


def test_calls_of_before_the_columns_are_judged_too(store: Store, tmp_path: Path) -> None:
    """What the store had before the migration: rows without the new columns, and no rollup."""
    put(store, tmp_path, [Call(NOW, error="RateLimitError", message="RateLimitError HTTP 429"), Call(NOW)])
    expected = store.ask("SELECT failure, failure_group, calls FROM failures_1h ORDER BY failure").rows
    of_it = ("failures_1h_view", "failure_groups_view", "failures_1h", "failure_groups")
    for name in ("drift_1h_calls_view", "facets_1h_view", "failed_1h_view", *of_it):
        store.command(f"DROP TABLE {name} SYNC")
    new = ("failure_group", "failure_text", "failure", "error_words", "error_code", "failure_said")
    for name in (*new, "answer_fault", "json_valid", "tool_calls"):
        store.command(f"ALTER TABLE llm_calls DROP COLUMN {name}")
    store.command("DELETE FROM schema_migrations WHERE name LIKE '0009%' SETTINGS mutations_sync = 2")
    store.migrate()
    assert store.ask("SELECT failure, failure_group, calls FROM failures_1h ORDER BY failure").rows == expected
    (row,) = store.ask("SELECT failure, failure_text FROM llm_calls WHERE failure != ''").rows
    assert row == ("rate_limit", "RateLimitError HTTP 429")
    ((groups,),) = store.ask("SELECT count() FROM failure_groups").rows
    assert groups == 1
