"""Four weeks of back-dated calls, so that charts have something to show: a busy support desk with its bad days.

Deterministic for a given end time. Everything carries `deployment.environment.name = demo`, so it can be removed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .back_dated import Turn, add_trace
from .workloads import ANSWER_NEW, ANSWER_OLD, NEW_PROMPT, WORKLOADS, Workload

DAYS = 28
CALLS_A_DAY = 248
HOURS = (3, 3, 3, 3, 3, 3, 4, 8, 12, 14, 14, 13, 11, 13, 14, 13, 12, 9, 6, 5, 4, 4, 3, 3)
"""Weight of each hour of the day (UTC)."""
OPENING = (3, 0.35)
"""Days of a quiet beginning, and their share of the usual calls.

Every later day has the 200 calls of support-desk that make a window of the page Drift, weekends too.
"""
GOES_ON = 0.55
"""Share of calls that go on with a conversation of the last half hour."""
PAUSE = timedelta(minutes=30)
CUSTOMERS = 60


def bodies(end: datetime, spans_a_body: int = 256) -> Iterator[bytes]:
    """OTLP requests with the calls of the four weeks before `end` (UTC), oldest first."""
    random = Random(20261121)
    tickets = Tickets(random)
    request, held = ExportTraceServiceRequest(), 0
    for call_time in call_times(end, random):
        workload = chosen(random, call_time, end)
        held += add_trace(request, workload, tickets.turn(workload.service, call_time), call_time, end, random)
        if held >= spans_a_body:
            yield request.SerializeToString()
            request, held = ExportTraceServiceRequest(), 0
    if held:
        yield request.SerializeToString()


def chosen(random: Random, call_time: datetime, end: datetime) -> Workload:
    workload = random.choices(WORKLOADS, [workload.weight for workload in WORKLOADS])[0]
    if workload is not ANSWER_OLD or not NEW_PROMPT.holds("answer/7", call_time, end):
        return workload
    return ANSWER_NEW if random.random() < NEW_PROMPT.size else workload


@dataclass(slots=True)
class Tickets:
    """The conversations that are open: who talks to which service, and when they last said something."""

    random: Random
    open: dict[str, list[tuple[datetime, Turn]]] = field(default_factory=dict)
    number: int = 0

    def turn(self, service: str, now: datetime) -> Turn:
        held = [(then, turn) for then, turn in self.open.get(service, []) if now - then < PAUSE]
        if held and self.random.random() < GOES_ON:
            _, turn = held.pop(self.random.randrange(len(held)))
        else:
            self.number += 1
            turn = Turn(f"ticket-{self.number:05}", self.random.randrange(CUSTOMERS))
        self.open[service] = [*held, (now, turn)]
        return turn


def call_times(end: datetime, random: Random) -> Iterator[datetime]:
    hour = (end - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    quiet_days, quiet = OPENING
    opened = hour + timedelta(days=quiet_days)
    while hour < end:
        expected = CALLS_A_DAY * HOURS[hour.hour] / sum(HOURS) * (quiet if hour < opened else 1)
        count = round(expected * random.uniform(0.85, 1.15))
        moments = sorted(hour + timedelta(seconds=random.uniform(0, 3600)) for _ in range(count))
        yield from (moment for moment in moments if moment < end - timedelta(minutes=5))
        hour += timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)
