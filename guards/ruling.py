"""What one rule makes of what the detectors found: the findings that count, and the events that tell of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from .detectors.detector import Detector
from .judgement import Action, Finding, GuardEvent, Stage, Verdict
from .rules import Defaults, OnFailure, Rule, RuleAction
from .scan import Failure, Scanned, Target

VERDICTS: dict[RuleAction, Verdict] = {
    "allow": "allow", "flag": "warn", "redact": "modify", "pseudonymise": "modify", "block": "deny",
}  # fmt: skip
DONE: dict[RuleAction, Action] = {
    "allow": "allow", "flag": "allow", "redact": "modify", "pseudonymise": "modify", "block": "block",
}  # fmt: skip
RANK: tuple[Verdict, ...] = ("none", "allow", "warn", "modify", "fail_open", "deny")
"""Verdicts from the mildest to the strictest."""


@dataclass(slots=True)
class Ruling:
    """What one rule makes of one check."""

    rule: Rule
    findings: list[Finding] = field(default_factory=list)
    events: list[GuardEvent] = field(default_factory=list)
    failed: list[tuple[str, OnFailure]] = field(default_factory=list)

    @property
    def blocks(self) -> bool:
        """Whether the call must not go on, for a finding or for a failure."""
        found = any(self.action_of(finding) == "block" for finding in self.findings)
        return self.rule.in_the_way and (found or self.fails_closed)

    @property
    def fails_closed(self) -> bool:
        """Whether the rule blocks because it could not be judged."""
        return any(what == "block" for _, what in self.failed)

    def action_of(self, finding: Finding) -> RuleAction:
        """What the rule wants done about the finding."""
        return self.rule.action_of(finding.detector, finding.label)


def judge(
    rule: Rule,
    scanned: Mapping[str, Scanned],
    targets: Sequence[Target],
    detectors: Mapping[str, Detector],
    defaults: Defaults,
) -> Ruling:
    """The rule on what was scanned. A detector that was not asked, for want of a text, counts as clean."""
    ruling = Ruling(rule)
    seen = [target for target in targets if target.stage in rule.when.stage]
    for name in rule.detect:
        answer = scanned.get(name)
        if answer is None or not seen:
            continue
        if answer.failure:
            what = _on_failure(rule, answer.failure, defaults)
            ruling.failed.append((name, what))
            ruling.events += _failure_events(rule, what, seen[0].stage, name, answer, detectors[name])
            continue
        found = list(_findings(rule, name, answer))
        ruling.findings += (finding for _, finding in found)
        ruling.events += _events(rule, detectors[name], found, answer.latency_ms)
    return ruling


def _findings(rule: Rule, name: str, answer: Scanned) -> Iterator[tuple[Target, Finding]]:
    """The hits that reach the rule's thresholds, at their places in the part's text; one cut in two is two findings.

    One on nothing but the brackets of JSON (what has to be there is not) has a place and no length: it counts, and
    there is nothing to replace.
    """
    chosen = rule.detect[name]
    for target, hits in answer.hits:
        if target.stage not in rule.when.stage:
            continue
        for hit in hits:
            if hit.label not in chosen or hit.score < chosen[hit.label].threshold:
                continue
            for start, end in target.view.pieces(hit.start, hit.end) or [(0, 0)] * (hit.end > hit.start):
                yield (
                    target,
                    Finding(name, hit.label, start, end, hit.score, target.message, target.part, hit.explanation),
                )


def _events(
    rule: Rule, detector: Detector, found: list[tuple[Target, Finding]], latency_ms: float
) -> Iterator[GuardEvent]:
    """One for each label and stage."""
    ordered = sorted((target.stage, finding.label, finding.score, finding.detector) for target, finding in found)
    for (stage, label), group in groupby(ordered, key=lambda row: row[:2]):
        rows = list(group)
        name, action = rows[0][3], rule.action_of(rows[0][3], label)
        yield GuardEvent(
            rule=rule.name, stage=stage, detector=name, label=label, verdict=VERDICTS[action],
            action=DONE[action] if rule.mode == "enforce" else "none", mode=rule.mode,
            score=max(score for _, _, score, _ in rows), findings=len(rows), latency_ms=latency_ms,
            engine=detector.engine, degraded=bool(detector.degraded),
        )  # fmt: skip


def _on_failure(rule: Rule, failure: Failure, defaults: Defaults) -> OnFailure:
    if failure.timeout:
        return rule.on_timeout or defaults.on_timeout
    return rule.on_error or defaults.on_error


def _failure_events(
    rule: Rule, what: OnFailure, stage: Stage, name: str, answer: Scanned, detector: Detector
) -> Iterator[GuardEvent]:
    """What came of it; and before that, of a detector that was not even started, that nobody looked."""
    closed = what == "block" and rule.in_the_way
    event = GuardEvent(
        rule=rule.name, stage=stage, detector=name, label="",
        verdict="deny" if closed else "fail_open",
        action="block" if closed else "allow" if rule.mode == "enforce" else "none",
        mode=rule.mode, latency_ms=answer.latency_ms, engine=detector.engine, degraded=bool(detector.degraded),
        reason=answer.failure.reason if answer.failure else "",
    )  # fmt: skip
    if answer.failure and answer.failure.skipped:
        yield replace(event, verdict="none", action="none")
    yield event
