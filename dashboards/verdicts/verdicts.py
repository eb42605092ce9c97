"""What the guards did in a view: who found how much, against the period before, at which cost, and how rightly."""

from collections.abc import Sequence
from typing import Any, cast

from typing_extensions import TypedDict

from .. import guard_kind, sets
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
    latency: list[float]


class Rule(Group):
    """`precision` is None where nobody labelled anything."""

    kinds: Kinds
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
        "detectors": _plain(groups["detector"]),
        "labels": _plain(groups["label"]),
        "stages": _plain(groups["stage"]),
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


def _groups(ask: Ask, view: View, past: View, of: int, of_before: int) -> dict[str, list[dict[str, Any]]]:
    """Groups as `Group` says; those of rules with `kinds` and what else the events tell of a rule."""
    now, earlier = _calls(ask, view, also="rule, kind"), _calls(ask, past)
    told: dict[str, list[dict[str, Any]]] = {by: [] for by in BY}
    for row in _sums(ask, view):
        by, name = row.pop("by"), row["name"]
        n, was = now.get((by, name, ""), 0), earlier.get((by, name, ""), 0)
        rate = 1000 * n / of if of else None
        told[by].append(row | {"calls": n, "before": was, "rate": rate, "moved": moved(n, of, was, of_before)})
    for rule in told["rule"]:
        rule["kinds"] = {kind: now.get(("rule", rule["name"], kind), 0) for kind in KINDS}
    return {by: sorted(groups, key=lambda each: (-each["calls"], each["name"])) for by, groups in told.items()}


def _calls(ask: Ask, view: View, *, also: str = "") -> dict[tuple[str, str, str], int]:
    """Calls by (column of `BY`, its value, kind), '' for any kind: one reading of the events for all of them."""
    where = source.rows(view)
    sql = f"""SELECT {sets.which(BY)} AS by, {sets.value(BY)} AS value, {"toString(kind)" if also else "''"} AS kind,
       {source.DISTINCT} AS n
FROM (SELECT {", ".join(BY)}, {guard_kind.KEY}, {guard_kind.OF_EVENT} AS kind FROM guard_events
      WHERE {where.sql} AND {guard_kind.FOUND})
{sets.grouped(BY, *([also] if also else []))} ORDER BY n DESC, value LIMIT {MOST * (len(KINDS) + 1)} BY by"""
    return {(by, value, kind): n for by, value, kind, n in ask(sql, where.parameters).rows}


_ABOUT = {"modes": "mode", "detectors": "detector", "labels": "label", "stages": "stage"}


def _sums(ask: Ask, view: View) -> list[dict[str, Any]]:
    """First by all of them, for there are few kinds of events, then by each."""
    found = source.events(view)
    each = (*BY, "policy", "mode")
    lists = ", ".join(
        f"arraySort(arrayFilter(x -> x != '', groupUniqArray(20)(toString(m.{column})))) AS {name}"
        for name, column in _ABOUT.items()
    )
    sql = f"""SELECT {sets.which(BY)} AS by, {sets.value(BY)} AS name, toString(anyLast(policy)) AS policy,
       {lists},
       sum(m.n_events) AS events, sum(m.n_findings) AS findings, {percentiles("sumMap(m.lat)")} AS latency
FROM (
  SELECT {", ".join(each)}, sum(s.events) AS n_events, sum(s.findings) AS n_findings, sumMap(s.lat_hist) AS lat
  FROM ({found.sql}) AS s WHERE {guard_kind.FOUND} GROUP BY {", ".join(each)}
) AS m {sets.grouped(BY)} ORDER BY events DESC, name LIMIT {MOST} BY by"""
    return ask(sql, found.parameters).records()


def _rules(ask: Ask, view: View, past: View, rules: list[dict[str, Any]], of: tuple[int, int]) -> list[Rule]:
    right = labels.by_rule(ask, view)
    why = causes(ask, view, past, [rule["name"] for rule in rules if rule["moved"]["sure"] and _grew(rule)], of)
    return [
        cast("Rule", {**rule, "precision": right.get(rule["name"]), "causes": why.get(rule["name"], [])})
        for rule in rules
    ]


def _plain(groups: list[dict[str, Any]]) -> list[Group]:
    return [cast("Group", {name: group[name] for name in Group.__annotations__}) for group in groups]


def _grew(group: dict[str, Any]) -> bool:
    return (group["moved"]["ratio"] or 2) > 1
