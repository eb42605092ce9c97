"""Who judges a call, and what happens when nobody answers."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from ..guards.judgement import Action, Check, Decision, Guard, GuardEvent, GuardUnavailable, Verdict
from . import health
from .settings import Settings
from .sidecar import ADVICE, KeyRefused, Sidecar, Unreachable

ON_ERROR = "on_error"
"""The `rule` of events and blocks that come of guards that did not answer."""
FIRST_TIMEOUT_S = 2.0
"""How long a check may take while the policy's own limit is not known."""
MARGIN_S = 0.5
"""What the way to the sidecar and back may take on top of the policy's limit."""
SLOW_S, PAUSE_S = 0.2, 2.0
"""A sidecar that took longer than this not to answer is not asked again for that long."""
FEW_PARTS = 100
"""What a check may have to be answered at once: to walk through more is work for a thread, too."""

WARNING = (
    "spanward: %s: GUARDS ARE OFF, prompts go out unchecked, and no content "
    "is captured. %s; spans wait in %s until then."
)


class NoGuards(RuntimeError):  # noqa: N818  says what is missing
    """`instrument(require_guards=True)` and nobody to judge."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a client keeps of the policy, for when nobody answers."""

    name: str = ""
    hash: str = ""
    on_error: str = ""
    timeout_ms: float = 0.0


class PolicyFile:
    """The policy's summary as the sidecar told it last, kept beside the spool so that it outlives us both."""

    def __init__(self, settings: Settings, sidecar: Sidecar) -> None:
        digest = hashlib.sha256(settings.endpoint.encode()).hexdigest()[:12]
        self._path = settings.spool / f"policy-{digest}.json"
        self._sidecar = sidecar
        self._summary: Summary | None = None
        self._read = False
        self._mutex = Lock()
        self.stale = True

    def after_fork(self) -> None:
        self._mutex = Lock()

    def summary(self) -> Summary | None:
        """None if no policy was ever fetched."""
        if self._summary is None and not self._read:
            self._read = True
            health.fenced("policy.read", self._load)
        return self._summary

    def seen(self, policy_hash: str) -> None:
        """A decision came with this hash: if the policy changed, its summary is to be fetched anew."""
        if self._summary is None or self._summary.hash != policy_hash:
            self.stale = True

    def refresh(self) -> None:
        """Ask the sidecar, if there is a reason to. Raises Unreachable."""
        if not self.stale:
            return
        told, body = fetch(self._sidecar)
        with self._mutex:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = self._path.with_suffix(f".{os.getpid()}.json")
            fresh.write_bytes(body)
            fresh.replace(self._path)
            self._summary = told
            self.stale = False

    def _load(self) -> None:
        if self._path.exists():
            self._summary = summary_of(json.loads(self._path.read_bytes()))


def fetch(sidecar: Sidecar, timeout_s: float = FIRST_TIMEOUT_S) -> tuple[Summary, bytes]:
    """The policy of the sidecar, and its summary as it came. Raises Unreachable, and ValueError for nonsense."""
    status, body = sidecar.request("GET", "/v1/guard/policy", timeout_s=timeout_s)
    if status != 200:
        raise Unreachable(f"policy: HTTP {status}")
    return summary_of(json.loads(body)), body


def summary_of(told: dict[str, Any]) -> Summary:
    """The fields that we use of `Pipeline.summary`."""
    return Summary(
        name=str(told.get("name", "")),
        hash=str(told.get("hash", "")),
        on_error=str(told.get("on_error", "")),
        timeout_ms=float(told.get("timeout_ms") or 0),
    )


class SidecarGuard:
    """Asks the sidecar, over HTTP, in the calling thread.

    It says nothing `at_once`: a policy that had nothing to enforce when we last heard of it may have by now.
    """

    def __init__(self, sidecar: Sidecar, policy: PolicyFile) -> None:
        self._sidecar = sidecar
        self._policy = policy
        self._silent_until = 0.0

    def check(self, check: Check) -> Decision:
        from ..guards import wire

        asked = time.monotonic()
        if asked < self._silent_until:
            raise GuardUnavailable("nobody answered just now")

        body = json.dumps(wire.check_to_json(check), ensure_ascii=False).encode("utf-8", "surrogatepass")
        known = self._policy.summary()
        timeout = known.timeout_ms / 1000 + MARGIN_S if known and known.timeout_ms else FIRST_TIMEOUT_S
        try:
            status, answer = self._sidecar.request("POST", "/v1/guard/check", body, "application/json", timeout)
        except Unreachable as error:
            if time.monotonic() - asked > SLOW_S:
                self._silent_until = time.monotonic() + PAUSE_S
            refused = isinstance(error, KeyRefused)
            raise GuardUnavailable("the key is refused" if refused else "nobody answers") from error
        if status != 200:
            raise GuardUnavailable(f"HTTP {status}")
        decision = wire.decision_from_json(json.loads(answer))
        self._policy.seen(decision.policy_hash)
        return decision


class LocalGuard:
    """The same pipeline in this process. Raises `guards.policy.PolicyError` for a wrong policy file."""

    def __init__(self, policy: str) -> None:
        from ..guards.policy import load

        self._policy = load(policy)
        self.after_fork()

    def after_fork(self) -> None:
        """A pipeline has threads, which a forked child does not: it needs one of its own."""
        from ..guards.pipeline import Pipeline

        self._pipeline = Pipeline(self._policy)

    def check(self, check: Check) -> Decision:
        return self._pipeline.check(check)

    def at_once(self, check: Check) -> Decision | None:
        return self._pipeline.at_once(check)

    def summary(self) -> Summary:
        return summary_of(self._pipeline.summary)


class Judge:
    """Answers every check: by the guard, or by the policy's `on_error` when the guard does not answer.

    With `require` an unknown policy blocks too. `unguarded` is told when a call runs with no policy ever known.
    """

    def __init__(
        self,
        guard: Guard,
        summary: Callable[[], Summary | None],
        *,
        require: bool = False,
        unguarded: Callable[[], None] = lambda: None,
    ) -> None:
        self.guard = guard
        self._at_once: Callable[[Check], Decision | None] | None = getattr(guard, "at_once", None)
        self._summary = summary
        self._require = require
        self._unguarded = unguarded

    def __call__(self, check: Check) -> Decision:
        try:
            return self.guard.check(check)
        except GuardUnavailable as error:
            health.count("guards", f"unavailable: {error}")
        except Exception as error:  # noqa: BLE001  a broken guard is one that does not answer
            health.mishap("guard", error)
        return self.without(check, "nobody answered")

    def at_once(self, check: Check) -> Decision | None:
        """The guard's answer where it has one at once; None where it has to be called, which blocks."""
        if self._at_once is None:
            return None
        if sum([len(message.parts) for message in check.messages]) > FEW_PARTS:
            return None
        try:
            return self._at_once(check)
        except Exception:  # noqa: BLE001  called, it fails again, and that is counted
            return None

    def without(self, check: Check, reason: str) -> Decision:
        """The decision on a check that could not be judged."""
        known = self._summary()
        if known is None:
            self._unguarded()
        on_error = known.on_error if known else ""
        blocks = on_error == "block" or (self._require and not on_error)
        verdict: Verdict = "deny" if blocks else "fail_open"
        action: Action = "block" if blocks else "allow"
        event = GuardEvent(ON_ERROR, check.side, "", "", verdict, action, reason=reason)
        return Decision(
            check.messages,
            verdict,
            action,
            (event,),
            blocked_by=ON_ERROR if blocks else "",
            policy_name=known.name if known else "",
            policy_hash=known.hash if known else "",
            withhold="guards_failed",
        )


def warn_once(sidecar: Sidecar, spool: Path) -> Callable[[], None]:
    """The one loud warning of an application that runs unguarded."""
    said: list[bool] = []

    def warn() -> None:
        if not said:
            said.append(True)
            if sidecar.refused:
                how, what = f"the sidecar at {sidecar.endpoint} does not take our key", f"To change that, {ADVICE}"
            else:
                how = f"no sidecar answers at {sidecar.endpoint} and none ever did"
                what = "Start it with `spanward serve`"
            health.log.warning(WARNING, how, what, spool)

    return warn
