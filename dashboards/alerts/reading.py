"""What a rule sees at one moment: which stretches of time it looks at, and the figure it makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from . import burn
from .budgets import Budget, period_start
from .metrics import METRICS
from .rule import Rule
from .sums import Sums

LOOKBACK_MS = 7 * 86_400_000
"""How long after its last call a silent service is still waited for."""
LATE_MS = 15_000
"""How late a call may be in the store and still be in its window."""
MINUTE_MS = 60_000
LONGEST_NAME = 200
"""Characters of a name in a group: applications choose it, and the state of a rule must fit into a document."""

Group = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """`value` in the unit of the metric; None where too few calls were made to say. `text` explains it in words."""

    group: Group
    value: float | None
    calls: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A stretch of time, in milliseconds since 1970, end exclusive."""

    start: int
    end: int


def end_of(now: int) -> int:
    """The end of the newest minute that can be complete."""
    return (now - LATE_MS) // MINUTE_MS * MINUTE_MS


def lanes(rule: Rule, end: int, budget: Budget | None = None) -> tuple[Lane, ...]:
    """All of a rule's lanes end at `end`, and their starts never go back as `end` goes on."""
    source = METRICS[rule.metric].source
    if source == "burn":
        return tuple(Lane(end - seconds * 1000, end) for seconds in burn.LANES)
    if source == "silence":
        return (Lane(end - LOOKBACK_MS, end),)
    if source == "budget" and budget:
        return (Lane(period_start(budget.period, end - 1), end),)
    return (Lane(end - rule.window_s * 1000, end),)


def read(rule: Rule, group: Group, sums: Sequence[Sums], end: int, budget: Budget | None = None) -> Reading:
    """`sums` belong to `lanes(rule, end)`."""
    source = METRICS[rule.metric].source
    if source == "burn":
        return _burning(rule, group, sums)
    if source == "silence":
        return _silent(rule, group, sums[0], end)
    if source == "budget":
        return _spent(group, sums[0], budget)
    metric, seen = METRICS[rule.metric], sums[0]
    few = metric.sampled and seen.calls < max(1, rule.minimum_calls)
    return Reading(group, None if few else metric.value(seen, rule.window_s), seen.calls)


def _burning(rule: Rule, group: Group, sums: Sequence[Sums]) -> Reading:
    found = burn.burn(sums, rule.target, rule.minimum_calls)
    calls = sums[0].calls
    if found is None:
        return Reading(group, None, calls)
    pair = found.pair
    text = (
        f"{found.long_rate:.1f} times over {_length(pair.long_s)} and {found.short_rate:.1f} times over "
        f"{_length(pair.short_s)}, the limit is {pair.limit:g}"
    )
    return Reading(group, found.level, calls, text)


def _silent(rule: Rule, group: Group, seen: Sums, end: int) -> Reading:
    if seen.calls < max(1, rule.minimum_calls) or not seen.last:
        return Reading(group, None, seen.calls)
    return Reading(group, max(0.0, (end - seen.last) / MINUTE_MS - 1), seen.calls)


def _spent(group: Group, seen: Sums, budget: Budget | None) -> Reading:
    if budget is None:
        return Reading(group, None, 0, "the budget is not there any more")
    text = f"${seen.usd:,.2f} of ${budget.amount_usd:,.2f} this {budget.period}"
    return Reading(group, seen.usd / budget.amount_usd, seen.calls, text)


def _length(seconds: int) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
