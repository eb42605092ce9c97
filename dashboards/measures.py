"""What is counted, as SQL with slots: the API fills them with bound parameters, Grafana's boards with its macros.

`where` is a condition on the table that is read, `bucket` an expression of `second` (seconds since 1970) to group by.
"""

from typing import NamedTuple

from . import guard_kind


class Tables(NamedTuple):
    """Conditions, by the table that answers; empty: it is not asked. `prompts` is the rollup that knows prompts,
    `tags` the one that knows tags.
    """

    minutes: str = ""
    hours: str = ""
    prompts: str = ""
    tags: str = ""
    calls: str = ""


_ROLLED = """
SELECT toInt64(toUnixTimestamp(t)) AS second, service, provider, model, calls, errors, blocked, unpriced,
       input_tokens, cached_tokens, output_tokens, cost_usd, lat_hist, ttft_hist
FROM {table} WHERE {where}"""

_ONE_BY_ONE = """
SELECT toInt64(toUnixTimestamp(ts)) AS second, service, provider, model, toUInt64(1) AS calls,
       toUInt64(status = 'error') AS errors, toUInt64(status = 'blocked') AS blocked,
       toUInt64(llm_calls.cost_usd IS NULL AND llm_calls.input_tokens + llm_calls.output_tokens > 0) AS unpriced,
       toUInt64(llm_calls.input_tokens) AS input_tokens,
       toUInt64(llm_calls.cached_tokens) AS cached_tokens, toUInt64(llm_calls.output_tokens) AS output_tokens,
       ifNull(llm_calls.cost_usd, 0) AS cost_usd,
       {lat} AS lat_hist, {ttft} AS ttft_hist
FROM (SELECT * FROM llm_calls WHERE {{where}}) AS llm_calls"""
"""Conditions stand within, where names are columns: `cost_usd` of the outer SELECT is never NULL."""
_BIN = "toInt16(if({0} <= 0, -100, floor(8 * log2({0}))))"
_BINS = {"lat": _BIN.format("latency_ms"), "ttft": _BIN.format("ttft_ms")}
_MAPPED = _ONE_BY_ONE.format(**{name: f"map({bin_}, toUInt64(1))" for name, bin_ in _BINS.items()})
_BINNED = _ONE_BY_ONE.format(**_BINS)

_SUMS = """
sum(s.calls) AS calls, sum(s.errors) AS errors, sum(s.blocked) AS blocked, sum(s.unpriced) AS unpriced,
sum(s.input_tokens) AS input_tokens, sum(least(s.cached_tokens, s.input_tokens)) AS cached_tokens,
sum(s.output_tokens) AS output_tokens, sum(s.cost_usd) AS cost_usd,
{lat} AS lat, {ttft} AS ttft"""
_OF_MAPS = _SUMS.format(lat="sumMap(s.lat_hist)", ttft="sumMap(s.ttft_hist)")
# one by one, counting into an array is ten times as fast as adding up maps of one bin
_COUNTED = "mapFilter((bin, n) -> n > 0, mapFromArrays(range(-99, 300), countResample(-99, 300, 1)({0})))"
_OF_BINS = _SUMS.format(lat=_COUNTED.format("s.lat_hist"), ttft=_COUNTED.format("s.ttft_hist"))

MOST_FAILURES = 12
_MOST_ROWS = 200
"""Of a kind in one reading: a chart has fewer points."""
COUNTS = "calls, errors, blocked, unpriced, input_tokens, cached_tokens, output_tokens"
COST = "if(unpriced > 0 AND cost_usd = 0, NULL, cost_usd) AS cost"


def percentiles(histogram: str) -> str:
    """SQL for [p50, p95, p99] of a log2 histogram (`floor(8 * log2(x))` -> count), [] where it is empty.

    Within a bin, which is 9% wide, values are taken as evenly spread over the logarithm.
    """
    # parameters of lambdas are values with a name: spelt out at each place, the text takes longer to read than the rows
    end = "arrayCumSum(counts)"
    at = f"arrayFirstIndex(e -> e >= share * {end}[-1], {end})"
    within = f"(share * {end}[-1] - ({end}[at] - counts[at])) / counts[at]"
    one = f"arrayMap(at -> pow(2, (keys[at] + {within}) / 8), [{at}])[1]"
    told = f"arrayMap(share -> {one}, if(empty(keys), [], [0.5, 0.95, 0.99]))"
    bins = f"arrayFilter(bin -> bin.1 > -100, arraySort(arrayZip(mapKeys({histogram}), mapValues({histogram}))))"
    return f"arrayMap(bins -> arrayMap((keys, counts) -> {told}, [bins.1], [bins.2])[1], [{bins}])[1]"


class Rows(NamedTuple):
    """SELECT of the rows that everything below sums up, and the sums over them, as `s`."""

    sql: str
    sums: str = _OF_MAPS


def source(tables: Tables) -> Rows:
    if tables.calls and not any((tables.minutes, tables.hours, tables.prompts, tables.tags)):
        return Rows(_BINNED.format(where=tables.calls), _OF_BINS)
    parts = [
        _ROLLED.format(table="llm_1m", where=tables.minutes) if tables.minutes else "",
        _ROLLED.format(table="llm_1h", where=tables.hours) if tables.hours else "",
        _ROLLED.format(table="cost_1h", where=tables.prompts) if tables.prompts else "",
        _ROLLED.format(table="tag_1h", where=tables.tags) if tables.tags else "",
        _MAPPED.format(where=tables.calls) if tables.calls else "",
    ]
    return Rows(" UNION ALL ".join(filter(None, parts)))


def totals(rows: Rows) -> str:
    return f"""SELECT {COUNTS}, {COST}, {percentiles("lat")} AS latency, {percentiles("ttft")} AS ttft_ms
FROM (SELECT {rows.sums} FROM ({rows.sql}) AS s)"""


def series(rows: Rows, bucket: str, fill: str = "") -> str:
    """By `bucket`; `fill` stands behind its ORDER BY."""
    return f"""SELECT bucket, {COUNTS}, {COST},
       {percentiles("lat")} AS latency, {percentiles("ttft")} AS ttft_ms
FROM (
  SELECT {bucket} AS bucket, {rows.sums}
  FROM ({rows.sql}) AS s GROUP BY bucket
  ORDER BY bucket {fill}
) ORDER BY bucket"""


def by(columns: str, rows: Rows, limit: int) -> str:
    """The largest groups of `columns` (service, provider, model)."""
    return f"""SELECT {columns}, {COUNTS}, {COST}, {percentiles("lat")} AS latency
FROM (SELECT {columns}, {rows.sums} FROM ({rows.sql}) AS s GROUP BY {columns})
ORDER BY calls DESC, {columns} LIMIT {limit}"""


def together(rows: Rows, bucket: str) -> str:
    """Totals, series and models in one reading: `of` says which a row is of, '' is the whole."""
    return f"""SELECT of, bucket, provider, model, {COUNTS}, {COST},
       {percentiles("lat")} AS latency, {percentiles("ttft")} AS ttft_ms
FROM (
  SELECT multiIf(grouping(bucket) = 0, 'bucket', grouping(model) = 0, 'model', '') AS of,
         {bucket} AS bucket, provider, model, {rows.sums}
  FROM ({rows.sql}) AS s GROUP BY GROUPING SETS ((bucket), (provider, model), ())
  ORDER BY calls DESC, bucket, provider, model LIMIT {_MOST_ROWS} BY of
)"""


def guards_rolled(where: str, table: str = "guard_1m") -> str:
    return f"""SELECT {guard_kind.OF_EVENT} AS kind, toInt64(toUnixTimestamp(t)) AS second, rule, events
FROM {table} WHERE {where} AND {guard_kind.FOUND}"""


def guards_one_by_one(where: str) -> str:
    return f"""SELECT {guard_kind.OF_EVENT} AS kind, toInt64(toUnixTimestamp(ts)) AS second, rule, toUInt64(1) AS events
FROM guard_events WHERE {where} AND {guard_kind.FOUND}"""


def failures(where: str) -> str:
    """`where` is on `llm_calls`: kinds of failures and blocks with the newest call of each."""
    return f"""SELECT status, error_type, count() AS calls, uniqExact(service) AS services, uniqExact(model) AS models,
       toUnixTimestamp64Micro(max(ts)) AS last_us, argMax(model, ts) AS last_model,
       leftUTF8(argMax(status_message, ts), 200) AS message,
       argMax(c.trace_id, ts) AS trace_id, argMax(c.span_id, ts) AS span_id
FROM (SELECT * FROM llm_calls WHERE {where} AND status IN ('error', 'blocked')) AS c
GROUP BY status, error_type ORDER BY calls DESC, status, error_type LIMIT {MOST_FAILURES}"""


def failures_by_hour(hours: str) -> str:
    """The same without the newest call, but with its hour; `hours` gives status, error_type, service, model, hour,
    calls.
    """
    return f"""SELECT status, error_type, sum(h.calls) AS calls, uniqExact(service) AS services,
       uniqExact(model) AS models, toUnixTimestamp(max(hour)) AS last_hour
FROM ({hours}) AS h WHERE status IN ('error', 'blocked')
GROUP BY status, error_type ORDER BY calls DESC, status, error_type LIMIT {MOST_FAILURES}"""
