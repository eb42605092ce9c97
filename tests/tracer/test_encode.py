"""Our encoder says what the library's says, byte for byte, of the SDK's spans and of our own."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)
from opentelemetry.trace import TracerProvider as AnyProvider

from spanward.tracer import encode, health, own_tracer, sdk_spans
from spanward.tracer.segment import bodies
from spanward.tracer.usual import Usual

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LONG = st.integers(0, 40_000).map(lambda size: "é" * size)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
VALUES = st.one_of(
    TEXT,
    LONG,
    st.booleans(),
    INTEGERS,
    st.floats(allow_nan=False),
    st.lists(TEXT, max_size=3),
    st.lists(INTEGERS, max_size=3),
)
ATTRIBUTES = st.dictionaries(TEXT.filter(bool), VALUES, max_size=5)
RESOURCE = Resource({"service.name": "shop", "n": 7}, "https://example.test/resource")
REMOTE = SpanContext(7, 9, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("a", "b"), ("c", "d")]))
LOCAL = SpanContext(7, 9, is_remote=False, trace_flags=TraceFlags(0))


def request(encoder: encode.Encoder, spans: Sequence[Any], encoded: Sequence[bytes] = ()) -> bytes:
    (body,) = bodies(encoder.frame(spans, encoded))
    return body


def own(finished: list[Any]) -> AnyProvider:
    return own_tracer.OwnProvider(RESOURCE, finished.append)


def of_the_sdk(finished: list[Any]) -> AnyProvider:
    provider = sdk_spans.provider(RESOURCE, ALWAYS_ON)
    provider.add_span_processor(sdk_spans.Processor(finished.append))
    return provider


PROVIDERS = (own, of_the_sdk)


def made(
    provider: AnyProvider, attributes: dict[str, Any], parent: SpanContext | None, kind: SpanKind, *, failed: bool
) -> None:
    """A span with these attributes, and a root with none."""
    tracer = provider.get_tracer("spanward", "1.2", "https://example.test/scope")
    above = set_span_in_context(NonRecordingSpan(parent), Context()) if parent else Context()
    span = tracer.start_span("é", context=above, attributes=attributes, kind=kind, start_time=1_700_000_000_000_000_000)
    tracer.start_span("", context=Context(), start_time=1_700_000_000_000_000_001).end(1_700_000_000_000_000_002)
    if failed:
        span.set_status(Status(StatusCode.ERROR, "TinyError HTTP 500"))
    span.end(1_700_000_003_000_000_000)


def by_the_library(spans: list[Any]) -> bytes:
    return encode_spans(spans).SerializeToString()


@pytest.mark.parametrize("provider", PROVIDERS)
@given(
    attributes=ATTRIBUTES,
    parent=st.sampled_from([None, REMOTE, LOCAL]),
    failed=st.booleans(),
    kind=st.sampled_from(SpanKind),
)
@example(attributes={"k": "v" * 123, "a": "b" * 127, "b": "c" * 128}, parent=None, failed=False, kind=SpanKind.CLIENT)
def test_as_the_library_does(
    provider: Any, attributes: dict[str, Any], parent: SpanContext | None, kind: SpanKind, *, failed: bool
) -> None:
    finished: list[Any] = []
    made(provider(finished), attributes, parent, kind, failed=failed)
    encoder = encode.Encoder()
    for _ in range(2):
        assert request(encoder, finished) == by_the_library(finished)


EDGES = [0x7F, 0x80, 0x81, encode.LONG - 1, encode.LONG, 0x4000 - 70, 0x3FFF, 0x4000]
"""Bytes of texts about which one of their three lengths takes a byte more."""


@pytest.mark.parametrize("name", ["k", "k" * (encode.SHORT - 4), "k" * encode.SHORT], ids=len)
@pytest.mark.parametrize("size", EDGES)
def test_a_text_of_any_length_is_as_the_library_has_it(size: int, name: str) -> None:
    finished: list[Any] = []
    made(own(finished), {name: "v" * size, f"{name}é": "é" + "v" * (size - 2)}, None, SpanKind.CLIENT, failed=False)
    assert request(encode.Encoder(), finished) == by_the_library(finished)


def _whole(encoded: bytes) -> ExportTraceServiceRequest:
    """All of a request but the ids of the spans in it, which are random."""
    request = ExportTraceServiceRequest.FromString(encoded)
    for span in request.resource_spans[0].scope_spans[0].spans:
        assert (len(span.trace_id), len(span.span_id)) == (16, 8)
        span.span_id = b""
        if not span.parent_span_id:
            span.trace_id = b""
    return request


@given(
    attributes=ATTRIBUTES,
    parent=st.sampled_from([None, REMOTE, LOCAL]),
    failed=st.booleans(),
    kind=st.sampled_from(SpanKind),
)
@example(attributes={f"k{i}": i for i in range(130)}, parent=LOCAL, failed=True, kind=SpanKind.CLIENT)
def test_our_spans_are_those_of_the_sdk(
    attributes: dict[str, Any], parent: SpanContext | None, kind: SpanKind, *, failed: bool
) -> None:
    records = []
    for provider in PROVIDERS:
        finished: list[Any] = []
        made(provider(finished), attributes, parent, kind, failed=failed)
        records.append(_whole(request(encode.Encoder(), finished)))
    assert records[0] == records[1]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_another_resource_is_noticed(provider: Any) -> None:
    encoder = encode.Encoder()
    for _ in range(2):
        finished: list[Any] = []
        made(provider(finished), {}, None, SpanKind.CLIENT, failed=False)
        assert request(encoder, finished) == by_the_library(finished)
    other: list[Any] = []
    made(
        own_tracer.OwnProvider(Resource({"service.name": "other"}), other.append),
        {},
        None,
        SpanKind.CLIENT,
        failed=False,
    )
    assert request(encoder, other) == by_the_library(other)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_links_go_the_library_s_way(provider: Any) -> None:
    finished: list[Any] = []
    tracer = provider(finished).get_tracer("spanward")
    tracer.start_span("linked", links=[Link(REMOTE, {"why": "batch"})]).end()
    assert request(encode.Encoder(), finished) == by_the_library(finished)
    assert (
        len(
            ExportTraceServiceRequest.FromString(request(encode.Encoder(), finished))
            .resource_spans[0]
            .scope_spans[0]
            .spans[0]
            .links
        )
        == 1
    )


@given(opening=ATTRIBUTES, said=ATTRIBUTES, usual=ATTRIBUTES, more=st.sampled_from([0, 130]))
def test_what_many_spans_say_alike_is_said_as_the_rest(
    opening: dict[str, Any], said: dict[str, Any], usual: dict[str, Any], more: int
) -> None:
    """In any order, also where a name comes twice: then the last holds."""
    opened, told = Usual(opening), Usual(usual)
    finished: list[Any] = []
    for attributes in (said | {f"k{i}": i for i in range(more)}, said):
        span = own(finished).get_tracer("spanward").start_span("s", context=Context(), attributes=opened)
        span.set_attributes(attributes)
        span.set_attributes(told)
        span.set_attribute("last", "word")
        span.end()
        assert dict(finished[-1].attributes) == {**opening, **attributes, **usual, "last": "word"}
        assert (dict(opened), dict(told)) == (opening, usual)
        ours = request(encode.Encoder(), finished[-1:])
        kept = ExportTraceServiceRequest.FromString(ours).resource_spans[0].scope_spans[0].spans[0]
        most, all_of_them = own_tracer.MOST_ATTRIBUTES, len(finished[-1].attributes)
        assert (len(kept.attributes), kept.dropped_attributes_count) == (
            min(most, all_of_them),
            max(0, all_of_them - most),
        )
        if not kept.dropped_attributes_count:
            assert ours == by_the_library(finished[-1:])


@pytest.mark.parametrize(
    ("value", "kept"),
    [(2**70, {"k": "1180591620717411303424"}), (None, {}), (b"bytes", {}), ({"a": 1}, {}), (object(), {})],
)
def test_values_that_protobuf_has_none_for(value: Any, kept: dict[str, str]) -> None:
    finished: list[Any] = []
    made(own(finished), {"k": value}, None, SpanKind.CLIENT, failed=False)
    (spans,) = ExportTraceServiceRequest.FromString(request(encode.Encoder(), finished)).resource_spans[0].scope_spans
    assert {a.key: a.value.string_value for a in spans.spans[1].attributes} == kept
    assert bool(health.take()) == (not kept)


def test_a_span_like_another_differs_in_ids_and_times() -> None:
    spans: list[Any] = []
    tracer = own(spans).get_tracer("spanward", "1.2", "https://example.test/scope")
    said: Any = {
        "url.full": "https://model.test/v1/" + "long/" * 40,
        "http.response.status_code": 200,
        "server.port": 443,
    }

    def sent(parent: SpanContext, started: int, ended: int) -> own_tracer.OwnSpan:
        above = set_span_in_context(NonRecordingSpan(parent), Context())
        span: Any = tracer.start_span("POST", context=above, kind=SpanKind.CLIENT, attributes=said, start_time=started)
        span.end(ended)
        assert isinstance(span, own_tracer.OwnSpan)
        return span

    one, parent = encode.Alike(sent(LOCAL, 5, 9)), sent(SpanContext(2**127 + 1, 11, is_remote=False), 7, 8)
    another, beside = sent(parent.context, 2**60, 2**60 + 1), sent(LOCAL, 1, 2)
    ours = request(encode.Encoder(), [beside], [one.encoded(parent, 2**60, 2**60 + 1)])
    told = ExportTraceServiceRequest.FromString(ours)
    fresh = told.resource_spans[0].scope_spans[0].spans[0].span_id
    wanted = by_the_library([another, beside])
    assert ours == wanted.replace(another.context.span_id.to_bytes(8, "big"), fresh)
    assert len(fresh) == 8
    assert fresh != another.context.span_id.to_bytes(8, "big")
