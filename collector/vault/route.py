"""`POST /v1/vault/reveal` and `POST /v1/vault/drop-key`: an audit row first, then the deed."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...dashboards.ask import Ask, QueryFailed
from ...guards.judgement import Context
from ...guards.pseudonyms import PLACEHOLDER
from ..audit.log import Audit, AuditUnavailable
from ..authorize import Authorizer, NotAuthorized
from ..gate import refusal
from .box import Unreadable
from .disk_vault import DEFAULT_TENANT, DiskVault
from .file import no_key
from .writer import NotWritten

A_MINUTE = 60
"""Reveals that are answered in one: enough for a person, and few for a program that empties the vault."""
REVEAL = (
    'the body must be {"placeholder": "<LABEL_1>", "reason": "…", "session_id": "…", "app": "…", "environment": "…", '
    '"tenant": "…", "actor": "…"}, or "trace_id" for the four that say which session'
)
DROP = 'the body must be {"tenant": "…", "reason": "…", "actor": "…"}'
_SLACK_SECONDS = 60.0
"""How long after its end a call's answer may be judged, and the clocks of two machines be apart."""
_SESSION = ("tenant", "app", "environment", "session_id")
_CALL = """
SELECT tenant, service, env, session_id, max(ts + toIntervalMillisecond(toUInt64(latency_ms))) AS ended FROM llm_calls
WHERE trace_id = {trace:String} AND session_id != '' GROUP BY tenant, service, env, session_id LIMIT 20"""


class _Refused(Exception):  # noqa: N818  an answer
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class RateLimit:
    """At most `most` in any minute."""

    most: int = A_MINUTE
    clock: Callable[[], float] = time.monotonic
    _times: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        with self._lock:
            now = self.clock()
            self._times = [then for then in self._times if now - then < 60]
            if len(self._times) >= self.most:
                return False
            self._times.append(now)
            return True


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One session, and until when (Unix time) a placeholder of it may have been given; 0 for any time."""

    context: Context
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class VaultRoute:
    """No value is logged, and none is in the audit row; the answer says that nobody on the way may keep it."""

    vault: DiskVault
    audit: Audit
    authorizer: Authorizer
    ask: Ask
    limit: RateLimit = field(default_factory=RateLimit)

    async def reveal(self, request: Request) -> Response:
        return await self._answer(request, "reveal", REVEAL, self._reveal)

    async def drop_key(self, request: Request) -> Response:
        return await self._answer(request, "drop_key", DROP, self._drop_key)

    async def _answer(
        self, request: Request, action: str, form: str, act: Callable[[dict[str, str]], dict[str, Any]]
    ) -> Response:
        try:
            grant = self.authorizer.authorize(action, request)
            told = _texts(json.loads(await request.body()), form)
            told["actor"] = grant.actor or told.get("actor", "")
            answer = await run_in_threadpool(act, told)
        except NotAuthorized as problem:
            return refusal(403, str(problem))
        except _Refused as problem:
            return refusal(problem.status, str(problem))
        except (ValueError, RecursionError):
            return refusal(400, form)
        except (AuditUnavailable, NotWritten, QueryFailed) as problem:
            said = "the store does not answer" if isinstance(problem, QueryFailed) else str(problem)
            return refusal(503, said, {"Retry-After": "10"})
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def _reveal(self, told: dict[str, str]) -> dict[str, Any]:
        placeholder, reason = told.get("placeholder", ""), told.get("reason", "").strip()
        if not reason or not PLACEHOLDER.fullmatch(placeholder):
            raise _Refused(400, REVEAL)
        if not self.limit.take():
            raise _Refused(429, f"more than {A_MINUTE} reveals in a minute; wait a little")
        found = None
        for wanted in self._wanted(told):
            found = self._found(wanted, placeholder)
            self.audit.write(
                "vault.reveal",
                placeholder,
                {
                    "reason": reason,
                    "found": "yes" if found else "no",
                    "session": self.vault.session_name(wanted.context),
                    "app": wanted.context.app,
                    "environment": wanted.context.environment,
                    "trace": told.get("trace_id", ""),
                },
                told["actor"],
                tenant=wanted.context.tenant,
            )
            if found:
                return found
        raise _Refused(
            404,
            "nothing is known by that placeholder in that session, or it has expired; its id, app, environment "
            "and tenant together name a session",
        )

    def _found(self, wanted: _Wanted, placeholder: str) -> dict[str, Any] | None:
        try:
            found = self.vault.reveal(wanted.context, placeholder)
        except Unreadable as problem:
            raise NotWritten(f"the vault cannot be read: {problem}") from None
        # a session that expired and came back gives its numbers again: to what this call cannot have meant
        if found is None or (wanted.until and found.given > wanted.until):
            return None
        return {"placeholder": placeholder, "value": found.value, "given": found.given}

    def _wanted(self, told: dict[str, str]) -> list[_Wanted]:
        trace = told.get("trace_id", "")
        if bool(trace) == bool(told.get("session_id")) or (trace and any(told.get(name) for name in _SESSION)):
            raise _Refused(400, REVEAL)
        if not trace:
            tenant, app, environment, session = (told.get(name, "") for name in _SESSION)
            return [_Wanted(_context(tenant, app, environment, session))]
        found = self.ask(_CALL, {"trace": trace}).rows
        if not found:
            raise _Refused(404, "no call with a session has that trace id")
        return [_Wanted(_context(*row[:4]), row[4].timestamp() + _SLACK_SECONDS) for row in found]

    def _drop_key(self, told: dict[str, str]) -> dict[str, Any]:
        tenant, reason = told.get("tenant", ""), told.get("reason", "").strip()
        if not tenant or not reason:
            raise _Refused(400, DROP)
        self.audit.write("vault.drop_key", tenant, {"reason": reason}, told["actor"], tenant=tenant)
        try:
            dropped = self.vault.drop(tenant)
        except NotWritten as problem:
            self.audit.write("vault.drop_key", tenant, {"failed": str(problem)}, told["actor"], tenant=tenant)
            raise
        if dropped is None:
            raise _Refused(404, no_key(tenant))
        return {"tenant": tenant, "sessions": dropped}


def _context(tenant: str, app: str, environment: str, session_id: str) -> Context:
    return Context(app=app, environment=environment, session_id=session_id, tenant=tenant or DEFAULT_TENANT)


def _texts(body: object, form: str) -> dict[str, str]:
    known = {*_SESSION, "placeholder", "reason", "trace_id", "actor"}
    if not isinstance(body, dict) or not body.keys() <= known or not all(isinstance(v, str) for v in body.values()):
        raise _Refused(400, form)
    return body
