"""The Policies page in a real browser: from a mistake that is marked at its line to a policy that is in force."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has annotations, no marker
from playwright.sync_api import Browser, Page, Route, expect

from spanward.collector.store import Store
from spanward.guards.policy import load

from .browser import served, tab
from .desk import POLICY, Audited, desk_app
from .test_policies_api import CARD
from .traffic import Call, put

pytestmark = pytest.mark.browser

EDITED = POLICY.replace("    mode: shadow\n", "").replace("EMAIL_ADDRESS", "US_SSN")
BAD = "<img src=x onerror=\"window.owned='policy'\">"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def audit() -> Audited:
    return []


@pytest.fixture
def address(store: Store, tmp_path: Path, file: Path, audit: Audited) -> Iterator[str]:
    with desk_app(store, tmp_path, file, audit) as (app, _, _), served(app) as where:
        yield where


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with tab(browser, address) as opened:
        yield opened


def planted(store: Store, folder: Path) -> list[Call]:
    at = round(time.time() * 1000) - 60_000
    calls = [
        Call(at, said="hello", answered="hi"),
        Call(at + 1, said="how do I pay?", answered=CARD),
        Call(at + 2, said="write to jane@example.org", answered="done"),
        Call(at + 3, said="order 4111 is late", answered="soon"),
    ]
    put(store, folder, calls)
    return calls


def test_from_a_mistake_to_what_is_in_force(
    page: Page, store: Store, tmp_path: Path, file: Path, audit: Audited
) -> None:
    calls = planted(store, tmp_path)
    before = load(file).hash
    page.goto("/policies")
    page.get_by_role("link", name="shop", exact=True).click()
    expect(page.locator(".policies-rule")).to_have_count(2)
    expect(page.locator("#rule-mail-out")).to_contain_text("a placeholder takes its place")
    page.get_by_role("link", name="Edit").click()

    editor = page.get_by_label("Text of shop.yaml")
    expect(editor).to_have_value(POLICY)
    editor.fill(EDITED.replace("action: pseudonymise", "actoin: pseudonymise"))
    expect(page.get_by_label("Line 7: unknown key 'actoin'; did you mean 'action'?")).to_be_visible()
    expect(page.locator(".editor .bands .error")).to_have_count(2)  # and the rule that lacks its action
    save = page.get_by_role("button", name="Save shop.yaml")
    expect(save).to_be_disabled()
    page.get_by_role("button", name="Write “action”").click()
    expect(editor).to_have_value(EDITED)
    expect(page.get_by_label("Check", exact=True)).to_contain_text("fine")
    expect(save).to_be_enabled()

    page.get_by_role("link", name="Dry run").click()
    page.get_by_role("button", name="Start").click()
    changes = page.get_by_label("What changes")
    expect(changes.locator("h2")).to_have_text("2 of 4 calls would go another way", timeout=60_000)
    expect(changes).to_contain_text("Newly missed: EMAIL_ADDRESS in 1")
    rows = page.get_by_label("Calls that change").locator("tbody tr")
    expect(rows).to_have_count(2)
    links = {rows.nth(n).locator("a").get_attribute("href"): rows.nth(n).inner_text() for n in range(2)}
    blocked, missed = (f"/calls/{call.trace_id}/{call.span_id}" for call in (calls[1], calls[2]))
    assert set(links) == {blocked, missed}
    assert "blocked" in links[blocked]
    assert "EMAIL_ADDRESS" in links[missed]
    page.reload()  # the run is in the address, the draft in the browser
    expect(changes.locator("h2")).to_have_text("2 of 4 calls would go another way")

    page.get_by_role("link", name="Compare", exact=True).last.click()
    expect(page.locator(".policies-changes")).to_contain_text("mode: only watches (shadow) → in force")
    page.get_by_role("link", name="Edit").click()
    save.click()
    taken = page.locator(".policies-taken")
    expect(taken).to_contain_text("is what every call is held to now", timeout=20_000)
    after = load(file).hash
    assert file.read_text() == EDITED
    expect(taken).to_contain_text(after)
    assert [(entry[1], entry[3]["from"], entry[3]["to"]) for entry in audit] == [
        ("policy.save", before, after), ("policy.reload", before, after),
    ]  # fmt: skip
    expect(page.locator(".page-head code")).to_have_text(after)


def test_what_fits_is_offered_when_its_words_come_after_the_typing(page: Page) -> None:
    held: list[Route] = []
    page.route("**/api/policies/words", lambda route: held.append(route))  # noqa: PLW0108  playwright marks what it is given
    page.goto("/policies/in-force?tab=edit")
    editor = page.get_by_label("Text of shop.yaml")
    editor.focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("  - name: new\nac")
    expect(page.locator(".policies-findings")).to_contain_text("not valid YAML")
    options = page.get_by_role("listbox").get_by_role("option")
    expect(options).to_have_count(0)
    (words,) = held
    words.continue_()
    expect(options.first).to_contain_text("action:")
    editor.evaluate("field => field.dispatchEvent(new Event('scroll'))")  # of a line just typed, still in sight
    page.keyboard.press("Enter")
    expect(editor).to_have_value(POLICY + "  - name: new\n    action: ")


def test_a_keyboard_user_is_not_trapped_and_gets_help(page: Page) -> None:
    page.goto("/policies/in-force?tab=edit")
    editor = page.get_by_label("Text of shop.yaml")
    editor.focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("  - name: new\nac")
    options = page.get_by_role("listbox").get_by_role("option")
    expect(options.first).to_contain_text("action:")
    page.keyboard.press("Enter")
    page.keyboard.type("bl")
    expect(options).to_have_text(["blockthe call does not happen"])
    page.keyboard.press("Tab")
    expect(editor).to_have_value(POLICY + "  - name: new\n    action: block")
    expect(page.locator(".policies-help")).to_contain_text("action What is done about a finding: allow, block, flag")
    page.keyboard.press("Tab")
    expect(editor).to_have_value(POLICY + "  - name: new\n    action: block  ")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()


def test_cases_show_what_differs(page: Page) -> None:
    page.goto("/policies/in-force?tab=test")
    page.get_by_label("Cases").fill(
        "cases:\n  - name: a card is blocked\n    output: 4111 1111 1111 1111\n    expect: { action: block }\n"
    )
    page.keyboard.press("Control+Enter")
    outcome = page.get_by_label("Outcome")
    expect(outcome).to_contain_text("1 of 1 failed", timeout=60_000)
    expect(outcome.locator(".policies-lines")).to_have_text("-action: block\n+action: allow\n")


def test_a_rule_that_watches_is_put_in_force_and_the_history_knows(page: Page, file: Path) -> None:
    before = load(file).hash
    page.goto("/policies/in-force")
    watching = page.get_by_label("Rules that only watch")
    expect(watching).to_contain_text("met no call")
    watching.get_by_role("button", name="Put in force…").click()
    watching.get_by_role("button", name="Put in force", exact=True).click()
    expect(page.locator(".page-head code")).not_to_have_text(before, timeout=20_000)
    assert file.read_text() == POLICY.replace("mode: shadow", "mode: enforce")
    expect(watching).to_have_count(0)


def test_markup_in_a_policy_stays_text(browser: Browser, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(POLICY.replace("name: shop", f"name: '{BAD.replace(chr(39), chr(39) * 2)}'").replace("cards", BAD))
    with desk_app(store, tmp_path, path, []) as (app, _, _), served(app) as where, tab(browser, where) as page:
        for view in ("", "?tab=edit", "?tab=diff&against=default", "?tab=history", "?tab=dry-run"):
            page.goto(f"/policies/in-force{view}")
            expect(page.locator(".page-head")).to_contain_text("onerror")
        page.goto("/policies")
        expect(page.locator(".policies-name")).to_contain_text("onerror")
        assert page.evaluate("window.owned") is None
        assert page.locator("main img").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_it(browser: Browser, address: str, theme: str, store: Store, tmp_path: Path) -> None:
    planted(store, tmp_path)
    with tab(browser, address, color_scheme=theme) as page:
        for view in ("/policies", *(f"/policies/in-force?tab={each}" for each in TABS)):
            page.goto(view)
            page.wait_for_load_state("networkidle")
            found = Axe().run(page).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found] == [], view
    with tab(browser, address, color_scheme=theme, viewport={"width": 400, "height": 800}) as page:
        for view in ("/policies", *(f"/policies/in-force?tab={each}" for each in TABS)):
            page.goto(view)
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= 400, view


TABS = ("rules", "edit", "test", "dry-run", "diff", "history")
