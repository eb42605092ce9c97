"""Which findings to label next: those that teach most about a rule, spread evenly; the same for the same data."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

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


_HASH = f"cityHash64({guard_kind.KEY}, rule, detector, label, stage)"
"""A finding in eight bytes; `_HASH_OF_IDS` is the same on `reviews`."""
_HASH_OF_IDS = f"cityHash64({guard_kind.KEY_OF_IDS}, rule, detector, label, stage)"
_OF_EACH_ACTOR = f"{LATEST} WHERE {{where}} GROUP BY {FINDING}, actor"
_KEPT = f"SELECT {{columns}} FROM ({_OF_EACH_ACTOR}) WHERE said IN ('right', 'wrong', 'unsure')"


def queue(ask: Ask, view: View) -> Queue:
    drawn, left = _drawn(ask, view)
    labels = _labels(ask, view)
    contested = _contested(ask, view)
    ordered = order([*drawn, *contested], labels)[: MOST + len(contested)]
    rows = _rows(ask, view, [key for key, _ in ordered])
    findings = [cast("Finding", rows[key] | {"labels": labels.get(rows[key]["rule"], 0), "why": why})
                for key, why in ordered if key in rows]  # fmt: skip
    return {"findings": findings[:MOST], "left": left, "labelled": sum(labels.values())}


class Drawn(NamedTuple):
    """What decides about the turn of a finding; `key` names it (`_HASH`)."""

    key: int
    rule: str
    label: str
    bin: int
    contested: bool = False


def order(findings: Iterable[Drawn], labels: dict[str, int]) -> list[tuple[int, str]]:
    """Rules in turn, the one with the fewest labels first; within a rule strata in turn, the lowest scores first.

    Keys, and why each of them is asked about.
    """
    by_rule: dict[str, dict[tuple[bool, int, str], list[Drawn]]] = defaultdict(lambda: defaultdict(list))
    for each in findings:
        by_rule[each.rule][not each.contested, each.bin, each.label].append(each)
    turns = {rule: _why(in_turn([strata[key] for key in sorted(strata)]), labels.get(rule, 0))
             for rule, strata in by_rule.items()}  # fmt: skip
    return in_turn([turns[rule] for rule in sorted(turns, key=lambda rule: (labels.get(rule, 0), rule))])


def in_turn(lists: list[list[Any]]) -> list[Any]:
    """The first of each, then the second of each."""
    longest = max(map(len, lists), default=0)
    return [each[i] for i in range(longest) for each in lists if i < len(each)]


def _why(findings: list[Drawn], labels: int) -> list[tuple[int, str]]:
    lowest = min((each.bin for each in findings), default=0)
    spread = any(each.bin != lowest for each in findings)
    told = []
    for each in findings:
        near = spread and each.bin == lowest
        why = "reviewers disagree" if each.contested else "by chance"
        if why == "by chance" and (near or not labels):
            why = "score near the threshold" if labels else "no label yet"
        told.append((each.key, why))
    return told


_ROW = """toUnixTimestamp64Micro(ts) AS us, round(toFloat64(score), 3) AS score,
toUInt32(guard_events.findings) AS findings, """ + ", ".join(
    f"toString({name}) AS {name}" for name in ("service", "env", "policy", "verdict", "action", "mode")
)


def _drawn(ask: Ask, view: View) -> tuple[list[Drawn], int]:
    """Of each stratum some, and how many there are of all."""
    where, known = source.rows(ask, view), source.reviewed(ask, view)
    labelled = _KEPT.format(columns=_HASH_OF_IDS, where=known.sql)
    found = f"guard_events WHERE {where.sql} AND {guard_kind.FOUND} AND label != '' AND {_HASH} NOT IN ({labelled})"
    parameters = where.parameters | known.parameters
    drawn = f"groupArraySorted({OF_EACH})({_HASH})"
    strata = ask(
        f"SELECT toString(rule) AS rule, toString(detector) AS detector, toString(label) AS label, {BIN} AS bin, "
        f"{drawn} AS drawn, count() AS n FROM {found} GROUP BY rule, detector, label, bin "
        f"ORDER BY rule, label, bin, detector LIMIT {MOST_STRATA}",
        parameters,
    ).records()
    findings = {key: Drawn(key, row["rule"], row["label"], row["bin"]) for row in strata for key in row["drawn"]}
    return list(findings.values()), sum(row["n"] for row in strata)


def _rows(ask: Ask, view: View, keys: list[int]) -> dict[int, dict[str, Any]]:
    """The findings of these keys (`_HASH`)."""
    if not keys:
        return {}
    where = source.rows(ask, view)
    sql = f"""SELECT {_HASH} AS key, trace_id, span_id, toString(rule) AS rule, toString(detector) AS detector,
       toString(label) AS label, toString(stage) AS stage, {_ROW}
FROM guard_events PREWHERE {where.sql} AND {_HASH} IN {{keys:Array(UInt64)}}
WHERE {guard_kind.FOUND} AND label != ''
ORDER BY ts DESC LIMIT 1 BY key"""
    return {row.pop("key"): row for row in ask(sql, where.parameters | {"keys": sorted(set(keys))}).records()}


def _labels(ask: Ask, view: View) -> dict[str, int]:
    """Rule -> findings that somebody labelled."""
    known = source.reviewed(ask, view)
    kept = _KEPT.format(columns=FINDING, where=known.sql)
    sql = f"SELECT toString(rule), uniqExact({FINDING}) FROM ({kept}) GROUP BY rule"
    return dict(ask(sql, known.parameters).rows)


def _contested(ask: Ask, view: View) -> list[Drawn]:
    """Findings that one called right and another wrong, and nobody more than the other."""
    known = source.reviewed(ask, view)
    latest = _OF_EACH_ACTOR.format(where=known.sql)
    sql = f"""SELECT {_HASH_OF_IDS} AS key, toString(rule), toString(label), {BIN.replace("score", "any(score)")} AS bin
FROM ({latest}) GROUP BY {FINDING}
HAVING countIf(said = 'right') > 0 AND countIf(said = 'right') = countIf(said = 'wrong')
ORDER BY {FINDING} LIMIT {MOST}"""
    return [Drawn(*row)._replace(contested=True) for row in ask(sql, known.parameters).rows]
