"""Every figure that a rule can watch: what it is called, its unit, and how it is made of what was counted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from .sums import Sums, quantile

Source = Literal["calls", "guards", "silence", "burn", "budget", "sidecar", "drift"]
Unit = Literal["share", "ms", "count", "per_minute", "usd_per_hour", "minutes", "seconds", "bytes", "times", "effect"]


@dataclass(frozen=True, slots=True)
class Metric:
    """`value` makes the figure of the sums and the length of the window in seconds; None: there is none.

    `empty` is the figure without a single call. `sampled`: a figure of few calls says little, `minimum_calls` holds.
    `fixed` is the only threshold that makes sense. `field` is the key of what /healthz says.
    """

    text: str
    unit: Unit
    source: Source
    value: Callable[[Sums, int], float | None] = lambda _sums, _window: None
    empty: float | None = None
    sampled: bool = True
    kinds: Literal["", "failure", "guard"] = ""
    fixed: float | None = None
    field: str = ""
    histogram: Literal["", "latency", "ttft"] = ""


def _share(count: int, of: int) -> float | None:
    return count / of if of > 0 else None


def _latency(share: float) -> Callable[[Sums, int], float | None]:
    return lambda sums, _: quantile(sums.latency, share)


def _ttft(share: float) -> Callable[[Sums, int], float | None]:
    return lambda sums, _: quantile(sums.ttft, share)


METRICS: Mapping[str, Metric] = {
    "failure_rate": Metric("Failure rate", "share", "calls", lambda s, _: _share(s.bad, s.calls), kinds="failure"),
    "burn_rate": Metric("Failure budget burn", "times", "burn", kinds="failure", fixed=1.0),
    "blocked_rate": Metric("Blocked rate", "share", "calls", lambda s, _: _share(s.blocked, s.calls)),
    "latency_p50": Metric("Latency p50", "ms", "calls", _latency(0.5), histogram="latency"),
    "latency_p95": Metric("Latency p95", "ms", "calls", _latency(0.95), histogram="latency"),
    "latency_p99": Metric("Latency p99", "ms", "calls", _latency(0.99), histogram="latency"),
    "ttft_p50": Metric("Time to first token p50", "ms", "calls", _ttft(0.5), histogram="ttft"),
    "ttft_p95": Metric("Time to first token p95", "ms", "calls", _ttft(0.95), histogram="ttft"),
    "calls_per_minute": Metric(
        "Calls per minute", "per_minute", "calls", lambda s, w: s.calls * 60 / w, empty=0.0, sampled=False
    ),
    "cost_per_hour": Metric(
        "Cost per hour", "usd_per_hour", "calls", lambda s, w: s.usd * 3600 / w, empty=0.0, sampled=False
    ),
    "unpriced": Metric("Calls without a price", "count", "calls", lambda s, _: s.unpriced, empty=0.0, sampled=False),
    "budget_share": Metric("Share of a budget spent", "share", "budget", sampled=False),
    "guard_rate": Metric(
        "Guard findings per call", "share", "guards", lambda s, _: _share(s.events, s.calls), kinds="guard"
    ),
    "fail_open": Metric(
        "Checks that failed open", "count", "guards", lambda s, _: s.events, empty=0.0, sampled=False
    ),
    "no_data": Metric("Minutes without a call", "minutes", "silence"),
    "ingest_lag": Metric("Ingest lag", "seconds", "sidecar", sampled=False, field="ingest_lag_seconds"),
    "queue_bytes": Metric("Bytes waiting for the store", "bytes", "sidecar", sampled=False, field="queue_bytes"),
    "drift": Metric("Drift alarms", "effect", "drift", empty=0.0, sampled=False, fixed=0.0),
}  # fmt: skip
