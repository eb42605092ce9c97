"""What the sidecar counts of itself, for `/metrics`. No label ever holds anything that a user or a model said."""

from collections.abc import Callable, Iterator
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from ..guards.detectors.worker import State, states
from ..guards.judgement import Check, Decision

GUARD_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Pulse(Protocol):
    """How far the store is behind the log; the ingestor is one."""

    ingested_segments: int
    bad: int
    errors: int
    review_errors: int

    @property
    def lag_seconds(self) -> float: ...
    @property
    def queue_bytes(self) -> int: ...


class Metrics:
    """One process's counters, in a registry of their own: several may live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Workers())
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = self._counter("otlp_requests", "OTLP requests by what became of them", "outcome")
        self.body_bytes = self._counter("otlp_body_bytes", "Uncompressed bytes of accepted OTLP requests")
        self.spans = self._counter("spans_accepted", "Spans that are on disk, repeats not counted")
        self.redated = self._counter("spans_redated", "Spans whose clock was wrong, stored at their arrival")
        self.repeats = self._counter("otlp_repeats", "Bodies that were stored before and acknowledged again")
        self.checks = self._counter("guard_checks", "Checks by side, verdict and action", "side", "verdict", "action")
        self.check_failures = self._counter("guard_check_failures", "Checks that could not be answered", "reason")
        self.reviews = self._counter("guard_reviews", "Calls judged after the fact, by outcome", "outcome")
        self.reloads = self._counter("policy_reloads", "Policy files read again after a change", "outcome")
        self.vault_saves = self._counter("vault_saves", "Times new pseudonyms were written down, by outcome", "outcome")
        self.adopted = self._counter("spool_files_adopted", "Spool files of dead processes that were taken over")
        self.check_seconds = Histogram(
            "spanward_guard_check_seconds", "Time to answer a check", buckets=GUARD_BUCKETS, registry=self.registry
        )

        for counter, outcomes in (
            (self.requests, ("accepted", "repeated", "malformed", "unsupported", "too_large", "full")),
            (self.reviews, ("judged", "failed")),
            (self.reloads, ("ok", "failed")),
            (self.vault_saves, ("kept", "failed")),
        ):
            for outcome in outcomes:
                counter.labels(outcome)  # there from the start, so that a first failure is a rise and not a new series

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"spanward_{name}", text, labels, registry=self.registry)

    def follow(self, pulse: Pulse) -> None:
        """Show the ingestor's figures as they are when `/metrics` is asked."""
        self.registry.register(_Followed(pulse))

    def checked(self, check: Check, decision: Decision, seconds: float) -> None:
        self.checks.labels(check.side, decision.verdict, decision.action).inc()
        self.check_seconds.observe(seconds)

    def adopted_so_far(self) -> int:
        return round(self.registry.get_sample_value("spanward_spool_files_adopted_total") or 0)

    def route(self, _request: Request) -> Response:
        return Response(generate_latest(self.registry), media_type="text/plain; version=0.0.4; charset=utf-8")


class _Followed(Collector):
    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse

    def collect(self) -> Iterator[Metric]:
        pulse = self._pulse
        yield GaugeMetricFamily(
            "spanward_ingest_lag_seconds", "Age of the oldest span that is not yet queryable", pulse.lag_seconds
        )
        yield GaugeMetricFamily("spanward_queue_bytes", "Bytes of the log that wait for the store", pulse.queue_bytes)
        for name, text, value in (
            ("segments_ingested", "Segments put into the store", pulse.ingested_segments),
            ("segments_set_aside", "Segments that the store cannot read, kept as .bad", pulse.bad),
            ("ingest_errors", "Attempts to put a segment in that failed and are repeated", pulse.errors),
            ("guard_review_errors", "Segments that the rules which only flag did not judge", pulse.review_errors),
        ):
            yield CounterMetricFamily(f"spanward_{name}", text, value=value)


class _Workers(Collector):
    """The processes of larger models, as they are when `/metrics` is asked; those of one engine in one sum."""

    def collect(self) -> Iterator[Metric]:
        seen = states()
        for kind, name, text, value in _OF_WORKERS:
            family = kind(f"spanward_model_{name}", text, labels=("engine",))
            sums: dict[str, int] = {}
            for state in seen:
                sums[state.engine] = sums.get(state.engine, 0) + value(state)
            for engine, total in sums.items():
                family.add_metric((engine,), total)
            yield family


_OF_WORKERS: tuple[tuple[type[CounterMetricFamily | GaugeMetricFamily], str, str, Callable[[State], int]], ...] = (
    (GaugeMetricFamily, "workers_alive", "Processes whose model is loaded", lambda state: state.alive),
    (GaugeMetricFamily, "questions_waiting", "Questions without an answer yet", lambda state: state.waiting),
    (CounterMetricFamily, "worker_restarts", "Starts after the first", lambda state: state.restarts),
    (CounterMetricFamily, "question_timeouts", "Questions whose asker gave up", lambda state: state.timeouts),
    (CounterMetricFamily, "questions_refused", "Questions that killed twice", lambda state: state.refused),
)
