"""How it goes: totals against the period before, series for the charts, top models, failures. All counted in SQL."""

from typing import Any

from . import conditions, guard_kind, measures
from .ask import Ask, Table
from .conditions import BEGUN_MINUTES, GUARD_ROLLED, HOURLY, WHOLE_HOURS, Condition
from .grid import Grid, before, lay
from .measures import Tables
from .view import View

_MOST_MODELS = 12


def overview(ask: Ask, view: View, now: int) -> dict[str, Any]:
    """The whole page in one answer; times in milliseconds, costs None where nothing was priced."""
    grid = lay(view)
    previous = before(grid, now)
    return {
        "from": grid.view.start,
        "to": grid.view.end,
        "step": grid.step * 1000,
        "live": view.live,
        "rolled": grid.rolled,
        "totals": _totals(ask, grid.view, rolled=grid.rolled),
        "previous": _totals(ask, previous, rolled=grid.rolled),
        "series": _series(ask, grid),
        "guards": _guard_series(ask, grid),
        "models": _models(ask, grid),
        "failures": _failures(ask, grid.view),
    }


def _source(view: View, *, rolled: bool, step: int = 3600) -> Condition:
    """Whole hours come from the rollup by the hour, unless the `step` (seconds) is finer."""
    if not rolled:
        where = conditions.calls(view)
        return Condition(measures.source(Tables(calls=where.sql)), where.parameters)
    whole, begun = conditions.rollup(view, WHOLE_HOURS), conditions.rollup(view, BEGUN_MINUTES)
    if step % 3600 or whole.parameters["first_hour"] == whole.parameters["last_hour"]:
        minutes = conditions.rollup(view)
        return Condition(measures.source(Tables(minutes=minutes.sql)), minutes.parameters)
    return Condition(measures.source(Tables(begun.sql, whole.sql)), whole.parameters)


def _totals(ask: Ask, view: View, *, rolled: bool) -> dict[str, Any]:
    source = _source(view, rolled=rolled)
    totals = ask(measures.totals(source.sql), source.parameters).records()[0]
    return totals | {"guards": _guard_totals(ask, view)}


def _series(ask: Ask, grid: Grid) -> dict[str, list[Any]]:
    source = _source(grid.view, rolled=grid.rolled, step=grid.step)
    return _columns(ask(measures.series(source.sql, _BUCKET, _fill(grid)), source.parameters | _edges(grid)))


def _guard_totals(ask: Ask, view: View) -> dict[str, int]:
    where = conditions.guarded(view)
    rows = measures.guards_one_by_one(where.sql)
    counted = dict(ask(f"SELECT kind, sum(events) FROM ({rows}) GROUP BY kind", where.parameters).rows)
    return {kind: counted.get(kind, 0) for kind in guard_kind.EVENT_KINDS}


def _guard_series(ask: Ask, grid: Grid) -> dict[str, list[Any]]:
    if grid.step >= 60 and grid.view.named <= GUARD_ROLLED:
        where = conditions.rollup(grid.view)
        rows = measures.guards_rolled(where.sql)
    else:
        where = conditions.guarded(grid.view)
        rows = measures.guards_one_by_one(where.sql)
    return _columns(ask(measures.guard_series(rows, _BUCKET, _fill(grid)), where.parameters | _edges(grid)))


def _models(ask: Ask, grid: Grid) -> list[dict[str, Any]]:
    source = _source(grid.view, rolled=grid.rolled)
    return ask(measures.by("provider, model", source.sql, _MOST_MODELS), source.parameters).records()


def _failures(ask: Ask, view: View) -> list[dict[str, Any]]:
    failures = _by_hour(ask, view) if view.named <= HOURLY else _one_by_one(ask, conditions.calls(view))
    rules = _blocking_rules(ask, view) if any(row["status"] == "blocked" for row in failures) else []
    return [row | {"rules": rules if row["status"] == "blocked" else []} for row in failures]


def _one_by_one(ask: Ask, where: Condition) -> list[dict[str, Any]]:
    return ask(measures.failures(where.sql), where.parameters).records()


def _by_hour(ask: Ask, view: View) -> list[dict[str, Any]]:
    """Counted from the rollup; of the calls themselves only the hour is read that the newest of a kind was in."""
    hours = conditions.counted(view, "status, error_type, service, model")
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


def _blocking_rules(ask: Ask, view: View) -> list[str]:
    where = conditions.guarded(view)
    sql = f"""SELECT rule FROM guard_events WHERE {where.sql} AND {guard_kind.FOUND}
AND {guard_kind.OF_EVENT} = 'blocked' GROUP BY rule ORDER BY count() DESC, rule LIMIT 5"""
    return [rule for (rule,) in ask(sql, where.parameters).rows]


_BUCKET = "intDiv(second, {step:Int64}) * {step:Int64}"


def _fill(grid: Grid) -> str:
    return f"WITH FILL FROM {{first:Int64}} TO {{last:Int64}} STEP {grid.step}"


def _edges(grid: Grid) -> dict[str, int]:
    return {"step": grid.step, "first": grid.view.start // 1000, "last": grid.view.end // 1000}


def _columns(table: Table) -> dict[str, list[Any]]:
    columns = {name: [row[i] for row in table.rows] for i, name in enumerate(table.columns)}
    columns = {"t": [1000 * second for second in columns.pop("bucket")], **columns}
    for name, key in (("latency", "latency"), ("ttft_ms", "ttft")):
        if name in columns:
            triples = columns.pop(name)
            for i, share in enumerate(("p50", "p95", "p99")):
                columns[f"{key}_{share}"] = [triple[i] if triple else None for triple in triples]
    return columns
