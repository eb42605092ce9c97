"""The back-dated calls hold what the page Drift needs to find the new prompt version, whenever they are made."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanward.collector.demo import history
from spanward.collector.demo.workloads import NEW_PROMPT
from spanward.dashboards.drift.windows import LEAST

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)


def hours_of(service: str, end: datetime) -> Counter[datetime]:
    """Calls of a service by the hour in which they began."""
    found: Counter[datetime] = Counter()
    for body in history.bodies(end):
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            told = {one.key: one.value.string_value for one in resource.resource.attributes}
            if told["service.name"] == service:
                first = resource.scope_spans[0].spans[0].start_time_unix_nano // 10**9
                found[datetime.fromtimestamp(first, UTC).replace(minute=0, second=0)] += 1
    return found


@pytest.mark.parametrize("hours", [0.05, 9.5, 23.7])
def test_every_day_after_the_opening_makes_a_window_of_drift(hours: float) -> None:
    end = MIDNIGHT + timedelta(hours=hours)
    calls = hours_of("support-desk", end)
    first = MIDNIGHT - timedelta(days=history.DAYS - history.OPENING[0])
    whole = [first + timedelta(days=n) for n in range((MIDNIGHT - first).days)]
    assert len(whole) - NEW_PROMPT.first >= 20  # quiet windows that the engine asks for
    assert NEW_PROMPT.first >= 3  # and those that it judges together
    for day in whole:
        by_hour = [calls[day + timedelta(hours=n)] for n in range(24)]
        assert min(by_hour) > 0, day  # a window begins with the first call, and Monday cuts one that is not whole
        assert sum(by_hour) >= LEAST, day
