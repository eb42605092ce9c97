"""The guards at work on one check: find, decide, edit. What was found and what was done stay apart."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from time import perf_counter
from typing import Any, get_args

from .detectors import registry
from .detectors.detector import Detector
from .edits import How, Mark, apply, plan, spread
from .judgement import Action, Check, Decision, Edit, Finding, GuardEvent, StreamPlan, Verdict
from .matching import applies, stream_plan
from .pseudonyms import placeholders_in
from .rules import Made, OnFailure, Policy, Rule, RuleAction
from .scan import Failure, Scanned, Scanner, Target, asks_of, targets_of
from .vault import Vault

_VERDICTS: dict[RuleAction, Verdict] = {
    "allow": "allow", "flag": "warn", "redact": "modify", "pseudonymise": "modify", "block": "deny",
}  # fmt: skip
_DONE: dict[RuleAction, Action] = {
    "allow": "allow", "flag": "allow", "redact": "modify", "pseudonymise": "modify", "block": "block",
}  # fmt: skip
_RANK: tuple[Verdict, ...] = ("none", "allow", "warn", "modify", "fail_open", "deny")
WITHHELD = "[WITHHELD]"


class DetectorUnavailable(Exception):  # noqa: N818  a state of the installation, not a mistake
    """A detector that the policy names cannot be brought up; the text says what to install."""


@dataclass(slots=True)
class Ruling:
    """What one rule makes of one check."""

    rule: Rule
    findings: list[Finding] = field(default_factory=list)
    events: list[GuardEvent] = field(default_factory=list)
    failed: list[tuple[str, OnFailure, Failure]] = field(default_factory=list)

    @property
    def blocks(self) -> bool:
        """Whether the call must not go on, for a finding or for a failure."""
        found = bool(self.findings) and self.rule.action == "block"
        return self.rule.in_the_way and (found or self.fails_closed)

    @property
    def fails_closed(self) -> bool:
        """Whether the rule blocks because it could not be judged."""
        return any(what == "block" for _, what, _ in self.failed)


class Pipeline:
    """A policy with its detectors brought up. Safe to use from several threads. Raises `DetectorUnavailable`."""

    def __init__(self, policy: Policy, detectors: Mapping[str, Detector] | None = None) -> None:
        self.policy = policy
        self._vault = Vault()
        named = dict.fromkeys(name for rule in policy.rules for name in rule.detect)
        made = detectors if detectors is not None else {name: _bring_up(name, policy.made(name)) for name in named}
        self._scanner = Scanner(made, policy.defaults.timeout_ms)

    @property
    def degraded(self) -> tuple[str, ...]:
        """The detectors that are less than full right now, each with its reason."""
        known = self._scanner.detectors.items()
        return tuple(f"{name}: {detector.degraded}" for name, detector in known if detector.degraded)

    @property
    def summary(self) -> dict[str, Any]:
        """What a client needs when nobody answers; `on_error` is the strictest of the rules in the way."""
        standing = [rule for rule in self.policy.rules if rule.in_the_way]
        said = {rule.on_error or self.policy.defaults.on_error for rule in standing}
        strictest = next((what for what in get_args(OnFailure) if what in said), "allow")
        return {
            "name": self.policy.name,
            "hash": self.policy.hash,
            "on_error": strictest,
            "timeout_ms": self.policy.defaults.timeout_ms,
        }

    def check(self, check: Check) -> Decision:
        """Judge what stands in the way of the call; never raises for what a detector does."""
        started = perf_counter()
        rules = [rule for rule in self.policy.rules if rule.in_the_way and applies(rule, check.context)]
        targets = targets_of(check)
        rulings = self._judge(rules, targets)
        edits, pseudonyms = self._edit(check, rulings, targets)
        blocking = next((ruling for ruling in rulings if ruling.blocks), None)
        events = tuple(event for ruling in rulings for event in ruling.events)
        return Decision(
            messages=apply(check.messages, edits),
            verdict=max((event.verdict for event in events), key=_RANK.index, default="allow"),
            action="block" if blocking else "modify" if edits else "allow",
            events=events,
            pseudonyms=pseudonyms,
            reply=blocking.rule.reply if blocking and not blocking.fails_closed else None,
            blocked_by=blocking.rule.name if blocking else "",
            policy_name=self.policy.name,
            policy_hash=self.policy.hash,
            stream=stream_plan(rules) if check.side == "input" else StreamPlan(),
            degraded=self.degraded,
            latency_ms=(perf_counter() - started) * 1000,
            edits=tuple(edits),
            withhold=_withhold(rulings),
        )

    def review(self, check: Check) -> tuple[GuardEvent, ...]:
        """Judge what only flags or watches; changes nothing."""
        rules = [rule for rule in self.policy.rules if not rule.in_the_way and applies(rule, check.context)]
        return tuple(event for ruling in self._judge(rules, targets_of(check)) for event in ruling.events)

    def close(self) -> None:
        """Let the detectors' threads go."""
        self._scanner.close()

    def _judge(self, rules: Sequence[Rule], targets: Sequence[Target]) -> list[Ruling]:
        scanned = self._scanner.scan(asks_of(rules, targets)) if rules and targets else {}
        return [self._rule_on(rule, scanned, targets) for rule in rules]

    def _rule_on(self, rule: Rule, scanned: Mapping[str, Scanned], targets: Sequence[Target]) -> Ruling:
        ruling = Ruling(rule)
        seen = [target for target in targets if target.stage in rule.when.stage]
        for name in rule.detect:
            answer = scanned.get(name)
            if answer is None or not seen:
                continue
            if answer.failure:
                what = self._on_failure(rule, answer.failure)
                ruling.failed.append((name, what, answer.failure))
                ruling.events.append(self._failure_event(rule, name, what, answer, seen[0]))
                continue
            found = list(_findings(rule, name, answer))
            ruling.findings += (finding for _, finding in found)
            ruling.events += self._events(rule, name, found, answer.latency_ms)
        return ruling

    def _on_failure(self, rule: Rule, failure: Failure) -> OnFailure:
        defaults = self.policy.defaults
        if failure.timeout:
            return rule.on_timeout or defaults.on_timeout
        return rule.on_error or defaults.on_error

    def _events(
        self, rule: Rule, name: str, found: list[tuple[Target, Finding]], latency_ms: float
    ) -> Iterator[GuardEvent]:
        detector = self._scanner.detectors[name]
        ordered = sorted(((target.stage, finding.label, finding.score) for target, finding in found))
        for (stage, label), group in groupby(ordered, key=lambda row: row[:2]):
            scores = [score for _, _, score in group]
            yield GuardEvent(
                rule=rule.name, stage=stage, detector=name, label=label, verdict=_VERDICTS[rule.action],
                action=_DONE[rule.action] if rule.mode == "enforce" else "none", mode=rule.mode,
                score=max(scores), findings=len(scores), latency_ms=latency_ms,
                engine=detector.engine, degraded=bool(detector.degraded),
            )  # fmt: skip

    def _failure_event(self, rule: Rule, name: str, what: OnFailure, answer: Scanned, first: Target) -> GuardEvent:
        detector, closed = self._scanner.detectors[name], what == "block" and rule.in_the_way
        return GuardEvent(
            rule=rule.name, stage=first.stage, detector=name, label="",
            verdict="deny" if closed else "fail_open",
            action="block" if closed else "allow" if rule.mode == "enforce" else "none",
            mode=rule.mode, latency_ms=answer.latency_ms, engine=detector.engine, degraded=bool(detector.degraded),
            reason=answer.failure.reason if answer.failure else "",
        )  # fmt: skip

    def _edit(
        self, check: Check, rulings: Sequence[Ruling], targets: Sequence[Target]
    ) -> tuple[list[Edit], dict[str, str]]:
        """What becomes of the texts. Of a blocked check they are for the record only: everything found is masked."""
        if any(ruling.blocks for ruling in rulings):
            marks = [
                Mark(finding, "redact", stages=ruling.rule.when.stage)
                for ruling in rulings
                for finding in ruling.findings
            ]
            return _cover_unjudged(plan(spread(marks, targets), targets, _mask), rulings, targets), {}
        originals: dict[str, str] = {}
        session = self._vault.pseudonyms(check.context)
        taken = set().union(*(placeholders_in(target.view.text) for target in targets))

        def stand_in(mark: Mark, original: str) -> str:
            if mark.how == "redact":
                return _mask(mark, original)
            kept = check.side == "output"
            placeholder = session.placeholder(_name(mark), original, taken, keep_known=kept)
            if mark.restore:
                originals[placeholder] = original
            return placeholder

        return plan(spread(list(_marks(rulings)), targets), targets, stand_in), originals


def _bring_up(name: str, made: Made) -> Detector:
    try:
        return registry.make(made.kind, made.options)
    except ImportError as error:
        missing = error.name or "a library"
        hint = f"detector {name!r} needs {missing}, which is not installed here; pip install 'spanward[sidecar]'"
        raise DetectorUnavailable(hint) from error


def _findings(rule: Rule, name: str, answer: Scanned) -> Iterator[tuple[Target, Finding]]:
    """The hits that reach the rule's thresholds, at their places in the part's text; one cut in two is two findings."""
    chosen = rule.detect[name]
    for target, hits in answer.hits:
        if target.stage not in rule.when.stage:
            continue
        for hit in hits:
            if hit.label not in chosen or hit.score < chosen[hit.label].threshold:
                continue
            for start, end in target.view.pieces(hit.start, hit.end):
                yield (
                    target,
                    Finding(name, hit.label, start, end, hit.score, target.message, target.part, hit.explanation),
                )


def _marks(rulings: Sequence[Ruling]) -> Iterator[Mark]:
    for ruling in rulings:
        action = ruling.rule.action
        if action in {"redact", "pseudonymise"}:
            how: How = "redact" if action == "redact" else "pseudonymise"
            yield from (Mark(finding, how, ruling.rule.restore, ruling.rule.when.stage) for finding in ruling.findings)


def _mask(mark: Mark, _: str) -> str:
    return f"[{_name(mark)}]"


def _name(mark: Mark) -> str:
    """The label in the characters of a placeholder: other packages' detectors may name labels as they like."""
    return re.sub(r"[^A-Z0-9_]+", "_", mark.finding.label.upper()).lstrip("_0123456789") or "FINDING"


def _cover_unjudged(edits: list[Edit], rulings: Sequence[Ruling], targets: Sequence[Target]) -> list[Edit]:
    """Of a blocked check, parts that a failed detector should have seen are covered whole."""
    stages = {stage for ruling in rulings if ruling.failed for stage in ruling.rule.when.stage}
    unjudged = {(target.message, target.part): target for target in targets if target.stage in stages}
    covers = [
        Edit(m, p, 0, len(target.view.source), f'"{WITHHELD}"' if target.view.json is not None else WITHHELD)
        for (m, p), target in unjudged.items()
    ]
    kept = [edit for edit in edits if (edit.message, edit.part) not in unjudged]
    return sorted(kept + covers, key=lambda edit: (edit.message, edit.part, edit.start))


def _withhold(rulings: Sequence[Ruling]) -> str:
    """Why the record must stay empty: a guard failed open, and its policy did not say that this is all right."""
    failed = [ruling.rule.name for ruling in rulings if any(what == "flag" for _, what, _ in ruling.failed)]
    return f"guard failed: {', '.join(failed)}" if failed else ""
