"""Whether a rate moved, or only wavered as counts do."""

from math import sqrt

from typing_extensions import TypedDict

SURE = 3.0
"""Standard errors: with some hundred rules and labels looked at, chance alone moves none of them."""


class Moved(TypedDict):
    """`ratio` of the rates, None without a rate before. `sure`: more than counts of this size waver."""

    ratio: float | None
    sure: bool


def moved(now: int, of: int, before: int, of_before: int) -> Moved:
    """`now` of so many calls against `before` of so many in the period before."""
    if not of or not of_before:
        return {"ratio": None, "sure": False}
    ratio = (now / of) / (before / of_before) if before else None
    scale = of / of_before
    z = 2 * (sqrt(now + 3 / 8) - sqrt(scale * (before + 3 / 8))) / sqrt(1 + scale)  # roots of counts waver alike
    return {"ratio": ratio, "sure": abs(z) >= SURE}
