"""The one port: taken before anything is stored, answered until the end is told, and then left in order."""

import signal
import socket
from collections.abc import Callable
from errno import EADDRINUSE
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from .command import CommandError

GRACE_SECONDS = 5
"""How long requests that run when the end comes may take."""


def listen(host: str, port: int) -> socket.socket:
    """Raises `CommandError`."""
    try:
        family, *_, place = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as problem:
        raise CommandError(f"{host}: {problem.strerror}") from None
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(place)
    except OSError as problem:
        listening.close()
        hint = "; another program uses the port: stop it, or choose another with --port (0 takes a free one)"
        raise CommandError(f"{host}:{port}: {problem.strerror}{hint if problem.errno == EADDRINUSE else ''}") from None
    return listening


def address_of(listening: socket.socket) -> str:
    """Where a program on this machine reaches it."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  recognised, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def web_server(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        workers=1,
        access_log=False,  # addresses of requests hold what people searched for
        log_config=None,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,  # nobody may say on another's behalf where a request comes from
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def listen_until_told(
    config: uvicorn.Config, listening: socket.socket, ready: Callable[[], None], stopping: Callable[[], object] = int
) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called once requests are answered, `stopping` when it ends."""

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            stopping()
            await super().shutdown(sockets)

    server = Announced(config)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # uvicorn raises the signal again when it is done; that one must find us here, or nothing would be put in order
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.run(sockets=[listening])
