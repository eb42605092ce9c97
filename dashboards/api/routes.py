"""Every route of the dashboards: the operations under /api, their document, the page everywhere else."""

from collections.abc import Iterable
from pathlib import Path

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .. import static_files
from ..alerts import operations as alerts
from ..compare import operations as compare
from ..cost import operations as cost
from ..drift import operations as drift
from ..failures import operations as failures
from ..people import operations as people
from ..saved import operations as saved
from ..verdicts import operations as verdicts
from . import asking_calls, page
from .answering import as_json, endpoint
from .document import document
from .means import Means
from .operation import Operation

AT_ONCE = 4
"""Questions to the store at a time: a page that is left open many times must not starve the ingest."""

OPERATIONS: tuple[Operation, ...] = (
    *asking_calls.OPERATIONS,
    *people.OPERATIONS,
    *failures.OPERATIONS,
    *drift.OPERATIONS,
    *compare.OPERATIONS,
    *cost.OPERATIONS,
    *verdicts.OPERATIONS,
    *alerts.OPERATIONS,
    *saved.OPERATIONS,
)
"""By page, in the order of the menu."""


def routes(means: Means, also: Iterable[Operation] = (), *, static: Path = static_files.STATIC) -> list[BaseRoute]:
    """`also` are operations of the collector's own; `static` is the folder of the built page."""
    gate = anyio.CapacityLimiter(AT_ONCE)
    operations = (*OPERATIONS, *also)
    told = document(operations, "1")

    async def openapi(_request: Request) -> Response:
        return as_json(told, 200)

    return [
        *(Route(one.path, endpoint(one, means, gate), methods=[one.method]) for one in operations),
        Route("/api/openapi.json", openapi),
        *page.routes(static_files.load(static)),
    ]
