"""The guards page and the review queue as people use them: numbers that lead to calls, labels by keyboard."""

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has annotations, no marker
from playwright.sync_api import Browser, Page, expect
from starlette.types import Receive, Scope, Send

from spanward.collector.store import Store

from .browser import served, tab
from .serving import app_of, nobody_but
from .test_verdicts import BARE, MODIFIED, OPEN, event, shadow
from .traffic import Call, put, report

pytestmark = pytest.mark.browser

MINUTE = 60_000
SAID = "Write to <EMAIL_ADDRESS_1> or call <PERSON_1>, she is waiting."
ATTACK = 'rule<img src=x onerror="window.owned=1"><script>window.owned=1</script>'


def planted(now: int) -> list[Call]:
    late = event(verdict="fail_open", action="allow", label="", reason="pii gave no answer within 500 ms", findings=0)
    seven = [Call(now - n * MINUTE, said=SAID, attributes=MODIFIED, guards=[event(score=0.85)]) for n in range(3, 16)]
    return [
        *seven,
        *(Call(now - n * MINUTE, guards=[shadow(score=0.8)]) for n in range(3, 40)),
        *(Call(now - n * MINUTE, attributes=OPEN, guards=[late]) for n in (4, 5)),
        Call(now - 6 * MINUTE, attributes=BARE, service="backoffice"),
        Call(now - 7 * MINUTE, guards=[event(ATTACK, "warn", "allow", label=ATTACK, reason=ATTACK)]),
        *(Call(now - 100 * MINUTE - n) for n in range(60)),
    ]  # fmt: skip


@pytest.fixture
def address(store: Store, tmp_path: Any) -> Iterator[str]:
    now = int(time.time() * 1000)
    put(store, tmp_path, planted(now))
    report(store, tmp_path, now - MINUTE, "guards", "unavailable: refused", 4)
    with served(app_of(store, lambda: {"status": "ok", "degraded": ["pii: no NER model"]})) as where:
        yield where


def test_the_page_names_what_needs_a_person(browser: Browser, address: str) -> None:
    with tab(browser, address) as page:
        page.goto("/guards?from=now-80m")
        says = page.get_by_label("What needs attention").locator("li")
        expect(says).to_have_count(7)
        expect(says.nth(0)).to_have_text(
            "2 calls went on unjudged because a guard failed: pii gave no answer within … ms (2)."
        )
        expect(says.nth(1)).to_have_text("Apps could not reach the guards 4 times: shop, unavailable: refused (4).")
        expect(says.nth(2)).to_have_text("1 call had no guard at all, most in backoffice.")
        expect(says.nth(3)).to_have_text("A detector runs on less than its full engine: pii: no NER model.")
        expect(says.nth(6)).to_have_text("Rules in shadow would have blocked 37 calls.")
        would = page.get_by_label("Rules in shadow")
        expect(would).to_contain_text("no-secrets would have blocked 37 calls · aws_key")
        expect(would.get_by_role("link", name="Promote it in house")).to_have_attribute("href", "/policies/house")
        assert page.evaluate("window.owned") is None
        would.get_by_role("link", name="would have blocked 37 calls").click()
        expect(page.locator(".total")).to_contain_text("37 calls")
        page.go_back()
        says.nth(0).get_by_role("link").click()
        expect(page.locator(".total")).to_contain_text("2 calls")


def rightness(page: Page) -> Any:
    return page.get_by_label("Rules", exact=True).locator("tr", has_text="pii-out").locator("td").last


def test_labels_by_keyboard_become_a_precision(browser: Browser, address: str) -> None:
    with tab(browser, address) as page:
        page.goto("/guards?from=now-80m")
        expect(rightness(page)).to_have_text("label some")
        rightness(page).get_by_role("link").click()
        status = page.get_by_role("status").first
        expect(status).to_contain_text("1 of 8 drawn; 13 without a label, 0 with one")
        expect(page.locator("mark.hit")).to_have_text("<EMAIL_ADDRESS_1>")
        expect(page.locator("article mark")).to_have_count(2)
        for n, key in enumerate("yny"):
            page.keyboard.press(key)
            expect(status).to_contain_text(f"{n + 2} of 8 drawn; {12 - n} without")
        page.keyboard.press("z")
        expect(status).to_contain_text("3 of 8 drawn; 11 without")
        page.keyboard.press("j")
        expect(status).to_contain_text("4 of 8 drawn; 11 without")
        page.keyboard.press("k")
        page.keyboard.press("u")
        expect(status).to_contain_text("4 of 8 drawn; 10 without")
        page.get_by_role("link", name="Guards", exact=True).last.click()
        expect(rightness(page)).to_have_text("too few labels2 of 10")
        for _ in range(2):  # what is left of this draw, then of the next
            page.goto("/guards/review?from=now-80m&rule=pii-out")
            expect(page.locator("mark.hit")).to_be_visible()
            drawn = int(re.search(r"of (\d+) drawn", status.inner_text())[1])  # type: ignore[index]  # the line is there
            for n in range(drawn):
                page.keyboard.press("y")
                expect(status).to_contain_text(f"{n + 2} of {drawn} drawn" if n + 1 < drawn else "The last one")
            expect(status).not_to_contain_text("saving")  # a page loaded anew cannot know of what is on its way
        page.goto("/guards?from=now-80m")
        expect(rightness(page)).to_contain_text("92%65% to 99%, 12 labels")


def test_the_next_page_counts_a_label_that_was_on_its_way(browser: Browser, store: Store, tmp_path: Any) -> None:
    put(store, tmp_path, planted(int(time.time() * 1000)))
    app, gate = app_of(store), threading.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            await asyncio.to_thread(gate.wait, 20)
        await app(scope, receive, send)

    with served(slow) as address, tab(browser, address) as page:
        page.goto("/guards/review?from=now-80m&rule=pii-out")
        expect(page.locator("mark.hit")).to_be_visible()
        page.keyboard.press("y")
        expect(page.get_by_role("status").first).to_contain_text("saving …")
        page.keyboard.press("z")
        page.keyboard.press("n")
        page.get_by_role("link", name="Guards", exact=True).last.click()
        expect(page.get_by_role("heading", name="Guards", exact=True)).to_be_visible()
        gate.set()
        expect(rightness(page)).to_have_text("too few labels1 of 10")
    of_each = "SELECT arrayMap(x -> x.2, arraySort(groupArray((ts, verdict)))) AS said FROM reviews GROUP BY span_id"
    assert sorted(said for (said,) in store.ask(of_each).rows) == [["right", "none"], ["wrong"]]


def test_who_may_not_see_content_is_told_so(browser: Browser, store: Store, tmp_path: Any) -> None:
    put(store, tmp_path, planted(int(time.time() * 1000)))
    with served(app_of(store, authorize=nobody_but("review"))) as where:
        context = browser.new_context(base_url=where)
        page = context.new_page()
        page.goto("/guards/review?from=now-80m&rule=pii-out")
        expect(page.get_by_role("alert")).to_have_text("see_content needs another key")
        expect(page.locator("mark")).to_have_count(0)
        context.close()


def test_something_missed_is_told_and_taken_back(browser: Browser, address: str, store: Store) -> None:
    with tab(browser, address) as page:
        page.goto("/guards/review?from=now-80m&rule=pii-out")
        page.get_by_text("Something was missed").click()
        form = page.locator(".missed form")
        form.get_by_label("Should have been caught by").select_option("something else")
        form.get_by_label("What it is").fill("IBAN_CODE")
        form.get_by_role("button", name="Save").click()
        expect(page.locator(".missed")).to_contain_text("Noted: IBAN_CODE was missed.")
        assert store.ask("SELECT rule, label, verdict FROM reviews").rows == (("", "IBAN_CODE", "missed"),)
        page.locator(".missed").get_by_role("button", name="Undo").click()
        expect(form).to_be_visible()


def serious(page: Page) -> list[Any]:
    found = Axe().run(page, context="main", options={"resultTypes": ["violations"]}).response["violations"]
    return [
        (v["id"], v["help"], [(node["target"], node.get("failureSummary", "")) for node in v["nodes"][:3]])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_hindrance_and_nothing_off_the_screen(browser: Browser, address: str, scheme: Any) -> None:
    for width in (1280, 400):
        size = {"width": width, "height": 800}
        with tab(browser, address, color_scheme=scheme, reduced_motion="reduce", viewport=size) as page:
            for path, ready in (("/guards?from=now-80m", ".guards-rules td"), ("/guards/review?from=now-80m", ".text")):
                page.goto(path)
                expect(page.locator(ready).first).to_be_visible()
                assert serious(page) == [], path
                assert page.evaluate("document.documentElement.scrollWidth") <= width, path
