"""The Policies and the SQL page as the sidecar wires them: a real guardroom, which looks after the policy's files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from spanward.collector.desk.desk import Desk
from spanward.collector.desk.dry_run import DryRuns
from spanward.collector.desk.operations import operations
from spanward.collector.desk.places import Places
from spanward.collector.desk.queries import QUERIES
from spanward.collector.desk.versions import Versions, keeping
from spanward.collector.guardroom import Guardroom
from spanward.collector.metrics import Metrics
from spanward.collector.query_route import QueryRoute
from spanward.collector.store import Store
from spanward.dashboards.api.routes import routes

from .serving import means_of

Audited = list[tuple[str, str, str, dict[str, str]]]


@contextmanager
def desk_app(
    store: Store, data: Path, policy: str | Path, audit: Audited, **how: Any
) -> Iterator[tuple[Starlette, Desk]]:
    """`audit` takes (actor, action, subject, detail), of the room as well. `how` goes to `means_of`."""
    room = Guardroom(policy, Metrics())
    versions = Versions(data / "policy-versions")
    versions.keep(str(policy))
    record = keeping(lambda a, s, d, who: audit.append((who, a, s, dict(d))), versions, str(policy))
    room.start(record)
    desk = Desk(room, Places(str(policy), data / "policies"), versions, DryRuns(store.ask_for_people))
    means = means_of(store, audit=audit, **how)
    query = Route("/api/query", QueryRoute(store.ask_for_people).answer, methods=["POST"])
    try:
        yield Starlette(routes=[query, *routes(means, (*operations(desk), *QUERIES))]), desk
    finally:
        desk.close()
        room.stop()
