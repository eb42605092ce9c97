"""What only the sidecar itself can answer, wired as it does: a real guardroom, which looks after the policy's files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.routing import Route

from spanward.collector import price_operations
from spanward.collector.desk.desk import Desk
from spanward.collector.desk.dry_run import DryRuns
from spanward.collector.desk.operations import operations
from spanward.collector.desk.places import Places
from spanward.collector.desk.versions import Versions, keeping
from spanward.collector.guardroom import Guardroom
from spanward.collector.metrics import Metrics
from spanward.collector.pricing import Pricing
from spanward.collector.query_operations import QUERIES
from spanward.collector.query_route import QueryRoute
from spanward.collector.repricing import Repricing
from spanward.collector.settings_operations import Configured, SettingsOperations
from spanward.collector.store import Store
from spanward.dashboards.api.operation import Operation
from spanward.dashboards.api.routes import routes

from .serving import means_of

POLICY = """\
version: 1
name: shop
rules:
  - name: mail-out
    when: { stage: input }
    detect: { pii: { entities: { EMAIL_ADDRESS: 0.4 } } }
    action: pseudonymise
  - name: cards
    when: { stage: output }
    detect: { pii: { entities: { CREDIT_CARD: 0.4 } } }
    action: block
    mode: shadow
"""
Audited = list[tuple[str, str, str, dict[str, str]]]


class Wired(NamedTuple):
    app: Starlette
    desk: Desk
    also: tuple[Operation, ...]
    """What the sidecar adds to the operations of the dashboards."""


@contextmanager
def desk_app(store: Store, data: Path, policy: str | Path, audit: Audited, **how: Any) -> Iterator[Wired]:
    """`audit` takes (actor, action, subject, detail), of the room as well. `how` goes to `means_of`."""
    room = Guardroom(policy, Metrics())
    versions = Versions(data / "policy-versions")
    versions.keep(str(policy))
    record = keeping(lambda a, s, d, who: audit.append((who, a, s, dict(d))), versions, str(policy))
    room.start(record)
    desk = Desk(room, Places(str(policy), data / "policies"), versions, DryRuns(store.ask_for_people))
    means = means_of(store, audit=audit, **how)
    pricing = Pricing()
    configured = Configured("", data, "here", "127.0.0.1:1", str(policy), "", {})
    also = (
        *operations(desk),
        *QUERIES,
        *price_operations.operations(Repricing(store, pricing, means.documents), pricing),
        *SettingsOperations(store, room, configured, pricing).operations(),
    )
    query = Route("/api/query", QueryRoute(store.ask_for_people).answer, methods=["POST"])
    try:
        yield Wired(Starlette(routes=[query, *routes(means, also)]), desk, also)
    finally:
        desk.close()
        room.stop()
