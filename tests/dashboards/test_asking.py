"""How the page asks again by itself: while it is seen, and one question at a time."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route

from spanward.collector.store import Store

from .browser import served, tab
from .conftest import NOW, Put
from .serving import app_of
from .traffic import Call

pytestmark = pytest.mark.browser

EVERY_MS = 5000
HEALTH = "**/api/health"
SEEN = """seen => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => !seen });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


READ = """
window.read = 0;
const json = Response.prototype.json;
Response.prototype.json = async function () {
  const told = await json.call(this);
  window.read += this.url.endsWith("/api/health");
  return told;
};"""


@pytest.fixture
def page(browser: Browser, store: Store, stored: Put) -> Iterator[Page]:
    stored([Call(NOW)])
    with served(app_of(store, lambda: {"status": "ok"})) as address, tab(browser, address) as opened:
        opened.clock.install(time=time.time())
        opened.add_init_script(READ)
        yield opened


def opened(page: Page) -> list[str]:
    """The questions about the sidecar's health from now on."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url) if request.url.endswith("/api/health") else None)
    page.goto("/drift")
    answered(page, 0)
    again(page)
    found.clear()
    return found


def answered(page: Page, before: int) -> None:
    page.wait_for_function("before => window.read > before", arg=before)


def again(page: Page) -> None:
    before = page.evaluate("window.read")
    page.clock.run_for(EVERY_MS)
    answered(page, before)


def test_a_page_that_is_not_seen_asks_nothing_and_asks_at_once_when_it_is_seen(page: Page) -> None:
    found = opened(page)
    page.evaluate(SEEN, False)
    for _ in range(20):
        page.clock.run_for(EVERY_MS)
    assert found == []
    before = page.evaluate("window.read")
    page.evaluate(SEEN, True)
    answered(page, before)
    assert len(found) == 1


def test_a_look_away_while_an_answer_is_on_its_way_does_not_double_the_questions(page: Page) -> None:
    found = opened(page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(HEALTH, hold)
    with page.expect_request(HEALTH):
        page.clock.run_for(EVERY_MS)
    page.evaluate(SEEN, False)
    page.evaluate(SEEN, True)
    before = page.evaluate("window.read")
    for route in tuple(held):
        route.continue_()
    page.unroute(HEALTH)
    answered(page, before)
    again(page)
    found.clear()
    for _ in range(3):
        again(page)
    assert len(found) == 3
