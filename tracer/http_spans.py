"""Child spans for the HTTP requests of a model call: each attempt and retry, with its status. No other request."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import wrapt
from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, Tracer, TracerProvider, set_span_in_context
from opentelemetry.util.types import AttributeValue

from . import health
from .spans import SCOPE, inside

URLS = ("http.url", "url.full")
SYNC, ASYNC = "_handle_request_wrapper", "_handle_async_request_wrapper"
INSTRUMENTORS = {"httpx": "HTTPXClientInstrumentor", "httpx2": "HTTPX2ClientInstrumentor"}
"""Of `opentelemetry.instrumentation.httpx`, by module; older versions lack the second."""

_installed: dict[str, Any] = {}


def install(module: str, provider: TracerProvider) -> str:
    """Instrument `httpx` or `httpx2` for our calls. '' or why not."""
    import sys

    from opentelemetry.instrumentation import httpx as instrumentation

    base = getattr(instrumentation, INSTRUMENTORS[module], None)
    if base is None or not hasattr(base, SYNC) or not hasattr(base, ASYNC):
        return "this opentelemetry-instrumentation-httpx does not know it"
    if module in _installed:
        return ""
    if isinstance(vars(sys.modules[module].HTTPTransport)["handle_request"], wrapt.ObjectProxy):
        return "instrumented by the application"
    ours = _subclass(base)()
    ours.instrument(tracer_provider=CallTracerProvider(provider), skip_dep_check=True)
    _installed[module] = (ours, vars(sys.modules[module].HTTPTransport)["handle_request"])
    return ""


def uninstall() -> None:
    """Undo it. Where the application put a wrapper over ours, ours stays, and does nothing outside our calls."""
    import sys

    for module, (ours, wrapper) in list(_installed.items()):
        if vars(sys.modules[module].HTTPTransport)["handle_request"] is wrapper:
            health.fenced("http.uninstall", ours.uninstrument)
            del _installed[module]


def _subclass(base: Any) -> Any:
    """The instrumentor as a class of its own (it is a singleton, which the application may want to use itself)."""

    def handle(wrapped: Any, instance: Any, args: Any, kwargs: Any, **options: Any) -> Any:
        if _quiet():
            return wrapped(*args, **kwargs)
        with _no_context():
            return getattr(base, SYNC)(wrapped, instance, args, kwargs, **options)

    async def handle_async(wrapped: Any, instance: Any, args: Any, kwargs: Any, **options: Any) -> Any:
        if _quiet():
            return await wrapped(*args, **kwargs)
        with _no_context():
            return await getattr(base, ASYNC)(wrapped, instance, args, kwargs, **options)

    return type(
        f"Spanward{base.__name__}",
        (base,),
        {"_instance": None, SYNC: staticmethod(handle), ASYNC: staticmethod(handle_async)},
    )


def _quiet() -> bool:
    return inside.get() is None or bool(context.get_value("suppress_instrumentation"))


@contextmanager
def _no_context() -> Iterator[None]:
    """Nothing to propagate: the instrumentor would send the application's trace context to the model provider."""
    token = context.attach(Context())
    here = context.get_current()
    try:
        yield
    finally:
        if context.get_current() is here:  # not so in a coroutine that is closed from somewhere else
            context.detach(token)


class CallTracerProvider(TracerProvider):
    """Gives tracers whose spans belong to the model call in progress."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def get_tracer(self, *_: Any, **__: Any) -> Tracer:
        return CallTracer(self._provider.get_tracer(SCOPE))


class CallTracer(Tracer):
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(self, name: str, *args: Any, **kwargs: Any) -> Span:
        return self._tracer.start_span(name, *args, **kwargs)

    @contextmanager
    def start_as_current_span(  # type: ignore[override]  # the instrumentor passes these three
        self, name: str, *, kind: Any, attributes: Mapping[str, AttributeValue] | None = None, **_: Any
    ) -> Iterator[Span]:
        """A child of the call. It does not become current, and records no exception: its text may say anything."""
        call = inside.get()
        if call is None or not call.span.is_recording():
            yield NonRecordingSpan(call.span.get_span_context()) if call else _nothing()
            return
        span = self._tracer.start_span(
            name, context=set_span_in_context(call.span, Context()), kind=kind, attributes=clean(attributes or {})
        )
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__qualname__)
            raise
        finally:
            span.end()


def _nothing() -> Span:
    from opentelemetry.trace import INVALID_SPAN

    return INVALID_SPAN


def clean(attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    """Attributes with the URL cut to where it leads: queries and user names may be secrets."""
    return {key: bare(value) if key in URLS and isinstance(value, str) else value for key, value in attributes.items()}


def bare(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
