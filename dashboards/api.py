"""The dashboards' routes: JSON under /api, the page everywhere else."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from . import static_files
from .ask import Ask, QueryFailed
from .call import call, said
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

KEEP = "public, max-age=31536000, immutable"
PAGES = ("/", "/calls", "/calls/{trace}/{span}")


@dataclass(frozen=True, slots=True)
class Questions:
    """What each address under /api asks; blocking. `sidecar` gives what /healthz says, `clock` seconds since 1970."""

    ask: Ask
    sidecar: Judge
    clock: Callable[[], float]

    def overview(self, request: Request) -> Answer:
        return overview(self.ask, self._view(request), self._now())

    def calls(self, request: Request) -> Answer:
        view = self._view(request, "sort", "cursor", "limit")
        query = request.query_params
        size = _size(query.get("limit", "100"))
        return page(self.ask, view, order(query.get("sort", "")), size=size, cursor=query.get("cursor", ""))

    def facets(self, request: Request) -> Answer:
        return facets(self.ask, self._view(request, "sort"))

    def call(self, request: Request) -> Answer:
        by = order(request.query_params.get("sort", ""))
        ids = request.path_params
        found = call(self.ask, ids["trace"], ids["span"], self._view(request, "sort"), by)
        if found is None:
            raise NotThere("no such call: it was never stored, or its time to live is over")
        return found

    def said(self, request: Request) -> Answer:
        return said(self.ask, request.path_params["trace"], request.path_params["span"])

    def health(self, _request: Request) -> Answer:
        return health(self.ask, self.sidecar, self._now())

    def _now(self) -> int:
        return round(self.clock() * 1000)

    def _view(self, request: Request, *also: str) -> View:
        return read(request.query_params.multi_items(), self._now(), also=also)


def routes(
    ask: Ask, sidecar: Judge, *, static: Path = static_files.STATIC, clock: Callable[[], float] = time.time
) -> list[BaseRoute]:
    """Every route of the dashboards; `static` is the folder of the built page."""
    questions = Questions(ask, sidecar, clock)
    gate = anyio.CapacityLimiter(AT_ONCE)

    def json(question: Callable[[Request], Answer]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return await anyio.to_thread.run_sync(_answer, question, request, limiter=gate)

        return answer

    return [
        Route("/api/overview", json(questions.overview)),
        Route("/api/calls", json(questions.calls)),
        Route("/api/calls/{trace}/{span}", json(questions.call)),
        Route("/api/spans/{trace}/{span}/said", json(questions.said)),
        Route("/api/facets", json(questions.facets)),
        Route("/api/health", json(questions.health)),
        *_pages(static_files.load(static)),
    ]


def _pages(files: Mapping[str, static_files.File]) -> list[BaseRoute]:
    async def page_itself(request: Request) -> Response:
        return _served(files["index.html"], request, "no-cache")

    async def asset(request: Request) -> Response:
        name = "assets/" + request.path_params["name"]
        if name not in files:
            return _json({"message": "no such file"}, 404)
        # only what carries a hash in its name may be kept for good
        return _served(files[name], request, KEEP if "-" in name else "no-cache")

    return [Route("/assets/{name}", asset), *(Route(path, page_itself) for path in PAGES)]


class NotThere(Exception):  # noqa: N818  a state of the world
    """Nothing is stored under this name."""


def _answer(question: Callable[[Request], Answer], request: Request) -> Response:
    """The judgement as JSON; what went wrong as `{"message": …}` with a status that fits."""
    try:
        return _json(question(request), 200)
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
