"""How often a rule is right, as far as labels of people tell: an estimate with its interval, never a bare share."""

from collections.abc import Iterable
from math import sqrt

from typing_extensions import TypedDict

FEWEST = 10
"""Labels below which a share says nothing."""
Z = 1.96


class Precision(TypedDict):
    """`precision` with the ends of its 95 % interval, None for too few labels; `right` + `wrong` is their number."""

    right: int
    wrong: int
    unsure: int
    missed: int
    precision: float | None
    low: float | None
    high: float | None


Stratum = tuple[int, int, int]
"""Findings there are, and of them labelled right and wrong."""


def estimate(strata: Iterable[Stratum], *, unsure: int = 0, missed: int = 0) -> Precision:
    """Each stratum weighs what it has of all findings, for people are asked more about some than about others.

    The interval is Wilson's for the effective number of labels (Kish): (sum w)² / sum(w² / n), w a stratum's share.
    """
    labelled = [(max(found, right + wrong), right, wrong) for found, right, wrong in strata if right + wrong]
    right, wrong = sum(r for _, r, _ in labelled), sum(w for _, _, w in labelled)
    told: Precision = {
        "right": right, "wrong": wrong, "unsure": unsure, "missed": missed,
        "precision": None, "low": None, "high": None,
    }  # fmt: skip
    if right + wrong < FEWEST:
        return told
    all_ = sum(found for found, _, _ in labelled)
    share = sum(found / all_ * r / (r + w) for found, r, w in labelled)
    effective = 1 / sum((found / all_) ** 2 / (r + w) for found, r, w in labelled)
    low, high = wilson(share, effective)
    return {**told, "precision": share, "low": low, "high": high}


def wilson(share: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share seen in `n`."""
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
