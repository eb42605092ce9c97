"""The SQL page in a real browser, and its operations: a question, its chart, kept and opened again by its address."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has annotations, no marker
from playwright.sync_api import Browser, Page, expect
from starlette.testclient import TestClient

from spanward.collector.schema import TABLES
from spanward.collector.store import Store

from .browser import served, tab
from .desk import desk_app
from .serving import nobody_but
from .traffic import Call, put

HOUR = 3_600_000
BAD = "<img src=x onerror=\"window.owned='cell'\">"
BY_HOUR = "SELECT toStartOfHour(ts) AS hour, model, count() AS calls FROM llm_calls GROUP BY hour, model ORDER BY hour"


@pytest.fixture
def calls(store: Store, tmp_path: Path) -> list[Call]:
    at = round(time.time() * 1000) // HOUR * HOUR - HOUR
    made = [
        Call(at - 2 * HOUR), Call(at - 2 * HOUR + 1), Call(at - HOUR, model="house"), Call(at, service=BAD),
    ]  # fmt: skip
    put(store, tmp_path, made)
    return made


@pytest.fixture
def api(store: Store, tmp_path: Path) -> Iterator[TestClient]:
    with desk_app(store, tmp_path, "default", []) as (app, _, _):
        yield TestClient(app)


@pytest.fixture
def page(browser: Browser, store: Store, tmp_path: Path, calls: list[Call]) -> Iterator[Page]:
    assert calls
    with desk_app(store, tmp_path, "default", []) as (app, _, _), served(app) as where, tab(browser, where) as opened:
        yield opened


def test_every_table_is_told_with_its_purpose(api: TestClient) -> None:
    told = api.get("/api/schema").json()["tables"]
    assert [table["name"] for table in told] == [table for table in TABLES if table != "otel_traces"]
    assert all(table["text"] and table["columns"] for table in told)
    calls = next(table for table in told if table["name"] == "llm_calls")
    by_name = {column["name"]: column for column in calls["columns"]}
    assert by_name["cost_usd"] == {
        "name": "cost_usd", "type": "Nullable(Float64)", "text": "US dollars; NULL: no price", "key": False,
    }  # fmt: skip
    assert (by_name["model"]["type"], by_name["model"]["key"]) == ("String", True)


def test_a_query_is_kept_changed_and_removed(api: TestClient) -> None:
    assert api.get("/api/queries").json() == {"queries": [], "may_keep": True}
    body: dict[str, Any] = {"name": "by hour", "sql": BY_HOUR, "show": "view=chart", "version": 0}
    put_ = api.put("/api/queries/abc1", json=body).json()
    assert {key: put_[key] for key in ("id", "name", "sql", "show", "version", "actor")} == {
        "id": "abc1", "name": "by hour", "sql": BY_HOUR, "show": "view=chart", "version": 1, "actor": "",
    }  # fmt: skip
    assert api.get("/api/queries").json()["queries"] == [put_]
    assert api.put("/api/queries/abc1", json=body).status_code == 409
    assert api.put("/api/queries/abc1", json={**body, "version": 1, "name": "other"}).json()["version"] == 2
    for id_, wrong in (("A!", body), ("a", {**body, "sql": ""}), ("a", {**body, "more": 1}), ("a", {})):
        assert api.put(f"/api/queries/{id_}", json=wrong).status_code == 400
    assert api.delete("/api/queries/abc1").json() == {"removed": True}
    assert api.delete("/api/queries/abc1").status_code == 404


def test_who_may_do_what(store: Store, tmp_path: Path) -> None:
    with desk_app(store, tmp_path, "default", [], authorize=nobody_but("run_sql")) as (app, _, _):
        api = TestClient(app)
        assert api.get("/api/schema").status_code == 200
        assert api.get("/api/queries").json() == {"queries": [], "may_keep": False}
        assert api.put("/api/queries/a", json={"name": "x", "sql": "SELECT 1"}).status_code == 403
        assert api.delete("/api/queries/a").status_code == 403
    with desk_app(store, tmp_path, "default", [], authorize=nobody_but("keep")) as (app, _, _):
        api = TestClient(app)
        assert [api.get(path).status_code for path in ("/api/schema", "/api/queries")] == [403, 403]


@pytest.mark.browser
def test_a_question_a_chart_a_name_and_back_by_its_address(page: Page, browser: Browser) -> None:
    page.goto("/sql")
    page.get_by_label("SQL", exact=True).fill(BY_HOUR)
    page.keyboard.press("Control+Enter")
    answer = page.get_by_label("Answer")
    expect(answer.locator("tbody tr")).to_have_count(3)
    expect(answer.locator("h2")).to_have_text("3 rows")
    answer.get_by_role("button", name="calls").click()
    expect(answer.locator("tbody tr").first).to_contain_text("gpt-4o2")
    answer.get_by_role("link", name="Chart").click()
    chart = page.get_by_label("calls by model")
    expect(chart.locator(".legend li")).to_have_text(["gpt-4o ", "house "])
    chart.get_by_role("button", name="table").click()
    expect(chart.locator("tbody tr")).to_have_count(3)
    page.get_by_role("button", name="Save…").click()
    page.get_by_label("Name").fill("Calls by model")
    page.get_by_role("button", name="Save query").click()
    expect(page.locator(".page-head")).to_contain_text("Calls by model")
    kept = page.url
    assert "saved=" in kept
    assert "view=chart" in kept
    page.goto("/")
    page.goto(kept)
    expect(page.get_by_label("SQL", exact=True)).to_have_value(BY_HOUR)
    expect(page.get_by_label("calls by model").locator(".legend li")).to_have_count(2)
    page.get_by_label("A line for each").select_option("")
    expect(page.get_by_label("calls", exact=True).locator(".legend li")).to_have_text(["calls "])
    assert "series=" in page.url


@pytest.mark.browser
def test_cells_are_text_and_ids_lead_to_the_call(page: Page, calls: list[Call]) -> None:
    sql = "SELECT trace_id, span_id, service, NULL AS none, tags FROM llm_calls ORDER BY ts DESC LIMIT 1"
    page.goto(f"/sql?sql={quote(sql)}")
    row = page.get_by_label("Answer").locator("tbody tr")
    expect(row).to_contain_text(BAD)
    expect(row.locator("td").nth(3)).to_have_text("NULL")
    assert page.evaluate("window.owned") is None
    links = [row.locator("a").nth(n).get_attribute("href") for n in range(2)]
    assert links == [f"/calls/{calls[3].trace_id}/{calls[3].span_id}"] * 2


@pytest.mark.browser
def test_tables_are_inserted_and_examples_run(page: Page) -> None:
    page.goto("/sql")
    editor = page.get_by_label("SQL", exact=True)
    editor.fill("SELECT count() FROM ")
    page.locator(".sql-table summary", has_text="guard_events").click()
    page.get_by_role("button", name="insert guard_events").click()
    expect(editor).to_have_value("SELECT count() FROM guard_events")
    page.get_by_role("button", name="Cost by model and app").click()
    expect(page.get_by_label("Answer").locator("tbody tr")).not_to_have_count(0)


WRONG = [
    ("SELECT 1 AS one,\n  modl\nFROM llm_calls", "Line 2", "there is no column modl"),
    ("SELECT *\nFROM file('/etc/passwd')", None, "table functions are not allowed"),
    ("DROP TABLE llm_calls", None, "only SELECT is allowed"),
    ("SELECT count(\nFROM llm_calls", "Line", ""),
]


@pytest.mark.browser
@pytest.mark.parametrize(("sql", "line", "said"), WRONG, ids=[str(n) for n in range(len(WRONG))])
def test_what_is_wrong_is_said_and_marked(
    browser: Browser, store: Store, tmp_path: Path, sql: str, line: str | None, said: str
) -> None:
    with desk_app(store, tmp_path, "default", []) as (app, _, _), served(app) as where:
        opened = browser.new_page(base_url=where)  # a refusal is an error in the console
        opened.goto(f"/sql?sql={quote(sql)}")
        expect(opened.locator(".problem")).to_contain_text(said)
        if line:
            expect(opened.locator(".editor .gutter button").first).to_have_attribute("aria-label", _begins(line))
        opened.close()


def _begins(text: str) -> re.Pattern[str]:
    return re.compile(f"^{text}")


@pytest.mark.browser
def test_a_question_past_its_limit_offers_a_shorter_time(browser: Browser, store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, [Call(round(time.time() * 1000) - 60_000)])
    sql = "SELECT a.number FROM (SELECT arrayJoin(range(200000)) AS number FROM llm_calls) AS a"
    simple = "SELECT arrayJoin(range(200000)) AS number FROM llm_calls"
    with desk_app(store, tmp_path, "default", []) as (app, _, _), served(app) as where:
        opened = browser.new_page(base_url=where)
        for each in (sql, simple):
            opened.goto(f"/sql?sql={quote(each)}")
            expect(opened.locator(".sql-main")).to_contain_text("A question may take 30 s, 100,000 rows and 512 MB")
        opened.get_by_role("button", name="only the last 1 hour").click()
        expect(opened.get_by_label("SQL", exact=True)).to_have_value(f"{simple} WHERE ts >= now() - INTERVAL 1 HOUR")
        opened.close()


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_it(browser: Browser, store: Store, tmp_path: Path, calls: list[Call], theme: str) -> None:
    assert calls
    with desk_app(store, tmp_path, "default", []) as (app, _, _), served(app) as where:
        with tab(browser, where, color_scheme=theme) as page:
            for view in ("", "&view=chart"):
                page.goto(f"/sql?sql={quote(BY_HOUR)}{view}")
                expect(page.get_by_label("Answer")).to_be_visible()
                found = Axe().run(page).response["violations"]
                assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found] == []
        with tab(browser, where, color_scheme=theme, viewport={"width": 400, "height": 900}) as page:
            for view in ("", "&view=chart"):
                page.goto(f"/sql?sql={quote(BY_HOUR)}{view}")
                expect(page.get_by_label("Answer")).to_be_visible()
                assert page.evaluate("document.documentElement.scrollWidth") <= 400
