"""How it goes: totals against the period before, series for the charts, top models, failures. All counted in SQL."""

from dataclasses import dataclass
from typing import Any

from . import conditions, events, guard_kind, measures
from .ask import Ask
from .beside import side_by_side
from .conditions import BEGUN_CALLS, BEGUN_MINUTES, FAILED, GUARD_ROLLED, PROMPTED, ROLLED, WHOLE_HOURS, Condition
from .grid import Grid, before, lay
from .measures import Rows, Tables
from .view import View

_MOST_MODELS = 12
_MOST_BLOCKING = 5


def overview(ask: Ask, view: View, now: int) -> dict[str, Any]:
    """The whole page in one answer; times in milliseconds, costs None where nothing was priced."""
    grid = lay(view)
    previous = before(grid, now)
    with side_by_side() as beside:
        counting, guarding = beside(_counted, ask, grid), beside(_guards, ask, grid)
        earlier, guards_earlier = beside(_totals, ask, previous, grid), beside(_guard_totals, ask, previous, grid)
        failing = beside(_failures, ask, grid.view)
        counted, guards = counting(), guarding()
        return {
            "from": grid.view.start,
            "to": grid.view.end,
            "step": grid.step * 1000,
            "live": view.live,
            "rolled": grid.rolled,
            "totals": counted.totals | {"guards": guards.totals},
            "previous": earlier() | {"guards": guards_earlier()},
            "series": counted.series,
            "guards": guards.series,
            "models": counted.models,
            "failures": [row | {"rules": guards.blocking if row["status"] == "blocked" else []} for row in failing()],
        }


@dataclass(frozen=True, slots=True)
class _Counted:
    totals: dict[str, Any]
    series: dict[str, list[Any]]
    models: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Guards:
    """`blocking`: rules that blocked most."""

    totals: dict[str, int]
    series: dict[str, list[int]]
    blocking: list[str]


def _source(view: View, grid: Grid, *, hourly: bool) -> tuple[Rows, dict[str, Any]]:
    """`hourly`: hours need not be told apart, so that whole ones come from a rollup by the hour."""
    hours = conditions.hours(view)
    hourly = hourly and hours["first_hour"] < hours["last_hour"]
    if not grid.rolled:
        return _with_calls(view, hourly=hourly)
    if not hourly:
        by_minute = conditions.rollup(view)
        return measures.source(Tables(minutes=by_minute.sql)), by_minute.parameters
    whole, begun = conditions.rollup(view, WHOLE_HOURS), conditions.rollup(view, BEGUN_MINUTES)
    minutes = "" if conditions.only_whole_hours(view) else begun.sql
    return measures.source(Tables(minutes, whole.sql)), whole.parameters


def _with_calls(view: View, *, hourly: bool) -> tuple[Rows, dict[str, Any]]:
    """Call by call, but for whole hours that a rollup knows."""
    where, tag = conditions.calls(view), conditions.only_tag(view)
    edges = "" if conditions.only_whole_hours(view) else f"{where.sql} AND {BEGUN_CALLS}"
    if hourly and view.named <= PROMPTED:
        whole = conditions.rollup(view, WHOLE_HOURS)
        return measures.source(Tables(prompts=whole.sql, calls=edges)), whole.parameters | where.parameters
    if hourly and tag and view.named - {"tag"} <= ROLLED:
        whole = conditions.of_tag(view, tag)
        return measures.source(Tables(tags=whole.sql, calls=edges)), whole.parameters | where.parameters
    return measures.source(Tables(calls=where.sql)), where.parameters


def _totals(ask: Ask, view: View, grid: Grid) -> dict[str, Any]:
    rows, parameters = _source(view, grid, hourly=True)
    return ask(measures.totals(rows), parameters).records()[0]


def _counted(ask: Ask, grid: Grid) -> _Counted:
    rows, parameters = _source(grid.view, grid, hourly=grid.step % 3600 == 0)
    found: dict[str, list[dict[str, Any]]] = {"": [], "bucket": [], "model": []}
    for row in ask(measures.together(rows, _BUCKET), parameters | {"step": grid.step}).records():
        found[row.pop("of")].append(row)
    models = [{k: v for k, v in row.items() if k not in ("bucket", "ttft_ms")} for row in found["model"]]
    buckets = {row["bucket"]: row for row in found["bucket"]}
    names = ("bucket", "provider", "model")
    totals = {name: value for name, value in found[""][0].items() if name not in names}
    return _Counted(totals, _columns(buckets, grid, list(totals)), models[:_MOST_MODELS])


def _events(ask: Ask, view: View, grid: Grid) -> tuple[str, dict[str, Any]]:
    """SELECT of second, kind, rule, events."""
    if grid.step < 60 or not view.named <= GUARD_ROLLED:
        where = events.asked(ask, view)
        return measures.guards_one_by_one(where.sql), where.parameters
    if grid.step % 3600:
        minutes = conditions.rollup(view)
        return measures.guards_rolled(minutes.sql), minutes.parameters
    whole, begun = conditions.rollup(view, WHOLE_HOURS), conditions.rollup(view, BEGUN_MINUTES)
    hours = measures.guards_rolled(whole.sql, "guard_1h")
    if conditions.only_whole_hours(view):
        return hours, whole.parameters
    return f"{hours} UNION ALL {measures.guards_rolled(begun.sql)}", whole.parameters | begun.parameters


def _guard_totals(ask: Ask, view: View, grid: Grid) -> dict[str, int]:
    rows, parameters = _events(ask, view, grid)
    counted = dict(ask(f"SELECT kind, sum(events) FROM ({rows}) GROUP BY kind", parameters).rows)
    return {kind: counted.get(kind, 0) for kind in guard_kind.EVENT_KINDS}


def _guards(ask: Ask, grid: Grid) -> _Guards:
    rows, parameters = _events(ask, grid.view, grid)
    sql = f"""SELECT grouping(rule) AS of_bucket, {_BUCKET} AS bucket, kind, rule, sum(events) AS n FROM ({rows})
GROUP BY GROUPING SETS ((bucket, kind), (rule, kind)) ORDER BY n DESC, rule"""
    series = {kind: dict.fromkeys(grid.seconds, 0) for kind in guard_kind.EVENT_KINDS}
    totals = dict.fromkeys(guard_kind.EVENT_KINDS, 0)
    blocking = []
    for of_bucket, bucket, kind, rule, n in ask(sql, parameters | {"step": grid.step}).rows:
        if of_bucket:
            totals[kind] += n
            series[kind][bucket] = n
        elif kind == "blocked":
            blocking.append(rule)
    steps = {kind: list(values.values()) for kind, values in series.items()}
    return _Guards(totals, {"t": [1000 * second for second in grid.seconds], **steps}, blocking[:_MOST_BLOCKING])


def _failures(ask: Ask, view: View) -> list[dict[str, Any]]:
    return _by_hour(ask, view) if view.named <= FAILED else _one_by_one(ask, conditions.calls(view))


def _one_by_one(ask: Ask, where: Condition) -> list[dict[str, Any]]:
    return ask(measures.failures(where.sql), where.parameters).records()


def _by_hour(ask: Ask, view: View) -> list[dict[str, Any]]:
    """Counted from the rollup; of the calls themselves only the hour is read that the newest of a kind was in."""
    hours = conditions.failed(view, "status, error_type, service, model")
    kinds = ask(measures.failures_by_hour(hours.sql), hours.parameters).records()
    if not kinds:
        return []
    where = conditions.calls(view)
    terms, parameters = [], dict(where.parameters)
    for n, kind in enumerate(kinds):
        begin = f"fromUnixTimestamp64Milli({{hour_{n}:Int64}})"
        terms.append(
            f"(ts >= {begin} AND ts < {begin} + INTERVAL 1 HOUR AND status = {{status_{n}:String}} "
            f"AND error_type = {{error_{n}:String}})"
        )
        parameters |= {f"hour_{n}": 1000 * kind.pop("last_hour")}
        parameters |= {f"status_{n}": kind["status"], f"error_{n}": kind["error_type"]}
    near = Condition(f"{where.sql} AND ({' OR '.join(terms)})", parameters)
    newest = {(row["status"], row["error_type"]): row for row in _one_by_one(ask, near)}
    return [
        newest[kind["status"], kind["error_type"]] | kind
        for kind in kinds
        if (kind["status"], kind["error_type"]) in newest
    ]


_BUCKET = "intDiv(second, {step:Int64}) * {step:Int64}"
_LATENCIES = (("latency", "latency"), ("ttft_ms", "ttft"))


def _columns(buckets: dict[int, dict[str, Any]], grid: Grid, names: list[str]) -> dict[str, list[Any]]:
    """One value a step of the grid; nothing is zero, and has no latency."""
    rows = [buckets.get(second) or _NOTHING for second in grid.seconds]
    columns: dict[str, list[Any]] = {"t": [1000 * second for second in grid.seconds]}
    latencies = dict(_LATENCIES)
    columns |= {name: [row[name] for row in rows] for name in names if name not in latencies}
    for name, key in _LATENCIES:
        for i, share in enumerate(("p50", "p95", "p99")):
            columns[f"{key}_{share}"] = [row[name][i] if row[name] else None for row in rows]
    return columns


_NOTHING: dict[str, Any] = {
    **dict.fromkeys(("calls", "errors", "blocked", "unpriced", "input_tokens", "cached_tokens", "output_tokens"), 0),
    "cost": 0.0, "latency": [], "ttft_ms": [],
}  # fmt: skip
