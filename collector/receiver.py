"""What happens to an OTLP request between the HTTP route and the log: check, price, tell guards' calls, append."""

import hashlib
import time
from concurrent.futures import Future
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ..tracer import semconv
from . import clocks, guarded_calls
from .bodies import KnownBodies
from .pricing import Pricing, price
from .wal import WriteAheadLog

_GUARDRAIL = semconv.RUN_GUARDRAIL.encode()
CONTENT_TYPES = ("application/x-protobuf", "application/protobuf")


class Malformed(Exception):  # noqa: N818  says what the body is
    """The body is not an ExportTraceServiceRequest; the text says why and quotes nothing of it."""


class UnsupportedType(Exception):  # noqa: N818  says what the body is
    """The body is of a type that we do not read."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """`spans` in the body; `repeated` when these bytes were stored before; `redated` came with an impossible time."""

    spans: int
    repeated: bool
    redated: int = 0


class Receiver:
    """Thread-safe. `known` must have been read from the log's directory."""

    def __init__(self, wal: WriteAheadLog, known: KnownBodies, pricing: Pricing) -> None:
        self._wal = wal
        self._known = known
        self._pricing = pricing

    def accept(self, body: bytes, content_type: str = CONTENT_TYPES[0]) -> "Future[Acknowledgement]":
        """Take an uncompressed OTLP request.

        Validates and prices in the caller's thread (about 3 µs a span, 30 for a model call); the future completes when
        it is on disk. Raises `Malformed`, `UnsupportedType`, `LogFull`; the future may fail with `LogFull`.
        In asyncio: `await asyncio.wrap_future(receiver.accept(body))`; elsewhere `.result(timeout)`.
        """
        kind = content_type.partition(";")[0].strip().lower()
        if kind not in CONTENT_TYPES:
            raise UnsupportedType(f"content type {kind!r} is not read here; send application/x-protobuf")
        request, spans = decode(body)
        digest = hashlib.sha256(body).digest()
        outcome: Future[Acknowledgement] = Future()
        if (stored := self._known.claim(digest)) is not None:
            stored.add_done_callback(lambda done: _pass_on(done, outcome, Acknowledgement(spans, repeated=True)))
            return outcome
        if not spans:
            self._known.settle(digest, None)
            outcome.set_result(Acknowledgement(0, repeated=False))
            return outcome
        try:
            redated = redate(request, time.time_ns())
            changed = price(request, self._pricing) + redated
            if _GUARDRAIL in body:
                changed += guarded_calls.tell(request)
            logged = self._wal.append(request.SerializeToString() if changed else body, digest)
        except BaseException as error:
            self._known.settle(digest, error)
            raise

        def finish(done: "Future[None]") -> None:
            self._known.settle(digest, done.exception())
            _pass_on(done, outcome, Acknowledgement(spans, repeated=False, redated=redated))

        logged.add_done_callback(finish)
        return outcome


def decode(body: bytes) -> tuple[ExportTraceServiceRequest, int]:
    """The request and its number of spans. Raises `Malformed`."""
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        raise Malformed(
            "the body is no OTLP ExportTraceServiceRequest in protobuf, or a string in it is not UTF-8"
        ) from None
    count = 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                _check_ids(span, count)
                count += 1
    return request, count


def redate(request: ExportTraceServiceRequest, now: int) -> int:
    """Correct the times of spans whose clock was wrong; says how many."""
    spans = (span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans)
    return sum(clocks.correct(span, now) for span in spans)


def _check_ids(span: Span, index: int) -> None:
    for name, value, length in (
        ("trace_id", span.trace_id, 16),
        ("span_id", span.span_id, 8),
        ("parent_span_id", span.parent_span_id, 8),
    ):
        if len(value) not in {0, length}:
            raise Malformed(f"span {index}: {name} has {len(value)} bytes, not {length}")


def _pass_on(done: "Future[None]", outcome: "Future[Acknowledgement]", value: Acknowledgement) -> None:
    if error := done.exception():
        outcome.set_exception(error)
    else:
        outcome.set_result(value)
