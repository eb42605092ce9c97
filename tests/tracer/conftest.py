"""A made-up library to trace, a sidecar on loopback that does as it is told, and spans read back from the spool."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import spanward
from spanward.collector.demo.provider import Provider, serve_in_thread
from spanward.guards import wire
from spanward.guards.judgement import Check, Decision
from spanward.tracer import health, registry, segment

NOWHERE = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""


@pytest.fixture(autouse=True)
def untraced() -> Iterator[None]:
    """Every test begins and ends without us, and with nothing counted."""
    yield
    spanward.uninstrument()
    health.after_fork()


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """The local provider of OpenAI's and Anthropic's calls."""
    with serve_in_thread(keep=50) as serving:
        yield serving


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The made-up library, known to the registry."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "library"))
    monkeypatch.setitem(registry.ADAPTERS, "tinylib", "tinylib_adapter:ADAPTER")
    import tinylib  # type: ignore[import-not-found]  # on the path since a moment ago
    import tinylib_adapter  # type: ignore[import-not-found]  # as above

    tinylib.calls.clear()
    tinylib_adapter.broken.clear()
    return tinylib


@dataclass
class Sidecar:
    """`decide` answers checks (None: HTTP 503); `refusals` are statuses for the next bodies, before
    `status`: 503 unless a test says otherwise, so that spans stay in the spool and can be read there."""

    url: str = ""
    decide: Callable[[Check], Decision | None] = lambda check: Decision(check.messages)
    policy: dict[str, Any] = field(
        default_factory=lambda: {"name": "p", "hash": "h", "on_error": "block", "timeout_ms": 500}
    )
    refusals: list[int] = field(default_factory=list)
    status: int = 503
    checks: list[Check] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, number: int, timeout: float = 10) -> list[bytes]:
        """The bodies that came, once there are so many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.bodies) >= number, timeout), len(self.bodies)
            return list(self.bodies)


@pytest.fixture
def sidecar() -> Iterator[Sidecar]:
    told = Sidecar()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class says so
            pass

        def do_GET(self) -> None:
            self._answer(200, json.dumps(told.policy).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            told.headers.append(dict(self.headers))
            if self.path == "/v1/guard/check":
                check = wire.check_from_json(json.loads(body))
                told.checks.append(check)
                decision = told.decide(check)
                said = b"{}" if decision is None else json.dumps(wire.decision_to_json(decision)).encode()
                self._answer(503 if decision is None else 200, said)
                return
            with told.arrived:
                told.bodies.append(body)
                told.arrived.notify_all()
            self._answer(told.refusals.pop(0) if told.refusals else told.status, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield told
    spanward.uninstrument()
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True)
class Seen:
    """A span as it was stored."""

    name: str
    attributes: dict[str, Any]
    status: int
    said: str
    kind: int
    span_id: str
    parent_id: str
    trace_id: str
    events: int
    times: tuple[int, int]
    resource: dict[str, Any]


def spans_of(body: bytes) -> list[Seen]:
    """The spans of one request body."""
    return [
        Seen(
            span.name,
            {a.key: _value(a.value) for a in span.attributes},
            span.status.code,
            span.status.message,
            span.kind,
            span.span_id.hex(),
            span.parent_span_id.hex(),
            span.trace_id.hex(),
            len(span.events),
            (span.start_time_unix_nano, span.end_time_unix_nano),
            {a.key: _value(a.value) for a in resource.resource.attributes},
        )
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind)


class Spooled:
    """The spans that wait in a folder. A frame is a call with what belongs to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def bytes(self) -> bytes:
        while True:
            files = sorted(p for p in self.folder.glob("*") if p.suffix in {".open", ".seg", ".bad"})
            try:
                return b"".join(path.read_bytes() for path in files)
            except FileNotFoundError:
                continue  # closed and renamed in between

    @property
    def frames(self) -> list[list[Seen]]:
        return [spans_of(body) for body in segment.bodies(self.bytes)]

    @property
    def all(self) -> list[Seen]:
        return [span for frame in self.frames for span in frame]

    @property
    def calls(self) -> list[Seen]:
        return [span for span in self.all if "gen_ai.request.model" in span.attributes]

    @property
    def reports(self) -> dict[tuple[str, str], int]:
        found = [span.attributes for span in self.all if span.name == "spanward.report"]
        return {(a["spanward.report.kind"], a["spanward.report.reason"]): a["spanward.report.count"] for a in found}

    def one(self) -> Seen:
        (call,) = self.calls
        return call


@pytest.fixture
def spooled(tmp_path: Path) -> Spooled:
    return Spooled(tmp_path / "spool")


@pytest.fixture
def trace(tiny: Any, spooled: Spooled) -> Callable[..., Any]:
    """Instrument for this test: nothing listens and guards are off, unless it says otherwise. Gives the library."""

    def start(**settings: Any) -> Any:
        spanward.instrument(**{"guards": "off", "endpoint": NOWHERE, "spool": spooled.folder, **settings})
        return tiny

    return start


SAID = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "mail ada@example.com"}]
