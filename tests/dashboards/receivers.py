"""Real receivers on loopback: HTTP for webhooks and Slack, SMTP for mail."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Inbox:
    """What came in: (path, headers, body). `status` is what is answered."""

    url: str = ""
    status: int = 200
    location: str = ""
    came: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def web(port: int = 0) -> Iterator[Inbox]:
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.came.append((self.path, dict(self.headers), body))
            self.send_response(inbox.status)
            if inbox.location:
                self.send_header("Location", inbox.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    inbox.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield inbox
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@dataclass
class Mails:
    """What came in, what was said to log in, and whether each mail came over TLS."""

    port: int = 0
    came: list[Any] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    sealed: list[bool] = field(default_factory=list)

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  its name
        self.came.append(envelope)
        self.sealed.append(server.transport.get_extra_info("cipher") is not None)
        return "250 OK"

    def login(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, said: Any) -> AuthResult:
        self.logins.append((said.login, said.password))
        return AuthResult(success=True)


@contextmanager
def mail(starttls: ssl.SSLContext | None = None, *, logins: bool = False) -> Iterator[Mails]:
    """Without `starttls` it offers none; with `logins` it takes any password, in the clear too."""
    mails = Mails()
    mails.port = free_port()
    how: dict[str, Any] = {"authenticator": mails.login, "auth_require_tls": False} if logins else {}
    controller = Controller(mails, hostname="127.0.0.1", port=mails.port, tls_context=starttls, **how)
    controller.start()
    try:
        yield mails
    finally:
        controller.stop()


@contextmanager
def dripping() -> Iterator[int]:
    """A port where every answer begins and never ends: a byte now and then, until the other side hangs up."""
    ended = threading.Event()

    def drip() -> None:
        with suppress(OSError), server.accept()[0] as connection:
            while not ended.wait(0.02):
                connection.sendall(b"2")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            thread.join(5)
