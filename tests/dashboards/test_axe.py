"""Every page for everyone: no hindrance that axe knows, in light and dark, wide and narrow; keys; and what it weighs.

The pages come from the table that the menu is made of, so that a new one is looked at as soon as it is there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has annotations, no marker
from playwright.sync_api import Browser, Page, Request, expect
from starlette.testclient import TestClient

from spanward.collector.desk.places import IN_FORCE
from spanward.collector.store import Store
from spanward.dashboards.api.page import ADDRESSES
from spanward.tracer import semconv

from .browser import served, tab
from .conftest import NOW
from .desk import POLICY, desk_app
from .drifting import CLOCK, calls, put_all
from .traffic import Call, put, report

pytestmark = pytest.mark.browser

MINUTE = 60_000
MOST_BYTES = 120_000
TABLE = Path(__file__).resolve().parents[2] / "dashboards" / "ui" / "src" / "pages.ts"
PAGES = re.findall(r'\{ path: "([^"]+)"', TABLE.read_text())
RULE = {"name": "Shop fails", "metric": "failure_rate", "threshold": 0.2}


@dataclass(frozen=True)
class Site:
    """`ids` stand for {name} in a page's address."""

    address: str
    ids: dict[str, str]

    def of(self, path: str) -> str:
        return re.sub(r"{(\w+)}", lambda name: self.ids[name[1]], path) + "?from=now-24h"


def traffic() -> list[Call]:
    """What every page has something to show of."""
    of_ann = {
        semconv.USER_ID: "ann", semconv.CONVERSATION: "s-1", semconv.PROMPT_NAME: "p", semconv.PROMPT_VERSION: "2",
    }  # fmt: skip
    guard = {semconv.GUARDRAIL_VERDICT: "deny", semconv.GUARDRAIL_ACTION: "block"}
    return [
        *(Call(NOW - n * 20 * MINUTE, latency_ms=100 + n, ttft_ms=20, attributes=of_ann) for n in range(1, 60)),
        Call(NOW - 5 * MINUTE, trace=900, span=900, attributes=of_ann, guards=[guard, {}]),
        Call(NOW - 6 * MINUTE, error="RateLimitError", message="HTTP 429", cost=None),
        Call(NOW - 7 * MINUTE, model="own", cost=None),
    ]


@pytest.fixture(scope="module")
def site(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    put_all(shelf, folder, calls())
    put(shelf, folder, traffic())
    report(shelf, folder, NOW - MINUTE, "dropped", "full", 3)
    policy = folder / "shop.yaml"
    policy.write_text(POLICY)

    def sidecar() -> dict[str, Any]:
        return {"status": "ok", "store": "ok", "degraded": ["pii: no NER model"]}

    with desk_app(shelf, folder, policy, [], sidecar=sidecar, clock=lambda: CLOCK / 1000) as (app, _, _):
        api = TestClient(app)
        ids = {
            "trace": f"{900:032x}", "span": f"{900:016x}", "session": "s-1", "user": "ann", "name": IN_FORCE,
            "group": api.get("/api/failures?from=now-24h").json()["groups"][0]["group"],
            "alarm": api.get("/api/drift").json()["alarms"][0]["id"],
            "rule": api.post("/api/alerts", json={"rule": RULE}).json()["id"],
        }  # fmt: skip
        with served(app) as where:
            yield Site(where, ids)


def settled(page: Page) -> None:
    """The page's own code and its first answers are there."""
    expect(page.locator("main h1").first).to_be_attached()
    page.wait_for_load_state("networkidle")


def violations(page: Page) -> list[tuple[str, str, Any]]:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(v["id"], v["impact"], [node["target"] for node in v["nodes"][:4]]) for v in found]


def test_the_sidecar_serves_every_page_of_the_table() -> None:
    assert {address.replace(":path", "") for address in ADDRESSES} == set(PAGES)


@pytest.mark.parametrize("path", PAGES)
def test_no_hindrance(browser: Browser, site: Site, path: str) -> None:
    for scheme in ("light", "dark"):
        for width in (1280, 400):
            size = {"width": width, "height": 900}
            with tab(browser, site.address, color_scheme=scheme, viewport=size, reduced_motion="reduce") as page:
                page.goto(site.of(path))
                settled(page)
                assert violations(page) == [], (path, scheme, width)
                wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert wide <= 0, (path, scheme, width, "scrolls sideways")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light(browser: Browser, site: Site, path: str) -> None:
    """Everything but the answers of the API, as it goes over the wire for a first visit."""
    carried: list[int] = []

    def weigh(one: Request) -> None:
        if "/api/" not in one.url:
            sizes = one.sizes()
            carried.append(sizes["responseBodySize"] + sizes["responseHeadersSize"])

    with tab(browser, site.address) as page:
        page.on("requestfinished", weigh)
        page.goto(site.of(path))
        settled(page)
    assert carried
    assert sum(carried) <= MOST_BYTES


def focused(page: Page) -> str:
    told: str = page.evaluate("(document.activeElement.ariaLabel || document.activeElement.textContent || '').trim()")
    return told


def test_the_first_key_leads_past_the_menu(browser: Browser, site: Site) -> None:
    with tab(browser, site.address) as page:
        page.goto("/calls")
        settled(page)
        page.keyboard.press("Tab")
        assert re.match(r"(?i)skip", focused(page))
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash === '#main' || document.activeElement.id === 'main'")


def test_the_palette_goes_where_it_is_told(browser: Browser, site: Site) -> None:
    with tab(browser, site.address) as page:
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


def test_help_and_menus_open_and_close_by_keys(browser: Browser, site: Site) -> None:
    with tab(browser, site.address) as page:
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


def test_on_a_narrow_screen_the_menu_is_behind_a_button(browser: Browser, site: Site) -> None:
    with tab(browser, site.address, viewport={"width": 400, "height": 800}) as page:
        page.goto("/")
        settled(page)
        page.locator(".menu-button").click()
        expect(page.locator(".side")).to_be_visible()
        assert violations(page) == []
        page.locator(".side").get_by_role("link", name="Calls").click()
        expect(page.locator("main h1")).to_have_text("Calls")
