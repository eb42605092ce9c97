"""Where guards did less than they should: failed, had no time, ran on less than their engine, or did not run."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from typing_extensions import TypedDict

from ..ask import Ask
from ..conditions import IN_RANGE, Condition
from ..view import View
from . import source

MOST = 50


class Failure(TypedDict):
    """`verdict`: fail_open (the call went on unjudged), deny (it was blocked), none (the detector was not started).

    Numbers in `reason` are …: they differ from call to call.
    """

    rule: str
    detector: str
    verdict: str
    mode: str
    reason: str
    calls: int
    last_us: int


class Report(TypedDict):
    """What an app told of guards that it could not reach."""

    service: str
    reason: str
    count: int


class Engine(TypedDict):
    detector: str
    engine: str
    calls: int


class Unguarded(TypedDict):
    """`calls` of `of` that no guard looked at."""

    service: str
    env: str
    calls: int
    of: int


class Trouble(TypedDict):
    """`now` is what the sidecar says of its detectors at this moment."""

    failures: list[Failure]
    skipped: list[Failure]
    reports: list[Report]
    engines: list[Engine]
    now: list[str]
    unguarded: list[Unguarded]


_FAILED = "label = '' AND reason != '' AND verdict IN ('fail_open', 'deny', 'none')"
_REASON = r"replaceRegexpAll(leftUTF8(reason, 300), '\\d+(\\.\\d+)?', '…')"


def trouble(
    ask: Ask, view: View, where: Condition, degraded: Sequence[str], unguarded: Sequence[Mapping[str, Any]]
) -> Trouble:
    """`where` is on `guard_events`, `unguarded` as `Guarded` has it."""
    failures = _failures(ask, where)
    return {
        "failures": [each for each in failures if each["verdict"] != "none"],
        "skipped": [each for each in failures if each["verdict"] == "none"],
        "reports": _reports(ask, view),
        "engines": _engines(ask, where),
        "now": list(degraded),
        "unguarded": [cast("Unguarded", each) for each in unguarded[:MOST]],
    }


def _failures(ask: Ask, where: Condition) -> list[Failure]:
    sql = f"""SELECT toString(rule) AS rule, toString(detector) AS detector, toString(verdict) AS verdict,
       toString(mode) AS mode, {_REASON} AS reason, {source.DISTINCT} AS calls,
       toUnixTimestamp64Micro(max(ts)) AS last_us
FROM guard_events WHERE {where.sql} AND {_FAILED}
GROUP BY rule, detector, verdict, mode, reason ORDER BY calls DESC, rule, detector, reason LIMIT {MOST}"""
    return ask(sql, where.parameters).records()  # type: ignore[return-value]  # as the SELECT says


def _reports(ask: Ask, view: View) -> list[Report]:
    """An app tells them for itself, so only conditions on apps can be asked."""
    sql = f"""SELECT toString(service) AS service, toString(reason) AS reason, sum(reports.count) AS count FROM reports
WHERE kind = 'guards' AND {IN_RANGE}
  AND (empty({{services:Array(String)}}) OR service IN {{services:Array(String)}})
GROUP BY service, reason ORDER BY count DESC, service, reason LIMIT {MOST}"""
    services = list(view.chosen.get("service", ()))
    return ask(sql, {"start": view.start, "end": view.end, "services": services}).records()  # type: ignore[return-value]


def _engines(ask: Ask, where: Condition) -> list[Engine]:
    sql = f"""SELECT toString(detector) AS detector, toString(engine) AS engine, {source.DISTINCT} AS calls
FROM guard_events WHERE {where.sql} AND degraded > 0 GROUP BY detector, engine
ORDER BY calls DESC, detector, engine LIMIT {MOST}"""
    return ask(sql, where.parameters).records()  # type: ignore[return-value]  # as the SELECT says
