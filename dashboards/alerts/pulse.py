"""Whether rules are looked at and what they tell is sent: of the documents alone, so that a dead thread shows too."""

from ..documents import Documents
from . import kept

LATE_ROUNDS = 10
LEAST_LATE_MS = 300_000
"""A round is late after ten others would have been, and after five minutes at least."""
STUCK_MS = 1_800_000
"""Longer than a turn that waits for every channel there may be."""


def problem(documents: Documents, now: int, begun: int) -> str:
    """What is wrong, empty for nothing. `begun`: since when the sidecar runs; all in milliseconds."""
    last = max(kept.last_round(documents).at, begun)
    if now - last > max(LEAST_LATE_MS, LATE_ROUNDS * kept.every_s(documents) * 1000):
        return f"alert rules were not looked at for {(now - last) // 60_000} minutes"
    waits = [max(int(one.body["next"]), begun) for one in kept.unsent(documents)]
    if waits and now - min(waits) > STUCK_MS:
        return f"notifications are not sent since {(now - min(waits)) // 60_000} minutes"
    return ""
