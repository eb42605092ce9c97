"""How it goes: totals against the period before, series for the charts, top models, failures. All counted in SQL."""

from typing import Any

from . import conditions, guard_kind
from .ask import Ask, Table
from .conditions import GUARD_ROLLED, Condition
from .grid import Grid, before, lay
from .view import View

_ROLLED = """
SELECT toInt64(toUnixTimestamp(t)) AS second, provider, model, calls, errors, blocked, unpriced,
       input_tokens, cached_tokens, output_tokens, cost_usd, lat_hist, ttft_hist
FROM llm_1m WHERE {where}"""

_ONE_BY_ONE = """
SELECT toInt64(toUnixTimestamp(ts)) AS second, provider, model, toUInt64(1) AS calls,
       toUInt64(status = 'error') AS errors, toUInt64(status = 'blocked') AS blocked,
       toUInt64(llm_calls.cost_usd IS NULL AND llm_calls.input_tokens + llm_calls.output_tokens > 0) AS unpriced,
       toUInt64(llm_calls.input_tokens) AS input_tokens,
       toUInt64(llm_calls.cached_tokens) AS cached_tokens, toUInt64(llm_calls.output_tokens) AS output_tokens,
       ifNull(llm_calls.cost_usd, 0) AS cost_usd,
       map(toInt16(if(latency_ms <= 0, -100, floor(8 * log2(latency_ms)))), toUInt64(1)) AS lat_hist,
       map(toInt16(if(ttft_ms <= 0, -100, floor(8 * log2(ttft_ms)))), toUInt64(1)) AS ttft_hist
FROM llm_calls WHERE {where}"""

_SUMS = """
sum(s.calls) AS calls, sum(s.errors) AS errors, sum(s.blocked) AS blocked, sum(s.unpriced) AS unpriced,
sum(s.input_tokens) AS input_tokens, sum(least(s.cached_tokens, s.input_tokens)) AS cached_tokens,
sum(s.output_tokens) AS output_tokens, sum(s.cost_usd) AS cost_usd,
sumMap(s.lat_hist) AS lat, sumMap(s.ttft_hist) AS ttft"""

_COUNTS = "calls, errors, blocked, unpriced, input_tokens, cached_tokens, output_tokens"
_COST = "if(unpriced > 0 AND cost_usd = 0, NULL, cost_usd) AS cost"


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


def percentiles(histogram: str) -> str:
    """SQL for [p50, p95, p99] of a log2 histogram (`floor(8 * log2(x))` -> count), [] where it is empty.

    Within a bin, which is 9% wide, values are taken as evenly spread over the logarithm.
    """
    keys = f"arrayFilter(k -> k > -100, arraySort(mapKeys({histogram})))"
    counts = f"arrayMap(k -> {histogram}[k], {keys})"
    ends = f"arrayCumSum({counts})"
    at = f"arrayFirstIndex(e -> e >= share * arrayLast(e -> 1, {ends}), {ends})"
    within = f"(share * arrayLast(e -> 1, {ends}) - ({ends}[{at}] - {counts}[{at}])) / {counts}[{at}]"
    one = f"pow(2, ({keys}[{at}] + {within}) / 8)"
    return f"if(empty({keys}), [], arrayMap(share -> {one}, [0.5, 0.95, 0.99]))"


def _source(view: View, *, rolled: bool) -> Condition:
    where = conditions.rollup(view) if rolled else conditions.calls(view)
    return Condition((_ROLLED if rolled else _ONE_BY_ONE).format(where=where.sql), where.parameters)


def _totals(ask: Ask, view: View, *, rolled: bool) -> dict[str, Any]:
    source = _source(view, rolled=rolled)
    sql = f"""SELECT {_COUNTS}, {_COST}, {percentiles("lat")} AS latency, {percentiles("ttft")} AS ttft_ms
FROM (SELECT {_SUMS} FROM ({source.sql}) AS s)"""
    totals = ask(sql, source.parameters).records()[0]
    return totals | {"guards": _guard_totals(ask, view)}


def _series(ask: Ask, grid: Grid) -> dict[str, list[Any]]:
    source = _source(grid.view, rolled=grid.rolled)
    sql = f"""SELECT bucket * 1000 AS t, {_COUNTS}, {_COST},
       {percentiles("lat")} AS latency, {percentiles("ttft")} AS ttft_ms
FROM (
  SELECT intDiv(s.second, {{step:Int64}}) * {{step:Int64}} AS bucket, {_SUMS}
  FROM ({source.sql}) AS s GROUP BY bucket
  ORDER BY bucket WITH FILL FROM {{first:Int64}} TO {{last:Int64}} STEP {grid.step}
) ORDER BY t"""
    return _columns(ask(sql, source.parameters | _edges(grid)))


def _guard_totals(ask: Ask, view: View) -> dict[str, int]:
    where = conditions.guarded(view)
    source = f"guard_events WHERE {where.sql} AND {guard_kind.FOUND}"
    sql = f"SELECT {guard_kind.OF_EVENT} AS kind, count() AS events FROM {source} GROUP BY kind"
    counted = dict(ask(sql, where.parameters).rows)
    return {kind: counted.get(kind, 0) for kind in guard_kind.EVENT_KINDS}


def _guard_series(ask: Ask, grid: Grid) -> dict[str, list[Any]]:
    if grid.step >= 60 and grid.view.named <= GUARD_ROLLED:
        where = conditions.rollup(grid.view)
        source = f"toInt64(toUnixTimestamp(t)) AS second, events FROM guard_1m WHERE {where.sql}"
    else:
        where = conditions.guarded(grid.view)
        source = f"toInt64(toUnixTimestamp(ts)) AS second, 1 AS events FROM guard_events WHERE {where.sql}"
    kinds = ", ".join(f"sumIf(events, kind = '{kind}') AS {kind}" for kind in guard_kind.EVENT_KINDS)
    sql = f"""SELECT intDiv(second, {{step:Int64}}) * {{step:Int64}} * 1000 AS t, {kinds}
FROM (SELECT {guard_kind.OF_EVENT} AS kind, {source} AND {guard_kind.FOUND}) GROUP BY t
ORDER BY t WITH FILL FROM {{first:Int64}} * 1000 TO {{last:Int64}} * 1000 STEP {grid.step * 1000}"""
    return _columns(ask(sql, where.parameters | _edges(grid)))


def _models(ask: Ask, grid: Grid) -> list[dict[str, Any]]:
    source = _source(grid.view, rolled=grid.rolled)
    sql = f"""SELECT provider, model, {_COUNTS}, {_COST}, {percentiles("lat")} AS latency
FROM (SELECT s.provider, s.model, {_SUMS} FROM ({source.sql}) AS s GROUP BY s.provider, s.model)
ORDER BY calls DESC, provider, model LIMIT 12"""
    return ask(sql, source.parameters).records()


def _failures(ask: Ask, view: View) -> list[dict[str, Any]]:
    where = conditions.calls(view)
    sql = f"""SELECT status, error_type, count() AS calls, uniqExact(service) AS services, uniqExact(model) AS models,
       toUnixTimestamp64Micro(max(ts)) AS last_us, argMax(model, ts) AS last_model,
       leftUTF8(argMax(status_message, ts), 200) AS message,
       argMax(trace_id, ts) AS trace_id, argMax(span_id, ts) AS span_id
FROM llm_calls WHERE {where.sql} AND status IN ('error', 'blocked')
GROUP BY status, error_type ORDER BY calls DESC, status, error_type LIMIT 12
SETTINGS prefer_column_name_to_alias = 1"""
    failures = ask(sql, where.parameters).records()
    rules = _blocking_rules(ask, view) if any(row["status"] == "blocked" for row in failures) else []
    return [row | {"rules": rules if row["status"] == "blocked" else []} for row in failures]


def _blocking_rules(ask: Ask, view: View) -> list[str]:
    where = conditions.guarded(view)
    sql = f"""SELECT rule FROM guard_events WHERE {where.sql} AND {guard_kind.FOUND}
AND {guard_kind.OF_EVENT} = 'blocked' GROUP BY rule ORDER BY count() DESC, rule LIMIT 5"""
    return [rule for (rule,) in ask(sql, where.parameters).rows]


def _edges(grid: Grid) -> dict[str, int]:
    return {"step": grid.step, "first": grid.view.start // 1000, "last": grid.view.end // 1000}


def _columns(table: Table) -> dict[str, list[Any]]:
    columns = {name: [row[i] for row in table.rows] for i, name in enumerate(table.columns)}
    for name, key in (("latency", "latency"), ("ttft_ms", "ttft")):
        if name in columns:
            triples = columns.pop(name)
            for i, share in enumerate(("p50", "p95", "p99")):
                columns[f"{key}_{share}"] = [triple[i] if triple else None for triple in triples]
    return columns
