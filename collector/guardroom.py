"""Holds the policy in force: answers checks, judges stored calls, and takes up a changed policy file while running."""

import logging
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from ..guards import policy as policies
from ..guards.judgement import Check, Decision
from ..guards.pipeline import DetectorUnavailable, Pipeline
from .gate import place_of
from .metrics import Metrics
from .review import review

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
RETIRE_SECONDS = 600.0
EXTENDS = re.compile(r"^extends:[ ]*[\"']?([^\"'#\n]+?)[\"']?[ ]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PolicyStatus:
    """For `/healthz`: what is in force; `problem` says what is wrong with a later edit, `file:line: …`, else empty."""

    name: str
    hash: str
    problem: str


class Guardroom:
    """`policy` is a file or the name of a shipped policy.

    Raises `PolicyError` or `DetectorUnavailable` when made with one that cannot be in force.
    """

    def __init__(self, policy: str | Path, metrics: Metrics) -> None:
        self.metrics = metrics
        self.problem = ""
        self.review_failures = 0
        self._policy = policy
        self._told: set[str] = set()
        self._seen = _fingerprint(policy)
        self._pipeline = Pipeline(policies.load(policy))
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="policy", daemon=True)

    @property
    def pipeline(self) -> Pipeline:
        return self._pipeline

    @property
    def status(self) -> PolicyStatus:
        summary = self._pipeline.summary
        return PolicyStatus(str(summary["name"]), str(summary["hash"]), self.problem)

    def check(self, check: Check) -> Decision:
        """Judge what stands in the way of a call. In the caller's thread."""
        started = time.perf_counter()
        decision = self._pipeline.check(check)
        self.metrics.checked(check, decision, time.perf_counter() - started)
        return decision

    def review(self, segment: bytes) -> bytes | None:
        """A companion segment with what the rules that only flag found in `segment`; None for nothing. Never raises."""
        try:
            found = review(segment, self._pipeline)
        except Exception as failure:  # noqa: BLE001  ingesting goes on whatever the guards do; /healthz says so
            self._failed(place_of(failure))
            return None
        for place in found.failures:
            self._failed(place)
        self.metrics.reviews.labels("judged").inc(found.judged)
        return found.segment or None

    def start(self) -> None:
        self._watcher.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._watcher.is_alive():
            self._watcher.join(timeout=5)
        self._pipeline.close()

    def look(self) -> None:
        """Take up the policy file if it changed. A wrong one changes nothing but `problem`."""
        now = _fingerprint(self._policy)
        if now == self._seen:
            return
        self._seen = now
        try:
            changed = Pipeline(policies.load(self._policy))
        except (policies.PolicyError, DetectorUnavailable) as problem:
            self._keep_last_good(str(problem))
        except Exception as failure:  # noqa: BLE001  a file that vanished, a detector that cannot start: keep what works
            self._keep_last_good(f"{self._policy}: {place_of(failure)}")
        else:
            self._retire(self._pipeline)
            self._pipeline, self.problem = changed, ""
            self.metrics.reloads.labels("ok").inc()
            log.info("policy %s %s is in force", changed.summary["name"], changed.summary["hash"])

    def _retire(self, replaced: Pipeline) -> None:
        """Checks that run may still need it; it is closed when they must be done."""
        closing = threading.Timer(RETIRE_SECONDS, replaced.close)
        closing.daemon = True
        closing.start()

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


def _fingerprint(policy: str | Path) -> tuple[object, ...]:
    """Changes whenever the file, or one that it extends, does. Shipped policies never change."""
    seen: dict[Path, object] = {}
    path = Path(policy)
    while path not in seen and path.is_file():
        stat = path.stat()
        seen[path] = stat.st_mtime_ns, stat.st_size, stat.st_ino
        if extends := EXTENDS.search(path.read_text(errors="replace")):
            path = path.parent / extends[1]
    return tuple(seen.items())
