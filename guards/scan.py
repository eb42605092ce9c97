"""Detectors at work: each looks once at all parts that some rule wants it to see, in a thread, within a time limit."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from time import perf_counter

from .detectors.detector import Detector, Hit
from .judgement import Check, Stage
from .matching import stage_of
from .messages import parts_of
from .rules import Rule
from .view import View, view


@dataclass(frozen=True, slots=True)
class Target:
    """One part with text in it, and what detectors read of it."""

    message: int
    part: int
    stage: Stage
    view: View


@dataclass(frozen=True, slots=True)
class Failure:
    """A detector that gave no answer. `reason` names what happened, never what was read."""

    timeout: bool
    reason: str


@dataclass(slots=True)
class Ask:
    """What one detector is asked: these labels in these targets."""

    labels: set[str] = field(default_factory=set)
    targets: list[Target] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scanned:
    """One detector's answer: hits for each target, or why there are none."""

    hits: tuple[tuple[Target, Sequence[Hit]], ...] = ()
    failure: Failure | None = None
    latency_ms: float = 0.0


def targets_of(check: Check) -> list[Target]:
    """Every part of the check that has text, in order."""
    return [
        Target(m, p, stage_of(check.side, part.kind), view(part))
        for m, p, part in parts_of(check.messages)
        if part.text
    ]


def asks_of(rules: Sequence[Rule], targets: Sequence[Target]) -> dict[str, Ask]:
    """By detector, what all rules together want to know. Detectors that have nothing to look at are not asked."""
    asks: dict[str, Ask] = {}
    for name in dict.fromkeys(name for rule in rules for name in rule.detect):
        wanting = [rule for rule in rules if name in rule.detect]
        stages = {stage for rule in wanting for stage in rule.when.stage}
        seen = [target for target in targets if target.stage in stages]
        if seen:
            asks[name] = Ask({label for rule in wanting for label in rule.detect[name]}, seen)
    return asks


class Scanner:
    """The detectors of a policy and the threads they work in."""

    def __init__(self, detectors: Mapping[str, Detector], timeout_ms: int, threads: int = 8) -> None:
        self.detectors = detectors
        self._timeout_ms = timeout_ms
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="spanward-guard")

    def scan(self, asks: Mapping[str, Ask]) -> dict[str, Scanned]:
        """All detectors side by side. One that fails or runs late is a `Failure` of its own and spoils no other."""
        futures = {name: self._pool.submit(_timed, self.detectors[name], ask) for name, ask in asks.items()}
        wait(futures.values(), timeout=self._timeout_ms / 1000)
        return {name: self._answer(name, future) for name, future in futures.items()}

    def close(self) -> None:
        """No more scans; threads end when their detector does."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, name: str, future: "Future[Scanned]") -> Scanned:
        if not future.done():
            future.cancel()
            late = Failure(timeout=True, reason=f"{name} gave no answer within {self._timeout_ms} ms")
            return Scanned(failure=late, latency_ms=float(self._timeout_ms))
        error = future.exception()
        if error is None:
            return future.result()
        # the text of the exception may quote what was read
        return Scanned(failure=Failure(timeout=False, reason=f"{name} failed: {type(error).__name__}"))


def _timed(detector: Detector, ask: Ask) -> Scanned:
    started = perf_counter()
    found = detector.detect([target.view.text for target in ask.targets], frozenset(ask.labels))
    hits = tuple(zip(ask.targets, found, strict=True))
    return Scanned(hits, latency_ms=(perf_counter() - started) * 1000)
