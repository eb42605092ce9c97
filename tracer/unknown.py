"""Calls to models by clients that no adapter knows, seen by where a request goes: that they are, and how they went.

Nothing of what they say is recorded, and no guard sees it; of a stream the span ends with the headers of the answer.
Each is counted, so that the health page and `spanward doctor` can say which client wants an adapter.
"""

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry import context
from opentelemetry.trace import SpanKind

from . import context as asking
from . import health, record, semconv
from .call import ModelCall
from .hosts import model_in, model_name, operation_of
from .spans import Inside, finish

if TYPE_CHECKING:
    from .engine import Engine

KIND = "no_adapter"
"""Of the reports, and why nothing of the content is there."""
MOST_JSON = 128 * 1024
"""Bytes: in larger bodies the model's name is not looked for."""


@dataclass(slots=True)
class UnknownCall:
    """A request on its way to a model."""

    engine: "Engine"
    call: ModelCall
    here: Inside

    def end(self, response: Any, error: BaseException | None) -> None:
        call = self.call
        call.ended_ns = time.time_ns()
        status = getattr(response, "status_code", 0) or getattr(response, "status", 0)
        if error is not None:
            call.error, call.error_type = error, type(error).__qualname__
        elif status >= 400:
            call.error_type = str(status)
        if status:
            self.here.span.set_attribute(semconv.HTTP_STATUS, status)
        finish(self.engine.tracer, self.engine.writer, self.here, call, record.closing)
        call.error = None


def begin(engine: "Engine", library: str, request: Any, url: Any) -> UnknownCall | None:
    """The call that this request is, None if it is none. `url` has `host`, `port`, `path` and `scheme`."""
    port = url.port or (443 if url.scheme == "https" else 80)
    provider = engine.hosts.provider(url.host, port)
    operation = operation_of(url.path) if provider and request.method.upper() == "POST" else ""
    if not operation or context.get_value("suppress_instrumentation"):
        return None
    model = model_in(url.path) or _model_of(request)
    call = ModelCall(operation, provider, model, server_address=url.host, server_port=port, content_withheld=KIND)
    scope = asking.current()
    call.session_id, call.user_id, call.user_group = scope.session_id, scope.user_id, scope.user_group
    call.prompt_name, call.prompt_version, call.tags = scope.prompt_name, scope.prompt_version, scope.tags
    call.started_ns = time.time_ns()
    span = engine.tracer.start_span(
        f"{operation} {model or url.host}",
        kind=SpanKind.CLIENT,
        attributes={**record.opening(call), semconv.ADAPTER: "none"},
        start_time=call.started_ns,
    )
    health.count(KIND, f"{_client(library, request)} to {url.host}")
    return UnknownCall(engine, call, Inside(span))


def _client(library: str, request: Any) -> str:
    """The name by which a client introduces itself, with the library that it asks through."""
    product = re.match(r"[A-Za-z][\w.-]{0,39}", str(request.headers.get("user-agent", "")))
    name = product[0] if product else ""
    return library if name.lower() in {"", "python", f"python-{library}", library} else f"{name} ({library})"


def _model_of(request: Any) -> str:
    """The model that a body of JSON names at its top, if it was not too much to read."""
    try:
        body = request.body if hasattr(request, "body") else request.content
        if isinstance(body, (bytes, str)):
            body = json.loads(body) if 0 < len(body) <= MOST_JSON else None
    except (ValueError, RuntimeError):  # no JSON, nested too deep, or a body that is sent as it comes
        return ""
    return model_name(body.get("model") or body.get("model_id")) if isinstance(body, dict) else ""
