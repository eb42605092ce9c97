"""A server that answers the next request with one recorded answer."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .tape import Exchange


class Player:
    def __init__(self) -> None:
        self.next: Exchange | None = None
        player = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                said = player.next
                assert said is not None
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(said.body)))
                self.end_headers()
                self.wfile.write(said.body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def playing() -> Iterator[Player]:
    player = Player()
    thread = threading.Thread(target=player.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield player
    finally:
        player.server.shutdown()
        thread.join()
        player.server.server_close()
