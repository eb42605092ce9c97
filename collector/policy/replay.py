"""Recorded calls put to two policies: what a candidate would do to them, against the policy in force."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...guards.detectors.detector import Detector
from ...guards.judgement import Check
from ...guards.matching import applies, stage_of
from ...guards.messages import parts_of
from ...guards.pipeline import Pipeline
from ...guards.policy import Policy
from ...guards.policy_trial import Found, Seen, patient, see
from ...guards.remembered import placeholders, remembering
from .stored_calls import StoredCall

EXAMPLES = 3
MOST_CHANGED = 200
EXCERPT = 160
"""Characters of the last text of a side."""
Truth = Mapping[str, frozenset[str]]
"""Id of a call -> the labels that a person found in it."""


@dataclass(slots=True)
class Tally:
    """How many calls, with the ids of a few; excerpts of what they say only where they were asked for."""

    calls: int = 0
    examples: list[str] = field(default_factory=list)
    excerpts: list[str] = field(default_factory=list)

    def add(self, call: StoredCall, excerpt: str) -> None:
        self.calls += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(call.trace_id or call.id)
            if excerpt:
                self.excerpts.append(excerpt)


@dataclass(slots=True)
class Score:
    """Against people: `found` and meant, found and not meant, meant and not found."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float | None:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def recall(self) -> float | None:
        return self.right / (self.right + self.missed) if self.right + self.missed else None

    def count(self, *, meant: bool, found: bool) -> None:
        self.right += meant and found
        self.wrong += found and not meant
        self.missed += meant and not found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy makes of one call, both its sides together."""

    seen: tuple[Seen, ...]

    @property
    def found(self) -> frozenset[Found]:
        return frozenset(found for seen in self.seen for found in seen.found)

    @property
    def labels(self) -> frozenset[str]:
        return frozenset(found.label for found in self.found)

    @property
    def kinds(self) -> frozenset[str]:
        """Of `KINDS`."""
        actions = {seen.action for seen in self.seen}
        verdicts = {(found.mode, found.verdict) for found in self.found}
        return frozenset(
            kind
            for kind, holds in (
                ("blocked", "block" in actions),
                ("changed", "modify" in actions and "block" not in actions),
                ("flagged", ("enforce", "warn") in verdicts),
                ("would block", ("shadow", "deny") in verdicts),
                ("would change", ("shadow", "modify") in verdicts),
                ("failed", any(seen.failures for seen in self.seen)),
            )
            if holds
        )


KINDS: Mapping[str, str] = {
    "blocked": "blocked",
    "changed": "redacted or pseudonymised",
    "flagged": "flagged",
    "would block": "would be blocked by a rule in shadow",
    "would change": "would be changed by a rule in shadow",
    "failed": "not judged whole, a guard failed",
}
"""What can become of a call; several at a time, but changed is not blocked."""


@dataclass(slots=True)
class Side:
    """One of the two policies over all calls. Times are milliseconds of `Pipeline.check`, both sides of a call."""

    policy: Policy
    where: str
    kinds: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    labels: dict[str, Score] = field(default_factory=dict)
    rules: dict[str, Score] = field(default_factory=dict)
    times: "array[float]" = field(default_factory=lambda: array("f"))
    failures: Counter[str] = field(default_factory=Counter)

    def quantile(self, share: float) -> float:
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


@dataclass(frozen=True, slots=True)
class Changed:
    """A call that the candidate does something else with, as `Replayed` has it. `us` is its start."""

    trace_id: str
    span_id: str
    us: int
    app: str
    model: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    caught: tuple[str, ...]
    missed: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(slots=True)
class Replayed:
    """All of it. `gained` and `lost` are by kind, `new` and `gone` by rule and label, `missed` and `caught` by label.

    Gone is what a rule does not find any more; missed is what no rule finds any more. Of the `differing` calls
    `changed` are the first that something else becomes of, `others` those in which only other rules found something.
    """

    current: Side
    candidate: Side
    calls: int = 0
    empty: int = 0
    unreadable: int = 0
    remembered: int = 0
    foreign: int = 0
    labelled: int = 0
    first_us: int = 0
    last_us: int = 0
    gained: dict[str, Tally] = field(default_factory=dict)
    lost: dict[str, Tally] = field(default_factory=dict)
    new: dict[tuple[str, str], Tally] = field(default_factory=dict)
    gone: dict[tuple[str, str], Tally] = field(default_factory=dict)
    caught: dict[str, Tally] = field(default_factory=dict)
    missed: dict[str, Tally] = field(default_factory=dict)
    differing: int = 0
    changed: list[Changed] = field(default_factory=list)
    others: list[Changed] = field(default_factory=list)


@dataclass(slots=True)
class Replay:
    """Puts calls to both policies, one after the other. Raises `DetectorUnavailable` when made.

    `show` keeps excerpts of examples. Detectors that both policies make alike are made once.
    """

    result: Replayed
    show: bool = False
    truth: Truth = field(default_factory=dict)
    _pipelines: tuple[Pipeline, Pipeline] = field(init=False)

    def __post_init__(self) -> None:
        made: dict[str, Detector] = {}
        current, candidate = self.result.current.policy, self.result.candidate.policy
        self._pipelines = (_pipeline(current, made), _pipeline(candidate, made))

    def put(self, call: StoredCall) -> None:
        result = self.result
        result.calls += 1
        if call.ts_us:
            result.first_us = min(result.first_us or call.ts_us, call.ts_us)
            result.last_us = max(result.last_us, call.ts_us)
        try:
            checks = call.checks
        except (ValueError, RecursionError):
            result.unreadable += 1
            return
        if not checks:
            result.empty += 1
            return
        result.foreign += bool(call.policy_hash) and call.policy_hash != result.current.policy.hash
        result.remembered += any(placeholders(text) for text in _texts(checks))
        now, then = (Outcome(tuple(see(pipeline, check) for check in checks)) for pipeline in self._pipelines)
        _count(result.current, now)
        _count(result.candidate, then)
        self._compare(call, now, then, _excerpt(checks) if self.show else "")
        self._score(call, checks, now, then)

    def close(self) -> None:
        for pipeline in self._pipelines:
            pipeline.close()

    def _compare(self, call: StoredCall, now: Outcome, then: Outcome, excerpt: str) -> None:
        result = self.result
        for into, keys in (
            (result.gained, then.kinds - now.kinds),
            (result.lost, now.kinds - then.kinds),
            (result.caught, then.labels - now.labels),
            (result.missed, now.labels - then.labels),
        ):
            for key in keys:
                into.setdefault(key, Tally()).add(call, excerpt)
        for pairs, others in ((result.new, _pairs(then) - _pairs(now)), (result.gone, _pairs(now) - _pairs(then))):
            for pair in others:
                pairs.setdefault(pair, Tally()).add(call, excerpt)
        self._list(call, now, then)

    def _list(self, call: StoredCall, now: Outcome, then: Outcome) -> None:
        pairs = _pairs(now) ^ _pairs(then)
        if now.kinds == then.kinds and not pairs:
            return
        self.result.differing += 1
        missed = now.labels - then.labels
        into = self.result.changed if missed or now.kinds != then.kinds else self.result.others
        if len(into) < MOST_CHANGED:
            told = (
                then.kinds - now.kinds, now.kinds - then.kinds, then.labels - now.labels, missed,
                {rule for rule, _ in pairs},
            )  # fmt: skip
            context = call.context
            into.append(
                Changed(call.trace_id, call.span_id, call.ts_us, context.app, context.model, *map(_sorted, told))
            )

    def _score(self, call: StoredCall, checks: Sequence[Check], now: Outcome, then: Outcome) -> None:
        meant = self.truth.get(call.id) if call.labels is None else frozenset(call.labels)
        if meant is None:
            return
        self.result.labelled += 1
        stages = {
            stage_of(check.side, part.kind) for check in checks for _, _, part in parts_of(check.messages) if part.text
        }
        for side, outcome in ((self.result.current, now), (self.result.candidate, then)):
            for label in meant | outcome.labels:
                side.labels.setdefault(label, Score()).count(meant=label in meant, found=label in outcome.labels)
            rules = {found.rule for found in outcome.found}
            for rule in side.policy.rules:
                looks = applies(rule, call.context) and not stages.isdisjoint(rule.when.stage)
                labels = {label for found in rule.detect.values() for label in found}
                score = side.rules.setdefault(rule.name, Score())
                score.count(meant=looks and not meant.isdisjoint(labels), found=rule.name in rules)


def _pipeline(policy: Policy, made: dict[str, Detector]) -> Pipeline:
    return Pipeline(patient(policy), remembering(policy, made))


def _count(side: Side, outcome: Outcome) -> None:
    side.kinds.update(outcome.kinds)
    side.pairs.update(_pairs(outcome))
    side.times.append(sum(seen.latency_ms for seen in outcome.seen))
    side.failures.update({reason for seen in outcome.seen for reason in seen.failures})


def _sorted(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(words))


def _pairs(outcome: Outcome) -> frozenset[tuple[str, str]]:
    return frozenset((found.rule, found.label) for found in outcome.found)


def _texts(checks: Iterable[Check]) -> Iterator[str]:
    return (part.text for check in checks for _, _, part in parts_of(check.messages))


def _excerpt(checks: Iterable[Check]) -> str:
    last = {check.side: next(reversed([text for text in _texts([check]) if text] or [""])) for check in checks}
    return " … ".join(f"{side}: {' '.join(text[:EXCERPT].split())}" for side, text in last.items())
