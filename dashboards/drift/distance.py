"""Distances that others alarm on; here they are shown."""

import numpy as np

from .series import Counts


def psi(now: Counts, before: Counts) -> float:
    """Population stability index of two vectors of counts, half a call added to each bucket."""
    p, q = _shares(now), _shares(before)
    return float(((p - q) * np.log(p / q)).sum())


def hellinger(now: Counts, before: Counts) -> float:
    """0: the same shares, 1: nothing in common."""
    p, q = now / max(now.sum(), 1), before / max(before.sum(), 1)
    return float(np.sqrt(np.maximum(1 - np.sqrt(p * q).sum(), 0))) if now.sum() and before.sum() else 0.0


def _shares(counts: Counts) -> Counts:
    smooth = counts + 0.5
    shares: Counts = smooth / smooth.sum()
    return shares
