"""The page of failures: kinds with their rates, groups with where they gather and since when."""

from ..ask import Ask
from ..grid import before
from ..view import View
from . import counts, known
from .answers import FailurePage, Group, Where
from .concentration import Gathering, gathering
from .counts import SEPARATOR
from .source import KINDS, all_calls, by_hours, source

MOST = 200


def failures(ask: Ask, view: View, now: int, *, most: int = 50, since: int | None = None) -> FailurePage:
    """`since`: groups first seen from then on are new; the range's start unless given."""
    base = by_hours(all_calls(view))
    grid = by_hours(view)
    rolled = base.rolled and grid.rolled
    everything = source(base.view, rolled=rolled)
    previous = before(base, now)
    kinds_before = counts.totals(ask, source(previous, rolled=rolled))
    series = counts.series(ask, everything, base)
    by_kind = {kind: sum(values) for kind, values in series.items()}
    rows, in_all = counts.top(ask, source(grid.view, rolled=rolled), most)
    names = [row["failure_group"] for row in rows]
    steps = len(range(base.view.start, base.view.end, base.step * 1000))
    calls, calls_before = sum(by_kind.values()), sum(kinds_before.values())
    return {
        "start": base.view.start,
        "end": base.view.end,
        "step": base.step * 1000,
        "live": view.live,
        "rolled": rolled,
        "calls": calls,
        "calls_before": calls_before,
        "failed": calls - by_kind.get("", 0),
        "failed_before": calls_before - kinds_before.get("", 0),
        "known_from": known.known_from(ask),
        "since": view.start if since is None else since,
        "kinds": [
            {"kind": kind, "calls": by_kind.get(kind, 0), "before": kinds_before.get(kind, 0)}
            for kind in KINDS
            if by_kind.get(kind, 0) or kinds_before.get(kind, 0)
        ],
        "t": list(range(base.view.start, base.view.end, base.step * 1000)),
        "all": [sum(values[i] for values in series.values()) for i in range(steps)],
        "series": {kind: series[kind] for kind in KINDS if kind in series},
        "groups": _groups(ask, view, names, rows, now, since),
        "more": in_all - len(rows),
    }


def where_of(found: Gathering | None) -> Where | None:
    if found is None:
        return None
    value, version = split(found.dimension, found.value)
    return {
        "dimension": found.dimension, "value": value, "version": version, "calls": found.calls, "failed": found.failed,
        "share": found.share, "base": found.base, "rate": found.rate, "elsewhere": found.elsewhere,
    }  # fmt: skip


def split(dimension: str, value: str) -> tuple[str, str]:
    """Of a prompt name and version, of a model its name and provider, of others the value and ''."""
    first, _, second = value.partition(SEPARATOR)
    return (second, first) if dimension == "model" else (first, second)


def _groups(
    ask: Ask, view: View, names: list[str], rows: list[dict[str, object]], now: int, since: int | None
) -> list[Group]:
    if not names:
        return []
    grid = by_hours(all_calls(view))
    everything = source(grid.view, rolled=grid.rolled)
    told = known.groups(ask, names)
    oldest = known.known_from(ask)
    sparks = counts.sparks(ask, everything, grid, names)
    earlier = counts.of_groups(ask, source(before(grid, now), rolled=grid.rolled), names)
    parts = counts.parts(ask, everything, names)
    start = view.start if since is None else since
    return [
        {
            "group": name,
            "kind": str(row["failure"]),
            "text": told[name].text if name in told else "",
            "calls": int(str(row["calls"])),
            "before": earlier.get(name, 0),
            "first": told[name].first if name in told else 0,
            "last": told[name].last if name in told else 0,
            "new": known.is_new(told.get(name), start, oldest),
            "spark": sparks.get(name, []),
            "where": where_of(gathering(parts[name])),
        }
        for name, row in zip(names, rows, strict=True)
    ]
