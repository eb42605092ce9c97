"""The way to the sidecar: HTTP that no instrumentation of the application sees."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry import context

if TYPE_CHECKING:
    import httpx

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SEND_TIMEOUT_S = 10.0


class Unreachable(OSError):  # noqa: N818  a state of the world, not a mistake
    """Nobody answered at the endpoint, or not in time."""


class Sidecar:
    """One pool of connections to `endpoint`. Safe for threads; `after_fork` for the child of a fork."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.after_fork()

    def after_fork(self) -> None:
        self._mutex = threading.Lock()
        self._client: httpx.Client | None = None

    def post(self, path: str, body: bytes, content_type: str, timeout_s: float = SEND_TIMEOUT_S) -> int:
        """The status of the answer. Raises Unreachable."""
        return self.request("POST", path, body, content_type, timeout_s)[0]

    def request(
        self, method: str, path: str, body: bytes = b"", content_type: str = "", timeout_s: float = SEND_TIMEOUT_S
    ) -> tuple[int, bytes]:
        """Status and body of the answer. Raises Unreachable."""
        import httpx

        headers = {"content-type": content_type} if content_type else {}
        with unseen():
            try:
                answer = self._pool().request(method, path, content=body, headers=headers, timeout=timeout_s)
            except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:  # RuntimeError: closed meanwhile
                raise Unreachable(f"{self.endpoint}: {type(error).__name__}") from error
        return answer.status_code, answer.content

    def close(self) -> None:
        with self._mutex:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _pool(self) -> "httpx.Client":
        if self._client is None:
            import httpx

            with self._mutex:
                if self._client is None:
                    local = urlsplit(self.endpoint).hostname in LOOPBACK
                    self._client = httpx.Client(base_url=self.endpoint, trust_env=not local)
        return self._client


@contextmanager
def unseen() -> Iterator[None]:
    """No instrumentation makes spans of what runs in here."""
    silent = context.set_value("suppress_instrumentation", True)  # noqa: FBT003  the value is the flag
    token = context.attach(silent)
    try:
        yield
    finally:
        context.detach(token)
