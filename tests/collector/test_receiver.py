"""What becomes of a body between the route and the log."""

import threading
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanward.collector.bodies import KnownBodies
from spanward.collector.otlp_values import attributes_of
from spanward.collector.pricing import Pricing
from spanward.collector.receiver import Acknowledgement, Malformed, Receiver, UnsupportedType
from spanward.collector.wal import LogFull, WriteAheadLog
from spanward.tracer import semconv
from spanward.tracer.segment import bodies

from .otlp import body, call

PATIENCE = 60


class Setup:
    """A receiver over a log in `directory`, as after a start."""

    def __init__(self, directory: Path, limit_bytes: int = 1 << 20) -> None:
        self.directory = directory
        self.wal = WriteAheadLog(directory, segment_seconds=3600, limit_bytes=limit_bytes)
        self.receiver = Receiver(self.wal, KnownBodies(directory), Pricing())

    def accept(self, sent: bytes) -> Acknowledgement:
        return self.receiver.accept(sent).result(PATIENCE)

    def stored(self) -> list[ExportTraceServiceRequest]:
        paths = sorted([*self.directory.glob("*.ready"), *self.directory.glob("*.open")])
        return [ExportTraceServiceRequest.FromString(found) for path in paths for found in bodies(path.read_bytes())]

    def restarted(self) -> "Setup":
        self.wal.close()
        return Setup(self.directory)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path / "log")


def spans(of: ExportTraceServiceRequest) -> list[dict[str, object]]:
    return [attributes_of(s.attributes) for r in of.resource_spans for scope in r.scope_spans for s in scope.spans]


def test_a_body_is_stored_and_its_calls_are_priced(setup: Setup) -> None:
    sent = body("svc", call(1), call(2, COST_USD=7.0), call(3, OPERATION="invoke_agent"))
    assert setup.accept(sent) == Acknowledgement(spans=3, repeated=False)
    (stored,) = setup.stored()
    priced, given, other = spans(stored)
    assert priced[semconv.COST_USD] == pytest.approx(100 * 0.15e-6 + 20 * 0.6e-6)
    assert priced[semconv.PRICE_VERSION] == Pricing().version
    assert given[semconv.COST_USD] == 7.0
    assert semconv.COST_USD not in other


def test_a_repeated_body_is_acknowledged_and_stored_once(setup: Setup) -> None:
    sent = body("svc", call(1))
    assert setup.accept(sent) == Acknowledgement(1, repeated=False)
    assert setup.accept(sent) == Acknowledgement(1, repeated=True)
    assert setup.accept(body("svc", call(2))) == Acknowledgement(1, repeated=False)
    assert len(setup.stored()) == 2


def test_a_repeated_body_is_known_after_a_restart(setup: Setup) -> None:
    open_, gone = body("svc", call(1)), body("svc", call(2))
    setup.accept(gone)
    setup.wal.seal()
    setup.wal.remove(setup.wal.ready()[0])
    setup.accept(open_)
    again = setup.restarted()
    assert [again.accept(sent).repeated for sent in (open_, gone)] == [True, True]
    assert len(again.stored()) == 1


def test_a_repeat_of_a_body_in_flight_waits_for_it(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr("os.fdatasync", lambda _descriptor: go_on.wait(PATIENCE))
    sent = body("svc", call(1))
    first, second = setup.receiver.accept(sent), setup.receiver.accept(sent)
    assert not second.done()
    go_on.set()
    assert first.result(PATIENCE) == Acknowledgement(1, repeated=False)
    assert second.result(PATIENCE) == Acknowledgement(1, repeated=True)
    assert len(setup.stored()) == 1


def test_a_repeat_fails_with_the_first_and_may_come_again(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def refuse(_descriptor: int) -> None:
        go_on.wait(PATIENCE)
        raise OSError(28, "No space left on device")

    sent = body("svc", call(1))
    with monkeypatch.context() as broken:
        broken.setattr("os.fdatasync", refuse)
        both = [setup.receiver.accept(sent), setup.receiver.accept(sent)]
        go_on.set()
        assert [type(one.exception(PATIENCE)) for one in both] == [LogFull, LogFull]
    assert setup.accept(sent) == Acknowledgement(1, repeated=False)
    assert len(setup.stored()) == 1


def test_a_full_log_refuses_and_takes_the_same_body_later(tmp_path: Path) -> None:
    first, second = body("svc", *map(call, range(1, 6))), body("svc", *map(call, range(6, 11)))
    setup = Setup(tmp_path, limit_bytes=len(first) * 2)
    setup.accept(first)
    with pytest.raises(LogFull):
        setup.receiver.accept(second)
    setup.wal.seal()
    setup.wal.remove(setup.wal.ready()[0])
    assert setup.accept(second) == Acknowledgement(5, repeated=False)


def test_a_body_without_spans_is_acknowledged_and_not_stored(setup: Setup) -> None:
    assert setup.accept(b"") == Acknowledgement(0, repeated=False)
    assert setup.stored() == []


def _with_ids(**ids: bytes) -> bytes:
    span = call(1)
    for name, value in ids.items():
        setattr(span, name, value)
    return body("svc", span)


MALFORMED = {
    "text": (b"hello, this is no protobuf", "no OTLP"),
    "cut short": (body("svc", call(1))[:-1], "no OTLP"),
    "bytes that are no text": (body("svc").replace(b"openai", b"\xff\xfe\xfd\xfc\xfb\xfa"), "no OTLP"),
    "long trace id": (_with_ids(trace_id=bytes(17)), "span 0: trace_id has 17 bytes, not 16"),
    "short span id": (_with_ids(span_id=b"canary"), "span 0: span_id has 6 bytes, not 8"),
    "long parent": (_with_ids(parent_span_id=bytes(16)), "span 0: parent_span_id has 16 bytes, not 8"),
}


@pytest.mark.parametrize(("sent", "why"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_body_is_refused_and_says_why_without_quoting(setup: Setup, sent: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why) as refused:
        setup.receiver.accept(sent)
    assert "canary" not in str(refused.value)
    assert setup.stored() == []


def test_ids_that_are_not_set_are_fine(setup: Setup) -> None:
    assert setup.accept(_with_ids(trace_id=b"", span_id=b"", parent_span_id=b"")).spans == 1


@pytest.mark.parametrize(
    "kind", ["application/x-protobuf", "application/protobuf", "Application/X-Protobuf; charset=x"]
)
def test_types_that_are_read(setup: Setup, kind: str) -> None:
    assert setup.receiver.accept(body("svc"), kind).result(PATIENCE).spans == 1


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_types_that_are_not_read(setup: Setup, kind: str) -> None:
    with pytest.raises(UnsupportedType, match="application/x-protobuf"):
        setup.receiver.accept(body("svc"), kind)
