"""The page's settings that need the collector: retention on real rows, and what is in force."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from spanward.collector.guardroom import Guardroom
from spanward.collector.metrics import Metrics
from spanward.collector.pricing import Pricing
from spanward.collector.retention import retention_of
from spanward.collector.roles import Key
from spanward.collector.schema import Retention
from spanward.collector.settings_operations import Configured, SettingsOperations
from spanward.collector.store import Store
from spanward.dashboards.api.means import Means
from spanward.dashboards.api.routes import routes

from ..dashboards.conftest import NOW
from ..dashboards.serving import means_of, nobody_but
from ..dashboards.traffic import Call, put

DAY = 86_400_000
PRICE = {"provider": "house", "model": "m", "input": 1.0, "output": 2.0, "cache_read": None, "cache_write": None}
PRICES = "prices: [{provider: house, model: m, input: 1, output: 2}]\n"
DAYS = asdict(Retention())
NOTHING = Configured("", Path(), "", "", "default", "", {})


class Desk:
    def __init__(self, store: Store, folder: Path, **how: Any) -> None:
        self.audit: list[tuple[str, str, str, dict[str, str]]] = []
        self.means: Means = means_of(store, clock=lambda: NOW / 1000, audit=self.audit, **how)
        prices = folder / "prices.yaml"
        prices.write_text(PRICES)
        (folder / "data" / "log").mkdir(parents=True)
        (folder / "data" / "log" / "1").write_bytes(b"x" * 100)
        (folder / "data" / "documents.db").write_bytes(b"x" * 10)
        configured = Configured(
            "/etc/spanward.yaml", folder / "data", "chdb:///store", "http://127.0.0.1:1", "default", str(prices),
            {"kim": Key(sha256="0" * 64, role="analyst")},
        )  # fmt: skip
        self.room = Guardroom("default", Metrics())
        also = SettingsOperations(store, self.room, configured, Pricing(prices)).operations()
        self.api = TestClient(Starlette(routes=routes(self.means, also)))


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


def kept(answer: Any, name: str) -> tuple[int, int, int, int]:
    (one,) = [one for one in answer["kept"] if one["name"] == name]
    return one["days"], one["rows"], one["rows_past"], one["rows_now"]


def test_what_would_go_is_said_before_and_is_what_goes(desk: Desk, store: Store, tmp_path: Path) -> None:
    """The clock of the test is the store's own here: the engine deletes by its clock, a little later at most."""
    now = int(time.time() * 1000)
    desk.means = means_of(store, clock=time.time, audit=desk.audit)
    also = SettingsOperations(store, desk.room, NOTHING, Pricing()).operations()
    desk.api = TestClient(Starlette(routes=routes(desk.means, also)))
    put(store, tmp_path, [Call(now - 60 * DAY + n * 1000) for n in range(5)])
    put(store, tmp_path, [Call(now - n * 1000) for n in range(3)])
    before = desk.api.get("/api/retention").json()
    assert (kept(before, "llm_calls"), before["version"]) == ((180, 8, 0, 0), 0)
    draft = {"days": DAYS | {"llm_calls": 30}, "version": 0}
    effect = desk.api.post("/api/retention-effect", json=draft).json()
    assert kept(effect, "llm_calls") == (30, 8, 5, 5)
    assert store.ask("SELECT count() FROM llm_calls").rows == ((8,),)
    after = desk.api.put("/api/retention", json=draft).json()
    assert (kept(after, "llm_calls"), after["version"]) == ((30, 3, 0, 0), 1)
    assert store.ask("SELECT count() FROM llm_calls").rows == ((3,),)
    assert desk.audit == [("", "settings.retention", "retention", {"llm_calls": "180 to 30 days, 5 rows are older"})]
    assert desk.api.put("/api/retention", json=draft).status_code == 409
    assert retention_of(desk.means.documents) == Retention(llm_calls=30)
    store.migrate(retention_of(desk.means.documents))  # as at the next start
    (ttl,) = store.ask(
        "SELECT create_table_query LIKE '%toIntervalDay(30)%' FROM system.tables "
        "WHERE database = {database:String} AND name = 'llm_calls'", {"database": store.database},
    ).rows  # fmt: skip
    assert ttl == (1,)


def test_only_who_may_erase_changes_retention(store: Store, tmp_path: Path) -> None:
    """Every application has the shared key: it may configure, and must not empty the store."""
    desk = Desk(store, tmp_path, authorize=nobody_but("configure", "review"))
    assert desk.api.put("/api/retention", json={"days": DAYS}).status_code == 403


@pytest.mark.parametrize("days", [0, 36_601, "x"])
def test_days_that_cannot_be_are_refused(desk: Desk, days: Any) -> None:
    answer = desk.api.put("/api/retention", json={"days": DAYS | {"spans": days}})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("days.spans: ")


def test_what_is_in_force_is_told_without_secrets(desk: Desk, tmp_path: Path) -> None:
    told = desk.api.get("/api/settings").json()
    assert told["prices"] == {
        "version": Pricing(tmp_path / "prices.yaml").version, "file": str(tmp_path / "prices.yaml"), "more": 0,
        "private": [PRICE],
    }  # fmt: skip
    assert told["keys"] == [{"name": "kim", "role": "analyst"}]
    assert told["data"] == {
        "path": str(tmp_path / "data"), "bytes": 110, "parts": {"documents.db": 10, "log": 100}, "complete": True,
    }  # fmt: skip
    assert (told["policy"]["name"], told["policy"]["source"]) == ("default", "default")
    assert told["versions"].keys() >= {"python", "clickhouse", "spanward"}
    assert "0" * 64 not in desk.api.get("/api/settings").text
