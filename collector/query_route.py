"""`POST /api/query`: one SELECT of a person over our own tables."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from ..dashboards.ask import QueryFailed, Table
from .analyst import NotAllowed, check
from .authorize import Authorizer, NotAuthorized
from .gate import refusal

THREADS = 2
WAITING = 8


@dataclass(frozen=True, slots=True)
class QueryRoute:
    """`ask` bounds what it runs; at most `threads` wait for it, so that no other route does."""

    ask: Callable[[str], Table]
    authorizer: Authorizer = field(default_factory=Authorizer)
    threads: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(THREADS))

    async def answer(self, request: Request) -> Response:
        try:
            self.authorizer.authorize("run_sql", request)
        except NotAuthorized as problem:
            return refusal(403, str(problem))
        try:
            sql = json.loads(await request.body())["sql"]
        except (ValueError, KeyError, TypeError, RecursionError):
            sql = None
        if not isinstance(sql, str):
            return refusal(400, 'the body must be {"sql": "SELECT …"}')
        if self.threads.statistics().tasks_waiting >= WAITING:
            return refusal(503, "too many questions are waiting", {"Retry-After": "30"})
        try:
            return Response(
                await anyio.to_thread.run_sync(self._ask, sql, limiter=self.threads), media_type="application/json"
            )
        except NotAllowed as problem:
            return refusal(400, str(problem))
        except QueryFailed as problem:
            return refusal(422, str(problem))

    def _ask(self, sql: str) -> bytes:
        return to_json(self.ask(check(sql)))


def to_json(table: Table) -> bytes:
    """`{"columns": […], "rows": [[…]]}`; times are ISO 8601 in UTC, and what JSON has no number for is null."""
    whole = {"columns": table.columns, "rows": [[plain(value) for value in row] for row in table.rows]}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False).encode()


def plain(value: Any) -> Any:  # noqa: PLR0911  a table of types
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case datetime() | date():
            return value.isoformat()
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case bytes():
            return value.decode(errors="replace")
        case _:
            return str(value)
