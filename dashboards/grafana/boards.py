"""The boards: which panels they have. The SQL is what our own pages ask, with Grafana's macros in its slots."""

from .. import guard_kind, measures
from ..measures import Tables
from . import slots
from .panel import Panel

ROWS = measures.source(Tables(minutes=slots.MINUTES))
SERIES = measures.series(ROWS, slots.INTERVAL)
GUARDS = measures.guards_rolled(slots.GUARD_MINUTES)


def _over_time(columns: str) -> str:
    return f"SELECT bucket AS time, {columns} FROM ({SERIES})"


def _percentile(name: str, place: int) -> str:
    return f"if(empty({name}), NULL, {name}[{place}])"


def _total(column: str) -> str:
    return f"SELECT {column} FROM ({measures.totals(ROWS)})"


def _of_guards(by: str) -> str:
    return f"""SELECT {slots.INTERVAL} AS time, {by}, sum(events) AS events
FROM ({GUARDS}) GROUP BY time, {by} ORDER BY time, {by}"""


_LATENCY = ", ".join(f"{_percentile('latency', n)} AS {name}" for n, name in enumerate(("p50", "p95", "p99"), 1))
_TTFT = ", ".join(f"{_percentile('ttft_ms', n)} AS {name}" for n, name in enumerate(("p50", "p95", "p99"), 1))
_MODELS = f"""SELECT provider, model, calls, errors / calls AS failure_rate, {_percentile("latency", 2)} AS p95_ms,
       input_tokens + output_tokens AS tokens, cost AS cost_usd, unpriced
FROM ({measures.by("provider, model", ROWS, 50)})"""
_NEWEST = f"""SELECT status, error_type, calls, services, models, fromUnixTimestamp64Micro(last_us) AS newest,
       last_model, message
FROM ({measures.failures(slots.CALLS)})"""
_KINDS = f"""SELECT $__timeInterval(ts) AS time,
       multiIf(status = 'blocked', 'blocked', error_type = '', 'other', error_type) AS kind,
       count() AS calls
FROM llm_calls WHERE {slots.CALLS} AND status IN ('error', 'blocked') GROUP BY time, kind ORDER BY time, kind"""


def _rate(by: str) -> str:
    return f"""SELECT {slots.INTERVAL} AS time, {by}, sum(errors) / sum(calls) AS failure_rate
FROM ({ROWS.sql}) GROUP BY time, {by} ORDER BY time, {by}"""


def _cost(by: str) -> str:
    return f"""SELECT {slots.INTERVAL} AS time, {by}, sum(cost_usd) AS usd
FROM ({ROWS.sql}) GROUP BY time, {by} ORDER BY time, {by}"""


def _drift(stream: str) -> str:
    """Share of each bucket of a stream."""
    return f"""SELECT $__timeInterval(t) AS time, bucket, sum(n) / sum(sum(n)) OVER (PARTITION BY time) AS share
FROM drift_1h WHERE {slots.DRIFT_HOURS} AND stream = '{stream}' GROUP BY time, bucket ORDER BY time, bucket"""


_STREAMS = (
    ("Model", "model"), ("Model version", "snapshot"), ("Finish reason", "finish_reason"), ("Failures", "error"),
    ("Guards", "guard"), ("Length of input", "input_length"), ("Length of output", "output_length"),
    ("Latency", "latency"), ("Cost", "cost"),
)  # fmt: skip
_BUCKETS = "Lengths, latency and cost by half powers of two: bucket 20 is 2^10."

OVERVIEW = (
    Panel("Calls", "stat", _total("calls"), width=6, height=4),
    Panel("Failure rate", "stat", _total("if(calls = 0, NULL, errors / calls) AS rate"), "percentunit", 6, 4),
    Panel("Latency p95", "stat", _total(f"{_percentile('latency', 2)} AS p95"), "ms", 6, 4),
    Panel("Cost", "stat", _total("cost"), "currencyUSD", 6, 4, "What was priced; the rest is on the board Cost."),
    Panel("Calls and failures", "barchart", _over_time("calls - errors - blocked AS ok, errors AS failed, blocked")),
    Panel("Latency", "timeseries", _over_time(_LATENCY), "ms"),
    Panel("Time to first token", "timeseries", _over_time(_TTFT), "ms", text="Streamed calls."),
    Panel("Cost", "barchart", _over_time("cost"), "currencyUSD"),
    Panel(
        "Tokens", "barchart",
        _over_time("input_tokens - cached_tokens AS input, cached_tokens AS cached, output_tokens AS output"),
    ),
    Panel("Guard findings", "barchart", _of_guards("kind")),
    Panel("Models", "table", _MODELS, width=24),
)  # fmt: skip

FAILURES = (
    Panel("Failed calls", "stat", _total("errors"), width=6, height=4),
    Panel("Blocked calls", "stat", _total("blocked"), width=6, height=4),
    Panel("Failure rate", "stat", _total("if(calls = 0, NULL, errors / calls) AS rate"), "percentunit", 6, 4),
    Panel("Calls", "stat", _total("calls"), width=6, height=4),
    Panel("Failures by kind", "barchart", _KINDS, width=24),
    Panel("Failure rate by model", "timeseries", _rate("model"), "percentunit", 12),
    Panel("Failure rate by app", "timeseries", _rate("service"), "percentunit", 12),
    Panel("Kinds, with the newest of each", "table", _NEWEST, width=24),
)

GUARD_BOARD = (
    Panel("Findings by what was done", "barchart", _of_guards("kind"), width=12),
    Panel("Findings by rule", "barchart", _of_guards("rule"), width=12),
    Panel(
        "Rules", "table",
        f"""SELECT rule, kind, sum(events) AS events
FROM ({GUARDS}) GROUP BY rule, kind ORDER BY events DESC, rule, kind LIMIT 50""",
        width=12,
    ),
    Panel(
        "Without a guard", "timeseries",
        f"""SELECT $__timeInterval(ts) AS time, countIf({guard_kind.OF_CALL} = 'failed_open') AS failed_open,
       countIf({guard_kind.OF_CALL} = 'unguarded') AS unguarded
FROM llm_calls WHERE {slots.CALLS} GROUP BY time ORDER BY time""",
        width=12, text="Calls that went through because a guard failed, and calls that no guard saw.",
    ),
)  # fmt: skip

DRIFT = tuple(Panel(title, "timeseries", _drift(name), "percentunit", 8, text=_BUCKETS) for title, name in _STREAMS)

COST = (
    Panel("Cost", "stat", _total("cost"), "currencyUSD", 8, 4),
    Panel("Unpriced calls", "stat", _total("unpriced"), width=8, height=4),
    Panel("Tokens", "stat", _total("input_tokens + output_tokens AS tokens"), width=8, height=4),
    Panel("Cost by model", "barchart", _cost("model"), "currencyUSD", 12),
    Panel("Cost by app", "barchart", _cost("service"), "currencyUSD", 12),
    Panel("Models", "table", _MODELS, width=24),
)

BOARDS: dict[str, tuple[str, tuple[Panel, ...]]] = {
    "overview": ("Spanward: Overview", OVERVIEW),
    "failures": ("Spanward: Failures", FAILURES),
    "guards": ("Spanward: Guards", GUARD_BOARD),
    "drift": ("Spanward: Drift", DRIFT),
    "cost": ("Spanward: Cost", COST),
}
"""File name -> title and panels."""
