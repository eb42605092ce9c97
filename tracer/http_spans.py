"""Child spans for the HTTP requests of a model call: each attempt and retry, with its status. No other request.

OpenTelemetry's own instrumentation of httpx is not used: it reads and copies every header of every request (more
function calls than all the rest of what we do), sends the application's trace context to the model's provider, and is
a singleton that the application may want for itself.
"""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context

from . import health, semconv
from .spans import Inside, inside

_HTTPX = (("HTTPTransport", "handle_request"), ("AsyncHTTPTransport", "handle_async_request"))
METHODS = {
    "httpx": _HTTPX,
    "httpx2": _HTTPX,
    "botocore.httpsession": (("URLLib3Session", "send"),),
    "requests.adapters": (("HTTPAdapter", "send"),),
}
"""Module -> (class, method) of transports: the method gets a request and gives its response."""

Wrapper = Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]


def wrapper(tracer: Tracer, *, is_async: bool) -> Wrapper:
    """A wrapper for wrapt around a transport's method, which takes a request and gives a response."""

    def attempt(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        begun = begin(args)
        try:
            response = wrapped(*args, **kwargs)
        except BaseException as error:
            end(tracer, begun, error=error)
            raise
        end(tracer, begun, response)
        return response

    async def attempt_async(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        begun = begin(args)
        try:
            response = await wrapped(*args, **kwargs)
        except BaseException as error:
            end(tracer, begun, error=error)
            raise
        end(tracer, begun, response)
        return response

    return attempt_async if is_async else attempt


def begin(args: tuple[Any, ...]) -> tuple[Inside, Any, int] | None:
    """The model call that this request is part of, the request, and the time; None if it is part of none."""
    call = inside.get()
    if call is None or not args or not call.span.is_recording() or context.get_value("suppress_instrumentation"):
        return None
    return call, args[0], time.time_ns()


def end(tracer: Tracer, begun: tuple[Inside, Any, int] | None, response: Any = None, error: Any = None) -> None:
    if begun is not None:
        health.fenced("http", _write, tracer, *begun, response, error)


class _Split:
    """An address that is a string, read as httpx gives it."""

    def __init__(self, url: str) -> None:
        found = urlsplit(url)
        self.scheme, self.host, self.port, self.path = found.scheme, found.hostname or "", found.port, found.path


def _write(tracer: Tracer, call: Inside, request: Any, started_ns: int, response: Any, error: Any) -> None:
    url = request.url if not isinstance(request.url, str) else _Split(request.url)
    status = getattr(response, "status_code", 0)
    failed = type(error).__qualname__ if error is not None else str(status) if status >= 400 else ""
    # without query and user: they may be secrets
    attributes = {
        semconv.HTTP_METHOD: request.method,
        semconv.URL: f"{url.scheme}://{url.host}{f':{url.port}' if url.port else ''}{url.path}",
        semconv.SERVER_ADDRESS: url.host,
        semconv.SERVER_PORT: url.port or (443 if url.scheme == "https" else 80),
        semconv.HTTP_STATUS: status,
        semconv.HTTP_RESEND_COUNT: call.attempts,
        semconv.ERROR_TYPE: failed,
    }
    call.attempts += 1
    span = tracer.start_span(
        request.method,
        context=set_span_in_context(call.span, Context()),
        kind=SpanKind.CLIENT,
        attributes={key: value for key, value in attributes.items() if value},
        start_time=started_ns,
    )
    if failed:
        span.set_status(Status(StatusCode.ERROR))
    span.end()
