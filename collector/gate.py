"""What every request passes first: who may ask at all, how much they may send, and that no failure tells content."""

import asyncio
import base64
import binascii
import hmac
import ipaddress
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

log = logging.getLogger(__name__)
BODY_PAUSE_SECONDS = 30.0
"""How long a sender may pause in the middle of a body; what came of it takes up memory meanwhile."""


def is_loopback(host: str) -> bool:
    """Whether a bare host name or address means this machine only."""
    try:
        return host.lower().rstrip(".") == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The one form of every error answer: `{"message": …}`."""
    return JSONResponse({"message": message}, status, headers)


async def _told(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return refusal(problem.status_code, problem.detail, problem.headers)


async def _failed(_request: Request, _problem: Exception) -> Response:
    return refusal(500, "Spanward failed; its log says where")


ANSWERS: Mapping[Any, ExceptionHandler] = {HTTPException: _told, Exception: _failed}
"""How errors that routes raise are told; for Starlette."""


@dataclass(frozen=True, slots=True)
class Gate:
    """ASGI middleware around the whole application.

    `loopback`: bound to this machine only, so a request that names another host was sent here by a foreign page
    (DNS rebinding). `key`: empty means that no key is asked for; `knows` tells further keys. `body_bytes` bounds every
    request body as sent.
    """

    app: ASGIApp
    loopback: bool
    key: str
    body_bytes: int
    knows: Callable[[str], bool] = lambda _: False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def counted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        refused = self._refused(scope["method"], Headers(scope=scope))
        if refused:
            await refused(scope, receive, send)
            return
        try:
            await self.app(scope, _bounded(receive, self.body_bytes), counted)
        except asyncio.CancelledError:  # the sidecar ends, and has waited long enough
            if not started:
                await refusal(503, "the sidecar ends; send it again", {"Retry-After": "5"})(scope, receive, send)
        except Exception as failure:  # noqa: BLE001  the text of a failure may quote content: only its place is logged
            log.error("%s %s failed: %s", scope["method"], scope["path"], place_of(failure))  # noqa: TRY400  ditto
            if not started:
                await refusal(500, "Spanward failed; its log says where")(scope, receive, send)

    def _refused(self, method: str, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if self.loopback and not is_loopback(_name_of(host)):
            return refusal(403, "this sidecar answers only to localhost; the Host header names another machine")
        origin = headers.get("origin")
        if method not in ("GET", "HEAD") and origin is not None and origin.partition("://")[2] != host:
            return refusal(403, "the request comes from a page of another origin")
        shown = shown_key(headers.get("authorization", "")) if self.key else ""
        if self.key and not hmac.compare_digest(shown.encode(), self.key.encode()) and not self.knows(shown):
            challenge = {"WWW-Authenticate": 'Basic realm="spanward"'}
            return refusal(401, "send the key as `Authorization: Bearer …`, or as the password of any user", challenge)
        if int(headers.get("content-length") or 0) > self.body_bytes:
            return _too_large(self.body_bytes)
        return None


def place_of(failure: BaseException) -> str:
    """The type of a failure and the lines it came through: enough to find it, and nothing that it says."""
    lines = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in traceback.extract_tb(failure.__traceback__)
    ]
    return f"{type(failure).__name__} at {' > '.join(lines[-6:]) or 'an unknown place'}"


def _name_of(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def shown_key(authorization: str) -> str:
    """The key in an `Authorization` header: a bearer token, or the password of any user; empty for none."""
    scheme, _, value = authorization.partition(" ")
    shown = value.strip()
    if scheme.lower() == "bearer":
        return shown
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(shown, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _too_large(limit: int) -> Response:
    return refusal(413, f"the body is larger than {limit} bytes; send fewer spans at a time")


def _bounded(receive: Receive, limit: int) -> Receive:
    """A body of unknown length is counted as it comes. After it only the sender's leaving can come: no hurry."""
    received = 0
    whole = False

    async def bounded() -> Message:
        nonlocal received, whole
        if whole:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), BODY_PAUSE_SECONDS)
        except TimeoutError:
            raise HTTPException(408, f"nothing of the body came for {BODY_PAUSE_SECONDS:.0f} s") from None
        received += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if received > limit:
            raise HTTPException(413, f"the body is larger than {limit} bytes; send fewer spans at a time")
        return message

    return bounded
