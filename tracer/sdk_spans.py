"""The way of OpenTelemetry's SDK: for a provider of the application's own, and for what only the SDK can do."""

from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Sampler


class Processor(SpanProcessor):
    """Hands on each span that ended; it holds nothing back itself."""

    def __init__(self, on_end: Callable[[Any], None]) -> None:
        self._on_end = on_end

    def on_end(self, span: ReadableSpan) -> None:
        self._on_end(span)

    def shutdown(self) -> None:
        """The spool outlives the provider."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002  the face of a processor
        return True


def provider(resource: Any, sampler: Sampler | None) -> TracerProvider:
    """As the environment says, but for what is given."""
    return TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
