"""Holds the policy in force: answers checks, judges stored calls, and takes up a changed policy while running."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..guards import policy as policies
from ..guards.judgement import Check, Decision
from ..guards.pipeline import DetectorUnavailable, Pipeline
from ..guards.vault import Pseudonymiser, Vault
from .audit.log import AuditUnavailable
from .gate import place_of
from .metrics import Metrics
from .policy.known import KnownPolicy
from .policy.watch import PolicyWatch
from .review import review

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
RELOADED = "policy.reload"
"""The action of an audit entry about a policy that was taken up because its files changed."""
BY_FILE = "file change"
RESTARTED, BY_RESTART = "policy.restart", "restart"
"""As above, for a policy that is another than when the sidecar ended."""

Record = Callable[[str, str, Mapping[str, str], str], None]
"""`Audit.write`: action, subject, detail, actor. On disk when it returns. Raises `AuditUnavailable`."""


@dataclass(frozen=True, slots=True)
class PolicyStatus:
    """For `/healthz`: what is in force; `problem` says what is wrong with a later edit, `file:line: …`, else empty."""

    name: str
    hash: str
    problem: str


@dataclass(slots=True)
class Lease:
    """A pipeline and how many checks use it now; one that was replaced is closed by the last of them."""

    pipeline: Pipeline
    users: int = 0
    replaced: bool = False


class Guardroom:
    """`policy` is a file, a folder or the name of a shipped policy. The vault outlives a reload, with every session.

    Raises `PolicyError` or `DetectorUnavailable` when made with one that cannot be in force.
    """

    def __init__(self, policy: str | Path, metrics: Metrics, vault: Pseudonymiser | None = None) -> None:
        self.metrics = metrics
        self.problem = ""
        self.review_failures = 0
        self._policy = policy
        self._told: set[str] = set()
        self._vault = vault or Vault()
        self._watched = PolicyWatch(policy)
        self._leased = threading.Lock()
        self._lease = Lease(self._bring_up(policies.load(policy)))
        self._ready: Pipeline | None = None
        self._record: Record | None = None
        self._known: KnownPolicy | None = None
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="policy", daemon=True)

    @property
    def pipeline(self) -> Pipeline:
        """The one in force, to be asked what it is; who checks with it takes `_use`."""
        return self._lease.pipeline

    @property
    def status(self) -> PolicyStatus:
        policy = self.pipeline.policy
        return PolicyStatus(policy.name, policy.hash, self.problem)

    def check(self, check: Check) -> Decision:
        """Judge what stands in the way of a call. In the caller's thread."""
        started = time.perf_counter()
        with self._use() as pipeline:
            decision = pipeline.check(check)
        self.metrics.checked(check, decision, time.perf_counter() - started)
        return decision

    def review(self, segment: bytes) -> bytes | None:
        """A companion segment with what the rules that only flag found in `segment`; None for nothing. Never raises."""
        try:
            with self._use() as pipeline:
                found = review(segment, pipeline)
        except Exception as failure:  # noqa: BLE001  ingesting goes on whatever the guards do; /healthz says so
            self._failed(place_of(failure))
            return None
        for place in found.failures:
            self._failed(place)
        self.metrics.reviews.labels("judged").inc(found.judged)
        return found.segment or None

    def start(self, record: Record | None = None, known: KnownPolicy | None = None) -> None:
        """Look after the files from now on; each policy that is taken up is told to `record` before it is in force.

        `known` is the one that was in force when the sidecar ended: if this is another, that is told as well.
        """
        self._record, self._known = record, known
        before = known.read() if known else ""
        changed = before not in ("", self.status.hash)
        if not changed or self._told_of(RESTARTED, before, self.pipeline.policy, BY_RESTART):
            self._remember()
        else:
            self.problem = (
                f"the policy was changed while the sidecar was down, which is not written down: {self.problem}"
            )
        self._watcher.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._watcher.is_alive():
            self._watcher.join(timeout=5)
        self.pipeline.close()

    def look(self) -> None:
        """Take up the policy if its files changed. A wrong one changes nothing but `problem`."""
        if self._watched.changed:
            self._watched.look_again()
            self._read_again()
        if self._ready:
            self._take_up(self._ready)

    def _bring_up(self, policy: policies.Policy) -> Pipeline:
        return Pipeline(policy, vault=self._vault)

    def _read_again(self) -> None:
        if self._ready:
            self._ready.close()
            self._ready = None
        try:
            policy = policies.load(self._policy)
            changed = None if policy.hash == self.status.hash else self._bring_up(policy)
        except (policies.PolicyError, DetectorUnavailable) as problem:
            self._keep_last_good(str(problem))
        except Exception as failure:  # noqa: BLE001  a detector that cannot start: keep what works
            self._keep_last_good(f"{self._policy}: {place_of(failure)}")
        else:
            self._ready = changed
            if changed is None:
                self.problem = ""
                log.info("the policy was written again and says the same")

    def _take_up(self, changed: Pipeline) -> None:
        """Nothing is in force that the audit log does not know: if it cannot be written, the next look tries again."""
        after = changed.policy
        if not self._told_of(RELOADED, self.status.hash, after, BY_FILE):
            return
        self._ready = None
        with self._leased:
            replaced, self._lease, self.problem = self._lease, Lease(changed), ""
            replaced.replaced = True
            unused = replaced.users == 0
        if unused:
            replaced.pipeline.close()
        self._remember()
        self.metrics.reloads.labels("ok").inc()
        log.info("policy %s %s is in force", after.name, after.hash)

    def _told_of(self, action: str, before: str, after: policies.Policy, who: str) -> bool:
        """Whether the audit log knows, or nobody wants it to."""
        if self._record:
            try:
                detail = {"from": before, "to": after.hash, "name": after.name}
                self._record(action, str(self._policy), detail, who)
            except AuditUnavailable as problem:
                if self.problem != str(problem):
                    self._keep_last_good(str(problem))
                return False
        return True

    def _remember(self) -> None:
        try:
            if self._known:
                self._known.write(self.status.hash)
        except OSError as problem:  # the next start then tells of a change that was told already
            log.warning("which policy is in force cannot be kept: %s", problem.strerror)

    @contextmanager
    def _use(self) -> Iterator[Pipeline]:
        """One policy from the beginning of a check to its end, whatever is taken up meanwhile."""
        with self._leased:
            lease = self._lease
            lease.users += 1
        try:
            yield lease.pipeline
        finally:
            with self._leased:
                lease.users -= 1
                last = lease.replaced and lease.users == 0
            if last:
                lease.pipeline.close()

    def _keep_last_good(self, problem: str) -> None:
        self.problem = problem
        self.metrics.reloads.labels("failed").inc()
        log.error("the changed policy is not taken up, the last good one stays in force: %s", problem)

    def _failed(self, place: str) -> None:
        self.review_failures += 1
        self.metrics.reviews.labels("failed").inc()
        if place not in self._told and len(self._told) < 100:  # each kind of failure once, however many calls it meets
            self._told.add(place)
            log.error("a stored call could not be judged: %s", place)

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception as failure:  # noqa: BLE001  the watcher must outlive a bad moment
                log.error("the policy file could not be looked at: %s", place_of(failure))  # noqa: TRY400
