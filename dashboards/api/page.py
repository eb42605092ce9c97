"""The page itself: one file for every address that it knows, and its assets."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..static_files import File
from .answering import SECURITY, as_json

KEEP = "public, max-age=31536000, immutable"
ADDRESSES = ("/", "/calls", "/calls/{trace}/{span}")
"""As in `ui/src/pages.ts`."""


def routes(files: Mapping[str, File]) -> list[BaseRoute]:
    async def page(request: Request) -> Response:
        return _served(files["index.html"], request, "no-cache")

    async def asset(request: Request) -> Response:
        name = "assets/" + request.path_params["name"]
        if name not in files:
            return as_json({"message": "no such file"}, 404)
        # only what carries a hash in its name may be kept for good
        return _served(files[name], request, KEEP if "-" in name else "no-cache")

    return [Route("/assets/{name}", asset), *(Route(path, page) for path in ADDRESSES)]


def _served(file: File, request: Request, cache: str) -> Response:
    headers = {**SECURITY, "Cache-Control": cache, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.gzipped, media_type=file.media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(file.body, media_type=file.media_type, headers=headers)
