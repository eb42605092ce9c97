"""Which findings to label next: those that teach most about a rule, spread evenly; the same for the same data."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from typing_extensions import TypedDict

from .. import guard_kind
from ..ask import Ask
from ..view import View
from . import source
from .labels import BIN, FINDING, LATEST

OF_EACH = 8
"""Findings of a rule, label and stratum of scores that are drawn, by a hash: chance, but the same each time."""
MOST_STRATA = 400
MOST = 50


class Finding(TypedDict):
    """One thing a rule found in a call. `us` in microseconds since 1970; `labels` are those that its rule has."""

    trace_id: str
    span_id: str
    us: int
    service: str
    env: str
    rule: str
    policy: str
    detector: str
    label: str
    stage: str
    score: float
    findings: int
    verdict: str
    action: str
    mode: str
    labels: int
    why: str


class Queue(TypedDict):
    """`left` counts the findings of the view that nobody labelled; `labelled` those that somebody did."""

    findings: list[Finding]
    left: int
    labelled: int


_HASH = "cityHash64(trace_id, span_id, rule, detector, label, stage)"
_OF_EACH_ACTOR = f"{LATEST} WHERE {{where}} GROUP BY {FINDING}, actor"
_KEPT = f"SELECT {FINDING} FROM ({_OF_EACH_ACTOR}) WHERE said IN ('right', 'wrong', 'unsure')"


def queue(ask: Ask, view: View) -> Queue:
    drawn, left = _drawn(ask, view)
    labels = _labels(ask, view)
    contested = _contested(ask, view)
    ordered = order([*drawn, *contested], labels)
    return {"findings": ordered[:MOST], "left": left, "labelled": sum(labels.values())}


def order(findings: Iterable[dict[str, Any]], labels: dict[str, int]) -> list[Finding]:
    """Rules in turn, the one with the fewest labels first; within a rule strata in turn, the lowest scores first."""
    by_rule: dict[str, dict[tuple[bool, int, str], list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for each in findings:
        by_rule[each["rule"]][not each["contested"], each["bin"], each["label"]].append(each)
    turns = {rule: _why(in_turn([strata[key] for key in sorted(strata)]), labels.get(rule, 0))
             for rule, strata in by_rule.items()}  # fmt: skip
    return in_turn([turns[rule] for rule in sorted(turns, key=lambda rule: (labels.get(rule, 0), rule))])


def in_turn(lists: list[list[Any]]) -> list[Any]:
    """The first of each, then the second of each."""
    longest = max(map(len, lists), default=0)
    return [each[i] for i in range(longest) for each in lists if i < len(each)]


def _why(findings: list[dict[str, Any]], labels: int) -> list[Finding]:
    lowest = min((each["bin"] for each in findings), default=0)
    spread = any(each["bin"] != lowest for each in findings)
    told = []
    for each in findings:
        near = spread and each["bin"] == lowest
        why = "reviewers disagree" if each["contested"] else "by chance"
        if why == "by chance" and (near or not labels):
            why = "score near the threshold" if labels else "no label yet"
        told.append({**{k: v for k, v in each.items() if k not in ("bin", "contested")}, "labels": labels, "why": why})
    return told  # type: ignore[return-value]  # what is left is a Finding


_ROW = """toUnixTimestamp64Micro(ts) AS us, round(toFloat64(score), 3) AS score,
toUInt32(guard_events.findings) AS findings, """ + ", ".join(
    f"toString({name}) AS {name}" for name in ("service", "env", "policy", "verdict", "action", "mode")
)


def _drawn(ask: Ask, view: View) -> tuple[list[dict[str, Any]], int]:
    where, known = source.rows(view), source.reviewed(view)
    labelled = _KEPT.format(where=known.sql)
    found = f"guard_events WHERE {where.sql} AND {guard_kind.FOUND} AND label != '' AND ({FINDING}) NOT IN ({labelled})"
    parameters = where.parameters | known.parameters
    drawn = f"groupArraySorted({OF_EACH})(({_HASH}, trace_id, span_id, toString(stage)))"
    strata = ask(
        f"SELECT toString(rule) AS rule, toString(detector) AS detector, toString(label) AS label, {BIN} AS bin, "
        f"{drawn} AS drawn, count() AS n FROM {found} GROUP BY rule, detector, label, bin "
        f"ORDER BY rule, label, bin, detector LIMIT {MOST_STRATA}",
        parameters,
    ).records()
    wanted = [
        (trace, span, row["rule"], row["detector"], row["label"], stage, row["bin"], place)
        for row in strata
        for place, (_, trace, span, stage) in enumerate(row["drawn"])
    ]
    rows = _rows(ask, view, [each[:2] for each in wanted])
    findings = []
    for *key, bin_, _place in wanted:
        if row := rows.get(tuple(key)):
            findings.append({**row, "bin": bin_, "contested": False})
    return findings, sum(row["n"] for row in strata)


def _rows(ask: Ask, view: View, calls: list[tuple[Any, ...]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Of these calls, every finding by its key."""
    if not calls:
        return {}
    where = source.rows(view)
    sql = f"""SELECT trace_id, span_id, toString(rule) AS rule, toString(detector) AS detector,
       toString(label) AS label, toString(stage) AS stage, {_ROW}
FROM guard_events WHERE {where.sql} AND {guard_kind.FOUND} AND label != ''
  AND trace_id IN {{traces:Array(String)}} AND span_id IN {{spans:Array(String)}}
ORDER BY ts DESC LIMIT 1 BY {FINDING} LIMIT 20000"""
    ids = {"traces": sorted({trace for trace, _ in calls}), "spans": sorted({span for _, span in calls})}
    rows = ask(sql, where.parameters | ids).records()
    return {tuple(row[name] for name in FINDING.split(", ")): row for row in rows}


def _labels(ask: Ask, view: View) -> dict[str, int]:
    """Rule -> findings that somebody labelled."""
    known = source.reviewed(view)
    sql = f"SELECT toString(rule), uniqExact({FINDING}) FROM ({_KEPT.format(where=known.sql)}) GROUP BY rule"
    return dict(ask(sql, known.parameters).rows)


def _contested(ask: Ask, view: View) -> list[dict[str, Any]]:
    """Findings that one called right and another wrong, and nobody more than the other."""
    known = source.reviewed(view)
    latest = _OF_EACH_ACTOR.format(where=known.sql)
    sql = f"""SELECT {FINDING}, {BIN.replace("score", "any(score)")} AS bin FROM ({latest}) GROUP BY {FINDING}
HAVING countIf(said = 'right') > 0 AND countIf(said = 'right') = countIf(said = 'wrong')
ORDER BY {FINDING} LIMIT {MOST}"""
    keys = {tuple(row[:6]): row[6] for row in ask(sql, known.parameters).rows}
    rows = _rows(ask, view, [key[:2] for key in keys])
    return [{**rows[key], "bin": bin_, "contested": True} for key, bin_ in keys.items() if key in rows]
