"""Where the calls of a group gather: the value that most of them share and that other calls do not."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

DIMENSIONS = ("prompt", "model", "provider", "service")
"""From the most telling down: of two that fit equally well, the first is named."""

FEWEST = 5
SURE = 10.83
"""Of the likelihood ratio: one in a thousand by chance (chi square, one degree of freedom)."""
LEAST_SHARE = 0.5
LEAST_LIFT = 1.5


@dataclass(frozen=True, slots=True)
class Part:
    """Of one value: `failed` calls of the group, `calls` in all."""

    failed: int
    calls: int


@dataclass(frozen=True, slots=True)
class Gathering:
    """`share` of the group's calls have `value`, of all calls `base`; the others fail in `elsewhere` of their calls."""

    dimension: str
    value: str
    failed: int
    calls: int
    share: float
    base: float
    rate: float
    elsewhere: float


def gathering(parts: Mapping[str, Mapping[str, Part]]) -> Gathering | None:
    """Of dimension -> value -> its part; None where the group is spread as all calls are."""
    best: tuple[float, Gathering] | None = None
    for dimension in DIMENSIONS:
        values = parts.get(dimension, {})
        failed = sum(part.failed for part in values.values())
        calls = sum(part.calls for part in values.values())
        if failed < FEWEST:
            continue
        for value, part in values.items():
            found = _of(dimension, value, part, failed, calls)
            score = likelihood(part, failed, calls)
            telling = found.share >= LEAST_SHARE and found.share >= LEAST_LIFT * found.base and score >= SURE
            if value and telling and (best is None or score > best[0] * 1.000001):
                best = score, found
    return best[1] if best else None


def likelihood(part: Part, failed: int, calls: int) -> float:
    """Twice the log likelihood ratio of the group's calls having the value as often as all calls have it."""
    base = part.calls / calls
    rest = failed - part.failed
    score = part.failed * log(part.failed / (failed * base)) if part.failed else 0.0
    if rest:
        score += rest * log(rest / (failed * (1 - base))) if base < 1 else 0.0
    return 2 * score


def _of(dimension: str, value: str, part: Part, failed: int, calls: int) -> Gathering:
    others = calls - part.calls
    return Gathering(
        dimension, value, part.failed, part.calls, part.failed / failed, part.calls / calls,
        part.failed / part.calls if part.calls else 0.0, (failed - part.failed) / others if others else 0.0,
    )  # fmt: skip
