"""Servers on loopback: one that answers as a function says, and one that gives the same to whatever comes."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, NamedTuple

JSON = {"content-type": "application/json"}
Json = dict[str, Any]


class Request(NamedTuple):
    path: str
    headers: "Message[str, str]"
    body: bytes


class Reply(NamedTuple):
    """`missing` bytes of the body are announced and never come."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = JSON
    missing: int = 0


@contextmanager
def serving(answer: Callable[[Request], Reply]) -> Iterator[str]:
    """Its address, until the block is left. A connection ends with its answer: no client has to be closed."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            reply = answer(Request(self.path, self.headers, body))
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body) + reply.missing))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_PUT = do_POST  # noqa: N815  the base class looks for these names

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Server:
    """Gives `reply` to whatever comes, and keeps that."""

    address: str = ""
    reply: Reply = field(default_factory=Reply)
    requests: list[Request] = field(default_factory=list)

    def says(self, said: Any, status: int = 200, headers: Mapping[str, str] = JSON, missing: int = 0) -> None:
        """Bytes as they are, anything else as JSON."""
        self.reply = Reply(said if isinstance(said, bytes) else json.dumps(said).encode(), status, headers, missing)

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.reply

    @property
    def body(self) -> bytes:
        """What came last."""
        return self.requests[-1].body

    @property
    def got(self) -> Json:
        """What came last, decoded."""
        said: Json = json.loads(self.body)
        return said


@contextmanager
def repeating() -> Iterator[Server]:
    """A server that says what the test wants to hear, until the block is left."""
    server = Server()
    with serving(server.answer) as server.address:
        yield server


@contextmanager
def serving_json(answer: Callable[[str, Json], tuple[int, Json]]) -> Iterator[int]:
    """A server's port, until the block is left: (path, decoded body) -> (status, body)."""

    def reply(request: Request) -> Reply:
        status, said = answer(request.path, json.loads(request.body or b"{}"))
        return Reply(json.dumps(said).encode(), status)

    with serving(reply) as address:
        yield int(address.rpartition(":")[2])
