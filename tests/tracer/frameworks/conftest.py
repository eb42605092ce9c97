"""The local provider, real frameworks over the real SDKs that are pointed at it, and the tree of spans they leave."""

import time
from typing import Any

import pytest

from spanward.collector.demo.provider import Provider
from spanward.tracer import instrument, semconv

from ..inmemory import Spans, instrumented, untraced

__all__ = ["instrumented", "untraced"]

MAIL = "ada@example.com"
PLACEHOLDER = "<EMAIL_ADDRESS_1>"


@pytest.fixture
def spans(instrumented: Spans, provider: Provider) -> Spans:
    instrumented.clear()
    provider.clear()
    return instrumented


def tree(spans: Spans) -> list[tuple[str, str]]:
    """(name, parent's name) of each span, in the order they began, without HTTP requests and single rules.

    '?' is a parent that was never told. All of it is one trace.
    """
    settle()
    told = [span for span in spans.all() if semconv.OPERATION in (span.attributes or {})]
    told = [span for span in told if span.name != semconv.RUN_GUARDRAIL]
    names: dict[Any, str] = {span.context.span_id: span.name for span in told}
    assert len({span.context.trace_id for span in told}) <= 1, "not one trace"
    told.sort(key=lambda span: span.start_time or 0)
    return [(span.name, names.get(span.parent.span_id, "?") if span.parent else "") for span in told]


def settle() -> None:
    """Until what ended on an event loop was judged."""
    running = instrument.running()
    assert running is not None
    deadline = time.monotonic() + 10
    while running.engine.operations.waiting:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def nothing_leaked(spans: Spans, *secrets: str) -> None:
    """No span says any of these anywhere."""
    everything = "".join(f"{span.name} {dict(span.attributes or {})} {span.status.description}" for span in spans.all())
    assert not [secret for secret in (MAIL, *secrets) if secret in everything]
