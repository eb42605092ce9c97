"""The way to the sidecar: plain HTTP from the standard library.

Not by httpx: importing it from a thread of ours, while the application's SDK looks at the half-imported module, breaks
the SDK's call (openai 3 asks `sys.modules` for it on every response).
"""

import http.client
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry import context

from .health import log

SEND_TIMEOUT_S = 10.0
ADVICE = "set SPANWARD_INGEST_KEY, or instrument(key=…), to the one that it was started with"
KEPT = 8
"""Open connections that wait for the next request."""


class Unreachable(OSError):  # noqa: N818  a state of the world, not a mistake
    """Nobody answered at the endpoint, or not in time."""


class KeyRefused(Unreachable):
    """The sidecar asks for a key, and ours is missing or wrong."""


class Sidecar:
    """Connections to `endpoint`, kept open. Safe for threads; `after_fork` for the child of a fork.

    Each request shows `key`, if there is one. A sidecar that refuses it is warned of once.
    """

    def __init__(self, endpoint: str, key: str = "") -> None:
        self.endpoint = endpoint
        self.refused = False
        self._credentials = {"Authorization": f"Bearer {key}"} if key else {}
        self._url = urlsplit(endpoint)
        self._idle: deque[http.client.HTTPConnection] = deque()

    def after_fork(self) -> None:
        """The parent's connections are the parent's: their sockets are closed here, without a word to the server."""
        self.close()

    def post(self, path: str, body: bytes, content_type: str, timeout_s: float = SEND_TIMEOUT_S) -> int:
        """The status of the answer. Raises Unreachable."""
        return self.request("POST", path, body, content_type, timeout_s)[0]

    def request(
        self, method: str, path: str, body: bytes = b"", content_type: str = "", timeout_s: float = SEND_TIMEOUT_S
    ) -> tuple[int, bytes]:
        """Status and body of the answer. `timeout_s` is for each wait on the network, and for the whole body.

        Raises Unreachable, and KeyRefused for a 401.
        """
        headers = {**self._credentials, "Content-Type": content_type} if content_type else self._credentials
        with unseen():
            while True:
                connection, kept = self._connection(timeout_s)
                try:
                    connection.request(method, self._url.path + path, body or None, headers)
                    answer = connection.getresponse()
                    said = _whole(answer, time.monotonic() + timeout_s)
                except (OSError, http.client.HTTPException) as error:
                    connection.close()
                    if kept and not isinstance(error, TimeoutError):
                        continue  # the server had closed it meanwhile: once more, on another
                    raise Unreachable(f"{self.endpoint}: {type(error).__name__}") from error
                self._keep(connection)
                if answer.status == http.client.UNAUTHORIZED:
                    raise self._refusal()
                return answer.status, said

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _refusal(self) -> KeyRefused:
        what = "refuses the key it was shown" if self._credentials else "asks for a key"
        refusal = KeyRefused(f"{self.endpoint} {what}")
        if not self.refused:
            self.refused = True
            log.warning("spanward: the sidecar at %s: %s; until then spans wait in the spool", refusal, ADVICE)
        return refusal

    def _connection(self, timeout_s: float) -> tuple[http.client.HTTPConnection, bool]:
        """A connection, and whether it was kept from before."""
        try:
            connection = self._idle.pop()
        except IndexError:
            kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
            return kind(self._url.hostname or "", self._url.port, timeout=timeout_s), False
        connection.timeout = timeout_s
        if connection.sock is not None:
            connection.sock.settimeout(timeout_s)
        return connection, connection.sock is not None

    def _keep(self, connection: http.client.HTTPConnection) -> None:
        if connection.sock is not None and len(self._idle) < KEPT:
            self._idle.append(connection)
        else:
            connection.close()


def _whole(answer: http.client.HTTPResponse, ends: float) -> bytes:
    """The body. Raises TimeoutError for one that comes by drops."""
    pieces = []
    while piece := answer.read1(65536):
        pieces.append(piece)
        if time.monotonic() > ends:
            raise TimeoutError
    pieces.append(answer.read())  # nothing more, and the connection is free again
    return b"".join(pieces)


@contextmanager
def unseen() -> Iterator[None]:
    """No instrumentation makes spans of what runs in here."""
    silent = context.set_value("suppress_instrumentation", True)  # noqa: FBT003  the value is the flag
    token = context.attach(silent)
    try:
        yield
    finally:
        context.detach(token)
