"""Which times are believed, and where a span goes whose times are not."""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spanward.collector.clocks import CLAIMED, DAY, FUTURE, PAST, correct

NOW = 1_800_000_000 * 10**9
SECOND = 10**9


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOW - 2 * SECOND, NOW - SECOND),
        (NOW - 14 * DAY, NOW - 14 * DAY + SECOND),
        (NOW - PAST, NOW),
        (NOW + FUTURE - SECOND, NOW + FUTURE),
        (NOW - SECOND, NOW - 2 * SECOND),  # ends before it starts: its start is believed, its duration is 0
        (NOW - SECOND, 0),
    ],
)
def test_a_time_that_can_be_is_left_alone(start: int, end: int) -> None:
    span = Span(start_time_unix_nano=start, end_time_unix_nano=end)
    assert not correct(span, NOW)
    assert span == Span(start_time_unix_nano=start, end_time_unix_nano=end)


@pytest.mark.parametrize(
    ("start", "end", "stored"),
    [
        (0, 0, (NOW, NOW)),
        (0, NOW - SECOND, (NOW - SECOND, NOW - SECOND)),
        (5 * SECOND, 7 * SECOND, (NOW - 2 * SECOND, NOW)),
        (NOW - PAST - 1, NOW - PAST - 1, (NOW, NOW)),
        (NOW + FUTURE + 1, NOW + FUTURE + 1, (NOW, NOW)),
        (NOW + 10 * PAST, NOW + 10 * PAST + SECOND, (NOW - SECOND, NOW)),
        (2**64 - 1, 2**64 - 1, (NOW, NOW)),
        (NOW, 2**64 - 1, (NOW, NOW)),
        (0, 2**64 - 1, (NOW, NOW)),
        (2**64 - 1, 0, (NOW, NOW)),
    ],
)
def test_a_time_that_cannot_be_becomes_that_of_the_arrival(start: int, end: int, stored: tuple[int, int]) -> None:
    span = Span(start_time_unix_nano=start, end_time_unix_nano=end)
    assert correct(span, NOW)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == stored
    assert {a.key: a.value.string_value for a in span.attributes} == {CLAIMED: str(start)}
