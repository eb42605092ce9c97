"""Cost, sessions and users in a real browser: the page names what was planted, and each number leads to its calls."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has annotations, no marker
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette

from spanward.collector.price_operations import operations
from spanward.collector.pricing import Pricing
from spanward.collector.repricing import Repricing
from spanward.collector.store import Store
from spanward.dashboards.api.routes import routes
from spanward.tracer import semconv

from .browser import served, tab
from .serving import means_of
from .traffic import Call, message, operation, put

pytestmark = pytest.mark.browser

MINUTE = 60_000
HOUR = 3_600_000
SLOW_MS = 30_000
"""Patience with what writes, on a machine that is busy."""
SONNET = "claude-sonnet-4-6"
ATTACK = "<script>document.title='owned'</script><b>bold</b>"
USER = "team/7f3a9c"


def of(session: str, user: str, prompt: str, **more: Any) -> dict[str, Any]:
    return {semconv.CONVERSATION: session, semconv.USER_ID: user, semconv.PROMPT_NAME: prompt, **more}


def traffic(now: int) -> list[Call]:
    """60 calm hours of two models; for six hours the prompt `answer` writes five times as much on Sonnet. One talk."""
    calls = []
    for hour in range(1, 60):
        at = now - hour * HOUR
        times = 5 if hour <= 6 else 1
        calls += [
            Call(
                at,
                SONNET,
                "anthropic",
                tokens=(900 * times, 100 * times),
                cost=0.05 * times,
                attributes=of(f"s{hour}", "u1", "answer"),
            ),
            Call(at + 1, "gpt-4o-mini", tokens=(500, 50), cost=0.01, attributes=of(f"s{hour}", "u2", "title")),
            Call(
                at + 2,
                "gpt-4o-mini",
                tokens=(500, 50),
                cost=0.01,
                service="desk",
                attributes=of(f"d{hour}", "u3", "triage"),
            ),
        ]
    history = [message("user", "where is it?"), message("assistant", "let me look"), message("user", ATTACK)]
    return [
        *calls,
        Call(now - 9 * MINUTE, tokens=(10, 5), cost=0.001, attributes=of("talk", USER, "answer"), said="where is it?",
             answered="let me look"),
        Call(now - 7 * MINUTE, tokens=(20, 5), cost=0.002, answered="at noon", guards=[{}], attributes=of(
            "talk", USER, "answer", **{semconv.INPUT_MESSAGES: json.dumps(history), semconv.GUARD_VERDICT: "modify",
                                       semconv.GUARD_ACTION: "modify"})),
        Call(now - 6 * MINUTE, cost=None, tokens=(10, 1), model="house", provider="acme", error="Timeout",
             message="too slow", attributes=of("talk", USER, "answer")),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def now() -> int:
    """A whole hour: what falls into a day must not depend on the minute."""
    return int(time.time()) // 3600 * HOUR


@pytest.fixture(scope="module")
def address(shelf: Store, tmp_path_factory: pytest.TempPathFactory, now: int) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("traffic")
    calls = traffic(now)
    put(shelf, folder, calls)
    operation(shelf, folder, Call(calls[-3].at + 1000, trace=calls[-3].trace), "execute_tool", "find_parcel", {})
    prices = folder / "prices.yaml"
    prices.write_text("prices: [{model: house, input: 100, output: 100}]")
    means = means_of(shelf)
    repricing = Repricing(shelf, Pricing(prices), means.documents)
    with served(Starlette(routes=routes(means, also=operations(repricing, Pricing(prices))))) as running:
        yield running


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with tab(browser, address) as opened:
        yield opened


def test_the_planted_spike_is_named(page: Page) -> None:
    page.goto("/cost?from=now-24h")
    answer = page.get_by_label("Cost and why it changed")
    expect(answer).to_contain_text(
        re.compile(
            r"(9[89]%|All|More than all \(10\d%\)) of the rise is from model claude-sonnet-4-6, service shop, "
            "prompt answer since"
        ),
        timeout=SLOW_MS,
    )
    expect(answer).to_contain_text("calls as before, tokens per call +")
    expect(answer).to_contain_text("price per token as before")
    answer.get_by_role("link", name="its dearest calls").click()
    page.wait_for_url(re.compile(r"/calls\?.*sort=-cost"))
    rows = page.locator("table.rows tbody tr")
    expect(rows.first).to_contain_text(SONNET)
    assert 5 <= rows.count() <= 8


def test_only_this_narrows_the_page_itself(page: Page) -> None:
    page.goto("/cost?from=now-24h")
    page.get_by_role("link", name="Only this").click()
    expect(page.get_by_label("Filters in force")).to_contain_text("claude-sonnet-4-6")
    expect(page.get_by_label("Cost by model", exact=True).locator("tbody tr")).to_have_count(1)


def test_rows_and_columns_are_chosen_and_stay_in_the_address(page: Page) -> None:
    page.goto("/cost?from=now-24h")
    page.get_by_label("Rows").select_option("service")
    page.get_by_label("Columns").select_option("model")
    page.wait_for_url(re.compile("view=service.model"))
    table = page.get_by_label("Cost by service and model")
    expect(table.locator("thead")).to_contain_text(SONNET)
    expect(table.locator("tbody tr").first).to_contain_text("shop")
    page.reload()
    expect(table.locator("tbody tr")).to_have_count(2)
    table.locator("tbody").get_by_role("link", name="desk").click()
    page.wait_for_url(re.compile(r"/calls\?.*service=desk"))
    expect(page.locator("table.rows tbody tr").first).to_contain_text("gpt-4o-mini")


def test_a_budget_is_set_for_the_filters_and_says_that_it_is_over(page: Page) -> None:
    page.goto("/cost?from=now-24h&service=shop")
    budgets = page.get_by_label("Budgets")
    expect(budgets).to_contain_text("No budget yet")
    budgets.get_by_label("Name").fill("Shop a month")
    budgets.get_by_label("Amount in $").fill("0.5")
    budgets.get_by_role("button", name="Add for service shop").click()
    row = budgets.locator("tbody tr")
    expect(row).to_contain_text("Shop a month", timeout=SLOW_MS)
    expect(row).to_contain_text("over")
    expect(row).to_contain_text("too little history")
    page.on("dialog", lambda dialog: dialog.accept())
    budgets.get_by_role("button", name="Remove Shop a month").click()
    expect(budgets).to_contain_text("No budget yet", timeout=SLOW_MS)


def test_models_without_a_price_are_priced_again(page: Page) -> None:
    page.goto("/cost?from=now-24h&model=house")
    unpriced = page.get_by_label("Models without a price")
    expect(unpriced).to_contain_text('- provider: "acme"')
    again = page.get_by_label("Price again")
    again.get_by_role("button", name="What would change?").click()
    expect(again).to_contain_text("1 call would change: from $0 to $0.0011", timeout=SLOW_MS)
    again.get_by_role("button", name="Price 1 call again").click()
    expect(again).to_contain_text("1 call was priced again", timeout=SLOW_MS)
    expect(unpriced).to_contain_text("Every model in this range has a price.", timeout=SLOW_MS)


def test_a_session_is_read_like_the_talk_it_was(page: Page) -> None:
    page.goto("/sessions?from=now-24h")
    first = page.locator("table tbody tr").first
    expect(first).to_contain_text("talk")
    expect(first).to_contain_text("1 failed")
    first.get_by_role("link", name="talk").click()
    turns = page.locator(".people-turn")
    expect(turns).to_have_count(3)
    expect(turns.nth(0)).to_contain_text("where is it?")
    expect(turns.nth(0)).to_contain_text("ran find_parcel")
    expect(turns.nth(1)).to_contain_text(ATTACK)
    expect(turns.nth(1)).not_to_contain_text("let me look")
    expect(turns.nth(1)).to_contain_text("modified")
    expect(turns.nth(1)).to_contain_text("$0.003 so far")
    expect(turns.nth(2)).to_contain_text("too slow")
    expect(page.locator(".people-gap")).to_have_text([re.compile("later")] * 2)
    assert page.title() == "Session talk · Spanward"
    page.keyboard.press("j")
    expect(turns.nth(0).locator("[data-row]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("gpt-4o")


def test_a_user_whose_id_has_a_slash(page: Page) -> None:
    page.goto("/users?from=now-24h&sort=failures")
    expect(page.locator("table tbody tr").first).to_contain_text(USER)
    page.get_by_role("link", name=USER).click()
    expect(page.get_by_label("Sum")).to_contain_text("3 calls")
    page.reload()
    expect(page.locator("h1")).to_have_text(USER)
    expect(page.get_by_label("Failures and blocks")).to_contain_text("Timeout")
    expect(page.get_by_label("Guard findings")).to_contain_text("pii-out")
    page.get_by_label("Sessions").get_by_role("link", name="talk").click()
    expect(page.locator("h1")).to_have_text("talk")


PATHS = [
    "/cost?from=now-24h&view=model.user", "/cost?from=now-24h&model=nothing", "/sessions?from=now-24h",
    "/sessions/talk",
    "/users?from=now-24h", "/users/team%2F7f3a9c?from=now-24h", "/users/nobody?from=now-24h", "/sessions?from=now-5m",
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_everyone_can_read_it(browser: Browser, address: str, path: str, scheme: str) -> None:
    with tab(browser, address, color_scheme=scheme) as page:
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()
        page.wait_for_load_state("networkidle")
        found = Axe().run(page).response["violations"]
        assert [(f["id"], [node["target"] for node in f["nodes"]][:3]) for f in found] == []


@pytest.mark.parametrize("path", PATHS)
def test_it_fits_a_phone(browser: Browser, address: str, path: str) -> None:
    with tab(browser, address, viewport={"width": 390, "height": 800}) as page:
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
