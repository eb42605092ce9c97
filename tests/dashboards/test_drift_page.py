"""The page in a real browser: from the list of streams to the one that drifts, who carries it, and its calls."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has annotations, no marker
from playwright.sync_api import Browser, Page, expect

from spanward.collector.store import Store

from .browser import served, tab
from .drifting import CLOCK, calls, put_all
from .serving import app_of, nobody_but

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    put_all(shelf, tmp_path_factory.mktemp("drift_page"), calls())
    with served(app_of(shelf, clock=lambda: CLOCK / 1000)) as where:
        yield where


def test_from_the_streams_to_who_carries_it_and_its_calls(browser: Browser, address: str) -> None:
    with tab(browser, address) as page:
        page.goto("/drift")
        expect(page.locator(".page-head")).to_contain_text("1 drifting")
        drifting = page.locator(".drift-streams tbody tr", has_text="drifting")
        expect(drifting).to_have_count(1)
        expect(drifting).to_contain_text("Finish reason shop")
        page.get_by_role("link", name="Finish reason: share of length rose from").click()

        expect(page.locator("h1")).to_contain_text("Finish reason of shop: share of length rose from 3.7% to")
        expect(page.locator(".page-head")).to_contain_text("since 19 Nov 2026, 06:00:00 UTC")
        expect(page.locator(".drift-cause")).to_contain_text("Prompt version triage 4 carries it")
        changes = page.get_by_label("What else changed")
        expect(changes).to_contain_text("Prompt version new: triage 4")
        expect(changes).to_contain_text("Guard policy a1b2c3")
        expect(page.get_by_label("Typical inputs").locator("li")).to_have_count(3)
        expect(page.get_by_label("Typical inputs")).to_contain_text("translate this contract clause")

        page.get_by_role("link", name="triage 4").click()
        expect(page.locator("h1")).to_have_text("Calls")
        assert "prompt=triage&prompt_version=4" in page.url
        assert "service=shop" in page.url
        expect(page.locator("table.rows tbody tr").first).to_contain_text("contract")


def test_what_was_said_is_only_for_who_may_see_it(browser: Browser, shelf: Store, address: str) -> None:
    with (
        served(app_of(shelf, clock=lambda: CLOCK / 1000, authorize=nobody_but("configure"))) as where,
        tab(browser, where) as page,
    ):
        page.goto("/drift")
        page.get_by_role("link", name="Finish reason: share of length rose from").click()
        expect(page.get_by_label("Typical inputs")).to_contain_text("needs a key that may see content")
        page.get_by_label("Reason").fill("the new prompt is meant to")
        page.get_by_role("button", name="Accept as the new normal").click()
        expect(page.locator("h1")).to_have_text("Drift")
        expect(page.get_by_label("Alarms")).to_contain_text("Nothing drifts")
        learning = page.locator(".drift-streams tbody tr", has_text="learning")
        expect(learning).to_contain_text("Finish reason shop")
        expect(learning).to_contain_text("days left")


def faults(page: Page) -> list[tuple[str, list[str]]]:
    """What axe has against this page's own part of the screen."""
    found = Axe().run(page, context="main").response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_it_can_be_read_by_everybody(browser: Browser, address: str, scheme: Any, width: int) -> None:
    with tab(browser, address, color_scheme=scheme, viewport={"width": width, "height": 900}) as page:
        page.goto("/drift")
        expect(page.locator(".drift-streams tbody tr").first).to_be_visible()
        assert faults(page) == []
        page.get_by_role("link", name="Finish reason: share of length rose from").click()
        expect(page.locator(".drift-cause")).to_be_visible()
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
