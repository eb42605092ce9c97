"""Events know their call as the call's own row does: by what the receiver tells them, and by nothing else."""

from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spanward.collector import guarded_calls
from spanward.collector.bodies import KnownBodies
from spanward.collector.otlp_values import attributes_of, to_attributes
from spanward.collector.pricing import Pricing
from spanward.collector.receiver import Receiver
from spanward.collector.store import Store
from spanward.collector.wal import WriteAheadLog
from spanward.tracer import semconv
from spanward.tracer.segment import bodies, frame

from .otlp import call, request

OF_CALL = (
    "tenant, service, env, provider, request_model, model, operation, status, error_type, finish_reason, prompt_name, "
    "prompt_version, user_group, user_id, session_id, tags, guard_verdict, guard_action"
)
TOLD = {
    "CONVERSATION": "s-1",
    "USER_ID": "ada",
    "USER_GROUP": "pro",
    "PROMPT_NAME": "answer",
    "PROMPT_VERSION": "2",
    "TAGS": ["beta", "web"],
    "FINISH_REASONS": ["stop", "length"],
    "GUARD_VERDICT": "modify",
    "GUARD_ACTION": "modify",
}


def guard(number: int, **attributes: Any) -> Span:
    """The guard of the call `number`, which is its parent unless attributes say otherwise."""
    told = {semconv.OPERATION: semconv.RUN_GUARDRAIL, semconv.GUARDRAIL_RULE: "pii"}
    told |= {getattr(semconv, name, name): value for name, value in attributes.items()}
    return Span(
        trace_id=number.to_bytes(16),
        span_id=(1000 + number).to_bytes(8),
        parent_span_id=number.to_bytes(8),
        start_time_unix_nano=call().start_time_unix_nano + 1_500_000_123,
        attributes=to_attributes(told),
    )


def failed(span: Span) -> Span:
    span.status.code = Status.STATUS_CODE_ERROR
    return span


def twice(span: Span, key: str, value: str) -> Span:
    span.attributes.add(key=key).value.string_value = value
    return span


def told_of(*spans: Span) -> dict[str, Any]:
    """What the last of them is told of its call, without the prefix."""
    sent = request("shop", spans)
    guarded_calls.tell(sent)
    told = attributes_of(sent.resource_spans[0].scope_spans[0].spans[-1].attributes)
    return {
        key.removeprefix("spanward.call."): value for key, value in told.items() if key.startswith("spanward.call.")
    }


@pytest.mark.parametrize(
    "judged",
    [
        call(1),
        call(1, **TOLD),
        failed(call(1, ERROR_TYPE="RateLimitError", RESPONSE_MODEL="")),
        failed(call(1, GUARD_ACTION="block", GUARD_VERDICT="deny")),
        call(1, FINISH_REASONS="length", TAGS="no list", OPERATION="embeddings"),
        call(1, FINISH_REASONS="[broken", TAGS=["", "a'b", 'c"d'], PROVIDER="", USER_ID="né\n"),
        twice(call(1, PROVIDER=""), "gen_ai.system", "old name"),
        twice(call(1), semconv.REQUEST_MODEL, "said twice"),
        twice(call(1), semconv.OPERATION, "embeddings"),
    ],
)
def test_an_event_knows_what_the_row_of_its_call_knows(store: Store, tmp_path: Path, judged: Span) -> None:
    sent = request("shop", [judged, guard(1)])
    assert guarded_calls.tell(sent) == 1
    put(store, tmp_path, sent)
    rows = store.ask(f"SELECT ts, {OF_CALL} FROM llm_calls").rows
    assert len(rows) == 1
    assert store.ask(f"SELECT call_ts, {OF_CALL} FROM guard_events WHERE of_call = 1").rows == rows


def test_an_event_without_its_call_says_so(store: Store, tmp_path: Path) -> None:
    tool = call(2, OPERATION="execute_tool", **TOLD)
    sent = request("shop", [guard(1), tool, guard(2)])
    guarded_calls.tell(sent)
    put(store, tmp_path, sent)
    found = store.ask("SELECT of_call, operation, status, model, user_id FROM guard_events ORDER BY span_id").rows
    assert found == ((0, "", "", "", ""), (2, "execute_tool", "", "", ""))


@pytest.mark.parametrize(
    "spans",
    [
        [call(2), guard(1)],
        [call(1), guard(1, GUARDRAIL_CALL_SPAN=f"{2:016x}")],
        [call(1), guard(1, GUARDRAIL_CALL_SPAN=f"{1:016X} ")],
        [call(1), call(1, USER_ID="another"), guard(1)],
    ],
    ids=["another call", "it names another", "it names none", "two of one name"],
)
def test_what_cannot_be_known_is_not_told(spans: list[Span]) -> None:
    assert told_of(*spans) == {}


def test_the_call_that_is_named_goes_before_the_parent() -> None:
    inner = guard(1, GUARDRAIL_CALL_SPAN=f"{1:016x}")
    inner.parent_span_id = (7).to_bytes(8)
    assert told_of(call(1, USER_ID="ada"), inner)["user.id"] == "ada"


def test_the_call_of_another_process_is_not_taken() -> None:
    sent = ExportTraceServiceRequest()
    for service, span in (("shop", call(1)), ("desk", guard(1))):
        sent.resource_spans.extend(request(service, [span]).resource_spans)
    assert guarded_calls.tell(sent) == 0


def test_a_span_without_operation_is_no_call() -> None:
    assert told_of(Span(trace_id=(1).to_bytes(16), span_id=(1).to_bytes(8)), guard(1)) == {
        "gen_ai.operation.name": "none"
    }


@pytest.mark.parametrize("beside", [[], [call(1, USER_ID="ada")]], ids=["alone", "beside the call"])
def test_nobody_can_say_it_instead(tmp_path: Path, beside: list[Span]) -> None:
    claimed = guard(1, **{"spanward.call.user.id": "eve", "spanward.call.gen_ai.operation.name": "chat", "kept": "yes"})
    log = WriteAheadLog(tmp_path, segment_seconds=3600)
    receiver = Receiver(log, KnownBodies(tmp_path), Pricing())
    receiver.accept(request("shop", [*beside, claimed]).SerializeToString()).result(10)
    [found] = [body for path in tmp_path.glob("*.open") for body in bodies(path.read_bytes())]
    told = attributes_of(
        ExportTraceServiceRequest.FromString(found).resource_spans[0].scope_spans[0].spans[-1].attributes
    )
    assert (told.get("spanward.call.user.id"), told["kept"]) == ("ada" if beside else None, "yes")
    assert ("spanward.call.gen_ai.operation.name" in told) == bool(beside)


@pytest.mark.parametrize("first", [semconv.RUN_GUARDRAIL, "chat"])
def test_an_operation_that_is_said_twice_claims_nothing(store: Store, tmp_path: Path, first: str) -> None:
    """Whichever of the two the store believes."""
    second = "chat" if first == semconv.RUN_GUARDRAIL else semconv.RUN_GUARDRAIL
    claimed = twice(guard(1, OPERATION=first, **{"spanward.call.user.id": "eve"}), semconv.OPERATION, second)
    claimed.attributes.extend(to_attributes({"spanward.call.gen_ai.operation.name": "chat"}))
    sent = request("shop", [claimed])
    guarded_calls.tell(sent)
    put(store, tmp_path, sent)
    assert all(row == ("", 0) for row in store.ask("SELECT user_id, of_call FROM guard_events").rows)
    assert store.ask("SELECT count() FROM guard_events").rows == ((int(first == semconv.RUN_GUARDRAIL),),)


def put(store: Store, folder: Path, sent: ExportTraceServiceRequest) -> None:
    segment = folder / "segment"
    segment.write_bytes(frame(sent.SerializeToString()))
    store.ingest(segment, "one")
