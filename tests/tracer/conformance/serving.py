"""A server on loopback for the routes of one subject, which behaves as the model's name asks.

Besides the words of `provider_answers` the name may end in one that spoils the answer:

    badjson       200, and JSON that breaks off
    notutf8       200, and bytes that no text is made of
    nobody        200, and nothing
    badframe      a stream whose third frame is none
"""

import asyncio
import email
import itertools
import json
import re
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route as HttpRoute

from spanward.collector.demo.provider_answers import DROP_AFTER, Behaviour, behaviour

from .subject import Json, Route

SPOILED = {
    "badjson": b'{"id": "x", "choices": [{"mess',
    "notutf8": b'{"text": "\xff\xfe\xc3\x28"}',
    "nobody": b"",
}
_SPOILS = re.compile(r"-(badjson|notutf8|nobody|badframe)$")
BAD_FRAME = b'data: {"id": "x", "choi\n\n'
KEPT_S = 60
"""Seconds that an idle connection is kept: longer than by the SDKs' clients (5, as uvicorn's own), which would else
take up again one that is just being closed, and have an error of the connection.
"""
WHOLE_PAUSE_S = 2.0
"""How long a `slow` whole answer takes: far more than any timeout of these tests."""


@dataclass(frozen=True)
class Received:
    """One request as it came, and what its answer is made of."""

    path: str
    query: str
    headers: Mapping[str, str]
    raw: bytes
    route: Route
    body: Json
    how: Behaviour

    def whole(self) -> Json | bytes:
        """The answer as one object, also of a request that was answered by a stream."""
        return self.route.answer(self.body, self.how)

    def has(self, text: str) -> bool:
        """Whether the provider could read `text` anywhere in the request; escapes of JSON hide nothing."""
        readable = json.dumps(self.body, ensure_ascii=False, default=str)
        return text in readable or text.encode() in self.raw or text in self.path or text in self.query


@dataclass(slots=True)
class Fake:
    """The server's state. `received` grows with every request; `clear` empties it."""

    routes: tuple[Route, ...]
    model: str
    address: str = ""
    received: list[Received] = field(default_factory=list)
    _failed: set[bytes] = field(default_factory=set)

    def clear(self) -> None:
        self.received.clear()
        self._failed.clear()

    def last(self) -> Received:
        return self.received[-1]

    def app(self) -> Starlette:
        return Starlette(
            routes=[HttpRoute(route.path, partial(self._answer, route), methods=["POST"]) for route in self.routes]
        )

    async def _answer(self, route: Route, request: Request) -> Response:
        raw = await request.body()
        try:
            body = {**decoded(request.headers.get("content-type", ""), raw), **request.path_params}
        except ValueError:
            return JSONResponse(route.error(400, "The body is not JSON."), 400, route.headers(400))
        model, spoil = spoiled(str(body.get("model", "")))
        how = behaviour(model, self.model)
        self.received.append(
            Received(request.url.path, request.url.query, dict(request.headers), raw, route, body, how)
        )
        if how.error and not self._forgiven(how, raw):
            # its text quotes the prompt, as some providers do: that must not get into a span
            said = f"refused with {how.error}: {json.dumps(body, ensure_ascii=False, default=str)[:2000]}"
            waits = {"retry-after": "1", "retry-after-ms": "20"} if how.error in {429, 529, 503} else {}
            return JSONResponse(route.error(how.error, said), how.error, {**route.headers(how.error), **waits})
        if route.frames and route.streams(body):
            frames = _spoilt_frames(route.frames(body, how)) if spoil == "badframe" else route.frames(body, how)
            return StreamingResponse(_paced(how, frames), 200, route.headers(200), route.media_type)
        if how.pause:
            await asyncio.sleep(WHOLE_PAUSE_S)
        try:
            answered = SPOILED[spoil] if spoil in SPOILED else route.answer(body, how)
        except Exception as error:  # noqa: BLE001  a question that makes no sense, as some tests ask
            return JSONResponse(route.error(500, f"the fake failed: {error!r}"), 500, route.headers(500))
        if isinstance(answered, bytes):
            return Response(answered, 200, {"content-type": "application/json", **route.headers(200)})
        return JSONResponse(answered, 200, route.headers(200))

    def _forgiven(self, how: Behaviour, raw: bytes) -> bool:
        """Whether a call that fails once has failed before."""
        if not how.error_once:
            return False
        if raw in self._failed:
            self._failed.discard(raw)
            return True
        self._failed.add(raw)
        return False


def spoiled(model: str) -> tuple[str, str]:
    """(the name without the word, the word or '')."""
    found = _SPOILS.search(model)
    return (model[: found.start()], found[1]) if found else (model, "")


def decoded(content_type: str, raw: bytes) -> Json:
    """A JSON body, or the fields of a form: text as it is, files as their name and size. Raises ValueError."""
    if not content_type.startswith("multipart/"):
        body = json.loads(raw or b"{}")
        return body if isinstance(body, dict) else {"body": body}
    form = email.message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + raw)
    fields: Json = {}
    for part in form.walk():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            file = part.get_filename()
            fields[name] = payload.decode() if file is None else {"filename": file, "bytes": len(payload)}
    return fields


async def _paced(how: Behaviour, frames: Iterator[str | bytes]) -> AsyncIterator[str | bytes]:
    for sent, frame in enumerate(frames):
        if how.pause:
            await asyncio.sleep(how.pause)
        if "midstream" in how.words and sent == DROP_AFTER:
            raise ConnectionAbortedError("the connection drops here, as the model's name asks")
        yield frame
    if "midstream" in how.words:
        raise ConnectionAbortedError("a stream of few chunks drops at its end")


def _spoilt_frames(frames: Iterator[str | bytes]) -> Iterator[str | bytes]:
    yield from itertools.islice(frames, 2)
    yield BAD_FRAME
    yield from frames


class _Server(uvicorn.Server):
    """Says where it listens as soon as it does."""

    def __init__(self, fake: Fake) -> None:
        super().__init__(
            uvicorn.Config(
                fake.app(), host="127.0.0.1", port=0, log_config=None, log_level="critical", lifespan="off",
                timeout_graceful_shutdown=1, ws="none", server_header=False, date_header=False,
                timeout_keep_alive=KEPT_S,
            )
        )  # fmt: skip
        self.fake = fake
        self.listening = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets=sockets)
        self.fake.address = f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}"
        self.listening.set()


@contextmanager
def served(routes: tuple[Route, ...], model: str) -> Iterator[Fake]:
    """Serve on a free loopback port until the block is left. Raises TimeoutError if nothing listens in ten seconds."""
    fake = Fake(routes, model)
    server = _Server(fake)
    thread = threading.Thread(target=server.run, name="conformance-fake", daemon=True)
    thread.start()
    try:
        if not server.listening.wait(10):
            raise TimeoutError("the fake provider did not start")
        yield fake
    finally:
        server.should_exit = True
        thread.join(10)
