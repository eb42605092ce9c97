"""Every page for everyone: no hindrance that axe knows, in light and dark, wide and narrow; keys; and what it weighs.

The pages come from the table that the menu is made of, so that a new one is looked at as soon as it is there.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has annotations, no marker
from playwright.sync_api import Browser, Page, expect

from spanward.collector.store import Store
from spanward.dashboards.api.page import ADDRESSES
from spanward.tracer import semconv

from .browser import served, tab
from .serving import app_of
from .traffic import Call, put, report

pytestmark = pytest.mark.browser

MINUTE = 60_000
MOST_BYTES = 120_000
TABLE = Path(__file__).resolve().parents[2] / "dashboards" / "ui" / "src" / "pages.ts"
PAGES = re.findall(r'\{ path: "([^"]+)"', TABLE.read_text())
IDS = {
    "trace": f"{900:032x}", "span": f"{900:016x}", "session": "s-1", "user": "ann", "group": "none", "alarm": "none",
    "name": "default", "rule": "none",
}  # fmt: skip
"""What stands for {name} in an address. What is not there must say so as well as what is."""


def address_of(path: str) -> str:
    return re.sub(r"{(\w+)}", lambda name: IDS[name[1]], path) + "?from=now-24h"


@pytest.fixture(scope="module")
def address(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    now = int(time.time() * 1000)
    of_ann = {
        semconv.USER_ID: "ann",
        semconv.CONVERSATION: "s-1",
        semconv.PROMPT_NAME: "p",
        semconv.PROMPT_VERSION: "2",
    }
    guard = {semconv.GUARDRAIL_VERDICT: "deny", semconv.GUARDRAIL_ACTION: "block"}
    folder = tmp_path_factory.mktemp("spans")
    put(shelf, folder, [
        *(Call(now - n * 20 * MINUTE, latency_ms=100 + n, ttft_ms=20, attributes=of_ann) for n in range(1, 60)),
        Call(now - 5 * MINUTE, trace=900, span=900, attributes=of_ann, guards=[guard, {}]),
        Call(now - 6 * MINUTE, error="RateLimitError", message="HTTP 429", cost=None),
        Call(now - 7 * MINUTE, model="own", cost=None),
    ])  # fmt: skip
    report(shelf, folder, now - MINUTE, "dropped", "full", 3)
    with served(app_of(shelf, lambda: {"status": "ok", "store": "ok", "degraded": ["pii: no NER model"]})) as where:
        yield where


def settled(page: Page) -> None:
    """The page's own code and its first answers are there."""
    expect(page.locator("main h1").first).to_be_attached()
    page.wait_for_load_state("networkidle")


def violations(page: Page) -> list[tuple[str, str, Any]]:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(v["id"], v["impact"], [node["target"] for node in v["nodes"][:4]]) for v in found]


def test_the_sidecar_serves_every_page_of_the_table() -> None:
    assert set(ADDRESSES) == set(PAGES)


@pytest.mark.parametrize("path", PAGES)
def test_no_hindrance(browser: Browser, address: str, path: str) -> None:
    for scheme in ("light", "dark"):
        for width in (1280, 400):
            size = {"width": width, "height": 900}
            with tab(browser, address, color_scheme=scheme, viewport=size, reduced_motion="reduce") as page:
                page.goto(address_of(path))
                settled(page)
                assert violations(page) == [], (path, scheme, width)
                wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert wide <= 0, (path, scheme, width, "scrolls sideways")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light(browser: Browser, address: str, path: str) -> None:
    """Everything but the answers of the API, as it goes over the wire for a first visit."""
    carried: list[int] = []
    with tab(browser, address) as page:
        page.on(
            "requestfinished",
            lambda one: (
                "/api/" in one.url
                or carried.append(sum(one.sizes()[k] for k in ("responseBodySize", "responseHeadersSize")))
            ),
        )
        page.goto(address_of(path))
        settled(page)
    assert carried
    assert sum(carried) <= MOST_BYTES


def focused(page: Page) -> str:
    told: str = page.evaluate("(document.activeElement.ariaLabel || document.activeElement.textContent || '').trim()")
    return told


def test_the_first_key_leads_past_the_menu(browser: Browser, address: str) -> None:
    with tab(browser, address) as page:
        page.goto("/calls")
        settled(page)
        page.keyboard.press("Tab")
        assert re.match(r"(?i)skip", focused(page))
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash === '#main' || document.activeElement.id === 'main'")


def test_the_palette_goes_where_it_is_told(browser: Browser, address: str) -> None:
    with tab(browser, address) as page:
        page.goto("/")
        settled(page)
        page.keyboard.press("Control+k")
        expect(page.get_by_role("combobox")).to_be_focused()
        assert violations(page) == []
        page.keyboard.type("heal")
        expect(page.get_by_role("option").first).to_contain_text("Health")
        page.keyboard.press("Enter")
        expect(page.locator("main h1")).to_have_text("Health")
        page.keyboard.press("Control+k")
        page.keyboard.press("Escape")
        expect(page.locator("dialog.palette")).not_to_be_visible()


def test_help_and_menus_open_and_close_by_keys(browser: Browser, address: str) -> None:
    with tab(browser, address) as page:
        page.goto("/calls")
        settled(page)
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
        assert violations(page) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="Keyboard")).not_to_be_visible()
        light = page.get_by_label(re.compile("^Health:"))
        light.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".light .menu")).to_be_visible()
        assert violations(page) == []
        page.keyboard.press("g")
        page.keyboard.press("h")
        expect(page.locator("main h1")).to_have_text("Health")


def test_on_a_narrow_screen_the_menu_is_behind_a_button(browser: Browser, address: str) -> None:
    with tab(browser, address, viewport={"width": 400, "height": 800}) as page:
        page.goto("/")
        settled(page)
        page.locator(".menu-button").click()
        expect(page.locator(".side")).to_be_visible()
        assert violations(page) == []
        page.locator(".side").get_by_role("link", name="Calls").click()
        expect(page.locator("main h1")).to_have_text("Calls")
