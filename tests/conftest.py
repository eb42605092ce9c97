"""Fixtures for more than one room. chDB allows one directory a process, so tests share it, each in its own database."""

import itertools
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from spanward.collector.store import Store

settings.register_profile(
    "house", deadline=None, derandomize=True
)  # the same examples each run; no test is gated by time
settings.load_profile("house")

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
    """A migrated, empty store in a database of its own."""
    database = f"test_{next(_numbers)}"
    fresh = engine.beside(database)
    fresh.migrate()
    yield fresh
    fresh.drop()
    fresh.close()
