"""One user: how much, by which models and prompts, what failed, what the guards found."""

from dataclasses import replace
from typing import Any

from typing_extensions import TypedDict

from .. import conditions, events, guard_kind, sets
from ..ask import Ask
from ..beside import side_by_side
from ..cost.cost import Sums, cost_grid, totals_of
from ..cost.measures import measured, priced_rows, summed
from ..grid import Grid, before
from ..view import View

MOST = 12


class Part(Sums):
    """Of one model, or of one prompt."""

    value: str


class UserSeries(TypedDict):
    t: list[int]
    calls: list[int]
    errors: list[int]
    blocked: list[int]
    cost: list[float]


class Failed(TypedDict):
    """`message` of the latest; `last_us` in microseconds."""

    status: str
    error_type: str
    calls: int
    last_us: int
    message: str
    trace_id: str
    span_id: str


class Finding(TypedDict):
    """`kind` as in the filter `guard`."""

    rule: str
    kind: str
    events: int


class OneUser(TypedDict):
    """Times in milliseconds unless said otherwise."""

    user: str
    start: int
    end: int
    step: int
    totals: Sums
    previous: Sums
    series: UserSeries
    models: list[Part]
    prompts: list[Part]
    failures: list[Failed]
    findings: list[Finding]


def user(ask: Ask, view: View, name: str, now: int) -> OneUser:
    """Also for one that was never seen: all is zero then."""
    grid = cost_grid(replace(view, chosen=view.chosen | {"user": (name,)}))
    with side_by_side() as beside:
        finding = beside(_together, ask, grid)
        totals, earlier = beside(totals_of, ask, grid.view), beside(totals_of, ask, before(grid, now))
        failures, findings = beside(_failures, ask, grid.view), beside(_findings, ask, grid.view)
        found = finding()
        return {
            "user": name,
            "start": grid.view.start,
            "end": grid.view.end,
            "step": grid.step * 1000,
            "totals": totals(),
            "previous": earlier(),
            "series": _series(found["t"], grid),
            "models": _parts(found["model"]),
            "prompts": _parts(found["prompt"]),
            "failures": failures(),
            "findings": findings(),
        }


def _together(ask: Ask, grid: Grid) -> dict[str, list[dict[str, Any]]]:
    """By model, by prompt and by step, those of the largest cost first: a user's calls are read once for all three."""
    source = measured(grid.view, ["model", "prompt"], finer_than_s=grid.step)
    by = ("model", "prompt", "t")
    names = ", ".join(f"m.dim_{name} AS {name}" for name in by[:2])
    step = "intDiv(m.second, {step:Int64}) * {step:Int64} * 1000 AS t"
    # sums named as columns would stand for them in what is grouped
    sql = f"""SELECT {sets.which(by)} AS of, model, prompt, t, {summed()} FROM (
  SELECT *, {names}, {step} FROM ({source.sql}) AS m
) AS m {sets.grouped(by)} ORDER BY cost_usd DESC, calls DESC, model, prompt, t"""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in by}
    for row in ask(sql, source.parameters | {"step": grid.step}).records():
        of = row.pop("of")
        found[of].append({"value": row[of]} | {key: value for key, value in row.items() if key not in by})
    return found


def _parts(rows: list[dict[str, Any]]) -> list[Part]:
    parts: Any = priced_rows(rows[:MOST])
    return list(parts)


def _series(rows: list[dict[str, Any]], grid: Grid) -> UserSeries:
    columns = {"calls": "calls", "errors": "errors", "blocked": "blocked", "cost": "cost_usd"}
    found = {row["value"]: row for row in rows}
    times = list(range(grid.view.start, grid.view.end, grid.step * 1000))
    values = {name: [found[t][column] if t in found else 0 for t in times] for name, column in columns.items()}
    series: Any = {"t": times, **values}
    told: UserSeries = series
    return told


def _failures(ask: Ask, view: View) -> list[Failed]:
    where = conditions.calls(view)
    # conditions name the ids too, so those of the newest get their names outside
    sql = f"""SELECT status, error_type, calls, last_us, message, newest.1 AS trace_id, newest.2 AS span_id FROM (
  SELECT status, error_type, count() AS calls, toUnixTimestamp64Micro(max(ts)) AS last_us,
    leftUTF8(argMax(status_message, ts), 200) AS message, argMax((trace_id, span_id), ts) AS newest
  FROM llm_calls WHERE {where.sql} AND status IN ('error', 'blocked') GROUP BY status, error_type
) ORDER BY calls DESC, status, error_type LIMIT {MOST}"""
    failed: Any = ask(sql, where.parameters).records()
    return list(failed)


def _findings(ask: Ask, view: View) -> list[Finding]:
    where = events.asked(ask, view)
    sql = f"""SELECT rule, {guard_kind.OF_EVENT} AS kind, count() AS events FROM guard_events
WHERE {where.sql} AND {guard_kind.FOUND} GROUP BY rule, kind ORDER BY events DESC, rule, kind LIMIT {MOST}"""
    findings: Any = ask(sql, where.parameters).records()
    return list(findings)
