"""What ClickHouse makes of an OTLP request, field by field."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from spanward.collector.store import Store
from spanward.tracer import semconv
from spanward.tracer.segment import frame

MINUTE = datetime.now(UTC).replace(second=0, microsecond=0)  # rows of another year would be past their time already
TIME = MINUTE.replace(microsecond=123_456)
START = int(MINUTE.timestamp()) * 10**9 + 123_456_789


def value(of: Any) -> AnyValue:  # noqa: PLR0911  a table of types
    match of:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=of)
        case int():
            return AnyValue(int_value=of)
        case float():
            return AnyValue(double_value=of)
        case str():
            return AnyValue(string_value=of)
        case bytes():
            return AnyValue(bytes_value=of)
        case list():
            return AnyValue(array_value=ArrayValue(values=map(value, of)))
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=pairs(of)))
        case _:
            raise TypeError(of)


def pairs(of: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value(item)) for key, item in of.items()]


def request(*spans: Span, **resource: Any) -> ExportTraceServiceRequest:
    told = {name.replace("_", "."): item for name, item in resource.items()}
    scope = ScopeSpans(scope=InstrumentationScope(name="lib", version="1.2"), spans=spans)
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=Resource(attributes=pairs(told)), scope_spans=[scope])]
    )


def named(name: str) -> Span:
    return Span(name=name, start_time_unix_nano=START)


def land(store: Store, path: Path, *requests: ExportTraceServiceRequest, token: str = "one") -> None:
    path.write_bytes(b"".join(frame(one.SerializeToString()) for one in requests))
    store.ingest(path, token)


@pytest.fixture
def landed(store: Store) -> Store:
    """A store that keeps what lands, for a look at it."""
    store.command("CREATE TABLE landed AS otel_traces ENGINE = MergeTree ORDER BY SpanId")
    store.command("CREATE MATERIALIZED VIEW landed_view TO landed AS SELECT * FROM otel_traces")
    return store


def test_every_field_of_a_span_lands(landed: Store, tmp_path: Path) -> None:
    span = Span(
        trace_id=bytes(range(16)),
        span_id=bytes(range(8)),
        parent_span_id=b"\xff" * 8,
        trace_state="k=v",
        name="chat ünïcode",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=START,
        end_time_unix_nano=START + 1_500,
        attributes=pairs({"a": "x", "n": 7}),
        events=[Span.Event(time_unix_nano=START + 5, name="exception", attributes=pairs({"e": ["p", 1]}))],
        links=[Span.Link(trace_id=b"\x01" * 16, span_id=b"\x02" * 8, trace_state="l=1", attributes=pairs({"w": True}))],
        status=Status(code=Status.STATUS_CODE_ERROR, message="broken"),
    )
    land(landed, tmp_path / "segment", request(span, service_name="svc", process_command_args=["a", "b"]))
    (record,) = landed.ask(
        "SELECT * EXCEPT Timestamp, toUnixTimestamp64Nano(Timestamp) AS Timestamp FROM landed"
    ).records()
    event_time = record.pop("Events.Timestamp")
    assert event_time == [TIME]
    assert record == {
        "Timestamp": START,
        "TraceId": "000102030405060708090a0b0c0d0e0f",
        "SpanId": "0001020304050607",
        "ParentSpanId": "ffffffffffffffff",
        "TraceState": "k=v",
        "SpanName": "chat ünïcode",
        "SpanKind": "Client",
        "ServiceName": "svc",
        "ResourceAttributes": {"service.name": "svc", "process.command.args": '["a","b"]'},
        "ScopeName": "lib",
        "ScopeVersion": "1.2",
        "SpanAttributes": {"a": "x", "n": "7"},
        "Duration": 1_500,
        "StatusCode": "Error",
        "StatusMessage": "broken",
        "Events.Name": ["exception"],
        "Events.Attributes": [{"e": '["p",1]'}],
        "Links.TraceId": ["01" * 16],
        "Links.SpanId": ["02" * 8],
        "Links.TraceState": ["l=1"],
        "Links.Attributes": [{"w": "true"}],
    }


VALUES = {
    "text": ("hello", "hello"),
    "empty text": ("", ""),
    "quotes": ('say "hi"\n\\', 'say "hi"\n\\'),
    "integer": (-3, "-3"),
    "largest integer": (2**63 - 1, "9223372036854775807"),
    "zero": (0, "0"),
    "float": (0.25, "0.25"),
    "zero float": (0.0, "0"),
    "true": (True, "true"),
    "false": (False, "false"),
    "unset": (None, ""),
    "bytes": (b"\x00\xff", "AP8="),
    "list": (["a", 0, False, 1.5, None, b"\x00"], '["a",0,false,1.5,null,"AA=="]'),
    "empty list": ([], "[]"),
    "quotes in a list": (['"\\\n'], '["\\"\\\\\\n"]'),
    "object": ({"a": "x", 'b"': 0, "c": None}, '{"a":"x","b\\"":0,"c":null}'),
    "empty object": ({}, "{}"),
    "two levels": ({"a": [1, "x"], "b": {"c": False}}, '{"a":[1,"x"],"b":{"c":false}}'),
    "list of objects": ([{"a": 1}, {}], '[{"a":1},{}]'),
    "three levels": ({"a": [[1]]}, '{"a":["(nested too deep)"]}'),
    "not a number in a list": ([float("nan"), float("inf")], '["nan","inf"]'),
}


def test_every_kind_of_value_lands_as_text(landed: Store, tmp_path: Path) -> None:
    given_ = {name: told for name, (told, _) in VALUES.items()}
    land(landed, tmp_path / "segment", request(Span(attributes=pairs(given_))))
    ((attributes,),) = landed.ask("SELECT SpanAttributes FROM landed").rows
    assert attributes == {name: text for name, (_, text) in VALUES.items()}


def test_a_span_of_which_nothing_is_set_lands(landed: Store, tmp_path: Path) -> None:
    land(landed, tmp_path / "segment", request(Span()))
    (record,) = landed.ask("SELECT * FROM landed").records()
    assert record["Timestamp"] == datetime(1970, 1, 1, tzinfo=UTC)
    assert (record["TraceId"], record["SpanId"], record["ParentSpanId"]) == ("", "", "")
    assert (record["SpanKind"], record["StatusCode"], record["Duration"]) == ("Unspecified", "Unset", 0)


def test_status_of_spans(store: Store, tmp_path: Path) -> None:
    codes = (Status.STATUS_CODE_UNSET, Status.STATUS_CODE_OK, Status.STATUS_CODE_ERROR)
    spans = [Span(name=str(n), start_time_unix_nano=START, status=Status(code=n)) for n in codes]
    land(store, tmp_path / "segment", request(*spans))
    assert store.ask("SELECT status FROM spans ORDER BY name").rows == (("unset",), ("ok",), ("error",))
    assert store.ask("SELECT DISTINCT tenant, env FROM spans").rows == (("default", ""),)


def test_many_requests_resources_and_scopes_of_a_segment_all_land(store: Store, tmp_path: Path) -> None:
    many = [request(named(f"{n} a"), named(f"{n} b"), service_name=f"s{n}") for n in range(50)]
    many[0].MergeFrom(request(named("merged"), service_name="other"))
    land(store, tmp_path / "segment", *many)
    assert store.ask("SELECT count(), uniqExact(name), uniqExact(service) FROM spans").rows == ((101, 101, 51),)


def test_a_field_that_otlp_does_not_have_is_skipped(store: Store, tmp_path: Path) -> None:
    body = request(named("known")).SerializeToString() + b"\xca\xd1\x0f\x03abc"
    (tmp_path / "segment").write_bytes(frame(body))
    store.ingest(tmp_path / "segment", "one")
    assert store.ask("SELECT name FROM spans").rows == (("known",),)


NUMBERS = st.integers(0, 2**64 - 1)
TEXTS = st.text(max_size=12)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), TEXTS, st.binary(max_size=8)
)
KEYS = st.sampled_from(
    [*(name for name in vars(semconv).values() if isinstance(name, str) and name.count(".") and " " not in name), "own"]
)
NESTED = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
OPERATIONS = st.sampled_from(["chat", "run_guardrail", "invoke_agent"])
SPANS = st.builds(
    lambda attributes, operation, start, end, kind, code, name: Span(
        attributes=pairs({**attributes, semconv.OPERATION: operation}),
        start_time_unix_nano=start,
        end_time_unix_nano=end,
        kind=kind,
        name=name,
        status=Status(code=code),
    ),
    st.dictionaries(KEYS, NESTED, max_size=6), OPERATIONS, NUMBERS, NUMBERS, st.integers(0, 9), st.integers(0, 5),
    st.sampled_from([semconv.REPORT, "span"]),
)  # fmt: skip


# the store is one for all examples on purpose: counts go up by one
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(span=SPANS)
def test_no_span_whatever_it_says_stops_the_queue(landed: Store, tmp_path: Path, span: Span) -> None:
    """Strange times, codes and values must land: a segment that cannot be inserted would hold up all behind it."""
    before = landed.ask("SELECT count() FROM landed").rows[0][0]
    land(landed, tmp_path / "segment", request(span), token=str(before))
    assert landed.ask("SELECT count() FROM landed").rows[0][0] == before + 1


def said(role: str, *texts: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text} for text in texts]}


CALL = {
    semconv.OPERATION: "chat",
    semconv.PROVIDER: "openai",
    semconv.REQUEST_MODEL: "gpt-4o",
    semconv.RESPONSE_MODEL: "gpt-4o-2024-08-06",
    semconv.REQUEST_STREAM: True,
    semconv.FINISH_REASONS: ["stop", "length"],
    semconv.TIME_TO_FIRST_CHUNK: 0.25,
    semconv.INPUT_TOKENS: 100,
    semconv.CACHE_READ_TOKENS: 40,
    semconv.CACHE_WRITE_TOKENS: 10,
    semconv.OUTPUT_TOKENS: 20,
    semconv.REASONING_TOKENS: 5,
    semconv.USAGE_SOURCE: "provider",
    semconv.COST_USD: 0.0125,
    semconv.PRICE_VERSION: "1.0",
    semconv.STREAM_CHUNKS: 12,
    semconv.STREAM_END: "complete",
    semconv.GUARD_VERDICT: "modify",
    semconv.GUARD_ACTION: "modify",
    semconv.GUARD_POLICY_HASH: "abc123",
    semconv.GUARD_LATENCY_MS: 3.5,
    semconv.GUARD_DEGRADED: ["toxicity"],
    semconv.CONTENT_WITHHELD: "",
    semconv.CONVERSATION: "session-1",
    semconv.USER_ID: "user-1",
    semconv.USER_GROUP: "beta",
    semconv.PROMPT_NAME: "greet",
    semconv.PROMPT_VERSION: "3",
    semconv.TAGS: ["red", "blue"],
    semconv.ERROR_TYPE: "",
    semconv.INPUT_MESSAGES: json.dumps(
        [said("user", "first"), said("assistant", "no"), said("user", "sec", "ond" + "é" * 300), said("user")]
    ),
    semconv.OUTPUT_MESSAGES: json.dumps([said("assistant", "answer")]),
    semconv.SYSTEM_INSTRUCTIONS: json.dumps([{"type": "text", "content": "be kind"}]),
    semconv.TOOL_DEFINITIONS: "[]",
}
ROW = {
    "tenant": "acme",
    "ts": TIME,
    "trace_id": "01" * 16,
    "span_id": "02" * 8,
    "parent_span_id": "03" * 8,
    "service": "svc",
    "env": "prod",
    "operation": "chat",
    "provider": "openai",
    "request_model": "gpt-4o",
    "model": "gpt-4o-2024-08-06",
    "status": "ok",
    "error_type": "",
    "status_message": "",
    "finish_reason": "stop",
    "stream": 1,
    "stream_end": "complete",
    "chunks": 12,
    "input_tokens": 100,
    "cached_tokens": 40,
    "cache_write_tokens": 10,
    "output_tokens": 20,
    "reasoning_tokens": 5,
    "usage_source": "provider",
    "cost_usd": 0.0125,
    "price_version": "1.0",
    "latency_ms": 1500.0,
    "ttft_ms": 250.0,
    "guard_verdict": "modify",
    "guard_action": "modify",
    "policy_hash": "abc123",
    "guard_latency_ms": 3.5,
    "degraded": 1,
    "content_withheld": "",
    "session_id": "session-1",
    "user_id": "user-1",
    "user_group": "beta",
    "prompt_name": "greet",
    "prompt_version": "3",
    "tags": ["red", "blue"],
    "input_preview": "sec · ond" + "é" * 191,
    "output_preview": "answer",
    "tool_calls": 0,
    "json_valid": "",
    "answer_fault": "",
    "failure": "",
    "failure_text": "",
    "failure_group": "",
}


def group(kind: str, text: str) -> dict[str, str]:
    digest = hashlib.md5(f"{kind} {text}".encode()).hexdigest()  # a name, no secret
    return {"failure": kind, "failure_text": text, "failure_group": digest[:12]}


def model_call(attributes: dict[str, Any], **fields: Any) -> Span:
    return Span(
        trace_id=b"\x01" * 16,
        span_id=b"\x02" * 8,
        parent_span_id=b"\x03" * 8,
        name="chat gpt-4o",
        start_time_unix_nano=START,
        end_time_unix_nano=START + 1_500_000_000,
        attributes=pairs(attributes),
        **fields,
    )


def from_acme(*spans: Span) -> ExportTraceServiceRequest:
    asked = request(*spans, service_name="svc", spanward_tenant="acme")
    asked.resource_spans[0].resource.attributes.extend(pairs({"deployment.environment.name": "prod"}))
    return asked


def test_a_model_call_is_a_row_of_llm_calls(store: Store, tmp_path: Path) -> None:
    land(store, tmp_path / "segment", from_acme(model_call(CALL)))
    assert store.ask("SELECT * FROM llm_calls").records() == [ROW]


CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "blocked wins over error": (
        {semconv.GUARD_ACTION: "block"},
        {"status": "blocked", "guard_action": "block", **group("guard_block", "no message")},
    ),
    "no answer's model": ({semconv.RESPONSE_MODEL: ""}, {"model": "gpt-4o"}),
    "unknown cost": ({semconv.COST_USD: None}, {"cost_usd": None}),
    "no cost is not free": ({semconv.COST_USD: 0.0}, {"cost_usd": 0.0}),
    "cost that is no number": ({semconv.COST_USD: float("nan")}, {"cost_usd": None}),
    "cost below zero": ({semconv.COST_USD: -1.0}, {"cost_usd": None}),
    "reason without a list": ({semconv.FINISH_REASONS: "stop"}, {"finish_reason": "stop"}),
    "no reason": ({semconv.FINISH_REASONS: []}, {"finish_reason": ""}),
    "not streamed": ({semconv.REQUEST_STREAM: False}, {"stream": 0}),
    "first chunk of nonsense": ({semconv.TIME_TO_FIRST_CHUNK: float("inf")}, {"ttft_ms": 0.0}),
    "not degraded": ({semconv.GUARD_DEGRADED: []}, {"degraded": 0}),
    "no tags": ({semconv.TAGS: None}, {"tags": []}),
    "content that is no JSON": ({semconv.INPUT_MESSAGES: "hello"}, {"input_preview": ""}),
    "answer is a tool call": (
        {semconv.OUTPUT_MESSAGES: json.dumps([{"role": "assistant", "parts": [{"type": "tool_call", "name": "x"}]}])},
        {"output_preview": "", "tool_calls": 1},
    ),
    "tokens beyond belief": ({semconv.INPUT_TOKENS: -5}, {"input_tokens": 0}),
}


def test_a_change_of_the_call_changes_that_of_the_row(store: Store, tmp_path: Path) -> None:
    spans = [model_call({**CALL, semconv.USER_ID: name, **change}) for name, (change, _) in CHANGES.items()]
    land(store, tmp_path / "segment", from_acme(*spans))
    expected = {name: {**ROW, "user_id": name, **effect} for name, (_, effect) in CHANGES.items()}
    assert {row["user_id"]: row for row in store.ask("SELECT * FROM llm_calls").records()} == expected


def test_a_failed_call_says_so(store: Store, tmp_path: Path) -> None:
    failed = Status(code=Status.STATUS_CODE_ERROR, message="HTTP 500")
    land(store, tmp_path / "segment", from_acme(model_call({**CALL, semconv.ERROR_TYPE: "E"}, status=failed)))
    effect = {"status": "error", "error_type": "E", "status_message": "HTTP 500"}
    effect |= group("provider_error", "E: HTTP 500")
    assert store.ask("SELECT * FROM llm_calls").records() == [{**ROW, **effect}]


def test_only_model_calls_are_rows_of_llm_calls(store: Store, tmp_path: Path) -> None:
    others = ["invoke_agent", "execute_tool", "run_guardrail", "chatter", ""]
    spans = [model_call({**CALL, semconv.OPERATION: operation}) for operation in [*others, *semconv.MODEL_OPERATIONS]]
    land(store, tmp_path / "segment", from_acme(*spans))
    stored = {operation for (operation,) in store.ask("SELECT operation FROM llm_calls").rows}
    assert stored == set(semconv.MODEL_OPERATIONS)
    assert store.ask("SELECT count() FROM spans").rows == ((len(spans),),)


def test_content_is_in_its_own_table_and_in_no_map(store: Store, tmp_path: Path) -> None:
    event = Span.Event(name="details", attributes=pairs({semconv.INPUT_MESSAGES: "canary", "kept": "yes"}))
    land(store, tmp_path / "segment", from_acme(model_call(CALL, events=[event])))
    (content,) = store.ask("SELECT * EXCEPT ts FROM content").records()
    assert content == {
        "tenant": "acme",
        "trace_id": "01" * 16,
        "span_id": "02" * 8,
        "env": "prod",
        "input": CALL[semconv.INPUT_MESSAGES],
        "output": CALL[semconv.OUTPUT_MESSAGES],
        "system": CALL[semconv.SYSTEM_INSTRUCTIONS],
        "tools": "[]",
    }
    ((attributes, events),) = store.ask("SELECT attributes, `events.attributes` FROM spans").rows
    assert not set(attributes) & set(semconv.CONTENT)
    assert set(attributes) == set(CALL) - set(semconv.CONTENT)
    assert events == [{"kept": "yes"}]


def test_content_that_is_only_on_an_event_is_kept(store: Store, tmp_path: Path) -> None:
    event = Span.Event(attributes=pairs({semconv.OUTPUT_MESSAGES: "[1]"}))
    bare = {name: told for name, told in CALL.items() if name not in semconv.CONTENT}
    land(store, tmp_path / "segment", from_acme(model_call(bare, events=[event])))
    assert store.ask("SELECT input, output FROM content").rows == (("", "[1]"),)


@pytest.mark.parametrize(
    ("operation", "given", "found"),
    [
        ("execute_tool", semconv.TOOL_ARGUMENTS, semconv.TOOL_RESULT),
        ("retrieval", semconv.QUERY, semconv.DOCUMENTS),
        ("invoke_agent", semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES),
    ],
)
def test_what_a_tool_or_a_search_said_is_content_and_no_call(
    store: Store, tmp_path: Path, operation: str, given: str, found: str
) -> None:
    told = {semconv.OPERATION: operation, given: '{"to":"canary"}', found: "canary"}
    land(store, tmp_path / "segment", from_acme(model_call(told)))
    rows = store.ask("SELECT span_id, input, output, system, tools FROM content").rows
    assert rows == (("02" * 8, '{"to":"canary"}', "canary", "", ""),)
    assert store.ask("SELECT attributes FROM spans").rows == (({semconv.OPERATION: operation},),)
    assert store.ask("SELECT count() FROM llm_calls").rows == ((0,),)


def test_a_call_without_content_has_no_row_of_content(store: Store, tmp_path: Path) -> None:
    bare = {name: told for name, told in CALL.items() if name not in semconv.CONTENT}
    land(store, tmp_path / "segment", from_acme(model_call(bare)))
    assert store.ask("SELECT count() FROM content").rows == ((0,),)


GUARDRAIL = {
    semconv.OPERATION: semconv.RUN_GUARDRAIL,
    semconv.GUARDRAIL_CALL_SPAN: "04" * 8,
    semconv.GUARDRAIL_RULE: "pii-out",
    semconv.GUARDRAIL_POLICY: "default",
    semconv.GUARD_POLICY_HASH: "abc123",
    semconv.GUARDRAIL_STAGE: "input",
    semconv.GUARDRAIL_COMPONENT: "pii",
    semconv.GUARDRAIL_CATEGORY: "EMAIL_ADDRESS",
    semconv.GUARDRAIL_SCORE: 0.5,
    semconv.GUARDRAIL_FINDINGS: 2,
    semconv.GUARDRAIL_VERDICT: "modify",
    semconv.GUARDRAIL_ACTION: "modify",
    semconv.GUARDRAIL_MODE: "enforce",
    semconv.GUARDRAIL_ENGINE: "presidio",
    semconv.GUARDRAIL_DEGRADED: False,
    semconv.GUARDRAIL_REASON: "found",
}


def test_a_guardrail_is_a_row_of_guard_events_and_counted(store: Store, tmp_path: Path) -> None:
    land(store, tmp_path / "segment", from_acme(model_call(GUARDRAIL)))
    (event,) = store.ask("SELECT * EXCEPT ts FROM guard_events").records()
    assert event == {
        "tenant": "acme",
        "trace_id": "01" * 16,
        "span_id": "04" * 8,
        "guard_span_id": "02" * 8,
        "service": "svc",
        "env": "prod",
        "rule": "pii-out",
        "policy": "default",
        "policy_hash": "abc123",
        "stage": "input",
        "detector": "pii",
        "label": "EMAIL_ADDRESS",
        "score": 0.5,
        "findings": 2,
        "verdict": "modify",
        "action": "modify",
        "mode": "enforce",
        "engine": "presidio",
        "degraded": 0,
        "latency_ms": 1500.0,
        "reason": "found",
        **dict.fromkeys(("provider", "request_model", "model", "operation", "status", "error_type"), ""),
        **dict.fromkeys(("finish_reason", "prompt_name", "prompt_version", "user_group", "user_id"), ""),
        **dict.fromkeys(("session_id", "guard_verdict", "guard_action"), ""),
        "of_call": 0,
        "call_ts": datetime(1970, 1, 1, tzinfo=UTC),
        "tags": [],
    }
    assert store.ask("SELECT * FROM guard_1m").records() == [
        {
            "t": MINUTE,
            "tenant": "acme",
            "service": "svc",
            "env": "prod",
            "rule": "pii-out",
            "detector": "pii",
            "verdict": "modify",
            "action": "modify",
            "mode": "enforce",
            "events": 1,
        }
    ]


def test_a_guardrail_without_a_named_call_belongs_to_its_parent(store: Store, tmp_path: Path) -> None:
    land(store, tmp_path / "segment", from_acme(model_call({**GUARDRAIL, semconv.GUARDRAIL_CALL_SPAN: ""})))
    assert store.ask("SELECT span_id FROM guard_events").rows == (("03" * 8,),)


def test_a_report_of_a_tracer_is_a_row_of_reports(store: Store, tmp_path: Path) -> None:
    told = {semconv.REPORT_KIND: "dropped", semconv.REPORT_REASON: "spool_full", semconv.REPORT_COUNT: 7}
    report = Span(name=semconv.REPORT, start_time_unix_nano=START, attributes=pairs(told))
    land(store, tmp_path / "segment", from_acme(report))
    assert store.ask("SELECT * EXCEPT ts FROM reports").records() == [
        {"tenant": "acme", "service": "svc", "env": "prod", "kind": "dropped", "reason": "spool_full", "count": 7}
    ]


def test_the_minute_adds_up_its_calls(store: Store, tmp_path: Path) -> None:
    failed = Status(code=Status.STATUS_CODE_ERROR)
    spans = [
        model_call(CALL),
        model_call({**CALL, semconv.COST_USD: None}, status=failed),
        model_call({**CALL, semconv.GUARD_ACTION: "block", semconv.COST_USD: 0.5, semconv.TIME_TO_FIRST_CHUNK: None}),
        model_call({**CALL, semconv.COST_USD: None, semconv.INPUT_TOKENS: None, semconv.OUTPUT_TOKENS: None}),
    ]
    land(store, tmp_path / "segment", from_acme(*spans))
    assert store.ask("SELECT * FROM llm_1m").records() == [
        {
            "t": MINUTE,
            "tenant": "acme",
            "service": "svc",
            "env": "prod",
            "provider": "openai",
            "model": "gpt-4o-2024-08-06",
            "calls": 4,
            "errors": 1,
            "blocked": 1,
            "unpriced": 1,
            "input_tokens": 300,
            "cached_tokens": 160,
            "output_tokens": 60,
            "cost_usd": 0.5125,
            "lat_hist": {84: 4},
            "ttft_hist": {63: 3, -100: 1},
            "in_hist": {53: 3, -100: 1},
            "out_hist": {34: 3, -100: 1},
        }
    ]
