from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards import static_files

from .browser import chromium
from .serving import app_of
from .traffic import Call, put

NOW = 1_795_219_200_000
"""The clock of these tests, in milliseconds: a whole minute, in the days of the data."""

Put = Callable[[Iterable[Call]], None]


def api_of(store: Store) -> TestClient:
    return TestClient(app_of(store, clock=lambda: NOW / 1000))


@pytest.fixture
def stored(store: Store, tmp_path: Path) -> Put:
    return lambda calls: put(store, tmp_path, calls)


@pytest.fixture
def api(store: Store) -> TestClient:
    return api_of(store)


@pytest.fixture(scope="module")
def shelf(engine: Store, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store for a whole file of tests that only read."""
    fresh = engine.beside("shelf_" + request.module.__name__.rpartition(".")[2])
    fresh.migrate()
    yield fresh
    fresh.drop()
    fresh.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not (static_files.STATIC / "index.html").is_file():
        pytest.skip("the page is not built: run `make ui`")
    try:
        with chromium() as opened:
            yield opened
    except Error as why:
        pytest.skip(f"no Chromium here: {why.message.splitlines()[0]}")
