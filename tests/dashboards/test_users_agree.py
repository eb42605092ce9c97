"""Users by days of a rollup and the calls of begun days: the same numbers as call by call."""

from collections.abc import Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards.ask import Table
from spanward.dashboards.people.users import users
from spanward.dashboards.view import View
from spanward.tracer import semconv

from .conftest import NOW, api_of
from .traffic import Call, put

MINUTE = 60_000
SPAN = f"from={NOW - 4 * 24 * 60 * MINUTE - 7 * MINUTE}&to={NOW - 3 * MINUTE - 1}"
ONE_BY_ONE = "&min_latency=0"
"""What no rollup knows, and every call meets."""
NARROWED = [
    "",
    "&service=app-1",
    "&service!=app-1&env=prod",
    "&service=app-0&service=app-1",
    "&service=none",
    "&user=u3",
]


@pytest.fixture(scope="module")
def api(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """Nine users, the first of no name; costs are quarters, so that sums are exact in any order."""
    put(shelf, tmp_path_factory.mktemp("users"), (
        Call(
            NOW - n * 11 * MINUTE, service=f"app-{n % 3}", env=("prod", "test")[n % 5 == 0], latency_ms=1 + n,
            cost=None if n % 8 == 1 else 0.25 * (n % 7), error="Timeout" if n % 6 == 0 else "", tokens=(n % 13, n % 4),
            attributes={semconv.USER_ID: f"u{n * n % 11}" if n * n % 11 else "", semconv.PROMPT_NAME: f"p{n % 2}"},
            guards=[{}] if n % 9 == 0 else [],
        )
        for n in range(700)
    ))  # fmt: skip
    return api_of(shelf)


def both(api: TestClient, path: str) -> tuple[Any, Any]:
    rolled, counted = (api.get(path + more) for more in ("", ONE_BY_ONE))
    assert (rolled.status_code, counted.status_code) == (200, 200)
    return rolled.json(), counted.json()


@pytest.mark.parametrize("sort", ["cost", "calls", "tokens"])
@pytest.mark.parametrize("narrowed", NARROWED)
def test_the_list_of_users(api: TestClient, narrowed: str, sort: str) -> None:
    rolled, counted = both(api, f"/api/users?{SPAN}{narrowed}&sort={sort}&limit=3")
    assert rolled == counted
    assert (rolled["total"] > 0) is (narrowed != "&service=none")
    if rolled["next"]:
        rolled, counted = both(api, f"/api/users?{SPAN}{narrowed}&sort={sort}&limit=3&cursor={rolled['next']}")
        assert rolled == counted


@pytest.mark.parametrize("narrowed", NARROWED)
@pytest.mark.parametrize("across", ["", "&across=service"])
def test_cost_by_user(api: TestClient, narrowed: str, across: str) -> None:
    rolled, counted = both(api, f"/api/cost?by=user{across}&{SPAN}{narrowed}")
    assert rolled == counted
    series = rolled["series"]
    drawn = sum(series["rest"]) + sum(cost for line in series["lines"] for cost in line["cost"])
    assert drawn == (rolled["totals"]["cost"] or 0)


@pytest.mark.parametrize("narrowed", ["", "&service=app-1", "&service!=app-1", "&service=none"])
def test_one_user(api: TestClient, narrowed: str) -> None:
    rolled, counted = both(api, f"/api/users/u3?{SPAN}{narrowed}")
    assert rolled == counted
    assert sum(rolled["series"]["calls"]) == rolled["totals"]["calls"]
    assert sum(part["calls"] for part in rolled["models"]) == rolled["totals"]["calls"]
    assert sum(part["calls"] for part in rolled["prompts"]) == rolled["totals"]["calls"]
    assert (rolled["totals"]["calls"] > 0) is (narrowed != "&service=none")


def test_the_table_of_users_by_application_is_asked(shelf: Store) -> None:
    """Otherwise all that is above would compare calls with calls."""
    asked: list[str] = []

    def ask(sql: str, parameters: Mapping[str, Any] | None = None) -> Table:
        asked.append(sql)
        return shelf.ask(sql, parameters)

    users(ask, View(NOW - 4 * 86_400_000, NOW, chosen={"service": ("app-1",)}))
    assert any("FROM user_app_1d" in sql for sql in asked)
