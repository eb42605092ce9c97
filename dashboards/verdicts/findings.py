"""What was found, by rule, detector, label and stage: events are read once, grouped by all of that in one column."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import guard_kind
from ..ask import Ask
from ..conditions import Condition
from ..measures import percentiles
from .labels import BY_SCORE

MOST = 200
BY = ("rule", "detector", "label", "stage")
"""What findings are told by."""

WOULD = {"deny": "blocked", "modify": "modified", "warn": "flagged", "fail_open": "failed"}
"""Verdict of a rule in shadow -> what it would have done; the gravest first."""

NEWEST = 12
"""Of what rules in shadow found, whose times are told."""

_SETS = (*((by,) for by in BY), ("rule", "kind"), ("rule", "would"), ("would",))
_KEYS = (*BY, "kind", "would")
_PARTS = (*BY, "verdict", "mode", "policy")
_APART = f"""{list(guard_kind.EVENT_KINDS)}[1 + toUInt8(substring(toString(found), 1, 1))] AS kind,
       CAST(substring(toString(found), 2), 'Tuple({", ".join(f"{name} String" for name in _PARTS)})') AS f,
       {", ".join(f"f.{name} AS {name}" for name in _PARTS)},
       if(mode = 'shadow' AND verdict IN {tuple(WOULD)}, verdict, '') AS would"""
_STATE = f"uniqCombined64State({guard_kind.KEY}) AS n"
_BIN = "toInt16(if(latency_ms > 0, floor(8 * log2(latency_ms)), -100))"
_READ = f"""{_STATE}, count() AS n_events, sum(guard_events.findings) AS n_findings,
       [{BY_SCORE}] AS n_by_score,
       countResample(-99, 300, 1)({_BIN}) AS bins,
       groupArraySortedIf({NEWEST})(-toUnixTimestamp64Micro(ts), mode = 'shadow') AS newest"""
_LAT = "mapFilter((bin, n) -> n > 0, mapFromArrays(range(-99, 300), sumForEach(m.bins)))"
_LISTS = ", ".join(
    f"arraySort(groupUniqArrayIf(20)(m.{column}, m.{column} != '')) AS {name}"
    for name, column in {"modes": "mode", "detectors": "detector", "labels": "label", "stages": "stage"}.items()
)
_TOLD = f"""anyLast(m.policy) AS policy, {_LISTS}, sum(m.n_events) AS events, sum(m.n_findings) AS findings,
       sumForEachIf(m.n_by_score, m.label != '') AS scores, {_LAT} AS lat,
       arraySlice(arraySort(groupArrayArray(m.newest)), 1, {NEWEST}) AS newest"""


@dataclass(slots=True)
class Found:
    """`groups`: by a column of `BY`, its values with events and what else is told of them. `calls`: by (column, value,
    kind), '' for any kind. `shadowed`: of each rule and verdict in shadow; rule None is any rule.
    """

    groups: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[tuple[str, str, str], int] = field(default_factory=dict)
    shadowed: list[dict[str, Any]] = field(default_factory=list)


def find(ask: Ask, where: Condition) -> Found:
    """`where` is on `guard_events`."""
    sql = f"""SELECT * EXCEPT lat, {percentiles("lat")} AS latency FROM (
  SELECT {_grouped(_READ, _TOLD, where, _KEYS, _SETS)}
)"""
    told = Found()
    for row in ask(sql, where.parameters).records():
        of, keys = _SETS_BY_BITS[row.pop("of")], {key: row.pop(key) for key in _KEYS}
        if "would" in of:
            if keys["would"]:
                told.shadowed.append(row | {"verdict": keys["would"], "rule": keys["rule"] if "rule" in of else None})
            continue
        told.calls[of[0], keys[of[0]], keys["kind"]] = row["calls"]
        if "kind" not in of:
            told.groups[of[0]].append(row | {"name": keys[of[0]]})
    return told


def count(ask: Ask, where: Condition) -> dict[tuple[str, str], int]:
    """Calls, by (column of `BY`, its value)."""
    sets = [(by,) for by in BY]
    rows = ask(f"SELECT {_grouped(_STATE, '', where, BY, sets)}", where.parameters).records()
    told = ((next(by for by in BY if row["of"] == _bits(BY, [by])), row) for row in rows)
    return {(by, row[by]): row["calls"] for by, row in told}


def _grouped(read: str, told: str, where: Condition, keys: Sequence[str], sets: Iterable[tuple[str, ...]]) -> str:
    listed, grouped = ", ".join(keys), ", ".join(f"({', '.join(names)})" for names in sets)
    events = f"SELECT found, {read} FROM guard_events WHERE {where.sql} AND found != '' GROUP BY found"
    return f"""grouping({listed}) AS of, {listed}, uniqCombined64Merge(m.n) AS calls{told and ", " + told}
FROM (SELECT {_APART}, * FROM ({events})) AS m
GROUP BY GROUPING SETS ({grouped}) ORDER BY calls DESC, {listed} LIMIT {MOST * len(WOULD)} BY of"""


def _bits(keys: Sequence[str], names: Collection[str]) -> int:
    """What `grouping` says of a set: a bit for each key that it lacks, the first the highest."""
    return sum((key not in names) << place for place, key in enumerate(reversed(keys)))


_SETS_BY_BITS = {_bits(_KEYS, names): names for names in _SETS}
