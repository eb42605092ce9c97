"""What people said of findings in the review queue, as the truth that a replay is held against."""

from collections import defaultdict

from ..query import Question
from .replay import Truth

_VOTES = """SELECT trace_id, span_id, toString(label) AS found, countIf(said IN ('right', 'missed')) AS meant,
       countIf(said = 'wrong') AS wrong
FROM (
    SELECT trace_id, span_id, rule, detector, label, stage, actor, argMax(verdict, ts) AS said FROM reviews
    WHERE {0} GROUP BY trace_id, span_id, rule, detector, label, stage, actor
)
GROUP BY trace_id, span_id, found LIMIT 100000"""
_FOUND = """SELECT DISTINCT trace_id, span_id, toString(label) AS found FROM guard_events
WHERE trace_id IN (SELECT trace_id FROM reviews WHERE {0}) AND verdict NOT IN ('allow', 'none') AND label != ''
LIMIT 100000"""

Labels = defaultdict[str, set[str]]


def truth(ask: Question, since_us: int) -> Truth:
    """Only calls of which every finding is decided: of the others nobody knows what is in them.

    Raises `CommandError`.
    """
    since = f"call_ts >= fromUnixTimestamp64Micro({since_us})"
    meant, decided, found = Labels(set), Labels(set), Labels(set)
    for trace, span, label, yes, no in ask(_VOTES.format(since)).rows:
        if yes != no:
            decided[f"{trace}/{span}"].add(label)
        if yes > no:
            meant[f"{trace}/{span}"].add(label)
    for trace, span, label in ask(_FOUND.format(since)).rows:
        found[f"{trace}/{span}"].add(label)
    return {call: frozenset(meant[call]) for call in decided if found[call] <= decided[call]}
