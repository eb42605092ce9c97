"""Who is measured: each is set up as its documentation says, with content on and an exporter that drops everything."""

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
    """The exporter of every peer: drops spans, or keeps them while `kept` is a list."""

    def __init__(self) -> None:
        self.kept: Kept | None = None

    def processor(self) -> Any:
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

        sink = self

        class Exporter(SpanExporter):
            def export(self, spans: Any) -> SpanExportResult:
                if sink.kept is not None:
                    sink.kept.extend(spans)
                return SpanExportResult.SUCCESS

        self.exporter = Exporter()
        return SimpleSpanProcessor(self.exporter)

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

    provider = sink.provider()
    Langfuse(
        public_key="none", secret_key="none", host="http://127.0.0.1:9",
        tracer_provider=provider, span_exporter=sink.exporter,
    )  # fmt: skip
    import langfuse.openai  # noqa: F401  patches the library by being imported


def _spanward(guards: str) -> None:
    import spanward

    os.environ["SPANWARD_SPOOL"] = tempfile.mkdtemp(prefix="overhead-")
    spanward.instrument(endpoint="http://127.0.0.1:9", guards=guards)  # nothing listens there


def spanward_off(_: Sink) -> None:
    """Guards off: content is judged by nobody, so it is not recorded."""
    _spanward("off")


def spanward_content(_: Sink) -> None:
    """All content is recorded and nobody judges it, as peers do: no setting of ours, only comparable."""
    _spanward("off")
    from spanward.tracer import run

    run.withheld = lambda _: ""


def spanward_passing(_: Sink) -> None:
    """A guard that lets everything pass: what judging costs before anybody judges, the thread beside a loop, too."""
    _spanward("off")
    from spanward.guards.judgement import Check, Decision
    from spanward.tracer import guarding, instrument

    class Everything:
        def check(self, check: Check) -> Decision:
            return Decision(check.messages)

    running = instrument.running()
    assert running is not None
    running.engine.judge = guarding.Judge(Everything(), guarding.Summary)


def spanward_local(_: Sink) -> None:
    """Guards in this process, by the policy that is shipped."""
    _spanward("local")


SETUPS: dict[str, Callable[[Sink], None]] = {
    "raw": raw,
    "control": control,
    "spanward, guards off": spanward_off,
    "spanward, content": spanward_content,
    "spanward, passing guard": spanward_passing,
    "spanward, guards local": spanward_local,
    "openinference": openinference,
    "genai-openai": genai_openai,
    "traceloop": traceloop,
    "openlit": openlit,
    "logfire": logfire,
    "langfuse": langfuse,
}
