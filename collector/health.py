"""`GET /healthz`: whether the sidecar does its work, and where it does less than it should."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..dashboards.ask import Ask
from .gate import place_of
from .guardroom import Guardroom
from .metrics import Pulse

LAG_SECONDS = 60.0
"""A span that waits longer than this to be queryable is a fault, not a burst."""


@dataclass(frozen=True, slots=True)
class Health:
    """`report()` asks the store, so it blocks; it never raises and holds no content."""

    ask: Ask
    room: Guardroom
    pulse: Pulse
    full: Callable[[], bool]

    def report(self) -> dict[str, Any]:
        store = self._store()
        policy = self.room.status
        degraded = self.room.pipeline.degraded
        lag = self.pulse.lag_seconds
        failing = store != "ok" or lag > LAG_SECONDS or self.full()
        limping = bool(degraded or policy.problem or self.room.review_failures)
        return {
            "status": "failing" if failing else "degraded" if limping else "ok",
            "store": store,
            "policy": asdict(policy),
            "degraded": list(degraded),
            "ingest_lag_seconds": round(lag, 3),
            "queue_bytes": self.pulse.queue_bytes,
            "ingest_errors": self.pulse.errors,
            "review_failures": self.room.review_failures,
        }

    async def route(self, _request: Request) -> Response:
        report = await run_in_threadpool(self.report)
        return JSONResponse(report, 503 if report["status"] == "failing" else 200)

    def _store(self) -> str:
        try:
            self.ask("SELECT 1")
        except Exception as failure:  # noqa: BLE001  the answer is the report
            return f"does not answer: {place_of(failure)}"
        return "ok"
