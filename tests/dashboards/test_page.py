"""The page in a real browser: from a failure on a chart down to the one call, and what must never happen on the way."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from spanward.collector.store import Store
from spanward.tracer import semconv

from .browser import served, style, tab
from .serving import app_of
from .traffic import Call, operation, put, report

pytestmark = pytest.mark.browser

MINUTE = 60_000
NONE = "\N{EN DASH}"
SAID = "write to <EMAIL_ADDRESS_1> about [US_SSN], no <DIV> and no [TODO]"
ATTACK = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><b>bold</b>"


@pytest.fixture(scope="module")
def now() -> int:
    return int(time.time() * 1000)


@pytest.fixture(scope="module")
def calls(now: int) -> list[Call]:
    guarded = {semconv.GUARD_VERDICT: "modify", semconv.GUARD_ACTION: "modify"}
    healthy = [Call(now - n * 7 * MINUTE, latency_ms=200 + n, ttft_ms=50) for n in range(1, 30)]
    return [
        *healthy,
        Call(now - 180 * MINUTE, "gpt-4o", "openai", 90, 0, (0, 0), None, "RateLimitError", "slow", said="refused one"),
        Call(
            now - 40 * MINUTE, tokens=(1200, 300), cached=200, cost=0.0123, error="InternalServerError",
            message="HTTP 500", said=SAID, answered=ATTACK, attributes=guarded,
            guards=[{semconv.GUARDRAIL_SCORE: 0.85}],
        ),
        Call(now - 50 * MINUTE, model="house-model", cost=None, said="unpriced one"),
        Call(now - 51 * MINUTE, env="demo", said="demo one"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def address(shelf: Store, calls: list[Call], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    put(shelf, tmp_path_factory.mktemp("page"), calls)
    with served(app_of(shelf, lambda: {"status": "ok"})) as where:
        yield where


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with tab(browser, address) as opened:
        yield opened


def test_from_a_failure_on_the_chart_down_to_the_call(page: Page, calls: list[Call]) -> None:
    page.goto("/?from=now-6h")
    points = page.locator("a.point")
    expect(points).to_have_count(2)
    expect(page.locator(".tile", has_text="Failure rate").locator("strong")).to_have_text("6.1%")
    points.nth(1).click()

    expect(page.locator("h1")).to_have_text("Calls")
    assert re.search(r"from=20\d\d-\S+Z&to=20\d\d-\S+Z&status=error$", page.url)
    rows = page.locator("table.rows tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("InternalServerError")
    expect(rows.locator("td.guards")).to_have_text("modified")
    rows.locator("a").click()

    failed = calls[-3]
    assert f"/calls/{failed.trace_id}/{failed.span_id}?from=" in page.url
    expect(page.locator("article.user mark")).to_have_text(["<EMAIL_ADDRESS_1>", "[US_SSN]"])
    expect(page.locator("article.user .text")).to_have_text(SAID)
    expect(page.locator(".title .chip")).to_have_text("modified")
    event = page.locator(".events li")
    expect(event).to_contain_text("EMAIL_ADDRESS")
    expect(event).to_contain_text("rule pii-out on input")
    expect(event).to_contain_text("0.85")
    expect(page.locator("dd.cost")).to_have_text("$0.012")
    expect(page.get_by_label("Tokens and cost")).to_contain_text("Input1,000Read from cache200Output300Total1,500")
    expect(page.locator(".outcome")).to_have_text("InternalServerError HTTP 500")
    expect(page.get_by_label("Trace").locator("li")).to_have_count(2)

    page.go_back()
    expect(rows).to_have_count(1)
    page.go_back()
    expect(points).to_have_count(2)
    assert page.url.endswith("/?from=now-6h")


def test_what_a_model_wrote_stays_text(page: Page, calls: list[Call]) -> None:
    failed = calls[-3]
    page.goto(f"/calls/{failed.trace_id}/{failed.span_id}")
    expect(page.locator("article.assistant .text")).to_have_text(ATTACK)
    assert page.locator("article b:has-text('bold'), article img, article script").count() == 0
    page.goto("/calls?from=now-6h&q=onerror")
    expect(page.locator("table.rows .said small")).to_contain_text("<script>")
    assert page.title() == "Calls · Spanward"


def test_an_unpriced_call_costs_unpriced_and_never_nothing(page: Page) -> None:
    page.goto("/calls?from=now-6h&q=unpriced one")
    row = page.locator("table.rows tbody tr")
    expect(row.locator("td.cost > span")).to_have_text("unpriced")
    row.locator("a").click()
    expect(page.get_by_label("Tokens and cost")).to_contain_text("Costunpriced")


def test_answers_that_are_no_text_and_reasons_in_words(browser: Browser, store: Store, tmp_path: Path) -> None:
    spoken = {semconv.OPERATION: "speech", semconv.USAGE_SOURCE: "none", semconv.OUTPUT_MESSAGES: "[]"}
    unknown = {
        semconv.INPUT_MESSAGES: "",
        semconv.OUTPUT_MESSAGES: "",
        semconv.CONTENT_WITHHELD: "no_adapter",
        semconv.USAGE_SOURCE: "none",
    }
    now = int(time.time() * 1000)
    calls = [
        Call(now - 2000, model="tts-1", tokens=(0, 0), cost=None, answered="", attributes=spoken),
        Call(now - 1000, model="home", tokens=(0, 0), cost=None, said="", answered="", attributes=unknown),
    ]
    put(store, tmp_path, calls)
    app = app_of(store, lambda: {"status": "ok"})
    with served(app) as address, tab(browser, address) as page:
        page.goto("/calls?from=now-15m")
        expect(page.locator("table.rows .said small")).to_have_text(["", "audio"])
        page.goto("/?from=now-15m")
        models = page.locator("section.panel", has_text="Models").locator("tbody tr")
        expect(models).to_have_count(2)
        expect(models.locator("td:last-child")).to_have_text([NONE, NONE])
        page.goto(f"/calls/{calls[0].trace_id}/{calls[0].span_id}")
        expect(page.locator("main")).to_contain_text("The audio of the answer is not stored.")
        page.goto(f"/calls/{calls[1].trace_id}/{calls[1].span_id}")
        expect(page.locator("main")).to_contain_text("Content was not stored: Spanward does not know the client")


def test_filters_live_in_the_address(page: Page) -> None:
    page.goto("/calls?from=now-6h")
    expect(page.locator(".total")).to_contain_text("33 calls")
    page.get_by_role("button", name="house-model").click()
    expect(page.locator(".total")).to_contain_text("1 call")
    assert page.url.endswith("&model=house-model")
    page.reload()
    expect(page.locator("table.rows tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator(".total")).to_contain_text("33 calls")
    page.get_by_label("Search calls").fill("refused")
    expect(page.locator(".total")).to_contain_text("1 call")
    assert "q=refused" in page.url
    page.go_back()
    expect(page.locator(".total")).to_contain_text("33 calls")
    page.get_by_role("link", name="Latency").click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Latency")
    assert page.url.endswith("sort=-latency")


def test_a_new_call_appears_by_itself(browser: Browser, store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, [Call(int(time.time() * 1000), said="before")])
    app = app_of(store, lambda: {"status": "ok"})
    with served(app) as address, tab(browser, address) as page:
        page.goto("/calls?from=now-15m")
        expect(page.locator("table.rows")).to_contain_text("before")
        put(store, tmp_path, [Call(int(time.time() * 1000), said="just now")])
        expect(page.locator("table.rows")).to_contain_text("just now", timeout=20_000)


def test_a_brush_over_a_chart_zooms_and_back_undoes_it(page: Page) -> None:
    page.goto("/?from=now-6h")
    expect(page.locator(".banner")).to_be_visible()  # it moves what is below
    plot = page.locator(".chart .u-over").first
    expect(plot).to_be_visible()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 20)  # clear of the failures, which are links
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 40, steps=4)
    page.mouse.up()
    page.wait_for_url(re.compile(r"from=20\d\d-.*&to=20\d\d-"))
    page.go_back()
    page.wait_for_url("**/?from=now-6h")


def test_the_keyboard_reaches_everything(page: Page) -> None:
    page.goto("/calls?from=now-6h")
    expect(page.locator("table.rows tbody tr")).to_have_count(33)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
    page.keyboard.press("t")
    expect(page.get_by_role("dialog", name="Time range")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_label("Search calls")).to_be_focused()
    page.keyboard.press("Escape")
    for key in "jjjk":
        page.keyboard.press(key)
    second = page.locator("[data-row]").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("gpt-4o")
    first = page.url
    page.keyboard.press("j")
    page.wait_for_url(lambda url: url != first)
    expect(page.locator("[data-previous]")).to_be_visible()
    page.keyboard.press("k")
    page.wait_for_url(first)
    expect(page.locator("h1")).to_have_text("gpt-4o")
    page.keyboard.press("u")
    expect(page.locator("table.rows tbody tr")).to_have_count(33)


def test_demo_data_says_how_to_remove_it(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".banner")).to_contain_text(
        "1 calls here are demonstration data. Remove them with spanward demo --remove"
    )
    page.get_by_label("Hide this note").click()
    expect(page.locator(".banner")).to_be_hidden()


def test_light_and_dark(browser: Browser, address: str) -> None:
    with tab(browser, address, color_scheme="dark") as page:
        page.goto("/?from=now-6h")
        expect(page.locator(".tile").first).to_be_visible()
        dark = style(page, "body", "backgroundColor")
        page.get_by_label("Light theme").click()
        light = style(page, "body", "backgroundColor")
        assert (dark, light) == ("rgb(12, 14, 18)", "rgb(246, 247, 249)")
        page.reload()
        expect(page.get_by_label("Dark theme")).to_be_visible()
        assert style(page, "body", "backgroundColor") == light


@pytest.mark.parametrize("path", ["/?from=now-6h", "/calls?from=now-6h", "call"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_runs_off_the_screen(browser: Browser, address: str, calls: list[Call], path: str, width: int) -> None:
    with tab(browser, address, viewport={"width": width, "height": 800}) as page:
        page.goto(f"/calls/{calls[-3].trace_id}/{calls[-3].span_id}" if path == "call" else path)
        expect(page.locator(".tile strong, table.rows, article").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_empty_store_tells_a_newcomer_what_to_do(browser: Browser, store: Store, tmp_path: Path) -> None:
    with (
        served(app_of(store, lambda: {"status": "ok"})) as address,
        tab(browser, address) as page,
    ):
        page.goto("/")
        expect(page.locator("main")).to_contain_text("spanward.instrument()")
        expect(page.locator("main")).to_contain_text(f"SPANWARD_ENDPOINT={address}")
        put(store, tmp_path, [Call(int(time.time() * 1000))])
        expect(page.locator(".tile strong").first).to_have_text("1", timeout=20_000)  # the first call needs no reload


def test_a_tool_and_a_search_in_the_trace_show_what_they_were_given_and_found(
    browser: Browser, store: Store, tmp_path: Path
) -> None:
    call = Call(int(time.time() * 1000) - MINUTE)
    put(store, tmp_path, [call])
    said = {"gen_ai.tool.call.arguments": '{"to":"<EMAIL_ADDRESS_1>"}', "gen_ai.tool.call.result": "sent at noon"}
    operation(store, tmp_path, call, "execute_tool", "send_mail", said)
    found = {
        "gen_ai.retrieval.query.text": "opening hours",
        "gen_ai.retrieval.documents": '[{"id":"d1","content":"9 to 5"}]',
    }
    operation(store, tmp_path, call, "retrieval", "handbook", found)
    with (
        served(app_of(store, lambda: {"status": "ok"})) as address,
        tab(browser, address) as page,
    ):
        page.goto(f"/calls/{call.trace_id}/{call.span_id}")
        trace = page.get_by_label("Trace")
        trace.get_by_role("button", name="execute_tool send_mail").click()
        expect(trace.locator(".operation mark")).to_have_text("<EMAIL_ADDRESS_1>")
        expect(trace.locator(".operation")).to_contain_text("sent at noon")
        trace.get_by_role("button", name="retrieval handbook").click()
        expect(trace.locator(".operation")).to_contain_text("opening hours")
        expect(trace.locator(".operation")).to_contain_text("9 to 5")


LIMPING = {
    "status": "failing",
    "ingest_lag_seconds": 42.0,
    "log_refuses": True,
    "segments_set_aside": 1,
    "degraded": ["pii: no NER model"],
    "policy": {"name": "default", "hash": "0", "problem": "policy.yaml:3: unknown key"},
}
NOTICES = [
    "The log is full or cannot be written: applications are turned away and keep their spans. Free disk space.",
    "Spans wait 42 s before they are stored; the newest calls are missing here",
    "The policy file was not taken, the one before it is in force: policy.yaml:3: unknown key",
    "1 segment could not be stored and lie in the data directory",
    "1 call went through unguarded because a guard failed",
    "shop could not reach the guards 2 times (unavailable: refused)",
    "shop lost 7 spans that did not fit its spool (spool_full)",
    "shop called a model 3 times, unguarded, through a client without an adapter; see spanward.model_call() (requests)",
    "A guard has less than its full engine. pii: no NER model",
    "No price is known for house: 1 call not in the cost",
    "1 answer came without token usage: not in tokens and cost",
]


def test_what_the_picture_lacks_is_said_and_leads_to_the_calls(browser: Browser, store: Store, tmp_path: Path) -> None:
    at = int(time.time() * 1000) - MINUTE
    put(store, tmp_path, [
        Call(at, attributes={semconv.GUARD_VERDICT: "fail_open"}),
        Call(at, model="house", cost=None),
        Call(at, cost=None, tokens=(0, 0), attributes={semconv.USAGE_SOURCE: "none"}),
    ])  # fmt: skip
    report(store, tmp_path, at, "dropped", "spool_full", 7)
    report(store, tmp_path, at + 1000, "guards", "unavailable: refused", 2)
    report(store, tmp_path, at - 1000, "no_adapter", "requests", 3)
    app = app_of(store, lambda: dict(LIMPING))
    with served(app) as address, tab(browser, address) as page:
        page.goto("/calls")
        light = page.locator(".light")
        expect(light).to_contain_text("11 notices")
        for link, rows in (("failed", 1), ("No price", 1), ("without token usage", 1)):
            light.locator("summary").click()
            expect(light.locator("li")).to_have_text(NOTICES)
            light.locator("li", has_text=link).locator("a").click()
            expect(page.locator("table.rows tbody tr")).to_have_count(rows)
            light.locator("summary").click()


def test_a_guard_tile_and_a_legend_lead_to_those_calls(page: Page) -> None:
    page.goto("/?from=now-6h")
    page.locator(".tile", has_text="Guard actions").click()
    expect(page.locator("table.rows tbody tr")).to_have_count(1)
    expect(page.locator("td.guards")).to_have_text("modified")
    page.go_back()
    page.get_by_label("Calls and failures").get_by_role("link", name="failed", exact=True).click()
    expect(page.locator("table.rows tbody tr")).to_have_count(2)
    page.go_back()
    page.get_by_role("link", name="1 unpriced calls").click()
    expect(page.locator("table.rows tbody tr")).to_contain_text("house-model")
    page.go_back()
    page.locator(".tables").get_by_role("link", name="RateLimitError").click()
    expect(page.locator("table.rows tbody tr")).to_have_count(1)
