"""One `instrument()` for many tests, with guards in this process and spans in memory.

The three fixtures at the end are for the `conftest.py` of a folder whose tests share one.
"""

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import spanward
from spanward.tracer import semconv

from .conftest import NOWHERE


class Spans:
    """The spans that our tracer finished, without those of the HTTP client and of single rules."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def all(self) -> list[ReadableSpan]:
        gc.collect()
        return list(self._exporter.get_finished_spans())

    def calls(self) -> list[ReadableSpan]:
        return [
            span for span in self.all() if (span.attributes or {}).get(semconv.OPERATION) in semconv.MODEL_OPERATIONS
        ]

    def one(self) -> ReadableSpan:
        """The only model call there is."""
        (span,) = self.calls()
        return span

    def clear(self) -> None:
        """What is alive now is not looked at again: the next collections, several a test, cost next to nothing."""
        gc.collect()
        gc.freeze()
        self._exporter.clear()

    def said(self, span: ReadableSpan, name: str = semconv.OUTPUT_MESSAGES) -> str:
        """All text in a content attribute, in order."""
        messages = json.loads(str((span.attributes or {}).get(name, "[]")))
        return "".join(
            part.get("content") or json.dumps(part.get("arguments", part.get("response", "")))
            for message in messages
            for part in message["parts"]
        )


@contextmanager
def traced(spool: Path, **settings: Any) -> Iterator[Spans]:
    """Instrumented until the block is left; `settings` are arguments of `instrument()`."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    given: dict[str, Any] = {"endpoint": NOWHERE, "guards": "local", "policy": "default", "spool": spool, **settings}
    spanward.instrument(tracer_provider=provider, **given)
    try:
        yield Spans(exporter)
    finally:
        gc.unfreeze()
        spanward.uninstrument()
        provider.shutdown()


@pytest.fixture(autouse=True)
def untraced() -> None:
    """Here one `instrument()` serves a whole module: loading the guards takes longer than a test."""


@pytest.fixture(scope="module")
def instrumented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spans]:
    """`instrument()` with guards in this process and spans in memory, for the tests of one module."""
    with traced(tmp_path_factory.mktemp("spool")) as spans:
        yield spans


@pytest.fixture
def spans(instrumented: Spans) -> Spans:
    """What was told since this test began."""
    instrumented.clear()
    return instrumented
