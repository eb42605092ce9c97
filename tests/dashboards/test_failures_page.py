"""Failures and comparisons in a real browser: the page names a planted cause, and every number leads to its calls."""

import re
import time
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has annotations, no marker
from playwright.sync_api import Browser, Page, expect

from spanward.collector.store import Store

from .browser import served, tab
from .burst import Burst, burst
from .serving import app_of
from .traffic import put

pytestmark = pytest.mark.browser

RANGE = "from=now-2d"
SIDES = f"{RANGE}&a.prompt=answer&a.prompt_version=6&b.prompt=answer&b.prompt_version=7"


@pytest.fixture(scope="module")
def planted() -> Burst:
    return burst(int(time.time() * 1000) // 60_000 * 60_000 + 60_000)


@pytest.fixture(scope="module")
def address(shelf: Store, planted: Burst, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    put(shelf, tmp_path_factory.mktemp("page"), planted.calls)
    with served(app_of(shelf, lambda: {"status": "ok"})) as where:
        yield where


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with tab(browser, address) as opened:
        yield opened


def test_the_page_names_kind_group_version_and_since_when(page: Page, planted: Burst) -> None:
    page.goto(f"/failures?{RANGE}")
    row = page.locator(".failures-row", has_text="JSON in a code fence")
    expect(row).to_contain_text("Invalid JSON")
    expect(row).to_contain_text("new")
    seven = [call for call in planted.fenced if call in planted.of_seven]
    share, rate = len(seven) / len(planted.fenced), len(seven) / len(planted.of_seven)
    expect(row).to_contain_text(f"{share * 100:.0f}% with prompt answer v7")
    expect(row).to_contain_text(f"{rate * 100:.0f}% of its calls fail so")
    first = time.strftime("%H:%M:%S", time.gmtime(min(call.at for call in planted.fenced) / 1000))
    expect(row).to_contain_text(first)
    other = page.locator(".failures-row", has_text="Rate limit")
    expect(other).not_to_contain_text("with prompt")
    expect(other).not_to_contain_text("new")


def test_down_to_the_group_and_to_its_calls(page: Page, planted: Burst) -> None:
    page.goto(f"/failures?{RANGE}")
    page.get_by_role("link", name="JSON in a code fence").click()
    expect(page.locator("h1")).to_have_text("JSON in a code fence")
    known = page.get_by_label("What is known")
    expect(known).to_contain_text(re.compile(r"The prompt answer v7 was first called .+ before\."))
    expect(page.locator("section.panel", has_text="What was new about then").locator("tbody tr")).to_contain_text(
        "answer v7"
    )
    known.get_by_role("link").first.click()
    expect(page.locator(".total")).to_contain_text(f"{len(planted.fenced)} calls")
    page.go_back()
    page.locator("section.panel", has_text="Calls to look at").locator("tbody a").first.click()
    assert f"/calls/{max(planted.fenced, key=lambda call: call.at).trace_id}/" in page.url


def test_from_the_overview_to_a_kind(page: Page, planted: Burst) -> None:
    page.goto(f"/?{RANGE}")
    page.get_by_role("link", name="By kind and cause").click()
    expect(page.locator("h1")).to_have_text("Failures")
    page.get_by_role("link", name="Rate limit").first.click()
    expect(page.locator(".failures-row")).to_have_count(1)
    expect(page.get_by_label("Filters in force")).to_contain_text("Failure rate limit")
    page.locator(".failures-row td.n a").click()
    expect(page.locator(".total")).to_contain_text(f"{len(planted.limited)} calls")


def test_two_versions_compared_from_a_preset_say_what_differs(page: Page, planted: Burst) -> None:
    page.goto(f"/compare?{RANGE}")
    expect(page.locator(".empty")).to_contain_text("side by side")
    page.get_by_role("link", name="Two versions of a prompt").click()
    short = page.get_by_label("In short")
    expect(short).to_contain_text(
        re.compile(r"Invalid JSON: B has more: \+\d+ points, between \+\d+ points and \+\d+ points\.")
    )
    expect(short).not_to_contain_text("Rate limit")
    expect(page.locator("tr", has_text="Rate limit").locator(".compare-verdict")).to_contain_text("no difference that")
    expect(page.get_by_label("Read with care")).to_contain_text("The sides also differ in day")
    expect(page.get_by_label("Side B")).to_contain_text(f"{len(planted.of_seven)} calls")
    page.get_by_label("Side B").get_by_label("App").select_option("search")
    expect(page.get_by_label("Read with care")).to_contain_text("chosen to differ in app and prompt")
    page.get_by_role("link", name="Swap A and B").click()
    expect(page.get_by_label("Side A")).to_contain_text("prompt version 7")


def test_a_number_of_a_side_lists_its_calls(page: Page, planted: Burst) -> None:
    page.goto(f"/compare?{SIDES}")
    page.locator("tr", has_text="Invalid JSON").locator("td a").nth(1).click()
    expect(page.locator("h1")).to_have_text("Calls")
    seven = [call for call in planted.fenced if call in planted.of_seven]
    expect(page.locator(".total")).to_contain_text(f"{len(seven)} calls")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["failures", "group", "compare"])
def test_nothing_stands_in_the_way_of_anybody(browser: Browser, address: str, path: str, scheme: str) -> None:
    with tab(browser, address, color_scheme=scheme) as page:
        page.goto(f"/compare?{SIDES}" if path == "compare" else f"/failures?{RANGE}")
        if path == "group":
            page.get_by_role("link", name="JSON in a code fence").click()
        expect(page.locator("table").first).to_be_visible()
        found = Axe().run(page)
        assert [
            (one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found.response["violations"]
        ] == []


@pytest.mark.parametrize("path", [f"/failures?{RANGE}", f"/compare?{SIDES}"])
def test_a_narrow_screen_is_not_wider_than_it_is(browser: Browser, address: str, path: str) -> None:
    with tab(browser, address, viewport={"width": 400, "height": 800}) as page:
        page.goto(path)
        expect(page.locator("table").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
