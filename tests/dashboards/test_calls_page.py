"""The list of calls in a real browser: saved views, columns, files, new calls by themselves, and what is hidden."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect
from pyarrow import parquet  # type: ignore[import-untyped]

from spanward.collector.store import Store
from spanward.dashboards import content_search, stretch
from spanward.tracer import semconv

from .browser import served, tab
from .serving import app_of, nobody_but
from .test_page_safety import assert_only_text, bad, hostile, serious
from .traffic import Call, put

pytestmark = pytest.mark.browser

MINUTE = 60_000
FAR = "x " * 300


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    now = int(time.time() * 1000)
    who = {semconv.USER_ID: "ada", semconv.CONVERSATION: "s-1", semconv.TAGS: ["vip"]}
    return [
        hostile(now - 2 * MINUTE),
        *(Call(now - n * MINUTE, latency_ms=100 * n, said=FAR + f"needle {n}", attributes=who) for n in range(3, 12)),
    ]


@pytest.fixture(scope="module")
def address(shelf: Store, calls: list[Call], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    put(shelf, tmp_path_factory.mktemp("page"), calls)
    with served(app_of(shelf)) as where:
        yield where


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with tab(browser, address) as opened:
        yield opened


def rows(page: Page) -> list[str]:
    expect(page.locator("table.rows tbody tr").first).to_be_visible()
    links = page.locator("table.rows tbody td.time a").all()
    return [str(link.get_attribute("href")).split("?")[0].rpartition("/")[2] for link in links]


def test_a_view_is_saved_opened_replaced_and_removed(page: Page) -> None:
    page.goto("/calls?from=now-1h&min_latency=500&sort=-latency&columns=status,user")
    page.get_by_role("button", name="Saved views").click()
    sheet = page.get_by_role("dialog", name="Saved views")
    expect(sheet).to_contain_text("None yet")
    sheet.get_by_label("Name").fill("Slow <b>ones</b>")
    sheet.get_by_role("button", name="Save what is shown").click()
    expect(page.get_by_role("button", name="View: Slow <b>ones</b>")).to_be_visible()
    wanted = page.url

    page.goto("/calls?from=now-1h&min_latency=900")
    page.get_by_role("button", name="Saved views").click()
    sheet.get_by_role("link", name="Slow <b>ones</b>").click()
    expect(page).to_have_url(wanted)
    expect(page.locator("th.extra")).to_have_text("User")

    page.goto("/calls?from=now-1h&min_latency=900")
    page.get_by_role("button", name="Saved views").click()
    sheet.get_by_label("Name").fill("slow <b>ones</b>")
    sheet.get_by_role("button", name="Replace “Slow <b>ones</b>”").click()
    expect(page.get_by_role("button", name="View: slow <b>ones</b>")).to_be_visible()
    sheet.get_by_role("button", name="Remove the view slow <b>ones</b>").click()
    expect(sheet).to_contain_text("None yet")
    assert_only_text(page)


def test_a_viewer_is_told_who_may_save(browser: Browser, shelf: Store, calls: list[Call]) -> None:
    assert calls
    with (
        served(app_of(shelf, authorize=nobody_but())) as where,
        browser.new_context(base_url=where) as context,
    ):
        page = context.new_page()
        page.goto("/calls?from=now-1h")
        expect(page.locator(".calls-note")).to_contain_text("What was said is hidden from you")
        expect(page.locator("table.rows")).not_to_contain_text("hello")
        page.get_by_role("button", name="Saved views").click()
        page.get_by_label("Name").fill("mine")
        page.get_by_role("button", name="Save what is shown").click()
        expect(page.get_by_role("alert")).to_have_text("keep needs another key")
        page.goto("/calls?from=now-1h&q=hello")
        expect(page.get_by_role("alert")).to_contain_text("see_content needs another key")
        page.goto(f"/calls/{calls[1].trace_id}/{calls[1].span_id}")
        expect(page.locator("main")).to_contain_text("What was said is hidden from you")
        expect(page.locator("article")).to_have_count(0)


def test_columns_are_chosen_and_stand_in_the_address(page: Page) -> None:
    page.goto("/calls?from=now-1h&status=ok")
    expect(page.locator("th")).to_have_text(
        ["Time ↓", "Status", "Model", "Input → output", "Guards", "Latency · first token", "Cost · tokens"]
    )
    page.get_by_role("button", name="Columns").click()
    sheet = page.get_by_role("dialog", name="Columns")
    expect(sheet.get_by_label("Time", exact=True)).to_be_disabled()
    for name in ("Guards", "User", "Tags"):
        sheet.get_by_label(name, exact=True).click()
    assert "columns=time,status,model,said,latency,cost,user,tags" in page.url
    page.reload()
    expect(page.locator("th").last).to_have_text("Tags")
    first = page.locator("table.rows tbody tr").first
    expect(first.locator("td.extra")).to_have_text(["ada", "vip"])
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("link", name="The usual columns").click()
    expect(page.locator("th.extra")).to_have_count(0)
    page.goto("/calls?from=now-1h&columns=nonsense")
    expect(page.locator("th")).to_have_count(7)


def taken(page: Page, name: str) -> Download:
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_role("dialog", name="Export")).to_contain_text("10 calls, in the order shown.")
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name).click()
    return waiting.value


def test_files_hold_what_is_shown(page: Page, calls: list[Call]) -> None:
    page.goto("/calls?from=now-1h&sort=latency&columns=status,user")
    shown = rows(page)
    file = taken(page, "CSV, what the columns show")
    assert file.suggested_filename == "calls.csv"
    text = Path(file.path()).read_text()
    told = list(csv.DictReader(io.StringIO(text)))
    assert [row["span_id"] for row in told] == shown
    assert list(told[0]) == ["trace_id", "span_id", "time", "status", "error_type", "stream", "stream_end", "user_id"]
    table = parquet.read_table(Path(taken(page, "Parquet, everything known").path()))
    assert table.column("span_id").to_pylist() == shown
    assert bad("said")[:20] in str(table.column("input_preview").to_pylist())
    assert len(shown) == len(calls)


def test_new_calls_appear_by_themselves_and_only_once(browser: Browser, store: Store, tmp_path: Path) -> None:
    old = Call(int(time.time() * 1000) - MINUTE, said="old one")
    put(store, tmp_path, [old])
    with served(app_of(store)) as where, tab(browser, where) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto("/calls?from=now-1h")
        assert rows(page) == [old.span_id]
        until(lambda: any("/api/calls/tail" in url for url in asked))
        page.wait_for_timeout(2500)  # followed by now: what comes is told, not looked for
        asked.clear()
        now = int(time.time() * 1000)
        new, late = Call(now - 1000, said="new one"), Call(now - 90_000, said="late one")
        put(store, tmp_path, [new])
        expect(page.locator("table.rows tbody tr")).to_have_count(2)
        put(store, tmp_path, [late])
        expect(page.locator("table.rows tbody tr")).to_have_count(3)
        assert rows(page) == [new.span_id, old.span_id, late.span_id]
        expect(page.locator(".total b")).to_have_text("3")
        assert not [url for url in asked if "/api/calls?" in url]
        page.wait_for_timeout(1500)
        assert rows(page) == [new.span_id, old.span_id, late.span_id]


def test_without_the_tail_the_page_looks_itself(browser: Browser, store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, [Call(int(time.time() * 1000) - MINUTE)])
    with served(app_of(store)) as where, browser.new_context(base_url=where) as context:
        page = context.new_page()
        page.route("**/api/calls/tail?**", lambda route: route.fulfill(status=503, json={"message": "full"}))
        page.goto("/calls?from=now-1h")
        assert len(rows(page)) == 1
        put(store, tmp_path, [Call(int(time.time() * 1000))])
        expect(page.locator("table.rows tbody tr")).to_have_count(2)


def until(look: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not look() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert look()


def test_all_that_was_said_is_searched(page: Page, calls: list[Call]) -> None:
    page.goto("/calls?from=now-1h&q=needle+7")
    expect(page.locator("main")).to_contain_text("No call fits")
    page.get_by_label("Search in").select_option("all that was said")
    expect(page.locator("table.rows tbody tr")).to_have_count(1)
    assert rows(page) == [calls[5].span_id]
    expect(page.locator(".calls-note")).to_have_count(0)
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator("table.rows tbody tr")).to_have_count(10)
    assert "in=" not in page.url


def test_a_search_that_came_to_its_limit_says_so(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_search, "MOST", 2)
    page.goto("/calls?from=now-1d&q=needle&in=content")
    note = page.locator(".calls-note")
    expect(note).to_contain_text("The search ended at its limit: it went back to")
    expect(note).to_contain_text("and found 2. What is older was not looked at.")
    monkeypatch.undo()
    note.get_by_role("link", name="Search the last hour only").click()
    expect(page.locator("table.rows tbody tr")).to_have_count(9)
    expect(note).to_have_count(0)


def test_a_search_in_previews_goes_on_by_itself(
    browser: Browser, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretch, "MOST_CALLS", 1)
    now = int(time.time() * 1000)
    put(store, tmp_path, [Call(now - n * 60 * MINUTE, said="needle" if n in (7, 19) else "hay") for n in range(1, 20)])
    with served(app_of(store)) as where, browser.new_context(base_url=where) as context:
        page = context.new_page()
        page.goto("/calls?from=now-20h&q=needle")
        expect(page.locator("table.rows tbody tr")).to_have_count(2)
        expect(page.locator(".total")).to_have_text("2 callslive")
        expect(page.locator(".calls-note")).to_have_count(0)
        page.goto("/calls?from=now-20h&q=nothing")
        expect(page.locator("main")).to_contain_text("No call fits")


def test_hostile_text_in_every_column_is_text(page: Page) -> None:
    every = "status,model,said,guards,latency,cost,input,cached,output,service,env,provider,operation,asked,session"
    page.goto(f"/calls?from=now-1h&status=error&columns={every},user,prompt,tags,finish,rules,trace")
    row = page.locator("table.rows tbody tr")
    for name in ("service", "env", "provider", "asked", "session", "user", "prompt", "version", "tag", "rule"):
        expect(row).to_contain_text(bad(name))
    assert_only_text(page)


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_runs_off_the_screen(browser: Browser, address: str, width: int) -> None:
    with tab(browser, address, viewport={"width": width, "height": 800}) as page:
        page.goto("/calls?from=now-1h&columns=status,model,said,latency,cost,user,session,tags,trace")
        expect(page.locator("table.rows td").first).to_be_visible()
        for name in ("Saved views", "Columns", "Export"):
            page.get_by_role("button", name=name).click()
            box = page.get_by_role("dialog", name=name).bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            page.keyboard.press("Escape")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_hindrance_for_anyone(browser: Browser, address: str, scheme: str) -> None:
    with tab(browser, address, color_scheme=scheme, reduced_motion="reduce") as page:
        page.goto("/calls?from=now-1h&columns=status,model,said,latency,cost,user,session")
        expect(page.locator(".facet li").first).to_be_visible()
        assert serious(page) == []
        for name in ("Saved views", "Columns", "Export"):
            page.get_by_role("button", name=name).click()
            expect(page.get_by_role("dialog", name=name)).to_be_visible()
            assert serious(page) == [], name
            page.keyboard.press("Escape")
