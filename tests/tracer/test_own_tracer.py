"""Our own spans and those of OpenTelemetry's SDK: who gets which, and that nobody can tell them apart in the spool."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
    use_span,
)

import spanward
from spanward.tracer import instrument, own_tracer

from .conftest import SAID, Seen, Spooled

Trace = Callable[..., Any]
PARENT = SpanContext(
    0xABC, 0xDEF, is_remote=True, trace_flags=TraceFlags(0), trace_state=TraceState([("vendor", "value")])
)


@pytest.mark.parametrize(
    ("variables", "ours"),
    [
        ({}, True),
        ({"OTEL_SERVICE_NAME": "shop", "OTEL_RESOURCE_ATTRIBUTES": "a=b"}, True),
        ({"OTEL_TRACES_SAMPLER": "always_on"}, False),
        ({"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "100"}, False),
        ({"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "10"}, False),
        ({"OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_who_asks_for_what_only_the_sdk_does_gets_it(
    trace: Trace, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, ours: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    trace()
    running = instrument.running()
    assert running is not None
    assert isinstance(running.engine.provider, own_tracer.OwnProvider if ours else sdk.TracerProvider)


def recorded(tiny: Any, spooled: Spooled) -> list[Seen]:
    """A call, a stream, and one that fails, beneath a span of another process; ids and times left out."""
    with use_span(NonRecordingSpan(PARENT)), spanward.session("s1"):
        tiny.Chat().ask(model="m", messages=SAID)
        list(tiny.Chat().ask(model="m", messages=SAID, stream=True))
        with pytest.raises(tiny.TinyError):
            tiny.Chat().ask(model="error", messages=SAID)
    found = spooled.all
    spanward.uninstrument()
    assert {(span.trace_id, span.parent_id) for span in found} == {(f"{0xABC:032x}", f"{0xDEF:016x}")}
    clocks = {"gen_ai.response.time_to_first_chunk", "spanward.stream.longest_gap_ms"}
    return [
        replace(
            span,
            span_id="",
            times=(0, 0),
            attributes={name: "" if name in clocks else value for name, value in span.attributes.items()},
            resource={name: value for name, value in span.resource.items() if name != "service.instance.id"},
        )
        for span in found
    ]


def test_the_same_records_either_way(trace: Trace, spooled: Spooled, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = trace()
    ours = recorded(tiny, spooled)
    for path in spooled.folder.glob("*"):
        path.unlink()
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_on")
    assert recorded(trace(), spooled) == ours
    assert len(ours) == 3


def test_the_environment_names_the_service(trace: Trace, spooled: Spooled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=cart,service.name=other")
    trace().Chat().ask(model="m", messages=SAID)
    assert spooled.one().resource.items() >= {"service.name": "shop", "team": "cart"}.items()


def test_a_disabled_sdk_makes_no_spans(trace: Trace, spooled: Spooled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert trace().Chat().ask(model="m", messages=SAID).text
    assert spooled.all == []


def test_two_processes_with_the_same_seed_have_ids_of_their_own() -> None:
    tracer = own_tracer.OwnProvider(Resource({}), lambda _: None).get_tracer("t")
    ids = set()
    for _ in range(2):
        random.seed(7)
        ids.add(tracer.start_span("a", context=Context()).get_span_context()[:2])
    assert len(ids) == 2


def test_a_span_that_ended_stays_as_it_is_and_keeps_no_events() -> None:
    ended: list[Any] = []
    tracer = own_tracer.OwnProvider(Resource({}), ended.append).get_tracer("t")
    with tracer.start_as_current_span("a", context=Context(), attributes={"k": 1}) as span:
        assert get_current_span() is span
        span.add_event("said", {"prompt": "hunter2"})
        span.record_exception(ValueError("hunter2"))
        child = tracer.start_span("b")
        child.update_name("c")
        child.set_status(StatusCode.ERROR, "Odd")
        child.end()
    span.set_attribute("k", 2)
    span.set_status(Status(StatusCode.ERROR))
    span.update_name("z")
    span.end()
    assert [(s.name, s.attributes, s.status.status_code, len(s.events)) for s in ended] == [
        ("c", {}, StatusCode.ERROR, 0),
        ("a", {"k": 1}, StatusCode.UNSET, 0),
    ]
    assert ended[0].parent is ended[1].get_span_context()
    assert ended[0].get_span_context().trace_flags == own_tracer.SAMPLED


def test_what_came_from_another_process_is_carried_on() -> None:
    tracer = own_tracer.OwnProvider(Resource({}), lambda _: None).get_tracer("t")
    span = tracer.start_span("a", context=set_span_in_context(NonRecordingSpan(PARENT), Context()))
    here = span.get_span_context()
    assert (here.trace_id, here.trace_state, here.is_remote) == (0xABC, PARENT.trace_state, False)
    assert here.trace_flags.sampled
    assert span.parent is PARENT
