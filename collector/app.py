"""The sidecar's one web application: who answers which path."""

from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ..dashboards.api import routes as dashboard_routes
from ..dashboards.ask import Ask
from .gate import Gate, refusal
from .guard_route import GuardRoute
from .guardroom import Guardroom
from .health import Health
from .metrics import Metrics
from .otlp_route import OtlpRoute
from .query_route import QueryRoute
from .receiver import Receiver


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes stand on."""

    receiver: Receiver
    room: Guardroom
    ask: Ask
    health: Health
    metrics: Metrics


def application(parts: Parts, *, loopback: bool, key: str, body_bytes: int) -> ASGIApp:
    guards = GuardRoute(parts.room)
    routes = [
        Route("/v1/traces", OtlpRoute(parts.receiver, parts.metrics, body_bytes).answer, methods=["POST"]),
        Route("/v1/guard/check", guards.check, methods=["POST"]),
        Route("/v1/guard/policy", guards.policy),
        Route("/healthz", parts.health.route),
        Route("/metrics", parts.metrics.route),
        Route("/api/query", QueryRoute(parts.ask).answer, methods=["POST"]),
        *dashboard_routes(parts.ask, parts.health.report),
    ]
    return Gate(Starlette(routes=routes, exception_handlers={HTTPException: _told}), loopback, key, body_bytes)


async def _told(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return refusal(problem.status_code, problem.detail, problem.headers)
