"""`POST /api/demo/remove`: the demonstration's data goes."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .authorize import Authorizer, NotAuthorized
from .demo.removal import erase
from .gate import refusal
from .store import Store


@dataclass(frozen=True, slots=True)
class DemoRoute:
    store: Store
    authorizer: Authorizer

    async def remove(self, request: Request) -> Response:
        """`{"calls": N}`: how many model calls were among what was removed."""
        try:
            self.authorizer.authorize("configure", request)
        except NotAuthorized as problem:
            return refusal(403, str(problem))
        return JSONResponse({"calls": await run_in_threadpool(erase, self.store)})
