"""What a page must bear: hostile text in every field, huge messages, and readers who cannot see it or use no mouse."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has annotations, no marker
from playwright.sync_api import Browser, Page, expect

from spanward.collector.store import Store
from spanward.tracer import semconv

from .browser import served, tab
from .serving import app_of
from .traffic import Call, message, put

pytestmark = pytest.mark.browser

MINUTE = 60_000
HUGE = 2_000_000
SIDECAR = {
    "status": "degraded",
    "degraded": ["pii: no <b>NER</b> model"],
    "policy": {"name": "default", "hash": "0", "problem": "policy.yaml:3: <i>unknown</i> key"},
}


def bad(name: str) -> str:
    """Markup that would call home if any page took it for markup; `name` tells where it came from."""
    return f"{name}<img src=x onerror=\"window.owned='{name}'\"><script>window.owned='{name}'</script>\"'><b>"


def hostile(at: int) -> Call:
    """Text that attacks, in every place text can come from."""
    return Call(
        at, model=bad("model"), provider=bad("provider"), service=bad("service"), env=bad("env"), cost=None,
        error=bad("error"), message=bad("message"), said=bad("said"), answered=bad("answered"),
        attributes={
            semconv.CONVERSATION: bad("session"), semconv.USER_ID: bad("user"), semconv.PROMPT_NAME: bad("prompt"),
            semconv.PROMPT_VERSION: bad("version"), semconv.TAGS: [bad("tag")], semconv.REQUEST_MODEL: bad("asked"),
            semconv.OPERATION: "chat", semconv.FINISH_REASONS: [bad("finish")], semconv.SYSTEM_INSTRUCTIONS:
            json.dumps([{"type": "text", "content": bad("system")}]),
            semconv.TOOL_DEFINITIONS: json.dumps([{"name": bad("tool"), "description": bad("description")}]),
            semconv.OUTPUT_MESSAGES: json.dumps([
                message("assistant", bad("answered")),
                {"role": bad("role"), "parts": [
                    {"type": "tool_call", "id": bad("id"), "name": bad("called"), "arguments": {bad("key"): 1}},
                    {"type": "uri", "modality": bad("modality"), "mime_type": "a/b", "uri": "javascript:owned=1"},
                    {"type": bad("type")},
                ]},
            ]),
            bad("attribute"): bad("attribute value"),
        },
        guards=[{
            semconv.GUARDRAIL_RULE: bad("rule"), semconv.GUARDRAIL_CATEGORY: bad("label"),
            semconv.GUARDRAIL_COMPONENT: bad("detector"), semconv.GUARDRAIL_REASON: bad("reason"),
            semconv.GUARDRAIL_ENGINE: bad("engine"), semconv.GUARDRAIL_VERDICT: "warn",
            semconv.GUARDRAIL_ACTION: "allow",
        }],
    )  # fmt: skip


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    now = int(time.time() * 1000)
    usual = [Call(now - n * MINUTE, latency_ms=200 + n, ttft_ms=50) for n in range(3, 30)]
    guarded = {semconv.GUARD_VERDICT: "modify", semconv.GUARD_ACTION: "modify"}
    structured = json.dumps({"to": "<EMAIL_ADDRESS_1>", "urgent": True})
    return [
        hostile(now - 2 * MINUTE),
        Call(now - 2 * MINUTE, said="start " + "x" * HUGE + " end", answered="word " * (HUGE // 5)),
        Call(now - 3 * MINUTE, said="triage", answered=structured, cost=0.00000014, attributes=guarded, guards=[{}]),
        *usual,
    ]


@pytest.fixture(scope="module")
def address(shelf: Store, calls: list[Call], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    put(shelf, tmp_path_factory.mktemp("page"), calls)
    with served(app_of(shelf, lambda: dict(SIDECAR))) as where:
        yield where


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with tab(browser, address, permissions=["clipboard-read", "clipboard-write"]) as opened:
        yield opened


def path_of(call: Call) -> str:
    return f"/calls/{call.trace_id}/{call.span_id}"


def assert_only_text(page: Page) -> None:
    assert page.evaluate("window.owned") is None
    assert page.locator("main img, main script, main b b, main a[href^='javascript']").count() == 0


def test_hostile_text_is_text_on_every_page(page: Page, calls: list[Call]) -> None:
    page.goto("/?from=now-1h")
    expect(page.locator(".tables")).to_contain_text(bad("model"))
    expect(page.locator(".tables")).to_contain_text(bad("error"))
    page.get_by_label("Health").click()
    expect(page.locator(".light .menu")).to_contain_text("no <b>NER</b> model")
    expect(page.locator(".light .menu")).to_contain_text("<i>unknown</i> key")
    assert_only_text(page)

    page.goto("/calls?from=now-1h&status=error")
    row = page.locator("table.rows tbody tr")
    for name in ("error", "model", "service", "said", "answered"):
        expect(row).to_contain_text(bad(name))
    for name in ("error", "rule", "service", "env", "provider", "model", "finish", "prompt", "tag"):
        expect(page.locator(".facets")).to_contain_text(bad(name))
    page.locator(".facet", has_text="Guard rule").locator("li a").first.click()
    expect(page.locator(".filters")).to_contain_text(bad("rule"))
    expect(row).to_have_count(1)
    assert_only_text(page)

    row.locator("td.time a").click()
    expect(page.locator("h1")).to_have_text(bad("model"))
    page.locator(".raw summary").click()
    page.locator(".tools-offered summary").click()
    page.locator(".waterfall button").first.click()
    for name in (
        "error", "message", "said", "answered", "system", "tool", "description", "role", "called", "modality",
        "rule", "label", "detector", "reason", "engine", "session", "user", "prompt", "version", "tag",
        "attribute value",
    ):  # fmt: skip
        expect(page.locator("main")).to_contain_text(bad(name))
    assert_only_text(page)
    page.get_by_role("link", name=bad("session")).click()
    expect(page.locator(".filters")).to_contain_text(bad("session"))
    expect(row).to_have_count(1)
    assert_only_text(page)


def test_a_message_of_two_megabytes_opens_at_once(page: Page, calls: list[Call]) -> None:
    page.goto("/calls?from=now-1h")
    begun = time.monotonic()
    page.goto(path_of(calls[1]))
    expect(page.locator("article.user")).to_contain_text("start xxx")
    opened = time.monotonic() - begun
    assert page.evaluate("document.querySelector('main').innerText.length") < 40_000
    begun = time.monotonic()
    page.get_by_role("button", name="show all").last.click()
    expect(page.get_by_role("button", name="show all")).to_have_count(1)
    text = "document.querySelector('article.assistant .text').textContent.length"
    while page.evaluate(text) <= HUGE * 0.99 and time.monotonic() < begun + 20:
        page.wait_for_timeout(50)
    assert page.evaluate(text) > HUGE * 0.99
    shown = time.monotonic() - begun
    # far from the two seconds it takes on an idle machine; a page that froze would need much longer
    assert opened < 10, opened
    assert shown < 20, shown


def copied(page: Page, label: str) -> str:
    page.get_by_label(label, exact=True).first.click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text !== '')")
    text: str = page.evaluate("navigator.clipboard.readText()")
    page.evaluate("navigator.clipboard.writeText('')")
    return text


def test_copy_buttons_copy_what_they_name(page: Page, calls: list[Call]) -> None:
    call = calls[2]
    page.goto(path_of(call) + "?from=now-1h")
    expect(page.locator("article.assistant")).to_contain_text("EMAIL_ADDRESS_1")
    assert copied(page, "Copy trace id") == call.trace_id
    assert copied(page, "Copy span id") == call.span_id
    assert copied(page, "Copy user message") == "triage"
    assert copied(page, "Copy assistant message") == call.answered
    assert copied(page, "Copy link") == page.url
    assert json.loads(copied(page, "Copy call as JSON"))["call"]["span_id"] == call.span_id


def test_a_structured_answer_is_laid_out_and_can_be_seen_as_it_was(page: Page, calls: list[Call]) -> None:
    page.goto(path_of(calls[2]))
    text = page.locator("article.assistant .text")
    expect(text).to_have_text('{\n  "to": "<EMAIL_ADDRESS_1>",\n  "urgent": true\n}', use_inner_text=True)
    expect(text.locator("mark")).to_have_text("<EMAIL_ADDRESS_1>")
    page.get_by_role("button", name="as it was said").click()
    expect(text).to_have_text(calls[2].answered)


def test_a_tiny_cost_is_written_out(page: Page, calls: list[Call]) -> None:
    page.goto("/calls?from=now-1h&q=triage")
    cost = page.locator("td.cost > span")
    expect(cost).to_have_text("$0.00000014")
    assert cost.evaluate("e => e.parentElement.scrollWidth <= e.parentElement.clientWidth")


def serious(page: Page) -> list[tuple[str, str, Any]]:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        (v["id"], v["help"], [(node["target"], node.get("failureSummary", "")) for node in v["nodes"][:3]])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_hindrance_for_anyone(browser: Browser, address: str, calls: list[Call], scheme: str) -> None:
    with tab(browser, address, color_scheme=scheme, reduced_motion="reduce") as page:
        for path, ready in (
            ("/?from=now-1h", ".tables td"),
            ("/calls?from=now-1h&status=ok", ".facet li"),
            (path_of(calls[2]), ".waterfall li"),
        ):
            page.goto(path)
            expect(page.locator(ready).first).to_be_visible()
            assert serious(page) == [], path
