"""The dashboards' routes: JSON under /api, the page everywhere else."""

import functools
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from . import static_files
from .ask import Ask, QueryFailed
from .call import call
from .calls import MOST, order, page
from .facets import facets
from .health import health
from .overview import overview
from .view import BadView, View, read

log = logging.getLogger(__name__)

Answer = dict[str, Any]
Judge = Callable[[], Answer]

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""What models said is shown on these pages: nothing but our own files may run, load or be sent to."""

AT_ONCE = 4
"""Questions to the store at a time: a page that is left open many times must not starve the ingest."""

PAGES = ("/", "/calls", "/calls/{trace}/{span}")


def routes(
    ask: Ask, health_of_sidecar: Judge, *, static: Path = static_files.STATIC, clock: Callable[[], float] = time.time
) -> list[BaseRoute]:
    """`health_of_sidecar` gives what /healthz says; it may block. `clock` gives seconds since 1970."""
    gate = anyio.CapacityLimiter(AT_ONCE)

    def now() -> int:
        return round(clock() * 1000)

    def look(request: Request, *also: str) -> View:
        return read(request.query_params.multi_items(), now(), also=also)

    def get_overview(request: Request) -> Answer:
        return overview(ask, look(request), now())

    def get_calls(request: Request) -> Answer:
        view = look(request, "sort", "cursor", "limit")
        query = request.query_params
        return page(
            ask,
            view,
            order(query.get("sort", "")),
            size=_size(query.get("limit", "100")),
            cursor=query.get("cursor", ""),
        )

    def get_facets(request: Request) -> Answer:
        return facets(ask, look(request, "sort"))

    def get_call(request: Request) -> Answer:
        by = order(request.query_params.get("sort", ""))
        ids = request.path_params
        found = call(ask, ids["trace"], ids["span"], look(request, "sort"), by)
        if found is None:
            raise NotThere("no such call: it was never stored, or its time to live is over")
        return found

    def get_health(_request: Request) -> Answer:
        return health(ask, health_of_sidecar, now())

    def json(judge: Callable[[Request], Answer]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return await anyio.to_thread.run_sync(functools.partial(_answer, judge, request), limiter=gate)

        return answer

    files = static_files.load(static)

    async def get_page(request: Request) -> Response:
        return _served(files["index.html"], request, "no-cache")

    async def get_file(request: Request) -> Response:
        name = "assets/" + request.path_params["name"]
        if name not in files:
            return JSONResponse({"message": "no such file"}, 404, headers=SECURITY)
        return _served(files[name], request, "public, max-age=31536000, immutable")

    return [
        Route("/api/overview", json(get_overview)),
        Route("/api/calls", json(get_calls)),
        Route("/api/calls/{trace}/{span}", json(get_call)),
        Route("/api/facets", json(get_facets)),
        Route("/api/health", json(get_health)),
        Route("/assets/{name}", get_file),
        *(Route(path, get_page) for path in PAGES),
    ]


class NotThere(Exception):  # noqa: N818  a state of the world
    """Nothing is stored under this name."""


def _answer(judge: Callable[[Request], Answer], request: Request) -> Response:
    """The judgement as JSON; what went wrong as `{"message": …}` with a status that fits."""
    try:
        return _json(judge(request), 200)
    except BadView as wrong:
        return _json({"message": str(wrong)}, 400)
    except NotThere as missing:
        return _json({"message": str(missing)}, 404)
    except QueryFailed as failed:
        log.warning("a question of the dashboards failed: %s", failed)
        return _json({"message": f"The store could not answer: {failed}"}, 503)
    except Exception:
        log.exception("the dashboards failed on %s", request.url.path)
        return _json({"message": "Internal error; the sidecar's log says more."}, 500)


def _json(body: Answer, status: int) -> Response:
    return JSONResponse(body, status, headers={**SECURITY, "Cache-Control": "no-store"})


def _served(file: static_files.File, request: Request, cache: str) -> Response:
    headers = {**SECURITY, "Cache-Control": cache, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.gzipped, media_type=file.media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(file.body, media_type=file.media_type, headers=headers)


def _size(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise BadView(f"limit={text!r} is no number from 1 to {MOST}")
    return int(text)
