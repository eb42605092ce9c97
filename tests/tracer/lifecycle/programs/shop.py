"""A web application, once as WSGI and once as ASGI, and one call while it is imported."""

import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from asking import ask, stream  # type: ignore[import-not-found]  # beside this file

if os.environ.get("ASK_AT_IMPORT"):
    ask("import")


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    name = environ["PATH_INFO"].strip("/")
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["QUERY_STRING"] == "stream":
        return (chunk.model_dump_json().encode() for chunk in stream(name))
    return [f"{os.getpid()} {ask(name)}".encode()]


async def asgi(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Awaitable[None]]) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    import asyncio

    said = await asyncio.to_thread(ask, scope["path"].strip("/"))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{os.getpid()} {said}".encode()})
