"""Times of spans from clocks that are wrong: stored as they came, a span of 1970 or 2200 would never be seen.

It would open a partition of its own in every table, and be gone or out of reach at once. So it is put where it arrived,
and says what it claimed.
"""

from opentelemetry.proto.trace.v1.trace_pb2 import Span

CLAIMED = "spanward.time.claimed"
"""Attribute: the start that the span came with, in nanoseconds of Unix time, as text (it may be any 64 bits)."""
DAY = 86_400 * 10**9
PAST, FUTURE = 400 * DAY, DAY
"""How far from now a time may be: as long as anything is kept, and a clock in the wrong time zone."""


def correct(span: Span, now: int) -> bool:
    """Whether `span` had to be given another time; `now` is in nanoseconds."""
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if _plausible(start, now) and (end < start or _plausible(end, now)):
        return False
    length = end - start if 0 <= end - start <= DAY else 0
    if _plausible(start, now):
        end = start + length
    elif not _plausible(end, now):
        end = now
    span.start_time_unix_nano, span.end_time_unix_nano = end - length, end
    span.attributes.add(key=CLAIMED).value.string_value = str(start)
    return True


def _plausible(time: int, now: int) -> bool:
    return now - PAST <= time <= now + FUTURE
