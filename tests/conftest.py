"""Fixtures for more than one room. chDB allows one directory a process, so tests share it, each in its own database."""

import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from spanward.collector.schema import KEPT
from spanward.collector.store import Store
from spanward.dashboards.ask import QueryFailed

settings.register_profile(
    "house", deadline=None, derandomize=True
)  # the same examples each run; no test is gated by time
settings.load_profile("house")

Shape = tuple[Any, ...]
_numbers = itertools.count()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The embedded engine of this test process, opened once. Tests want `store`, not this."""
    data = tmp_path_factory.mktemp("engine")
    opened = Store.open(f"chdb:///{data / 'store'}", data, database=f"engine_{os.getpid()}")
    yield opened
    opened.close()


@pytest.fixture
def store(engine: Store) -> Iterator[Store]:
    """A migrated, empty store, for this test alone."""
    database, shape = _spare.pop() if _spare else _migrated(engine)
    lent = engine.beside(database)
    yield lent
    lent.close()
    back = engine.beside(database)
    if _shape(back) == shape:
        for table in KEPT:  # which forgets the tokens of segments as well
            back.command(f"TRUNCATE TABLE {table}")
        _spare.append((database, shape))
    else:
        back.drop()
    back.close()


_spare: list[tuple[str, Shape]] = []
"""Databases that were given back as they were: a migration takes a second, emptying tables a tenth of it."""


def _migrated(engine: Store) -> tuple[str, Shape]:
    database = f"test_{next(_numbers)}"
    fresh = engine.beside(database)
    fresh.migrate()
    shape = _shape(fresh)
    fresh.close()
    return database, shape


def _shape(store: Store) -> Shape:
    tables = "SELECT name, create_table_query FROM system.tables WHERE database = {database:String} ORDER BY name"
    done = "SELECT name FROM schema_migrations ORDER BY name"
    try:
        return store.ask(tables, {"database": store.database}).rows, store.ask(done).rows
    except QueryFailed:  # a test took a table away
        return ()
