"""What the guards did in a view: who found how much, against the period before, at which cost, and how rightly."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast

from typing_extensions import TypedDict

from .. import guard_kind
from ..ask import Ask
from ..grid import before, lay
from ..measures import percentiles
from ..view import View
from . import labels, source
from .causes import Cause, causes
from .moved import Moved, moved
from .precision import Precision
from .series import Series, series
from .shadow import Shadow, shadow
from .trouble import Trouble, trouble

MOST = 200
BY = ("rule", "detector", "label", "stage")
"""What findings are told by."""

KINDS = guard_kind.EVENT_KINDS


class Kinds(TypedDict):
    """Calls, by what was done; one call can be of several."""

    blocked: int
    modified: int
    flagged: int
    shadow: int
    failed_open: int


class Group(TypedDict):
    """`rate` is calls per 1000 calls of the view. Milliseconds [p50, p95, p99] of the detectors' work, [] for none."""

    name: str
    events: int
    findings: int
    calls: int
    before: int
    rate: float | None
    moved: Moved
    kinds: Kinds
    latency: list[float]


class Rule(Group):
    """`precision` is None where nobody labelled anything."""

    policy: str
    modes: list[str]
    detectors: list[str]
    labels: list[str]
    stages: list[str]
    precision: Precision | None
    causes: list[Cause]


class Totals(TypedDict):
    """Calls of the view, by what guards made of them on their way; latency is what guards added to a call."""

    calls: int
    guarded: int
    unguarded: int
    failed_open: int
    degraded: int
    blocked: int
    modified: int
    latency: list[float]


class Verdicts(TypedDict):
    """Times in milliseconds since 1970."""

    start: int
    end: int
    step: int
    live: bool
    totals: Totals
    previous: Totals
    series: Series
    rules: list[Rule]
    detectors: list[Group]
    labels: list[Group]
    stages: list[Group]
    shadow: Shadow
    trouble: Trouble


def verdicts(ask: Ask, view: View, now: int, degraded: Sequence[str]) -> Verdicts:
    """`degraded` is what the sidecar says of its detectors now."""
    grid = lay(view)
    past = before(grid, now)
    totals, previous = _totals(ask, grid.view), _totals(ask, past)
    groups = _groups(ask, grid.view, past, totals["calls"], previous["calls"])
    return {
        "start": grid.view.start,
        "end": grid.view.end,
        "step": grid.step * 1000,
        "live": view.live,
        "totals": totals,
        "previous": previous,
        "series": series(ask, grid),
        "rules": _rules(ask, grid.view, past, groups["rule"], (totals["calls"], previous["calls"])),
        "detectors": groups["detector"],
        "labels": groups["label"],
        "stages": groups["stage"],
        "shadow": shadow(ask, grid.view),
        "trouble": trouble(ask, grid.view, degraded),
    }


def _totals(ask: Ask, view: View) -> Totals:
    calls = source.calls(view)
    sql = f"""SELECT sum(s.calls) AS calls, sumIf(s.calls, kind NOT IN ('unguarded', 'failed_open')) AS guarded,
       sumIf(s.calls, kind = 'unguarded') AS unguarded, sumIf(s.calls, kind = 'failed_open') AS failed_open,
       sumIf(s.calls, degraded > 0) AS degraded, sumIf(s.calls, kind = 'blocked') AS blocked,
       sumIf(s.calls, kind = 'modified') AS modified, {percentiles("sumMap(s.lat_hist)")} AS latency
FROM (SELECT *, {source.KIND_OF_CALLS} AS kind FROM ({calls.sql})) AS s"""
    return ask(sql, calls.parameters).records()[0]  # type: ignore[return-value]  # as the SELECT says


def _groups(ask: Ask, view: View, past: View, of: int, of_before: int) -> dict[str, list[Group]]:
    earlier = {(row["by"], row["name"]): row["n"] for row in _counted(ask, past)}
    kinds: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(KINDS, 0))
    for row in _counted(ask, view, also="kind"):
        kinds[row["by"], row["name"]][row["kind"]] = row["n"]
    told: dict[str, list[Group]] = {by: [] for by in BY}
    for row in _counted(ask, view):
        key = (row["by"], row["name"])
        was = earlier.get(key, 0)
        group: Group = {
            "name": row["name"],
            "events": row["n_events"],
            "findings": row["n_findings"],
            "calls": row["n"],
            "before": was,
            "rate": 1000 * row["n"] / of if of else None,
            "moved": moved(row["n"], of, was, of_before),
            "kinds": cast("Kinds", kinds[key]),
            "latency": row["latency"],
        }
        told[row["by"]].append(group)
    return told


def _counted(ask: Ask, view: View, *, also: str = "") -> list[dict[str, Any]]:
    """By each of `BY`, and by kind where that is asked: states of distinct calls are what costs."""
    found = source.events(view)
    sets = ", ".join(f"({by}, {also})" if also else f"({by})" for by in BY)
    # of a set, the columns that are not in it are 1 in its number
    name = "multiIf(" + ", ".join(f"g = {15 - (8 >> i)}, '{by}'" for i, by in enumerate(BY)) + ", '')"
    value = "multiIf(by = 'rule', rule, by = 'detector', detector, by = 'label', label, stage)"
    sql = f"""SELECT {name} AS by, toString({value}) AS name, {"kind," if also else ""}
       n_events, n_findings, n, {percentiles("lat")} AS latency
FROM (
  SELECT grouping(rule, detector, label, stage) AS g, rule, detector, label, stage, {"kind," if also else ""}
         sum(s.events) AS n_events, sum(s.findings) AS n_findings, uniqMerge(s.calls) AS n, sumMap(s.lat_hist) AS lat
  FROM (SELECT *, {guard_kind.OF_EVENT} AS kind FROM ({found.sql})) AS s
  WHERE {guard_kind.FOUND} GROUP BY GROUPING SETS ({sets})
) ORDER BY by, n DESC, name LIMIT {MOST * (len(KINDS) if also else 1)} BY by"""
    return ask(sql, found.parameters).records()


def _rules(ask: Ask, view: View, past: View, groups: list[Group], of: tuple[int, int]) -> list[Rule]:
    found = source.events(view)
    sql = f"""SELECT toString(rule) AS name, toString(anyLast(policy)) AS policy, {
        ", ".join(
            f"arraySort(arrayFilter(x -> x != '', groupUniqArray(20)(toString({column})))) AS {told}"
            for column, told in (("mode", "modes"), ("detector", "detectors"), ("label", "labels"), ("stage", "stages"))
        )
    } FROM ({found.sql}) WHERE {guard_kind.FOUND} GROUP BY rule"""
    about = {row["name"]: row for row in ask(sql, found.parameters).records()}
    right = labels.by_rule(ask, view)
    why = causes(ask, view, past, [g["name"] for g in groups if g["moved"]["sure"] and _grew(g)], of)
    told = []
    for group in groups:
        name = group["name"]
        if name in about:
            more = {"precision": right.get(name), "causes": why.get(name, [])}
            told.append(cast("Rule", {**group, **about[name], **more}))
    return told


def _grew(group: Group) -> bool:
    return (group["moved"]["ratio"] or 2) > 1
