"""Which part of the calls carries the growth of a rule: an app, a label, a stage."""

from typing_extensions import TypedDict

from .. import guard_kind, sets
from ..ask import Ask
from ..view import View
from . import source

LARGEST = 3
MOST = 10
"""Rules that are looked into; the page names no more."""
LEAST_SHARE = 0.6
_BY = ("service", "label", "stage")


class Cause(TypedDict):
    """`share` of the growth that this value of `by` carries; `grown` calls more than the period before had it."""

    by: str
    value: str
    share: float
    grown: int


def causes(ask: Ask, view: View, past: View, rules: list[str], of: tuple[int, int]) -> dict[str, list[Cause]]:
    """`of` is the calls of the view and of the period before."""
    if not rules or not of[1]:
        return {}
    now, then = _counted(ask, view, rules[:MOST]), _counted(ask, past, rules[:MOST])
    scale = of[0] / of[1]
    told = {}
    for rule in rules[:MOST]:
        found = [cause for by in _BY if (cause := _largest(rule, by, now, then, scale))]
        told[rule] = sorted(found, key=lambda cause: -cause["share"])[:LARGEST]
    return told


Counted = dict[tuple[str, str, str], int]


def _largest(rule: str, by: str, now: Counted, then: Counted, scale: float) -> Cause | None:
    """None where there is no choice of values, or none carries most of it."""
    values = {value for r, b, value in now if (r, b) == (rule, by)}
    grown = {value: now[rule, by, value] - scale * then.get((rule, by, value), 0) for value in values}
    all_ = sum(more for more in grown.values() if more > 0)
    if len({v for r, b, v in [*now, *then] if (r, b) == (rule, by)}) < 2 or all_ <= 0:
        return None
    value = max(sorted(grown), key=lambda each: grown[each])
    share = grown[value] / all_
    if share < LEAST_SHARE or not value:
        return None
    return {"by": by, "value": value, "share": share, "grown": round(grown[value])}


def _counted(ask: Ask, view: View, rules: list[str]) -> Counted:
    where = source.rows(ask, view)
    sql = f"""SELECT rule, {sets.which(_BY)} AS by, {sets.value(_BY)} AS value, {source.DISTINCT} AS n
FROM guard_events WHERE {where.sql} AND {guard_kind.FOUND} AND rule IN {{rules:Array(String)}}
{sets.grouped([f"rule, {by}" for by in _BY])} ORDER BY n DESC, rule, by, value LIMIT 5000"""
    return {(str(rule), by, value): n for rule, by, value, n in ask(sql, where.parameters | {"rules": rules}).rows}
