"""What is odd in a policy that loads: rules that contradict, never act or never see anything. `spanward policy check`.

>>> from spanward.guards.policy import loaded
>>> lint(loaded("default"))
[]
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from .detectors.registry import detector_class
from .overlap import FIELDS, overlap, within
from .policy import Loaded
from .rules import IN_THE_WAY, Choice, Patterns, Policy, Rule, RuleAction

Severity = Literal["error", "warning", "hint"]
"""error: the policy does not do what it says; warning: it likely does something else than meant; hint: worth a look."""
STRICTEST: tuple[RuleAction, ...] = (*IN_THE_WAY, "flag", "allow")
SHAPING = ("restore", "reply", "on_error", "on_timeout", "latency_budget_ms", "stream")
BASELINE_NOTE = "the small baseline model was made to flag: one harmless text in a hundred reaches its usual thresholds"


@dataclass(frozen=True, slots=True, order=True)
class Remark:
    """One oddity. `where` is `file:line`."""

    where: str
    severity: Severity
    text: str

    def __str__(self) -> str:
        """`file:line: severity: text`."""
        return f"{self.where}: {self.severity}: {self.text}"


def lint(loaded: Loaded, *, pairs: bool = True) -> list[Remark]:
    """Every oddity, in the order of files and lines. `pairs`: rules are compared with each other, n² of them."""
    looks = _LOOKS if pairs else [look for look in _LOOKS if look is not _pairs]
    found = [remark for look in looks for remark in look(loaded)]
    order = {str(path): n for n, path in enumerate(loaded.files)}
    return sorted(set(found), key=lambda remark: (*_place(remark.where, order), remark.text))


def _place(where: str, order: dict[str, int]) -> tuple[int, int]:
    path, _, line = where.rpartition(":")
    return order.get(path, len(order)), int(line)


@dataclass(frozen=True, slots=True)
class _Named:
    """One label of one rule."""

    rule: Rule
    detector: str
    label: str
    choice: Choice

    @property
    def action(self) -> RuleAction:
        return self.rule.action_of(self.detector, self.label)

    def where(self, loaded: Loaded, *keys: str) -> str:
        """Its line, or that of its detector where the labels are the usual ones."""
        noun = detector_class(loaded.policy.made(self.detector).kind).noun
        return loaded.line(self.rule.name, "detect", self.detector, noun, self.label, *keys)


def _labels(rule: Rule) -> Iterator[_Named]:
    for detector, labels in rule.detect.items():
        yield from (_Named(rule, detector, label, choice) for label, choice in labels.items())


def _thresholds(loaded: Loaded) -> Iterator[Remark]:
    for named in (named for rule in loaded.policy.rules for named in _labels(rule)):
        if named.choice.threshold == 0:
            text = f"{named.label} from 0 on: everything that the detector considers is a finding, sure or not"
            yield Remark(named.where(loaded), "warning", f"rule {named.rule.name!r} takes {text}")
        elif named.choice.threshold == 1 and not _certain(loaded.policy, named):
            text = f"{named.label} from 1 on: only what is certain is a finding, which may be nothing"
            yield Remark(named.where(loaded), "hint", f"rule {named.rule.name!r} takes {text}")


def _certain(policy: Policy, named: _Named) -> bool:
    """Detectors that a policy makes of patterns and words are sure of what they find."""
    return named.detector in policy.detectors


def _pointless_keys(loaded: Loaded) -> Iterator[Remark]:
    for rule in loaded.policy.rules:
        for holds, key, severity, text in _POINTLESS:
            if holds(rule):
                yield Remark(loaded.line(rule.name, key), severity, f"rule {rule.name!r}: {text}")


def _observed(rule: Rule, action: RuleAction) -> bool:
    return rule.stream is not None and rule.stream.mode == "observe" and action in rule.actions()


def _alone(rule: Rule, action: RuleAction) -> bool:
    """Whether no label that the rule looks for has the action."""
    return bool(rule.actions()) and action not in rule.actions()


_POINTLESS: tuple[tuple[Callable[[Rule], object], str, Severity, str], ...] = (
    (lambda rule: not rule.actions(), "detect", "error", "it looks for no label, so it never finds anything"),
    (lambda rule: rule.restore and _alone(rule, "pseudonymise"), "restore", "error",
     "`restore`, but every label has another action than `pseudonymise`: nothing is restored"),
    (lambda rule: rule.reply is not None and _alone(rule, "block"), "reply", "error",
     "`reply`, but no label blocks: nobody gets it"),
    (lambda rule: _observed(rule, "block"), "stream", "warning",
     "`block` with `mode: observe`: a streamed answer is delivered before it is judged"),
    (lambda rule: _observed(rule, "redact"), "stream", "warning",
     "`redact` with `mode: observe`: a streamed answer is delivered as it was said, only the record is redacted"),
    (lambda rule: rule.stream and not {"output", "tool_call"} & set(rule.when.stage), "stream", "hint",
     "`stream`, but the rule is not for what streams: output and tool_call"),
    (lambda rule: rule.latency_budget_ms and not rule.in_the_way, "latency_budget_ms", "hint",
     "a budget, but no call waits for this rule"),
    (lambda rule: rule.on_error == "block" and not rule.in_the_way, "on_error", "hint",
     "`on_error: block`, but no call waits for this rule: its failure is told and blocks nothing"),
    (lambda rule: rule.on_timeout == "block" and not rule.in_the_way, "on_timeout", "hint",
     "`on_timeout: block`, but no call waits for this rule: its failure is told and blocks nothing"),
    (lambda rule: "tool_result" in rule.when.stage and "retrieval" not in rule.when.stage, "when", "hint",
     "`tool_result` without `retrieval`: documents that a search found pass this rule unseen"),
)  # fmt: skip


def _patterns(loaded: Loaded) -> Iterator[Remark]:
    for rule in loaded.policy.rules:
        for key in FIELDS:
            patterns: Patterns = getattr(rule.when, key)
            for n, pattern in enumerate(patterns):
                where, said = loaded.line(rule.name, "when", key, n), f"rule {rule.name!r}: `{key}: {pattern!r}`"
                if pattern != pattern.strip():
                    yield Remark(where, "warning", f"{said} has a space before or after it, which names do not have")
                elif pattern != "*" and "*" in patterns:
                    yield Remark(where, "hint", f"{said} adds nothing beside '*'")


def _unused_detectors(loaded: Loaded) -> Iterator[Remark]:
    used = {name for rule in loaded.policy.rules for name in rule.detect}
    for name in loaded.policy.detectors.keys() - used:
        yield Remark(loaded.detector_line(name), "hint", f"no rule asks the detector {name!r}: it is not made")


def _baseline_blocks(loaded: Loaded) -> Iterator[Remark]:
    for rule in loaded.policy.rules:
        for named in _labels(rule) if rule.in_the_way else ():
            if loaded.policy.made(named.detector).kind == "toxicity" and named.action in IN_THE_WAY:
                text = f"{named.label} leads to `{named.action}`; without Detoxify's weights {BASELINE_NOTE}"
                yield Remark(named.where(loaded), "warning", f"rule {rule.name!r}: {text}")


def _pieces_of_a_whole(loaded: Loaded) -> Iterator[Remark]:
    """A detector that judges a text from beginning to end is shown a streamed answer in windows."""
    for rule in loaded.policy.rules:
        windowed = rule.stream is None or rule.stream.mode == "window"
        if not (rule.in_the_way and windowed and "output" in rule.when.stage):
            continue
        for name in rule.detect:
            if getattr(detector_class(loaded.policy.made(name).kind), "whole_text", False):
                text = "judges whole texts, and a streamed answer comes in windows; write `stream: { mode: buffer }`"
                yield Remark(loaded.line(rule.name, "detect", name), "warning", f"rule {rule.name!r}: {name} {text}")


def _pairs(loaded: Loaded) -> Iterator[Remark]:
    """Two rules that look for the same labels in the same texts; what is said of several labels is said once."""
    for first, second in combinations(loaded.policy.rules, 2):
        if first.mode != second.mode or not overlap(first.when, second.when):
            continue  # of two modes one is being tried out
        others = {(each.detector, each.label): each for each in _labels(second)}
        said: dict[tuple[Severity, str, str], list[_Named]] = {}
        for one in _labels(first):
            if other := others.get((one.detector, one.label)):
                for named, severity, text in _pair(one, other):
                    said.setdefault((severity, named.rule.name, text), []).append(named)
        for (severity, name, text), named_ in said.items():
            labels = ", ".join(each.label for each in named_)
            yield Remark(named_[0].where(loaded), severity, f"rule {name!r}: {labels}: {text}")


def _pair(one: _Named, other: _Named) -> Iterator[tuple[_Named, Severity, str]]:
    """What is odd about one label of two rules: the label of the rule at fault, and why."""
    strict, mild = sorted((one, other), key=lambda named: STRICTEST.index(named.action))
    wins = f"`{strict.action}` of rule {strict.rule.name!r} wins from {strict.choice.threshold:g} on"
    covered = within(mild.rule.when, strict.rule.when) and strict.choice.threshold <= mild.choice.threshold
    if strict.action == mild.action:
        living, dead = (one, other) if _shadows(one, other) else (other, one)
        if _shadows(living, dead):
            yield dead, "warning", f"adds nothing: rule {living.rule.name!r} does the same and as early"
    elif strict.action not in IN_THE_WAY:
        return
    elif mild.action == "allow":
        yield mild, "error", f"`allow` is no exception from another rule: {wins}"
    elif mild.action == "flag" and covered:
        yield mild, "hint", f"`flag` looks at texts that were guarded before: {wins}"
    elif mild.action != "flag" and covered:
        yield mild, "error", f"never leads to `{mild.action}`: {wins}"
    elif mild.action != "flag":
        yield mild, "hint", f"leads to `{mild.action}` here, but where both rules apply {wins}"


def _shadows(one: _Named, other: _Named) -> bool:
    """Whether all that `other` does is done by `one`."""
    alike = all(getattr(one.rule, key) == getattr(other.rule, key) for key in SHAPING)
    return alike and within(other.rule.when, one.rule.when) and one.choice.threshold <= other.choice.threshold


_LOOKS: tuple[Callable[[Loaded], Iterator[Remark]], ...] = (
    _thresholds, _pointless_keys, _patterns, _unused_detectors, _baseline_blocks, _pieces_of_a_whole,
    _pairs,
)  # fmt: skip
