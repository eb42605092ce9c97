"""Alerts and Settings in a real browser: a rule is made, tried on the past, fires, is snoozed, and leaves a history."""

import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette

from spanward.collector.alarms import Alarms
from spanward.collector.guardroom import Guardroom
from spanward.collector.metrics import Metrics
from spanward.collector.pricing import Pricing
from spanward.collector.settings_operations import Configured, SettingsOperations
from spanward.collector.store import Store
from spanward.dashboards.alerts import kept
from spanward.dashboards.api.routes import routes

from .browser import served, tab
from .receivers import Inbox, web
from .serving import means_of
from .test_page_safety import bad, serious
from .traffic import Call, put

pytestmark = pytest.mark.browser

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@pytest.fixture(scope="module")
def hook() -> Iterator[Inbox]:
    with web() as inbox:
        yield inbox


@pytest.fixture(scope="module")
def alarms(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> Alarms:
    """A burst of failures of the shop now and another two days ago; one service with a name that attacks."""
    now = int(time.time() * 1000) // MINUTE * MINUTE
    calls = [Call(now - n * 5 * MINUTE) for n in range(1, 60)]
    for begin in (now - 4 * MINUTE, now - 2 * DAY):
        calls += [Call(begin + n * 10_000, error="RateLimitError") for n in range(20)]
    calls += [Call(now - 2 * MINUTE - n, service=bad("service"), error="Boom") for n in range(12)]
    put(shelf, tmp_path_factory.mktemp("alerts"), calls)
    return Alarms(means_of(shelf), lambda: "http://page")


@pytest.fixture(scope="module")
def address(shelf: Store, alarms: Alarms, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("data")
    configured = Configured("", folder, "chdb:///store", "http://127.0.0.1:1", "default", "", {})
    also = SettingsOperations(shelf, Guardroom("default", Metrics()), configured, Pricing()).operations()
    with served(Starlette(routes=routes(alarms._means, also))) as where:
        yield where


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with tab(browser, address) as opened:
        yield opened


def delivered(alarms: Alarms) -> None:
    """In a thread of its own, as in the sidecar: the browser's loop runs in this one."""
    thread = threading.Thread(target=alarms.deliver)
    thread.start()
    thread.join()


def test_from_a_channel_to_a_rule_that_fires_and_is_snoozed(page: Page, alarms: Alarms, hook: Inbox) -> None:
    page.goto("/settings")
    page.get_by_role("link", name="Add a channel").click()
    page.get_by_label("Name", exact=True).fill("Ops room")
    page.get_by_role("form", name="New channel").get_by_label("Address").fill(hook.url + "/s3cret")
    page.get_by_role("form", name="New channel").get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name="Ops room")
    expect(row).to_contain_text("http://127.0.0.1:")
    expect(page.locator("main")).not_to_contain_text("s3cret")
    row.get_by_role("button", name="Test").click()
    expect(row.get_by_role("status")).to_have_text("it was taken")

    page.goto("/alerts")
    expect(page.locator(".empty")).to_contain_text("Nothing is watched yet")
    page.get_by_role("link", name="Many calls fail").click()
    trial = page.get_by_label("Would have fired")
    expect(trial).to_contain_text("Failure rate above 10% over 5 min for 2 min")
    page.get_by_label("For at least").select_option("0")
    page.get_by_label("With at least").fill("10")
    page.get_by_label("model", exact=True).uncheck()
    spells = trial.get_by_role("row")
    expect(spells.filter(has_text="shop").last).to_contain_text("100%")  # two days ago nothing else was called
    expect(trial.get_by_role("status")).to_contain_text("it would have fired")
    page.get_by_label("With at least").fill("100000")
    expect(trial).to_contain_text("never enough calls")
    page.get_by_label("With at least").fill("10")
    page.get_by_role("button", name="Save").click()

    expect(page.locator("h1")).to_have_text("Many calls fail")
    alarms.round()
    delivered(alarms)
    state = page.get_by_label("State")
    expect(state.get_by_role("row").filter(has_text="shop")).to_contain_text("firing", timeout=15_000)
    expect(page.locator(".page-head")).to_contain_text("firing", timeout=15_000)
    history = page.get_by_label("History")
    expect(history).to_contain_text("delivered", timeout=15_000)  # it looks every five seconds
    expect(history).to_contain_text("to Ops room")
    assert len(hook.came) == 3  # the test, and one for each service
    page.get_by_label("because").fill("known outage")
    page.get_by_role("button", name="Snooze").click()
    expect(page.locator(".alerts-one")).to_contain_text("known outage. Nobody is told until then.")
    expect(history).to_contain_text("snoozed", timeout=15_000)
    state.get_by_role("row").filter(has_text="shop").get_by_role("link").first.click()
    expect(page.locator("table.rows tbody tr")).to_have_count(20)
    expect(page.locator(".filters")).to_contain_text("shop")

    page.goto("/alerts")
    expect(page.locator(".alerts-rules")).to_contain_text("snoozed")
    expect(page.locator(".alerts-history")).to_contain_text(bad("service"))
    assert page.evaluate("window.owned") is None


def test_events_that_found_no_room_are_told(page: Page, alarms: Alarms) -> None:
    last = asdict(kept.last_round(alarms._means.documents)) | {"waiting": 500, "lost": 1200}
    alarms._means.documents.put(kept.ENGINE, kept.OF_ENGINE, last)
    page.goto("/alerts")
    expect(page.get_by_role("alert")).to_have_text(
        "1,200 events found no room while the store was away: people were told, the history will not have them."
    )


def test_a_rule_takes_the_filters_of_the_page_one_came_from(page: Page) -> None:
    page.goto("/alerts?new&start=failure_rate&service=shop&model!=gpt-4o")
    expect(page.get_by_label("Value of filter 1")).to_have_value("shop")
    expect(page.get_by_label("Is or is not, filter 2")).to_have_value("!")
    page.get_by_label("Threshold", exact=True).fill("25")
    expect(page.get_by_label("Would have fired")).to_contain_text("above 25%")


def test_retention_says_what_would_go_before_it_goes(page: Page) -> None:
    page.goto("/settings")
    days = page.get_by_label("Days of Calls: the list, filters, previews")
    expect(days).to_have_value("180", timeout=20_000)  # it looks at every table
    days.fill("1")
    page.get_by_role("button", name="What would go?").click()
    effect = page.locator(".settings-effect")
    expect(effect).to_contain_text("Calls: the list, filters, previews: ", timeout=20_000)
    expect(effect).to_contain_text("20 ")
    page.get_by_role("button", name="Leave it").click()
    expect(days).to_have_value("1")
    expect(effect).to_have_count(0)


def test_settings_say_what_is_in_force(page: Page) -> None:
    page.goto("/settings")
    for name, text in (
        ("Prices", "there are no private ones"),
        ("Policy", "default"),
        ("Keys", "No keys"),
        ("Sidecar", "clickhouse"),
    ):
        expect(page.get_by_role("region", name=name, exact=True)).to_contain_text(text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_no_serious_hindrance_for_anyone(
    browser: Browser, address: str, alarms: Alarms, scheme: str, width: int
) -> None:
    rules = alarms._means.documents.all("alert")
    with tab(
        browser, address, color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 900}
    ) as page:
        for path, ready in (
            ("/alerts", ".alerts-history td, .empty"),
            ("/alerts?new&start=failure_rate", ".chart"),
            *((f"/alerts/{rule.id}", ".chart") for rule in rules),
            ("/settings?channel=new", ".settings-facts dd"),
        ):
            page.goto(path)
            expect(page.locator(ready).first).to_be_visible()
            assert serious(page) == [], path
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, path
