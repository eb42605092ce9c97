"""The local provider, and the real SDKs pointed at it."""

import gc
import json
from collections.abc import Iterator

import anthropic
import openai
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import spanward
from spanward.collector.demo.provider import Provider, serve_in_thread
from spanward.tracer import semconv

NOBODY = "http://127.0.0.1:9"
"""An address where no sidecar listens."""


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    with serve_in_thread(keep=50) as serving:
        yield serving


@pytest.fixture
def openai_client(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{provider.address}/v1", api_key="demo", max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(provider: Provider) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=provider.address, api_key="demo", max_retries=0) as client:
        yield client


@pytest.fixture(autouse=True)
def untraced() -> None:
    """Here one `instrument()` serves a whole module: loading the guards takes longer than a test."""


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
        gc.collect()
        self._exporter.clear()

    def said(self, span: ReadableSpan, name: str = semconv.OUTPUT_MESSAGES) -> str:
        """All text in a content attribute, in order."""
        messages = json.loads(str((span.attributes or {}).get(name, "[]")))
        return "".join(
            part.get("content") or json.dumps(part.get("arguments", part.get("response", "")))
            for message in messages
            for part in message["parts"]
        )


@pytest.fixture(scope="module")
def instrumented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spans]:
    """`instrument()` with guards in this process and spans in memory, for the tests of one module."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spool = tmp_path_factory.mktemp("spool")
    spanward.instrument(endpoint=NOBODY, guards="local", policy="default", spool=spool, tracer_provider=provider)
    gc.collect()
    gc.freeze()  # each test collects garbage several times, and the guards' models are none
    yield Spans(exporter)
    gc.unfreeze()
    spanward.uninstrument()
    provider.shutdown()


@pytest.fixture
def spans(instrumented: Spans) -> Spans:
    instrumented.clear()
    return instrumented
