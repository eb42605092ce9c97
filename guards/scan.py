"""Detectors at work: each looks once at all parts that some rule wants it to see, in a thread, within a time limit."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from time import monotonic, perf_counter

from .detectors.detector import Detector, Hit
from .judgement import Check, Stage
from .matching import stage_of
from .messages import parts_of
from .pace import Pace
from .rules import IN_THE_WAY, Rule
from .view import Reading, View, view


@dataclass(frozen=True, slots=True)
class Target:
    """One part with text in it, and what detectors read of it."""

    message: int
    part: int
    stage: Stage
    view: View
    is_prose: bool = True
    """Whether people or models wrote it: definitions of tools and schemas of answers are for machines."""


Hits = tuple[tuple[Target, Sequence[Hit]], ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A detector that gave no answer. `reason` names what happened, never what was read.

    `timeout`: for want of time; `skipped`: it was not even started.
    """

    timeout: bool
    reason: str
    skipped: bool = False


@dataclass(slots=True)
class Ask:
    """What one detector is asked: these labels in these targets.

    `budget_ms` is for the whole check, None for a detector that some rule wants whatever it takes; `rank` is the place
    of the strictest thing that a finding leads to among all actions, 0 being the strictest.
    """

    labels: set[str] = field(default_factory=set)
    targets: list[Target] = field(default_factory=list)
    budget_ms: int | None = None
    rank: int = 0

    @property
    def characters(self) -> int:
        """How much there is to read."""
        return sum(len(target.view.text) for target in self.targets)


@dataclass(frozen=True, slots=True)
class Scanned:
    """One detector's answer: hits for each target, or why there are none."""

    hits: Hits = ()
    failure: Failure | None = None
    latency_ms: float = 0.0


def targets_of(check: Check) -> list[Target]:
    """Every part of the check that has text, in order."""
    return [
        Target(m, p, stage_of(check.side, part.kind), view(part), part.kind != "tool_definition")
        for m, p, part in parts_of(check.messages)
        if part.text
    ]


def asks_of(rules: Sequence[Rule], targets: Sequence[Target], budget_ms: int | None = None) -> dict[str, Ask]:
    """By detector, what all rules together want to know. Detectors that have nothing to look at are not asked.

    `budget_ms` is that of a rule that does not say; of several rules the largest counts.
    """
    asks: dict[str, Ask] = {}
    for name in dict.fromkeys(name for rule in rules for name in rule.detect):
        wanting = [rule for rule in rules if name in rule.detect]
        stages = {stage for rule in wanting for stage in rule.when.stage}
        seen = [target for target in targets if target.stage in stages]
        if seen:
            labels = {label for rule in wanting for label in rule.detect[name]}
            asks[name] = Ask(labels, seen, _budget(wanting, budget_ms), min(_rank(rule, name) for rule in wanting))
    return asks


def _budget(wanting: Sequence[Rule], usual: int | None) -> int | None:
    budgets = [rule.latency_budget_ms or usual for rule in wanting]
    return None if None in budgets else max(budget for budget in budgets if budget is not None)


def _rank(rule: Rule, detector: str) -> int:
    actions = {rule.action_of(detector, label) for label in rule.detect[detector]}
    return next((n for n, action in enumerate(IN_THE_WAY) if action in actions), len(IN_THE_WAY))


class Scanner:
    """The detectors of a policy and the threads they work in."""

    def __init__(
        self,
        detectors: Mapping[str, Detector],
        timeout_ms: int,
        threads: int = 8,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        """`clock` gives seconds: for what detectors take and for budgets, not for the time limit."""
        self.detectors = detectors
        self._timeout_ms = timeout_ms
        self._clock = clock
        self._pace = Pace()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="spanward-guard")

    def scan(self, asks: Mapping[str, Ask]) -> dict[str, Scanned]:
        """Every detector's answer. One that fails or runs late is a `Failure` of its own and spoils no other.

        All start side by side, but those with a budget: they run one by one, the strictest rule's first, and what is
        expected to take longer than what is left of its budget is not started.
        """
        started, deadline = self._clock(), monotonic() + self._timeout_ms / 1000
        futures = {name: self._start(name, ask) for name, ask in asks.items() if ask.budget_ms is None}
        hurried = sorted((name for name in asks if name not in futures), key=lambda name: asks[name].rank)
        skipped = {}
        for name in hurried:
            if failure := self._too_slow(name, asks[name], started):
                skipped[name] = Scanned(failure=failure)
            else:
                futures[name] = self._start(name, asks[name])
                wait([futures[name]], timeout=max(0.0, deadline - monotonic()))
        wait(futures.values(), timeout=max(0.0, deadline - monotonic()))
        return {name: skipped[name] if name in skipped else self._answer(name, futures[name]) for name in asks}

    def close(self) -> None:
        """No more scans; threads end when their detector does."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, name: str, ask: Ask) -> "Future[Scanned]":
        return self._pool.submit(self._timed, name, ask)

    def _too_slow(self, name: str, ask: Ask, started: float) -> Failure | None:
        """Why the detector is not started, or None."""
        budget = ask.budget_ms or 0
        left = budget - (self._clock() - started) * 1000
        expected = self._pace.expected(name, ask.characters)
        if left > 0 and expected <= left:
            return None
        if left > 0:
            self._pace.forget_one(name, ask.characters)
        reason = f"{name} was skipped: about {expected:.0f} ms expected, {max(0.0, left):.0f} of {budget} ms left"
        return Failure(timeout=True, reason=reason, skipped=True)

    def _answer(self, name: str, future: "Future[Scanned]") -> Scanned:
        if not future.done():
            future.cancel()
            late = Failure(timeout=True, reason=f"{name} gave no answer within {self._timeout_ms} ms")
            return Scanned(failure=late, latency_ms=float(self._timeout_ms))
        error = future.exception()
        if error is None:
            return future.result()
        # the text of the exception may quote what was read
        timeout = isinstance(error, TimeoutError)
        return Scanned(failure=Failure(timeout=timeout, reason=f"{name} failed: {type(error).__name__}"))

    def _timed(self, name: str, ask: Ask) -> Scanned:
        started = self._clock()
        detector = self.detectors[name]
        targets = _as_read(ask.targets, getattr(detector, "reads", "folded"))
        found = detector.detect([target.view.text for target in targets], frozenset(ask.labels))
        hits = tuple(zip(targets, found, strict=True))
        if any(not 0 <= hit.start <= hit.end <= len(seen.view.text) for seen, said in hits for hit in said):
            raise ValueError("a hit outside of its text")  # of a detector that counts wrongly nothing is believed
        took = (self._clock() - started) * 1000
        self._pace.note(name, ask.characters, took)
        return Scanned(_of_prose(hits, getattr(detector, "of_prose", frozenset())), latency_ms=took)


def _of_prose(hits: Hits, labels: AbstractSet[str]) -> Hits:
    """Without those that were guessed from what is no prose."""
    if not labels or all(target.is_prose for target, _ in hits):
        return hits
    return tuple(
        (target, said if target.is_prose else [hit for hit in said if hit.label not in labels]) for target, said in hits
    )


def _as_read(targets: Sequence[Target], reading: Reading) -> Sequence[Target]:
    """The same parts, as a detector wants to read them: hits are places in what was read."""
    if reading == "folded":
        return targets
    return [replace(target, view=target.view.read_as(reading)) for target in targets]
