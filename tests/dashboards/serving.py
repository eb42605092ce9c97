"""The dashboards' application as the sidecar wires it, with documents in memory and an audit log that is a list."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request

from spanward.collector.documents import DocumentFile
from spanward.collector.store import Store
from spanward.dashboards import static_files
from spanward.dashboards.api.means import Authorize, Means
from spanward.dashboards.api.operation import Forbidden
from spanward.dashboards.api.routes import routes
from spanward.dashboards.ask import Ask


def everybody(_action: str, _request: Request) -> str:
    return ""


def nobody_but(*actions: str) -> Authorize:
    """Lets through these actions only."""

    def authorize(action: str, _request: Request) -> str:
        if action not in actions:
            raise Forbidden(f"{action} needs another key")
        return "kim"

    return authorize


def nowhere(table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    raise AssertionError(f"nothing is to be put into {table}: {list(rows)}")


def no_file(sql: str, parameters: Mapping[str, Any], form: str) -> Iterator[bytes]:
    raise AssertionError(f"no {form} is to be written: {sql} with {parameters}")


def means_of(
    store: Store | Ask,
    sidecar: Callable[[], dict[str, Any]] = lambda: {"status": "ok"},
    *,
    clock: Callable[[], float] = time.time,
    authorize: Authorize = everybody,
    audit: list[tuple[str, str, str, dict[str, str]]] | None = None,
) -> Means:
    """`audit` takes (actor, action, subject, detail)."""
    kept = [] if audit is None else audit
    return Means(
        ask=store.ask if isinstance(store, Store) else store,
        raw=store.raw if isinstance(store, Store) else no_file,
        insert=store.insert if isinstance(store, Store) else nowhere,
        documents=DocumentFile(":memory:", clock),
        authorize=authorize,
        record=lambda actor, action, subject, detail: kept.append((actor, action, subject, dict(detail))),
        sidecar=sidecar,
        clock=clock,
        stop=store.stop if isinstance(store, Store) else lambda _: None,
    )


def app_of(
    store: Store | Ask,
    sidecar: Callable[[], dict[str, Any]] = lambda: {"status": "ok"},
    *,
    static: Path = static_files.STATIC,
    **how: Any,
) -> Starlette:
    """`how` goes to `means_of`."""
    return Starlette(routes=routes(means_of(store, sidecar, **how), static=static))
