"""What people said of findings, read back: the newest word of each of them, then the majority."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ..ask import Ask
from ..view import View
from . import source
from .precision import Precision, Stratum, estimate

FINDING = "trace_id, span_id, rule, detector, label, stage"
BIN = "multiIf(score < 0.5, 0, score < 0.7, 1, score < 0.9, 2, 3)"
"""Strata of scores: near the threshold people are asked more."""
STRATA = 4
BY_SCORE = f"countResample(0, {STRATA}, 1)({BIN})"
"""SQL on `guard_events`: an array, how many there are of each."""
LATEST = f"SELECT {FINDING}, actor, argMax(verdict, ts) AS said, any(score) AS score FROM reviews"
_BY_FINDING = f"GROUP BY {FINDING}, actor"


def by_rule(ask: Ask, view: View, there: Mapping[str, Sequence[int]]) -> dict[str, Precision]:
    """Rule -> how right it is, by labels on calls of the view; rules without any label are not in it.

    `there`: how many findings a rule has in each stratum of scores.
    """
    told = {}
    for rule, bins in _labels(ask, view).items():
        of = there.get(rule) or (0,) * STRATA
        strata: list[Stratum] = [(of[bin_], n[0], n[1]) for bin_, n in bins.items()]
        told[rule] = estimate(strata, unsure=sum(n[2] for n in bins.values()), missed=sum(n[3] for n in bins.values()))
    return told


def _labels(ask: Ask, view: View) -> dict[str, dict[int, tuple[int, int, int, int]]]:
    if not source.any_reviewed(ask, view):
        return {}
    where = source.reviewed(ask, view)
    latest = f"{LATEST} WHERE {where.sql} {_BY_FINDING}"
    votes = (
        f"SELECT rule, {BIN} AS bin, sumIf(1, said = 'right') AS r, sumIf(1, said = 'wrong') AS w, "
        f"sumIf(1, said IN ('right', 'wrong', 'unsure')) AS n, sumIf(1, said = 'missed') > 0 AS missed "
        f"FROM ({latest}) GROUP BY {FINDING}, bin"
    )
    sql = f"""SELECT rule, bin, countIf(r > w) AS right, countIf(w > r) AS wrong, countIf(n > 0 AND r = w) AS unsure,
       countIf(missed) AS missed FROM ({votes}) GROUP BY rule, bin HAVING right + wrong + unsure + missed > 0
ORDER BY rule, bin LIMIT 2000"""
    counted: dict[str, dict[int, tuple[int, int, int, int]]] = defaultdict(dict)
    for rule, bin_, *numbers in ask(sql, where.parameters).rows:
        counted[rule][bin_] = (numbers[0], numbers[1], numbers[2], numbers[3])
    return dict(counted)
