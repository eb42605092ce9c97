"""`POST /v1/traces`: OTLP/HTTP in, 200 once it is on disk."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from .encodings import UNPACK, TooLarge, Unpackable
from .gate import refusal
from .metrics import Metrics
from .receiver import Acknowledgement, Malformed, Receiver, UnsupportedType
from .wal import LogFull

PROTOBUF = "application/x-protobuf"
INLINE_BYTES = 64 << 10
"""Bodies up to here are checked on the event loop (a few ms at most), larger ones in a thread."""
FULL_RETRY_SECONDS = 5


class Refused(Exception):  # noqa: N818  the answer itself
    """The request is answered with an error; `outcome` is its name in the metrics."""

    def __init__(self, outcome: str, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        self.outcome, self.status, self.message, self.headers = outcome, status, message, headers


@dataclass(frozen=True, slots=True)
class OtlpRoute:
    """`body_bytes` bounds an unpacked body; the gate bounds it as sent."""

    receiver: Receiver
    metrics: Metrics
    body_bytes: int

    async def answer(self, request: Request) -> Response:
        try:
            body = await self._unpacked(request)
            taken = await self._accept(body, request.headers.get("content-type", ""))
        except Refused as refused:
            self.metrics.requests.labels(refused.outcome).inc()
            return refusal(refused.status, refused.message, refused.headers)
        self._count(taken, len(body))
        return Response(b"", media_type=PROTOBUF)  # an ExportTraceServiceResponse with nothing to say has no bytes

    async def _unpacked(self, request: Request) -> bytes:
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        sent = await request.body()
        if encoding == "identity":
            return sent
        if encoding not in UNPACK:
            raise Refused("unsupported", 415, f"the content encoding must be {', '.join(UNPACK)} or none")
        try:
            return await run_in_threadpool(UNPACK[encoding], sent, self.body_bytes)
        except TooLarge:
            raise Refused("too_large", 413, f"the body unpacks to more than {self.body_bytes} bytes") from None
        except Unpackable as problem:
            raise Refused("malformed", 400, str(problem)) from None

    async def _accept(self, body: bytes, content_type: str) -> Acknowledgement:
        kind = content_type.partition(";")[0].strip().lower()
        try:
            if len(body) > INLINE_BYTES:
                kept = await run_in_threadpool(self.receiver.accept, body, kind)
            else:
                kept = self.receiver.accept(body, kind)
            # shielded: a request that is given up must not cancel what the log's writer is about to complete
            return await asyncio.shield(asyncio.wrap_future(kept))
        except Malformed as problem:
            raise Refused("malformed", 400, str(problem)) from None
        except UnsupportedType:
            raise Refused(
                "unsupported", 415, f"send OTLP as {PROTOBUF}; {kind or 'no type'} is not read here"
            ) from None
        except LogFull as why:
            waiting = {"Retry-After": str(FULL_RETRY_SECONDS)}
            raise Refused("full", 503, f"{why}; nothing of this request was kept, send it again", waiting) from None

    def _count(self, taken: Acknowledgement, size: int) -> None:
        self.metrics.requests.labels("repeated" if taken.repeated else "accepted").inc()
        if taken.repeated:
            self.metrics.repeats.inc()
            return
        self.metrics.spans.inc(taken.spans)
        self.metrics.redated.inc(taken.redated)
        self.metrics.body_bytes.inc(size)
