"""Child spans for the HTTP requests of a model call: each attempt and retry, with its status.

Of all other requests only those to a server of models are told (`unknown`); the others cost a look at their host.

OpenTelemetry's own instrumentation of httpx is not used: it reads and copies every header of every request (more
function calls than all the rest of what we do), sends the application's trace context to the model's provider, and is
a singleton that the application may want for itself.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from opentelemetry.context import Context, get_current
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from . import health, semconv
from .encode import Alike
from .own_tracer import NO_STATE, OwnSpan
from .spans import Inside, inside

if TYPE_CHECKING:
    from .engine import Engine
    from .unknown import UnknownCall

_HTTPX = (("HTTPTransport", "handle_request"), ("AsyncHTTPTransport", "handle_async_request"))
METHODS = {
    "httpx": _HTTPX,
    "httpx2": _HTTPX,
    "botocore.httpsession": (("URLLib3Session", "send"),),
    "requests.adapters": (("HTTPAdapter", "send"),),
    "aiohttp.client": (("ClientSession", "_request"),),
}
"""Module -> (class, method) of transports: the method gets a request and gives its response."""
ASYNC = {"handle_async_request", "_request"}
"""Methods that are awaited."""

Wrapper = Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]


def wrapper(engine: "Engine", library: str, *, is_async: bool, attempts: bool = True) -> Wrapper:
    """A wrapper for wrapt around a transport's method, which takes a request and gives a response.

    Without `attempts` somebody else makes spans of the requests, and ours are left out.
    """

    def attempt(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = inside.get()
        begun = begin(engine, library, call, args, attempts=attempts)
        if begun is None:
            return wrapped(*args, **kwargs)
        try:
            response = wrapped(*args, **kwargs)
        except BaseException as error:
            health.fenced("http", end, engine, call, args[0], begun, None, error)
            raise
        health.fenced("http", end, engine, call, args[0], begun, response, None)
        return response

    async def attempt_async(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        told = args if library != "aiohttp" else _told(instance, args, kwargs)
        call = inside.get()
        begun = begin(engine, library, call, told, attempts=attempts)
        if begun is None:
            return await wrapped(*args, **kwargs)
        try:
            response = await wrapped(*args, **kwargs)
        except BaseException as error:
            health.fenced("http", end, engine, call, told[0], begun, None, error)
            raise
        health.fenced("http", end, engine, call, told[0], begun, response, None)
        return response

    return attempt_async if is_async else attempt


def begin(
    engine: "Engine", library: str, call: Inside | None, args: tuple[Any, ...], *, attempts: bool
) -> "int | UnknownCall | None":
    """What this request is: part of a model call (then when it began), a call by a client that we do not know, or
    (None) nothing to us.
    """
    if not args:
        return None
    if call is None:
        try:
            url = args[0].url
            rules = engine.hosts.rules(url.split("/", 3)[2] if type(url) is str else url.host)
        except Exception:  # noqa: BLE001  whatever it is, it is no request to a server of models
            return None
        return health.fenced("unknown", _unknown, engine, library, args[0]) if rules and engine.active else None
    if not attempts or not call.span.is_recording() or get_current().get("suppress_instrumentation"):
        return None
    return time.time_ns()


class _Told(NamedTuple):
    """What `ClientSession._request` of aiohttp is given."""

    method: str
    url: Any
    headers: Any
    body: Any


def _told(session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[_Told, ...]:
    if len(args) < 2:
        return ()
    body = kwargs.get("json") if kwargs.get("data") is None else kwargs["data"]
    url = args[1] if session._base_url is None else session._build_url(args[1])  # noqa: SLF001  it has no other
    return (_Told(str(args[0]), url, kwargs.get("headers") or session.headers, body),)


def _unknown(engine: "Engine", library: str, request: Any) -> "UnknownCall | None":
    from . import unknown

    return unknown.begin(engine, library, request, _address(request))


class _Split:
    """An address that is a string, read as httpx gives it."""

    def __init__(self, url: str) -> None:
        found = urlsplit(url)
        self.scheme, self.host, self.port, self.path = found.scheme, found.hostname or "", found.port, found.path


def _address(request: Any) -> Any:
    return request.url if not isinstance(request.url, str) else _Split(request.url)


def _place(url: Any) -> tuple[Any, ...]:
    """Where a request goes, without query and user; of httpx by what its URL was parsed to, whose properties cost more
    than all the rest.
    """
    if (parsed := getattr(url, "_uri_reference", None)) is not None:
        return parsed.scheme, parsed.host, parsed.port, parsed.path
    if isinstance(url, str):
        url = _Split(url)
    return url.scheme, url.host, url.port, url.path


MOST_ALIKE = 200
"""So many addresses are remembered with the span of a request that went well. An adapter's are a few."""
_alike: dict[tuple[Any, ...], Alike] = {}


def end(
    engine: "Engine", call: Inside | None, request: Any, begun: "int | UnknownCall", response: Any, error: Any
) -> None:
    """It was answered, or failed."""
    if call is None or not isinstance(begun, int):
        begun.end(response, error)  # type: ignore[union-attr]  # without a call around it, it is one that we do not know
        return
    status = getattr(response, "status_code", 0)
    # the first request of a call, as nearly all are, is a few bytes around its ids
    span, key = call.span, None
    if call.attempts == 0 and error is None and type(span) is OwnSpan and span.state is NO_STATE:
        key = request.method, status, *_place(request.url)
        if (alike := _alike.get(key)) is not None:
            call.attempts = 1
            call.encoded.append(alike.encoded(span, begun, time.time_ns()))
            return
    failed = type(error).__qualname__ if error is not None else str(status) if status >= 400 else ""
    made = _told_whole(engine.tracer, call, request, begun, status, failed)
    if key is not None and not failed and len(_alike) < MOST_ALIKE and isinstance(made, OwnSpan):
        _alike[key] = Alike(made)


def _told_whole(tracer: Tracer, call: Inside, request: Any, started_ns: int, status: int, failed: str) -> Span:
    url = _address(request)
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
    made = tracer.start_span(
        request.method,
        context=set_span_in_context(call.span, Context()),
        kind=SpanKind.CLIENT,
        attributes={key: value for key, value in attributes.items() if value},
        start_time=started_ns,
    )
    if failed:
        made.set_status(Status(StatusCode.ERROR))
    made.end()
    return made
