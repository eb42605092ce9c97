"""The Health page: what is stored and for how long, who sends, a week by the hour; and the page that tells it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from starlette.testclient import TestClient

from spanward.collector.schema import TABLES, Retention
from spanward.collector.store import Store
from spanward.dashboards.store_health import HISTORY_HOURS
from spanward.tracer import semconv

from .browser import served, tab
from .conftest import NOW, Put
from .serving import app_of
from .traffic import Call, put, report

HOUR = 3_600_000
UNGUARDED = {semconv.GUARD_VERDICT: "none", semconv.GUARD_ACTION: ""}
FAILED_OPEN = {semconv.GUARD_VERDICT: "fail_open", semconv.GUARD_ACTION: "allow"}
ABANDONED = {semconv.REQUEST_STREAM: True, semconv.STREAM_END: "abandoned"}


def test_the_store_tells_its_size_and_what_came(store: Store, api: TestClient, stored: Put, tmp_path: Path) -> None:
    stored([
        Call(NOW - 1000), Call(NOW - 2000, attributes=UNGUARDED), Call(NOW - 2 * HOUR, attributes=FAILED_OPEN),
        Call(NOW - 3000, service="other", provider="x", attributes=ABANDONED), Call(NOW - 30 * HOUR, service="old"),
        Call(NOW - 8 * 24 * HOUR),
    ])  # fmt: skip
    report(store, tmp_path, NOW - 3 * HOUR, "dropped", "full", 7)
    report(store, tmp_path, NOW - 3 * HOUR, "no_adapter", "own client", 2)
    told = api.get("/api/health/store").json()

    rows = {table["name"]: table["rows"] for table in told["tables"]}
    assert {"llm_calls": 6, "reports": 2, "content": 6}.items() <= rows.items()
    assert set(rows) <= {*TABLES, "schema_migrations"}
    kept = {table["name"]: table["kept"] for table in told["tables"]}
    assert (kept["llm_calls"], kept["content"], kept["schema_migrations"]) == (Retention().llm_calls, 30, None)
    calls = next(table for table in told["tables"] if table["name"] == "llm_calls")
    assert calls["oldest_us"] == (NOW - 8 * 24 * HOUR) * 1000
    assert 0 < calls["growth"] <= calls["bytes"] / 7
    assert told["disk_total"] > told["disk_free"] > 0
    assert [(s["service"], s["provider"], s["calls"], s["unguarded"]) for s in told["sources"]] == [
        ("shop", "openai", 3, 1), ("other", "x", 1, 0),
    ]  # fmt: skip
    assert told["streams"] == {"abandoned": 1}
    assert told["versions"].keys() == {"ClickHouse", "Spanward"}

    history = told["history"]
    assert {name: len(values) for name, values in history.items()} == dict.fromkeys(history, HISTORY_HOURS)
    assert history["t"][-1] == NOW // HOUR * HOUR
    assert {name: sum(values) for name, values in history.items() if name != "t"} == {
        "calls": 5, "failed_open": 1, "unguarded": 1, "lost": 7, "noted": 2,
    }  # fmt: skip


def test_an_empty_store_is_told_as_empty(api: TestClient) -> None:
    told = api.get("/api/health/store").json()
    assert (told["sources"], told["streams"], sum(told["history"]["calls"])) == ([], {}, 0)


SIDECAR: dict[str, Any] = {
    "status": "degraded", "store": "ok", "ingest_lag_seconds": 12.0, "queue_bytes": 3_000_000, "log_refuses": False,
    "spool_files_adopted": 4, "degraded": ["pii: no NER model."], "policy": {"name": "default", "problem": ""},
    "vault": {"problem": "cannot be read"}, "audit": {"problem": ""},
    "workers": [{"engine": "toxicity", "alive": True, "restarts": 2, "trouble": "", "waiting": 0}],
}  # fmt: skip


@pytest.fixture(scope="module")
def address(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    now = int(time.time() * 1000)
    folder = tmp_path_factory.mktemp("spans")
    put(
        shelf,
        folder,
        [Call(now - 60_000), Call(now - 61_000, attributes=FAILED_OPEN), Call(now - 62_000, attributes=ABANDONED)],
    )
    report(shelf, folder, now - 60_000, "dropped", "spool full", 7)
    with served(app_of(shelf, lambda: SIDECAR)) as where:
        yield where


@pytest.mark.browser
def test_the_page_says_what_is_wrong_and_what_to_do(browser: Browser, address: str) -> None:
    with tab(browser, address) as page:
        page.goto("/health")
        notices = page.locator(".health-notices li")
        expect(notices.filter(has_text="lost 7 spans")).to_have_count(1)
        row = page.locator(".health-states tr")
        expect(row.filter(has_text="Waiting to be stored")).to_contain_text("2.9 MiB, the oldest for 12 s")
        expect(row.filter(has_text="Waiting to be stored")).to_contain_text("more memory or processors")
        expect(row.filter(has_text="Vault of pseudonyms")).to_contain_text("cannot be read")
        expect(row.filter(has_text="Model workers")).to_contain_text("1 alive, 2 restarts")
        expect(row.filter(has_text="Spools of dead applications")).to_contain_text("4 taken over")
        expect(row.filter(has_text="Spans lost by applications")).to_contain_text("shop: 7 (spool full)")
        expect(row.filter(has_text="Streams nobody read")).to_contain_text("1")
        expect(page.locator("table").filter(has_text="llm_calls")).to_contain_text("180 days")
        light = page.get_by_label("Health: ")
        light.click()
        assert page.locator(".light .menu li").all_inner_texts() == [
            t.split("\n")[-1] for t in notices.locator("a, span:not(.unseen)").all_inner_texts()
        ]

        row.filter(has_text="Went through as a guard failed").get_by_role("link").click()
        expect(page.locator("main h1")).to_have_text("Calls")
        expect(page.locator("table.rows tbody tr")).to_have_count(1)


@pytest.mark.browser
def test_a_question_that_took_too_long_offers_a_shorter_time_as_a_link(browser: Browser, address: str) -> None:
    stopped = {"message": "This took longer than 10 s, so it was stopped.", "narrower": {"from": "now-7d", "to": "now"}}
    context = browser.new_context(base_url=address, timezone_id="UTC")  # no `tab`: the browser notes a 504 as an error
    page = context.new_page()
    page.route("**/api/overview?*from=now-30d*", lambda route: route.fulfill(status=504, json=stopped))
    page.goto("/?from=now-30d&service=shop")
    link = page.get_by_role("link", name="Show the shorter time")
    expect(link).to_have_attribute("href", "/?service=shop&from=now-7d")
    link.click()
    expect(page.locator(".tile", has_text="Calls").locator("strong")).to_have_text("3")
    context.close()
