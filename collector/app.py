"""The sidecar's one web application: who answers which path."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from ..dashboards.api.means import Means
from ..dashboards.api.operation import Operation
from ..dashboards.api.routes import routes as dashboard_routes
from ..dashboards.tails import Tails
from .alarms import report_of
from .audit.log import Audit
from .audit.route import AuditRoute
from .audit.rows import AuditRows
from .authorize import Authorizer
from .dashboard_means import authorize, record
from .demo.removal import ROUTE as DEMO_REMOVAL
from .demo_route import DemoRoute
from .desk.desk import Desk
from .desk.operations import operations as policy_operations
from .documents import DocumentFile
from .gate import ANSWERS, Gate
from .guard_route import GuardRoute
from .guardroom import Guardroom
from .health import Health
from .metrics import Metrics, Pulse
from .otlp_route import OtlpRoute
from .price_operations import operations as price_operations
from .pricing import Pricing
from .query_operations import QUERIES
from .query_route import QueryRoute
from .receiver import Receiver
from .repricing import Repricing
from .settings_operations import Configured, SettingsOperations
from .store import Store
from .traits.sampler import Traits
from .vault.disk_vault import DiskVault
from .vault.route import VaultRoute
from .wal import WriteAheadLog


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes stand on."""

    receiver: Receiver
    room: Guardroom
    store: Store
    log: WriteAheadLog
    pulse: Pulse
    metrics: Metrics
    audit: Audit
    audit_rows: AuditRows
    authorizer: Authorizer
    vault: DiskVault
    documents: DocumentFile
    configured: Configured
    desk: Desk
    pricing: Pricing
    repricing: Repricing
    traits: Traits
    tails: Tails = field(default_factory=Tails)


def health_of(parts: Parts) -> Health:
    begun = round(time.time() * 1000)
    return Health(
        parts.store.ask,
        parts.room,
        parts.pulse,
        lambda: parts.log.full,
        parts.audit_rows,
        parts.vault,
        parts.traits.report,
        lambda: report_of(parts.documents, round(time.time() * 1000), begun),
        lambda: parts.repricing.problem,
        parts.metrics.adopted_so_far,
    )


def means_of(parts: Parts, health: Health) -> Means:
    """What the dashboards are lent, and the threads that work for them."""
    return Means(
        ask=parts.store.ask,
        raw=parts.store.raw,
        insert=parts.store.insert,
        documents=parts.documents,
        authorize=authorize(parts.authorizer),
        record=record(parts.audit),
        sidecar=health.report,
        clock=time.time,
        stop=parts.store.stop,
        tails=parts.tails,
    )


def own_operations(parts: Parts) -> Iterator[Operation]:
    """Of the dashboards' API, what only the sidecar itself can answer."""
    yield from policy_operations(parts.desk)
    yield from QUERIES
    yield from price_operations(parts.repricing, parts.pricing)
    yield from SettingsOperations(parts.store, parts.room, parts.configured, parts.pricing).operations()


def application(parts: Parts, *, loopback: bool, key: str, body_bytes: int) -> ASGIApp:
    """Every route on one port, behind one gate; its arguments are the gate's."""
    otlp = OtlpRoute(parts.receiver, parts.metrics, body_bytes)
    guards = GuardRoute(parts.room)
    audit = AuditRoute(parts.audit, parts.authorizer)
    vault = VaultRoute(parts.vault, parts.audit, parts.authorizer, parts.store.ask)
    health = health_of(parts)
    means = means_of(parts, health)
    routes = [
        Route("/v1/traces", otlp.answer, methods=["POST"]),
        Route("/v1/guard/check", guards.check, methods=["POST"]),
        Route("/v1/guard/policy", guards.policy),
        Route("/api/policy", guards.in_force),
        Route("/v1/audit", audit.answer, methods=["POST"]),
        Route("/v1/vault/reveal", vault.reveal, methods=["POST"]),
        Route("/v1/vault/drop-key", vault.drop_key, methods=["POST"]),
        Route("/healthz", health.route),
        Route("/metrics", parts.metrics.route),
        Route("/api/query", QueryRoute(parts.store.ask_for_people, parts.authorizer).answer, methods=["POST"]),
        Route(DEMO_REMOVAL, DemoRoute(parts.store, parts.authorizer).remove, methods=["POST"]),
        *dashboard_routes(means, own_operations(parts)),
    ]
    return Gate(Starlette(routes=routes, exception_handlers=ANSWERS), loopback, key, body_bytes, parts.authorizer.knows)
