"""`POST /v1/audit`: what a command on this machine did to the policy."""

import json
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..authorize import Authorizer, NotAuthorized
from ..gate import refusal
from .log import Audit, AuditUnavailable

PREFIX = "policy."
"""The only deeds that others may tell of: what the sidecar does itself it writes itself."""
FORM = 'the body must be {"action": "policy.…", "subject": "…", "detail": {"…": "…"}, "actor": "…"}'


@dataclass(frozen=True, slots=True)
class AuditRoute:
    """Answers 200 once the entry is on disk; with 503 nothing of it is kept, and the deed must not be done."""

    audit: Audit
    authorizer: Authorizer

    async def answer(self, request: Request) -> Response:
        try:
            told = _entry(json.loads(await request.body()))
            grant = self.authorizer.authorize("edit_policy", request)
        except (ValueError, TypeError, RecursionError):
            return refusal(400, FORM)
        except NotAuthorized as problem:
            return refusal(403, str(problem))
        told["actor"] = grant.actor or told["actor"]
        try:
            await run_in_threadpool(lambda: self.audit.write(**told))
        except AuditUnavailable as problem:
            return refusal(503, str(problem), {"Retry-After": "30"})
        return JSONResponse({"seq": self.audit.last})


def _entry(body: Any) -> dict[str, Any]:
    """ValueError for another form."""
    told = {"actor": "", "detail": {}, **body}
    if told.keys() != {"action", "subject", "detail", "actor"} or not isinstance(told["detail"], dict):
        raise ValueError(FORM)
    texts = [told["action"], told["subject"], told["actor"], *told["detail"].values()]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(FORM)
    if not told["action"].startswith(PREFIX):
        raise ValueError(FORM)
    return told
