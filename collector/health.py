"""`GET /healthz`: whether the sidecar does its work, and where it does less than it should."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..dashboards.ask import Ask
from ..guards.detectors.worker import states
from .audit.rows import AuditRows
from .gate import place_of
from .guardroom import Guardroom
from .metrics import Pulse

LAG_SECONDS = 60.0
"""A span that waits longer than this to be queryable is a fault, not a burst."""


class VaultState(Protocol):
    """The vault, as far as it is told of here."""

    @property
    def problem(self) -> str: ...

    @property
    def key_source(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Health:
    """`report()` asks the store, so it blocks; it never raises and holds no content.

    `refusing` says whether the log turns senders away.
    """

    ask: Ask
    room: Guardroom
    pulse: Pulse
    refusing: Callable[[], bool]
    audit: AuditRows
    vault: VaultState
    traits: Callable[[], dict[str, Any]] = lambda: {"problem": ""}
    alerts: Callable[[], dict[str, Any]] = lambda: {"problem": "", "waiting": 0, "lost": 0}
    repricing: Callable[[], str] = str
    """What keeps it from its work; empty for nothing."""
    adopted: Callable[[], int] = lambda: 0
    """Spools of dead applications that were taken over."""

    def report(self) -> dict[str, Any]:
        pulse, policy = self.pulse, self.room.status
        store, lag = self._store(), pulse.lag_seconds
        unjudged = self.room.review_failures + pulse.review_errors
        failing = store != "ok" or lag > LAG_SECONDS or self.refusing()
        limping = self.room.pipeline.degraded or policy.problem or unjudged or pulse.bad
        traits, alerts, repricing = self.traits(), self.alerts(), self.repricing()
        limping = limping or self.audit.problem or self.vault.problem or traits["problem"] or repricing
        limping = limping or alerts["problem"] or alerts["lost"]
        return {
            "status": "failing" if failing else "degraded" if limping else "ok",
            "store": store,
            "policy": asdict(policy),
            "degraded": list(self.room.pipeline.degraded),
            "ingest_lag_seconds": round(lag, 3),
            "queue_bytes": pulse.queue_bytes,
            "log_refuses": self.refusing(),
            "spool_files_adopted": self.adopted(),
            "ingest_errors": pulse.errors,
            "segments_set_aside": pulse.bad,
            "review_failures": unjudged,
            "audit": {"problem": self.audit.problem, "waiting": self.audit.waiting},
            "workers": [asdict(state) for state in states()],
            "vault": {"problem": self.vault.problem, "key": self.vault.key_source},
            "traits": traits,
            "alerts": alerts,
            "repricing": {"problem": repricing},
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
