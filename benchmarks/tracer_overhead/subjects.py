"""Who is measured: each is set up as its documentation says, with content on, and exports to nothing or to a sink."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cases import MODEL

Kept = list[Any]
"""Spans of the moment, while somebody looks."""


class Sink:
    """Where the spans of every peer go: by the batch to who takes them at `address`; without one they are dropped, or
    kept while `kept` is a list. Ours sends to `address`, or finds nobody there.
    """

    def __init__(self, address: str = "") -> None:
        self.kept: Kept | None = None
        self.address = address
        self.flush: Callable[[], Any] = lambda: None
        """Send what waits, before the clock is stopped."""

    def exporter(self) -> Any:
        from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

        if self.address:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            return OTLPSpanExporter(endpoint=f"{self.address}/v1/traces")
        sink = self

        class Exporter(SpanExporter):
            def export(self, spans: Any) -> SpanExportResult:
                if sink.kept is not None:
                    sink.kept.extend(spans)
                return SpanExportResult.SUCCESS

        return Exporter()

    def processor(self) -> Any:
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

        made = (BatchSpanProcessor if self.address else SimpleSpanProcessor)(self.exporter())
        self.flush = made.force_flush
        return made

    def provider(self) -> Any:
        from opentelemetry.sdk.trace import TracerProvider

        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(self.processor())
        return provider


def raw(_: Sink) -> None:
    """Nothing at all."""


def control(sink: Sink) -> None:
    """OpenTelemetry's SDK, and nothing patched: what is measured here is the error of the measurement."""
    sink.provider().get_tracer("control")


def openinference(sink: Sink) -> None:
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=sink.provider())


def genai_openai(sink: Sink) -> None:
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=sink.provider())


def traceloop(sink: Sink) -> None:
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=sink.provider())


def openlit(sink: Sink) -> None:
    """It fetches its prices when it starts: here from a file."""
    os.environ["OTEL_TRACES_EXPORTER"] = "none"
    from opentelemetry import trace

    trace.set_tracer_provider(sink.provider())
    prices = Path(tempfile.mkdtemp(prefix="overhead-")) / "prices.json"
    prices.write_text(json.dumps({"chat": {MODEL: {"promptPrice": 0.00015, "completionPrice": 0.0006}}}))
    import openlit as library

    library.init(pricing_json=str(prices), capture_message_content=True, disable_metrics=True, disable_events=True)


def logfire(sink: Sink) -> None:
    import logfire as library

    library.configure(send_to_logfire=False, console=False, additional_span_processors=[sink.processor()])
    library.instrument_openai()


def langfuse(sink: Sink) -> None:
    from langfuse import Langfuse
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider(shutdown_on_exit=False)  # it adds a processor of its own
    Langfuse(
        public_key="none", secret_key="none", host="http://127.0.0.1:9",
        tracer_provider=provider, span_exporter=sink.exporter(),
    )  # fmt: skip
    sink.flush = provider.force_flush
    import langfuse.openai  # noqa: F401  patches the library by being imported


def _spanward(guards: str, sink: Sink) -> Any:
    """What `instrument` started."""
    import spanward
    from spanward.tracer import instrument

    os.environ["SPANWARD_SPOOL"] = tempfile.mkdtemp(prefix="overhead-")
    spanward.instrument(endpoint=sink.address or "http://127.0.0.1:9", guards=guards)  # there nobody listens
    running = instrument.running()
    assert running is not None
    if sink.address:
        sink.flush = running.shipper._round  # noqa: SLF001  what its thread does: all that waits is sent
    else:
        running.shipper.stop(0)  # or it tries to, now and then, whoever has the turn
    return running


def spanward_off(sink: Sink) -> None:
    """Guards off: content is judged by nobody, so it is not recorded."""
    _spanward("off", sink)


def spanward_content(sink: Sink) -> None:
    """A guard that lets everything pass, so all content is recorded, as peers record it: judging itself is not ours to
    compare. It answers at once, as ours does where a policy has nothing to look at: in async clients there is no thread
    beside the loop.
    """
    running = _spanward("off", sink)
    from spanward.guards.judgement import Check, Decision
    from spanward.tracer import guarding

    class Everything:
        def check(self, check: Check) -> Decision:
            return Decision(check.messages)

        at_once = check

    running.engine.judge = guarding.Judge(Everything(), guarding.Summary)


def spanward_local(sink: Sink) -> None:
    """Guards in this process, by the policy that is shipped."""
    _spanward("local", sink)


SETUPS: dict[str, Callable[[Sink], None]] = {
    "raw": raw,
    "control": control,
    "spanward, guards off": spanward_off,
    "spanward, content": spanward_content,
    "spanward, guards local": spanward_local,
    "openinference": openinference,
    "genai-openai": genai_openai,
    "traceloop": traceloop,
    "openlit": openlit,
    "logfire": logfire,
    "langfuse": langfuse,
}
