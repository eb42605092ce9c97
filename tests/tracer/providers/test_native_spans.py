"""anthropic makes spans of its own: nobody sees a call twice, and nobody loses what was theirs."""

from pathlib import Path
from typing import Any

import anthropic
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import spanward
from spanward.collector.demo.provider import Provider

pytestmark = pytest.mark.skipif(
    not hasattr(anthropic._base_client.BaseClient, "_tracer"), reason="this anthropic makes no spans of its own"
)
NATIVE = "com.anthropic.sdk.python"
COUNTED = {"spanward chat claude-haiku-4-5": 3, "spanward count_tokens claude-haiku-4-5": 1}
ASKED: Any = [{"role": "user", "content": "How long does it take?"}]


def in_memory() -> tuple[TracerProvider, InMemorySpanExporter]:
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


def use(provider: Provider, theirs: TracerProvider) -> None:
    """A whole call, a stream, a helper, and a count of tokens."""
    telemetry: Any = {"tracer_provider": theirs}
    with anthropic.Anthropic(base_url=provider.address, api_key="demo", open_telemetry=telemetry) as client:
        client.messages.create(model="claude-haiku-4-5", messages=ASKED, max_tokens=9)
        list(client.messages.create(model="claude-haiku-4-5", messages=ASKED, max_tokens=9, stream=True))
        with client.messages.stream(model="claude-haiku-4-5", messages=ASKED, max_tokens=9) as stream:
            stream.until_done()
        client.messages.count_tokens(model="claude-haiku-4-5", messages=ASKED)


@pytest.fixture(autouse=True)
def ended() -> Any:
    yield
    spanward.uninstrument()


def counted(exporter: InMemorySpanExporter) -> dict[str, int]:
    found: dict[str, int] = {}
    for span in exporter.get_finished_spans():
        if span.name != "POST" and span.instrumentation_scope:
            key = f"{span.instrumentation_scope.name} {span.name}"
            found[key] = found.get(key, 0) + 1
    return found


def test_in_one_provider_a_call_is_one_span(provider: Provider, tmp_path: Path) -> None:
    both, exporter = in_memory()
    spanward.instrument(endpoint="http://127.0.0.1:9", guards="off", spool=tmp_path, tracer_provider=both)
    use(provider, both)
    assert counted(exporter) == COUNTED


def test_an_application_s_own_provider_keeps_the_native_spans(provider: Provider, tmp_path: Path) -> None:
    ours, our_spans = in_memory()
    theirs, their_spans = in_memory()
    spanward.instrument(endpoint="http://127.0.0.1:9", guards="off", spool=tmp_path, tracer_provider=ours)
    use(provider, theirs)
    assert counted(our_spans) == COUNTED
    assert counted(their_spans) == {
        f"{NATIVE} anthropic.messages.create": 3,
        f"{NATIVE} anthropic.messages.count_tokens": 1,
    }


def test_uninstrument_gives_the_native_spans_back(provider: Provider, tmp_path: Path) -> None:
    both, exporter = in_memory()
    spanward.instrument(endpoint="http://127.0.0.1:9", guards="off", spool=tmp_path, tracer_provider=both)
    spanward.uninstrument()
    use(provider, both)
    assert counted(exporter) == {
        f"{NATIVE} anthropic.messages.create": 3,
        f"{NATIVE} anthropic.messages.count_tokens": 1,
    }
