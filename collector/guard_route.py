"""`POST /v1/guard/check` and `GET /v1/guard/policy` for applications that ask, `GET /api/policy` for people."""

import json
import logging
from dataclasses import asdict, dataclass, field

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..guards.wire import check_from_json, decision_to_json
from .gate import place_of, refusal
from .guardroom import Guardroom

log = logging.getLogger(__name__)
THREADS = 8
"""Checks at the same time. Their own threads: a flood of spans must not keep a call waiting."""
WAITING = 200
"""Checks that may wait for a thread; more are turned away, so that the policy's `on_error` decides in good time."""


@dataclass(frozen=True, slots=True)
class GuardRoute:
    """Guards never run on the event loop."""

    room: Guardroom
    threads: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(THREADS))

    async def check(self, request: Request) -> Response:
        try:
            check = check_from_json(json.loads(await request.body()))
        except (ValueError, TypeError, KeyError, RecursionError) as problem:
            self.room.metrics.check_failures.labels("malformed").inc()
            return refusal(400, f"the body is not a check: {problem}")
        if self.threads.statistics().tasks_waiting >= WAITING:
            self.room.metrics.check_failures.labels("busy").inc()
            return refusal(503, "too many checks are waiting", {"Retry-After": "1"})
        try:
            decision = await anyio.to_thread.run_sync(self.room.check, check, limiter=self.threads)
        except Exception as failure:  # noqa: BLE001  whatever a detector raises, the client's `on_error` decides
            self.room.metrics.check_failures.labels("failed").inc()
            log.error("a check failed: %s", place_of(failure))  # noqa: TRY400  a traceback may quote content
            return refusal(500, "the guards failed; the policy's on_error decides")
        # escaped: half a surrogate pair, which JSON can say, has no bytes in UTF-8
        return Response(json.dumps(decision_to_json(decision)), media_type="application/json")

    async def policy(self, _request: Request) -> Response:
        return JSONResponse(dict(self.room.pipeline.summary))

    async def in_force(self, _request: Request) -> Response:
        """The whole policy, with all that it extends: for people and their commands."""
        policy, status = self.room.pipeline.policy, self.room.status
        return JSONResponse({**asdict(status), "policy": policy.model_dump(mode="json", exclude={"extends"})})
