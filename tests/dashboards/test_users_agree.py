"""Users by days of a rollup and the calls of begun days: the same numbers as call by call."""

from collections.abc import Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards.ask import Table
from spanward.dashboards.cost.measures import measured
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


@pytest.mark.parametrize("path", ["/api/users?", "/api/cost?by=user&", "/api/cost?by=model&", "/api/users/u3?"])
@pytest.mark.parametrize("narrowed", ["", "&service=app-1"])
def test_a_range_that_ends_now(api: TestClient, path: str, narrowed: str) -> None:
    """The day that is still running is asked of the rollup, too."""
    rolled, counted = both(api, f"{path}from={NOW - 4 * 24 * 60 * MINUTE - 7 * MINUTE}{narrowed}")
    assert rolled == counted


def test_days_and_hours_answer_for_what_they_hold_wholly() -> None:
    day, hour = 86_400_000, 3_600_000
    start, end = 20_000 * day + 5 * hour + 1, 20_003 * day + 7 * hour + 1

    def asked(at: int) -> dict[str, Any]:
        found = measured(View(start, end, asked_at=at)).parameters
        return {name: value * 1000 for name, value in found.items() if name.endswith(("_from", "_to"))}

    whole = {
        "cost_1d_from": 20_001 * day,
        "cost_1h_from": 20_000 * day + 6 * hour,
        "rolled_from": 20_000 * day + 6 * hour,
    }
    known = {"cost_1h_known_from": 20_001 * day}
    past = {"cost_1d_to": 20_003 * day, "cost_1h_known_to": 20_003 * day}
    past |= {"cost_1h_to": 20_003 * day + 7 * hour, "rolled_to": 20_003 * day + 7 * hour}
    assert asked(0) == asked(end + 1) == whole | known | past
    running = {"cost_1d_to": 20_004 * day, "cost_1h_known_to": 20_004 * day}
    running |= {"cost_1h_to": 20_003 * day + 8 * hour, "rolled_to": 20_004 * day}
    assert asked(end) == asked(end - 1) == whole | known | running


def test_weeks_of_users_are_drawn_by_the_day(api: TestClient) -> None:
    answer = api.get(f"/api/cost?by=user&from={NOW - (8 * 24 + 5) * 60 * MINUTE}").json()
    series = answer["series"]
    assert (answer["step"], series["step"]) == (7_200_000, 86_400_000)
    assert len(series["t"]) == 9
    drawn = sum(series["rest"]) + sum(cost for line in series["lines"] for cost in line["cost"])
    assert drawn == answer["totals"]["cost"] > 0


def test_the_table_of_users_by_application_is_asked(shelf: Store) -> None:
    """Otherwise all that is above would compare calls with calls."""
    asked: list[str] = []

    def ask(sql: str, parameters: Mapping[str, Any] | None = None) -> Table:
        asked.append(sql)
        return shelf.ask(sql, parameters)

    users(ask, View(NOW - 4 * 86_400_000, NOW, chosen={"service": ("app-1",)}))
    assert any("FROM user_app_1d" in sql for sql in asked)
