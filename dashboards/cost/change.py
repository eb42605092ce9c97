"""Why cost changed: calls x tokens a call x price a token, and which part of the traffic carries it. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import TypedDict

KEEPS = 0.6
"""A narrower selection is named while it keeps this share of the change of the wider one ..."""
LIFT = 0.1
"""... and this much more of it than its share of the cost before: what grows like all the rest is no cause."""
NEARLY_ALL = 0.95
"""Or while it keeps nearly all of it, unless its value stands on nearly all of the traffic anyway."""
CARRIES = 0.5
"""A cause carries at least this share of the whole change."""


@dataclass(frozen=True, slots=True)
class Used:
    """Of priced calls in one period; `cost` in US dollars."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: "Used") -> "Used":
        return Used(self.calls + other.calls, self.tokens + other.tokens, self.cost + other.cost)

    def __sub__(self, other: "Used") -> "Used":
        """Never below nothing: a call may have come between two looks, and sums of cost differ in their last digits."""
        return Used(
            max(self.calls - other.calls, 0), max(self.tokens - other.tokens, 0), max(self.cost - other.cost, 0.0)
        )


class Effects(TypedDict):
    """US dollars; they add up to the change."""

    calls: float
    tokens: float
    price: float


class Factors(TypedDict):
    """Change of each factor as a share (0.04 is 4 % more), None where there was none before."""

    calls: float | None
    tokens_per_call: float | None
    price_per_token: float | None


@dataclass(frozen=True, slots=True)
class Segment:
    """Calls that are alike: `values` by dimension, before and now."""

    values: Mapping[str, str]
    before: Used
    now: Used

    @property
    def change(self) -> float:
        return self.now.cost - self.before.cost


@dataclass(frozen=True, slots=True)
class Cause:
    """`share` of the whole change that the calls of `values` carry; above 1 where others changed the other way."""

    values: Mapping[str, str]
    share: float
    before: Used
    now: Used


def beyond(segments: Sequence[Segment], before: Used, now: Used) -> Segment:
    """What is left of the whole; its values are told from all names by a NUL."""
    known = _total(segments)
    return Segment(dict.fromkeys(segments[0].values, "\0"), before - known.before, now - known.now)


def effects(before: Used, now: Used) -> Effects:
    """The change of cost by its three factors, exactly additive (logarithmic mean Divisia index).

    What begins or ends is all calls; where only tokens or only prices come or go, it is all theirs.
    """
    change = now.cost - before.cost
    none: Effects = {"calls": 0.0, "tokens": 0.0, "price": 0.0}
    if not before.calls or not now.calls:
        return {**none, "calls": change}
    if not before.tokens or not now.tokens:
        return {**none, "tokens": change}
    if before.cost <= 0 or now.cost <= 0:
        return {**none, "price": change}
    weight = _logarithmic_mean(before.cost, now.cost)
    calls = weight * math.log(now.calls / before.calls)
    tokens = weight * math.log((now.tokens / now.calls) / (before.tokens / before.calls))
    return {"calls": calls, "tokens": tokens, "price": change - calls - tokens}


def factors(before: Used, now: Used) -> Factors:
    return {
        "calls": _ratio(now.calls, before.calls),
        "tokens_per_call": _ratio(_per(now.tokens, now.calls), _per(before.tokens, before.calls)),
        "price_per_token": _ratio(_per(now.cost, now.tokens), _per(before.cost, before.tokens)),
    }


def together(segments: Iterable[Segment]) -> Effects:
    """Effects within each segment, summed: a shift to a dearer model is more calls of it, no dearer price."""
    parts = [effects(segment.before, segment.now) for segment in segments]
    return {
        "calls": sum(part["calls"] for part in parts),
        "tokens": sum(part["tokens"] for part in parts),
        "price": sum(part["price"] for part in parts),
    }


def cause(segments: Sequence[Segment]) -> Cause | None:
    """The narrowest selection that carries the change; None where it is spread over all alike."""
    whole = _total(segments)
    change = whole.change
    if not change or not segments:
        return None
    free = [name for name in segments[0].values if len({segment.values[name] for segment in segments}) > 1]
    values: dict[str, str] = {}
    chosen = list(segments)
    while free:
        step = _narrower(whole, segments, chosen, free)
        if step is None or _total(step[1]).change / change < CARRIES:
            break
        (name, value), chosen = step
        values[name] = value
        free.remove(name)
    if not values:
        return None
    found = _total(chosen)
    return Cause(values, found.change / change, found.before, found.now)


def _narrower(
    everything: Segment, segments: Sequence[Segment], chosen: Sequence[Segment], free: Sequence[str]
) -> tuple[tuple[str, str], list[Segment]] | None:
    """The value of one dimension that keeps most of the change of `chosen`."""
    whole = _total(chosen)
    candidates: list[tuple[float, str, str]] = []
    for name in free:
        for value in {segment.values[name] for segment in chosen}:
            part = _total(_those(chosen, name, value))
            kept = part.change / whole.change
            lifted = kept - _share(part, whole) >= LIFT
            common = _share(_total(_those(segments, name, value)), everything) >= NEARLY_ALL
            if (kept >= KEEPS and lifted) or (kept >= NEARLY_ALL and len(chosen) < len(segments) and not common):
                candidates.append((kept, name, value))
    if not candidates:
        return None
    _, name, value = max(candidates)
    return (name, value), _those(chosen, name, value)


def _share(part: Segment, whole: Segment) -> float:
    return part.before.cost / whole.before.cost if whole.before.cost else 0.0


def _those(segments: Iterable[Segment], name: str, value: str) -> list[Segment]:
    return [segment for segment in segments if segment.values[name] == value]


def _total(segments: Iterable[Segment]) -> Segment:
    before = now = Used()
    for segment in segments:
        before, now = before + segment.before, now + segment.now
    return Segment({}, before, now)


def _logarithmic_mean(a: float, b: float) -> float:
    """Between the geometric and the arithmetic mean; of equals it is both."""
    difference = math.log(b / a)
    return (b - a) / difference if abs(difference) > 1e-9 else (a + b) / 2


def _per(sum_: float, count: int) -> float:
    return sum_ / count if count else 0.0


def _ratio(now: float, before: float) -> float | None:
    return now / before - 1 if before else None
