"""From a request to an answer: who may, what was asked, in which thread, and what went wrong as JSON."""

import json
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from ..ask import QueryFailed, TookTooLong
from ..asker import ASKER, Asker, AskerLeft
from ..documents import Changed, TooMany
from ..view import BadView
from .means import Means, NotRecorded
from .narrower import too_long
from .operation import BadQuestion, Busy, Forbidden, NotThere, Operation, Question

log = logging.getLogger(__name__)

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""What models said is shown on these pages: nothing but our own files may run, load or be sent to."""

STATUS: tuple[tuple[type[Exception], int], ...] = (
    (BadView, 400),
    (BadQuestion, 400),
    (Forbidden, 403),
    (NotThere, 404),
    (Changed, 409),
    (TooMany, 409),
    (NotRecorded, 503),
    (Busy, 503),
)
"""What a judge may raise, and the status of its text."""

LEFT = 499
"""Nobody reads it; servers' logs have this number for it."""
STOP_EVERY_SECONDS = 0.25


def endpoint(
    operation: Operation, means: Means, gate: anyio.CapacityLimiter
) -> Callable[[Request], Awaitable[Response]]:
    """`gate` bounds how many questions are with the store at a time."""
    stopping = anyio.CapacityLimiter(1)  # not one of the turns that askers hold

    async def answer(request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=LEFT)
        asker = Asker(operation.limit_seconds)
        told = Response(status_code=LEFT)
        async with anyio.create_task_group() as tasks:
            waiting = anyio.CancelScope()
            tasks.start_soon(_look_for_leaving, request, asker, waiting, partial(_stop, means, asker), stopping)
            with waiting:  # a thread that works is always waited for: none is left behind
                told = await anyio.to_thread.run_sync(_answer, operation, means, request, body, asker, limiter=gate)
            tasks.cancel_scope.cancel()
        return told

    return answer


async def _look_for_leaving(
    request: Request, asker: Asker, waiting: anyio.CancelScope, stop: Callable[[], None], turn: anyio.CapacityLimiter
) -> None:
    """Stops what runs for a page that left; again and again, as the next statement may have been on its way."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    asker.leave()
    waiting.cancel()
    while True:
        await anyio.to_thread.run_sync(stop, limiter=turn)
        await anyio.sleep(STOP_EVERY_SECONDS)


def _stop(means: Means, asker: Asker) -> None:
    try:
        means.stop(asker.name)
    except QueryFailed as failed:
        log.warning("a question that nobody waits for could not be stopped: %s", failed)


def as_json(body: Any, status: int) -> Response:
    headers = {**SECURITY, "Cache-Control": "no-store"}
    try:
        return JSONResponse(body, status, headers=headers)
    except ValueError:  # JSON has no infinity, and one absurd number of one call must not close a page
        return JSONResponse(_finite(body), status, headers=headers)


def _finite(value: Any) -> Any:
    """With None for numbers that JSON has not."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value


def _answer(operation: Operation, means: Means, request: Request, body: bytes, asker: Asker) -> Response:
    asker.begin()
    ASKER.set(asker)  # of this thread's copy of the context
    question = Question(means, request, operation)
    try:
        actor = means.authorize(operation.needs, request) if operation.needs else ""
        question = Question(means, request, operation, actor, _read(operation, body))
        told = operation.judge(question)
        return told if isinstance(told, Response) else as_json(told, 200)
    except tuple(kind for kind, _ in STATUS) as told_no:
        return as_json({"message": str(told_no)}, next(s for kind, s in STATUS if isinstance(told_no, kind)))
    except (AskerLeft, QueryFailed) as failed:
        return _unanswered(question, asker, failed)
    except Exception:
        log.exception("the dashboards failed on %s %s", operation.method, operation.path)
        return as_json({"message": "Internal error; the sidecar's log says more."}, 500)


def _unanswered(question: Question, asker: Asker, failed: Exception) -> Response:
    if asker.gone:
        return Response(status_code=LEFT)
    if isinstance(failed, TookTooLong):
        return as_json(too_long(question), 504)
    log.warning("a question of the dashboards failed: %s", failed)
    return as_json({"message": f"The store could not answer: {failed}"}, 503)


def _read(operation: Operation, body: bytes) -> Any:
    """Raises `BadQuestion`, with the field that is wrong."""
    if operation.body is None:
        return None
    try:
        return operation.body.model_validate(json.loads(body), strict=True)  # true is no number
    except (ValueError, RecursionError) as wrong:
        if not isinstance(wrong, ValidationError):
            raise BadQuestion("the body is no JSON") from None
        told = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the body'}: {e['msg']}" for e in wrong.errors()[:5])
        raise BadQuestion(told) from None
