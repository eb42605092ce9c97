"""The guards at work on one check: find, decide, edit. What was found and what was done stay apart."""

import re
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any, get_args

from .detectors import registry
from .detectors.detector import Detector
from .edits import Mark, apply, plan, spread
from .judgement import Check, Decision, Edit, GuardEvent, StreamPlan
from .matching import applies, stage_of, stream_plan
from .messages import parts_of
from .pseudonyms import placeholders_in
from .rules import IN_THE_WAY, Made, OnFailure, Policy, Rule
from .ruling import RANK, Ruling, judge
from .scan import Scanner, Target, asks_of, targets_of
from .vault import Pseudonymiser, Vault

WITHHELD = "[WITHHELD]"


class DetectorUnavailable(Exception):  # noqa: N818  a state of the installation, not a mistake
    """A detector that the policy names cannot be brought up; the text says what to install, or what is wrong."""


class Pipeline:
    """A policy with its detectors brought up. Safe to use from several threads. Raises `DetectorUnavailable`."""

    def __init__(
        self,
        policy: Policy,
        detectors: Mapping[str, Detector] | None = None,
        vault: Pseudonymiser | None = None,
    ) -> None:
        self.policy = policy
        self._standing = [part for rule in policy.rules if (part := rule.part(in_the_way=True))]
        self._watching = [part for rule in policy.rules if (part := rule.part(in_the_way=False))]
        self._vault = vault or Vault()
        named = dict.fromkeys(name for rule in policy.rules for name in rule.detect)
        self._own = {name: bring_up(name, policy.made(name)) for name in named} if detectors is None else {}
        self._scanner = Scanner(detectors or self._own, policy.defaults.timeout_ms)

    @property
    def degraded(self) -> tuple[str, ...]:
        """The detectors that are less than full right now, each with its reason."""
        known = self._scanner.detectors.items()
        return tuple(f"{name}: {detector.degraded}" for name, detector in known if detector.degraded)

    @property
    def summary(self) -> dict[str, Any]:
        """What a client needs when nobody answers; `on_error` is the strictest of the rules in the way."""
        said = {rule.on_error or self.policy.defaults.on_error for rule in self._standing}
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
        rules = [rule for rule in self._standing if applies(rule, check.context)]
        targets = targets_of(check)
        rulings = self._judge(rules, targets, self.policy.defaults.latency_budget_ms)
        edits, pseudonyms = self._edit(check, rulings, targets)
        return self._decision(check, rules, rulings, edits, pseudonyms, started)

    def at_once(self, check: Check) -> Decision | None:
        """What `check` says where no rule in the way looks at any part, without reading one; None where one does."""
        started = perf_counter()
        stages = {stage_of(check.side, part.kind) for _, _, part in parts_of(check.messages) if part.text}
        rules = [rule for rule in self._standing if applies(rule, check.context)]
        if any(not stages.isdisjoint(rule.when.stage) for rule in rules):
            return None
        return self._decision(check, rules, (), (), {}, started)

    def _decision(
        self,
        check: Check,
        rules: Sequence[Rule],
        rulings: Sequence[Ruling],
        edits: Sequence[Edit],
        pseudonyms: Mapping[str, str],
        started: float,
    ) -> Decision:
        blocking = next((ruling for ruling in rulings if ruling.blocks), None)
        events = tuple(event for ruling in rulings for event in ruling.events)
        return Decision(
            messages=apply(check.messages, edits),
            verdict=max((event.verdict for event in events), key=RANK.index, default="allow"),
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
        rules = [rule for rule in self._watching if applies(rule, check.context)]
        return tuple(event for ruling in self._judge(rules, targets_of(check)) for event in ruling.events)

    def close(self) -> None:
        """Let the detectors' threads go, and the detectors that were brought up here."""
        self._scanner.close()
        for detector in self._own.values():
            if close := getattr(detector, "close", None):
                close()

    def _judge(self, rules: Sequence[Rule], targets: Sequence[Target], budget_ms: int | None = None) -> list[Ruling]:
        scanned = self._scanner.scan(asks_of(rules, targets, budget_ms)) if rules and targets else {}
        detectors, defaults = self._scanner.detectors, self.policy.defaults
        return [judge(rule, scanned, targets, detectors, defaults) for rule in rules]

    def _edit(
        self, check: Check, rulings: Sequence[Ruling], targets: Sequence[Target]
    ) -> tuple[list[Edit], dict[str, str]]:
        """What becomes of the texts. Of a blocked check they are for the record only: everything found is masked."""
        if any(ruling.blocks for ruling in rulings):
            marks = list(_marks(rulings, masked=True))
            return _cover_unjudged(plan(spread(marks, targets), targets, _mask), rulings, targets), {}
        originals: dict[str, str] = {}
        given: set[str] = set()
        marks = spread(list(_marks(rulings)), targets)
        session = self._vault.pseudonyms(check.context)
        taken = set().union(*(placeholders_in(target.view.text) for target in targets))

        def stand_in(mark: Mark, original: str) -> str:
            if mark.how == "redact":
                return _mask(mark, original)
            kept = check.side == "output"
            placeholder = session.placeholder(placeholder_name(mark.finding.label), original, taken, keep_known=kept)
            given.add(placeholder)
            if mark.restore:
                originals[placeholder] = original
            return placeholder

        edits = plan(marks, targets, stand_in)
        if not session.save(given):  # not written down: other names, which no later process gives to other values
            originals.clear()
            edits = plan(marks, targets, stand_in)
        return edits, originals


def bring_up(name: str, made: Made) -> Detector:
    """The detector that a policy calls `name`. Raises `DetectorUnavailable`."""
    try:
        return registry.make(made.kind, made.options)
    except ImportError as error:
        missing = error.name or "a library"
        hint = f"detector {name!r} needs {missing}, which is not installed here; pip install 'spanward[sidecar]'"
        raise DetectorUnavailable(hint) from error
    except Exception as error:
        raise DetectorUnavailable(f"detector {name!r} cannot start: {type(error).__name__}: {error}") from error


def _marks(rulings: Sequence[Ruling], *, masked: bool = False) -> Iterator[Mark]:
    """What changes the texts, each finding by the action of its label; with `masked` all that stands in the way."""
    for ruling in rulings:
        stages = ruling.rule.when.stage
        for finding in (each for each in ruling.findings if each.end > each.start):
            action = ruling.action_of(finding)
            if action == "redact" or (masked and action in IN_THE_WAY):
                yield Mark(finding, "redact", stages=stages)
            elif action == "pseudonymise":
                yield Mark(finding, "pseudonymise", ruling.rule.restore, stages)


def _mask(mark: Mark, _: str) -> str:
    return f"[{placeholder_name(mark.finding.label)}]"


def placeholder_name(label: str) -> str:
    """The label in the characters of a placeholder: other packages' detectors may name labels as they like."""
    return re.sub(r"[^A-Z0-9_]+", "_", label.upper()).lstrip("_0123456789") or "FINDING"


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
    failed = [ruling.rule.name for ruling in rulings if any(what == "flag" for _, what in ruling.failed)]
    return f"guard failed: {', '.join(failed)}" if failed else ""
