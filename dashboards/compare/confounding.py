"""In what else two sides differ than in what they were chosen by: any of it may be the cause of what is seen."""

from collections.abc import Mapping
from dataclasses import dataclass

APART = 0.2
"""Share of the calls that would have to change their value for the sides to be alike, from which it is told."""
FEWEST = 20
WORDS = {
    "service": "service", "env": "env", "operation": "operation", "model": "model", "prompt_name": "prompt",
    "prompt_version": "prompt_version", "user_group": "user_group", "day": "range",
}  # fmt: skip
"""Dimension -> the filter by which it is chosen."""
FOLLOWS = {"prompt_version": "prompt", "model": "provider"}
"""Dimension -> the filter that settles it as well."""


@dataclass(frozen=True, slots=True)
class Apart:
    """`value` is the one whose share differs most: `share_a` of side A's calls have it, `share_b` of B's."""

    dimension: str
    distance: float
    value: str
    share_a: float
    share_b: float


def apart(
    a: Mapping[str, Mapping[str, int]], b: Mapping[str, Mapping[str, int]], chosen: frozenset[str]
) -> list[Apart]:
    """Of dimension -> value -> calls; `chosen` are the filters in which the sides were made to differ. Widest first."""
    found = []
    for dimension, word in WORDS.items():
        if word in chosen or FOLLOWS.get(dimension) in chosen:
            continue
        of_a, of_b = a.get(dimension, {}), b.get(dimension, {})
        calls_a, calls_b = sum(of_a.values()), sum(of_b.values())
        if min(calls_a, calls_b) < FEWEST:
            continue
        values = sorted(of_a.keys() | of_b.keys())
        shares = [(value, of_a.get(value, 0) / calls_a, of_b.get(value, 0) / calls_b) for value in values]
        distance = sum(abs(share_b - share_a) for _, share_a, share_b in shares) / 2
        if distance >= APART:
            value, share_a, share_b = max(shares, key=lambda one: abs(one[2] - one[1]))
            found.append(Apart(dimension, distance, value, share_a, share_b))
    return sorted(found, key=lambda one: -one.distance)
