"""What the guards did in a view: who found how much, against the period before, at which cost, and how rightly."""

from collections.abc import Sequence
from typing import Any, cast

from typing_extensions import TypedDict

from .. import guard_kind
from ..ask import Ask
from ..beside import side_by_side
from ..grid import before, lay
from ..view import View
from . import labels, source
from .causes import Cause, causes
from .findings import BY, MOST, Found, count, find
from .guarded import Totals, guarded, totals
from .moved import Moved, moved
from .precision import Precision
from .series import Series, series
from .shadow import Shadow, shadow
from .trouble import Trouble, trouble

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
    with side_by_side() as beside:
        where = source.rows(ask, grid.view)
        finding, guarding = beside(find, ask, where), beside(guarded, ask, grid)
        earlier, found_earlier = beside(totals, ask, past), beside(_count, ask, past)
        calls, found, previous = guarding(), finding(), earlier()
        drawn = beside(series, ask, grid, where, calls.latency)
        shadowed = beside(shadow, ask, where, found.shadowed)
        troubled = beside(trouble, ask, grid.view, where, degraded, calls.unguarded)
        groups = _groups(found, found_earlier(), calls.totals["calls"], previous["calls"])
        return {
            "start": grid.view.start,
            "end": grid.view.end,
            "step": grid.step * 1000,
            "live": view.live,
            "totals": calls.totals,
            "previous": previous,
            "rules": _rules(ask, grid.view, past, groups["rule"], (calls.totals["calls"], previous["calls"])),
            "series": drawn(),
            "detectors": _plain(groups["detector"]),
            "labels": _plain(groups["label"]),
            "stages": _plain(groups["stage"]),
            "shadow": shadowed(),
            "trouble": troubled(),
        }


def _count(ask: Ask, view: View) -> dict[tuple[str, str], int]:
    return count(ask, source.rows(ask, view))


def _groups(
    found: Found, earlier: dict[tuple[str, str], int], of: int, of_before: int
) -> dict[str, list[dict[str, Any]]]:
    """Groups as `Group` says; those of rules with `kinds` and what else the events tell of a rule."""
    told: dict[str, list[dict[str, Any]]] = {by: [] for by in BY}
    for by, rows in found.groups.items():
        for row in rows[:MOST]:
            n, was = row["calls"], earlier.get((by, row["name"]), 0)
            rate = 1000 * n / of if of else None
            told[by].append(row | {"before": was, "rate": rate, "moved": moved(n, of, was, of_before)})
    for rule in told["rule"]:
        rule["kinds"] = {kind: found.calls.get(("rule", rule["name"], kind), 0) for kind in KINDS}
    return {by: sorted(groups, key=lambda each: (-each["calls"], each["name"])) for by, groups in told.items()}


def _rules(ask: Ask, view: View, past: View, rules: list[dict[str, Any]], of: tuple[int, int]) -> list[Rule]:
    right = labels.by_rule(ask, view, {rule["name"]: rule["scores"] for rule in rules})
    why = causes(ask, view, past, [rule["name"] for rule in rules if rule["moved"]["sure"] and _grew(rule)], of)
    return [
        cast(
            "Rule",
            {name: rule[name] for name in Rule.__annotations__ if name in rule}
            | {"precision": right.get(rule["name"]), "causes": why.get(rule["name"], [])},
        )
        for rule in rules
    ]


def _plain(groups: list[dict[str, Any]]) -> list[Group]:
    return [cast("Group", {name: group[name] for name in Group.__annotations__}) for group in groups]


def _grew(group: dict[str, Any]) -> bool:
    return (group["moved"]["ratio"] or 2) > 1
