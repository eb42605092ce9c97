"""What rules see now, and what one rule would have seen before."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..ask import Ask, QueryFailed
from .budgets import Budget
from .counting import AT_ONCE, Counted, Part, count, parts
from .metrics import METRICS
from .reading import Group, Lane, Reading, end_of, lanes, read
from .rule import Rule
from .sums import Sums

COUNTED = frozenset({"calls", "guards", "silence", "burn", "budget"})
"""Sources that are counted in the store, so that there is a past to look at."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A rule that is to be measured, with the budget it names, if it is there."""

    id: str
    rule: Rule
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """`problem`: why there is nothing to go by; the rule stays as it was."""

    readings: tuple[Reading, ...] = ()
    problem: str = ""


Others = Mapping[str, Callable[[Asked, int], Measured]]
"""Source -> how its rules are measured, for what is not counted in the store. `now` in milliseconds."""


def measure(ask: Ask, asked: Sequence[Asked], now: int, others: Others) -> dict[str, Measured]:
    """By id of rule. Twenty rules a question; where one fails, each of its rules is asked alone."""
    found: dict[str, Measured] = {}
    stored = []
    for one in asked:
        source = METRICS[one.rule.metric].source
        if source in COUNTED:
            stored.append(one)
        elif source in others:
            found[one.id] = others[source](one, now)
        else:
            found[one.id] = Measured(problem=f"nothing here tells of {source}")
    for first in range(0, len(stored), AT_ONCE):
        found |= _together(ask, stored[first : first + AT_ONCE], now)
    return found


def _together(ask: Ask, asked: Sequence[Asked], now: int) -> dict[str, Measured]:
    try:
        return _counted(ask, asked, now)
    except QueryFailed as failed:
        if len(asked) == 1:
            return {asked[0].id: Measured(problem=str(failed))}
        return {one: told for single in asked for one, told in _together(ask, (single,), now).items()}


def _counted(ask: Ask, asked: Sequence[Asked], now: int) -> dict[str, Measured]:
    end = end_of(now)
    questions: list[Part] = []
    for number, one in enumerate(asked):
        for lane_number, lane in enumerate(lanes(one.rule, end, one.budget)):
            questions += parts(number, one.rule, lane, one.budget, bin_=lane_number)
    counted = count(ask, questions)
    return {one.id: Measured(tuple(_readings(number, one, counted, end))) for number, one in enumerate(asked)}


def _readings(number: int, asked: Asked, counted: Counted, end: int) -> Iterator[Reading]:
    groups = {group for rule, _, group in counted if rule == number} | (set() if asked.rule.by else {()})
    many = len(lanes(asked.rule, end, asked.budget))
    for group in sorted(groups):
        seen = [counted.get((number, lane, group), Sums()) for lane in range(many)]
        yield read(asked.rule, group, seen, end, asked.budget)


@dataclass(slots=True)
class _Slide:
    """The sums of one lane while its end moves on; each bin is added once and taken away once."""

    bins: Sequence[tuple[int, Sums]]
    sums: Sums = field(default_factory=Sums)
    first: int = 0
    after: int = 0

    def to(self, lane: Lane) -> Sums:
        first, after = self.first, self.after
        while self.after < len(self.bins) and self.bins[self.after][0] < lane.end:
            self.after += 1
        while self.first < self.after and self.bins[self.first][0] < lane.start:
            self.first += 1
        if self.first >= after:  # nothing is left of what was summed up, and all of it need not be taken away
            self.sums = Sums(last=max([self.sums.last, *(sums.last for _, sums in self.bins[first : self.first])]))
            first = after = self.first
        for _, sums in self.bins[after : self.after]:
            self.sums.add(sums)
        for _, sums in self.bins[first : self.first]:
            self.sums.add(sums, -1)
        return self.sums


def past(ask: Ask, asked: Asked, start: int, end: int) -> list[tuple[int, list[Reading]]]:
    """What the rule would have seen, every `Rule.step_s`. Of a split rule the eight largest groups.

    Raises `QueryFailed`.
    """
    step = asked.rule.step_s * 1000
    first, last = -(-start // step) * step, end // step * step
    lead = min(lane.start for lane in lanes(asked.rule, first, asked.budget)) // step * step
    whole = parts(0, asked.rule, Lane(lead, last), asked.budget, bin_=None, step_s=asked.rule.step_s)
    bins: dict[Group, list[tuple[int, Sums]]] = {} if asked.rule.by else {(): []}
    for (_, number, group), sums in sorted(count(ask, whole).items(), key=lambda found: found[0]):
        bins.setdefault(group, []).append((number * step, sums))
    slides: dict[Group, list[_Slide]] = {}
    for group, own in sorted(bins.items()):
        slides[group] = [_Slide(own) for _ in lanes(asked.rule, first, asked.budget)]
    return [(at, _read_at(asked, slides, at)) for at in range(first, last + 1, step)]


def _read_at(asked: Asked, slides: Mapping[Group, list[_Slide]], at: int) -> list[Reading]:
    here = lanes(asked.rule, at, asked.budget)
    return [
        read(asked.rule, group, [slide.to(lane) for slide, lane in zip(own, here, strict=True)], at, asked.budget)
        for group, own in slides.items()
    ]


def of_sidecar(sidecar: Callable[[], Mapping[str, Any]]) -> Callable[[Asked, int], Measured]:
    """Rules on what /healthz says."""

    def measured(asked: Asked, _now: int) -> Measured:
        value = sidecar().get(METRICS[asked.rule.metric].field)
        if not isinstance(value, int | float):
            return Measured(problem="the sidecar does not say")
        return Measured((Reading((), float(value)),))

    return measured
