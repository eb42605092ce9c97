"""What happens to an OTLP request between the HTTP route and the log: check, price, append."""

from concurrent.futures import Future
from dataclasses import dataclass


class Malformed(Exception):  # noqa: N818  says what the body is
    """The body is not an ExportTraceServiceRequest; the text says why and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """`spans` in the body; `repeated` when these bytes were stored before."""

    spans: int
    repeated: bool


class Receiver:
    """`Receiver(wal, known, pricing)`."""

    def accept(self, body: bytes, content_type: str = "application/x-protobuf") -> "Future[Acknowledgement]":
        """Take an uncompressed OTLP request.

        Validates and prices in the caller's thread (about 3 µs a span, 40 for a model call); the future completes
        when it is on disk. Raises `Malformed`, `UnsupportedType`, `LogFull`; the future fails with `LogFull`.
        In asyncio: `await asyncio.wrap_future(receiver.accept(body))`; elsewhere `.result(timeout)`.
        """
        raise NotImplementedError
