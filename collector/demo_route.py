"""`POST /api/demo/remove`: the demonstration's data goes."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .demo.removal import erase
from .store import Store


@dataclass(frozen=True, slots=True)
class DemoRoute:
    store: Store

    async def remove(self, _: Request) -> Response:
        """`{"calls": N}`: how many model calls were among what was removed."""
        return JSONResponse({"calls": await run_in_threadpool(erase, self.store)})
