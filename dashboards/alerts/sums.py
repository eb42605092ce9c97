"""What is counted of calls in a stretch of time, so that every figure is one function of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Sums:
    """`bad` are the calls of the rule's kind of failure, `events` guard findings of its kind, `usd` priced cost.

    Histograms count by `floor(8 * log2(milliseconds))`, -100 for none, as the rollups do. `last` is the begin of the
    newest minute with a call, in milliseconds since 1970, 0 for none.
    """

    calls: int = 0
    bad: int = 0
    blocked: int = 0
    unpriced: int = 0
    usd: float = 0.0
    events: int = 0
    last: int = 0
    latency: dict[int, int] = field(default_factory=dict)
    ttft: dict[int, int] = field(default_factory=dict)

    def add(self, other: "Sums", sign: int = 1) -> None:
        """`last` only grows: who looks back knows how far."""
        self.calls += sign * other.calls
        self.bad += sign * other.bad
        self.blocked += sign * other.blocked
        self.unpriced += sign * other.unpriced
        self.usd += sign * other.usd
        self.events += sign * other.events
        self.last = max(self.last, other.last)
        for mine, theirs in ((self.latency, other.latency), (self.ttft, other.ttft)):
            if not mine and sign == 1:
                mine.update(theirs)
                continue
            for key, count in theirs.items():
                mine[key] = mine.get(key, 0) + sign * count


def quantile(histogram: Mapping[int, int], share: float) -> float | None:
    """As `overview.percentiles` in SQL: within a bin, values are evenly spread over the logarithm."""
    counted = [(key, count) for key in sorted(histogram) if key > -100 and (count := histogram[key]) > 0]
    wanted = share * sum([count for _, count in counted])
    before = 0
    for key, count in counted:
        if before + count >= wanted:
            return float(2 ** ((key + (wanted - before) / count) / 8))
        before += count
    return None


def together(parts: Iterable[Sums]) -> Sums:
    whole = Sums()
    for part in parts:
        whole.add(part)
    return whole
