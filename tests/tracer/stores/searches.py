"""What the spans of searches say."""

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from spanward.tracer import semconv

from ..inmemory import Spans

MAIL = "ada@example.com"
"""Personal data, which the default policy keeps out of every record."""


def searches(spans: Spans) -> list[ReadableSpan]:
    """In the order in which they ended, without the spans of single rules."""
    return [span for span in spans.all() if (span.attributes or {}).get(semconv.OPERATION) == "retrieval"]


def only(spans: Spans) -> ReadableSpan:
    """The only search there is; nobody's personal data is in it, or in any other span."""
    (span,) = searches(spans)
    assert MAIL not in str([(one.name, one.attributes, one.status.description) for one in spans.all()])
    return span


def said(span: ReadableSpan) -> dict[str, Any]:
    """The attributes without what differs from run to run."""
    varying = {semconv.GUARD_LATENCY_MS, semconv.GUARD_POLICY_HASH, semconv.GUARD_DEGRADED}
    return {name: value for name, value in (span.attributes or {}).items() if name not in varying}
