"""A policy tried out on one thing said: what came of it, and how that differs from what was expected."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, NamedTuple

from .judgement import Action, Check, Decision, GuardEvent, Mode, Verdict
from .messages import parts_of
from .pipeline import Pipeline
from .policy import Policy
from .policy_cases import Expect

PATIENCE_MS = 600_000
"""A trial says what a policy finds, not how fast this machine is: no detector is cut short or left out."""
Pair = tuple[list[str], list[str]]
"""Lines of what was expected, and of what came."""


def patient(policy: Policy) -> Policy:
    """The same policy with all the time it needs; what it says of `timeout_ms` and budgets is not what is tried."""
    unhurried = {"latency_budget_ms": None}
    defaults = policy.defaults.model_copy(update={**unhurried, "timeout_ms": PATIENCE_MS})
    rules = tuple(rule.model_copy(update=unhurried) for rule in policy.rules)
    return policy.model_copy(update={"defaults": defaults, "rules": rules})


class Found(NamedTuple):
    """That a rule found a label: enforced or in shadow, and what it makes of it."""

    rule: str
    label: str
    mode: Mode
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Seen:
    """What a pipeline made of a check. `found` is without repetitions; `failures` are reasons."""

    action: Action
    verdict: Verdict
    text: tuple[str, ...]
    reply: str | None
    found: tuple[Found, ...]
    failures: tuple[str, ...]
    latency_ms: float

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.rule for each in self.found))

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.label for each in self.found))


def see(pipeline: Pipeline, check: Check) -> Seen:
    """Judge as the sidecar does: first what stands in the way, then what only notes."""
    decision = pipeline.check(check)
    noted = pipeline.review(check)
    events = (*decision.events, *noted)
    return Seen(
        action=decision.action,
        verdict=_verdict(decision, noted),
        text=tuple(part.text for _, _, part in parts_of(decision.messages) if part.text),
        reply=decision.reply,
        found=tuple(dict.fromkeys(Found(e.rule, e.label, e.mode, e.verdict) for e in events if e.findings)),
        failures=tuple(dict.fromkeys(each.reason for each in events if not each.findings)),
        latency_ms=decision.latency_ms,
    )


def _verdict(decision: Decision, noted: Sequence[GuardEvent]) -> Verdict:
    if decision.verdict not in ("none", "allow"):
        return decision.verdict
    said = {event.verdict for event in noted if event.mode == "enforce"}
    worst: tuple[Verdict, ...] = ("fail_open", "warn")
    return next((verdict for verdict in worst if verdict in said), decision.verdict)


def differences(expect: Expect, seen: Seen) -> list[str]:
    """What was expected against what came, as lines of a diff (` `, `-`, `+`); empty if the case holds."""
    wanted: list[str] = []
    came: list[str] = []
    for key in Expect.model_fields:
        if key in expect.model_fields_set:
            these, those = _COMPARED[key](key, getattr(expect, key), seen)
            wanted += these
            came += those
    came += (f"guard failed: {reason}" for reason in seen.failures)
    return list(unified_diff(wanted, came, lineterm="", n=99))[3:]


def _same(key: str, wanted: Any, seen: Seen) -> Pair:
    return [f"{key}: {wanted}"], [f"{key}: {getattr(seen, key)}"]


def _texts(key: str, wanted: tuple[str, ...] | None, seen: Seen) -> Pair:
    return list(_shown(key, wanted or ())), list(_shown(key, seen.text))


def _shown(key: str, texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        first, *others = text.splitlines() or [""]
        yield f"{key}: {first}"
        yield from (f"{' ' * len(key)}  {line}" for line in others)


def _all(key: str, wanted: tuple[str, ...], came: Sequence[str]) -> Pair:
    """Each of `wanted` must be there; what else came is shown only where one is not."""
    here = [name for name in wanted if name in came]
    shown = here if len(here) == len(wanted) else list(came)
    return [f"{key}: {name}" for name in wanted], [f"{key}: {name}" for name in shown] or [f"{key}: nothing"]


def _none(key: str, wanted: tuple[str, ...], seen: Seen) -> Pair:
    by_label = {each.label: each.rule for each in seen.found}
    came = [f"finds: {name}, by rule {by_label[name]}" if name in by_label else f"{key}: {name}" for name in wanted]
    return [f"{key}: {name}" for name in wanted], came


_COMPARED: Mapping[str, Callable[[str, Any, Seen], Pair]] = {
    "action": _same,
    "verdict": _same,
    "rule": lambda key, wanted, seen: _all(key, wanted, seen.rules),
    "text": _texts,
    "finds": lambda key, wanted, seen: _all(key, wanted, seen.labels),
    "misses": _none,
    "reply": _same,
}
