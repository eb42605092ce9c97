"""One call in a real browser: its messages whatever they hold, its trace, and what is taken away from it."""

import json
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette

from spanward.collector.price_operations import operations
from spanward.collector.pricing import Pricing
from spanward.collector.repricing import Repricing
from spanward.collector.store import Store
from spanward.dashboards.api.routes import routes
from spanward.guards.judgement import Check, Context
from spanward.guards.messages import Message, Part
from spanward.guards.wire import check_to_json
from spanward.tracer import semconv

from ..collector.conftest import POLICY
from ..collector.otlp import call as otlp_call
from ..collector.otlp import request
from ..collector.otlp import said as otlp_said
from ..collector.sidecar_process import serving, until
from .browser import served, tab
from .serving import app_of, means_of, nobody_but
from .test_page_safety import assert_only_text, bad, copied, path_of, serious
from .traffic import Call, message, operation, put

pytestmark = pytest.mark.browser

MINUTE = 60_000
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
FIVE_MB = 5_000_000
LINE = "word " * 99 + "<PERSON_1> "
LONGEST_TASK_MS = 1500
"""Of a machine that others use too; a page that froze would stand for many seconds."""


def rich(at: int) -> Call:
    """Every kind of part, and hostile text in each."""
    tool_call = {"type": "tool_call", "id": "t1", "name": "lookup", "arguments": {"order": "A-1", "x": bad("argument")}}
    asked = [
        message("user", "Where is order A-1?"),
        {"role": "assistant", "parts": [{"type": "reasoning", "content": bad("thought")}, tool_call]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "response": {"state": bad("result")}}]},
        {"role": "user", "parts": [
            {"type": "text", "content": "See <EMAIL_ADDRESS_1>"},
            {"type": "document", "id": "d1", "name": bad("title"), "content": "Opening hours " + bad("document")},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PIXEL},
            {"type": "uri", "modality": "image", "mime_type": "image/png", "uri": f"data:image/png;base64,{PIXEL}"},
            {"type": "uri", "modality": "image", "mime_type": "image/png", "uri": "https://elsewhere.example/x.png"},
            {"type": "blob", "modality": "image", "mime_type": "image/svg+xml", "content": "PHN2Zy8+"},
            {"type": "uri", "modality": "image", "uri": "data:image/svg+xml;base64,PHN2Zy8+"},
        ]},
    ]  # fmt: skip
    answer = {"role": "assistant", "parts": [{"type": "text", "content": "It's on its way"}], "finish_reason": "stop"}
    return Call(
        at, attributes={
            semconv.INPUT_MESSAGES: json.dumps(asked), semconv.OUTPUT_MESSAGES: json.dumps([answer]),
            semconv.SYSTEM_INSTRUCTIONS: json.dumps([{"type": "text", "content": "Be kind"}]),
            semconv.TOOL_DEFINITIONS: json.dumps([{
                "type": "function", "name": "lookup", "description": "Finds it", "parameters": {"type": "object"},
            }]),
            "gen_ai.request.temperature": 0.5, **{f"house.attribute.{n}": f"value {n}" for n in range(20)},
        },
        guards=[{}, {
            semconv.GUARDRAIL_STAGE: "tool_result", semconv.GUARDRAIL_CATEGORY: "SECRET",
            semconv.GUARDRAIL_VERDICT: "warn", semconv.GUARDRAIL_ACTION: "allow",
        }, {semconv.GUARDRAIL_STAGE: "output", semconv.GUARDRAIL_VERDICT: "allow", semconv.GUARDRAIL_ACTION: "allow"}],
    )  # fmt: skip


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    now = int(time.time() * 1000)
    huge = Call(now - 3 * MINUTE, said="start " + LINE * (FIVE_MB // len(LINE)) + " end")
    return [rich(now - 2 * MINUTE), huge]


@pytest.fixture(scope="module")
def address(shelf: Store, calls: list[Call], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    put(shelf, tmp_path_factory.mktemp("page"), calls)
    with served(app_of(shelf)) as where:
        yield where


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with tab(browser, address, permissions=["clipboard-read", "clipboard-write"]) as opened:
        yield opened


def test_every_kind_of_part_is_shown_as_what_it_is(page: Page, calls: list[Call]) -> None:
    page.goto(path_of(calls[0]))
    articles = page.locator("article")
    expect(articles).to_have_count(6)
    expect(articles.nth(2)).to_contain_text("lookup")
    expect(articles.nth(2)).to_contain_text(bad("argument").replace('"', '\\"'))
    articles.nth(2).get_by_text("Reasoning").click()
    expect(articles.nth(2)).to_contain_text(bad("thought"))
    expect(articles.nth(3)).to_contain_text("result of t1")
    rich = articles.nth(4)
    expect(rich).to_contain_text(f"document {bad('title')} d1")
    expect(rich).to_contain_text("Opening hours " + bad("document"))
    expect(rich.locator("mark")).to_have_text("<EMAIL_ADDRESS_1>")
    expect(rich).to_contain_text("https://elsewhere.example/x.png")
    images = rich.locator("img").evaluate_all("all => all.map(i => [i.src.slice(0, 15), i.naturalWidth])")
    assert images == [["data:image/png;", 1], ["data:image/png;", 1]]
    assert page.evaluate("window.owned") is None
    assert page.locator("main script, main b b").count() == 0


def test_a_verdict_stands_at_the_message_it_concerns(page: Page, calls: list[Call]) -> None:
    page.goto(path_of(calls[0]))
    expect(page.locator("article .call-verdict")).to_have_text(["flagged SECRET", "modified EMAIL_ADDRESS"])
    for text, verdict in (("result of t1", "flagged SECRET"), ("Opening hours", "modified EMAIL_ADDRESS")):
        expect(page.locator("article", has_text=text).locator(".call-verdict")).to_have_text(verdict)


def test_attributes_are_searched(page: Page, calls: list[Call]) -> None:
    page.goto(path_of(calls[0]))
    page.locator(".raw summary").click()
    find = page.get_by_label("Find in the attributes")
    find.fill("VALUE 1")
    table = page.locator(".raw .attributes").first
    expect(table.locator("tr")).to_have_count(11)
    find.fill("house.attribute.7")
    expect(table.locator("tr")).to_have_text("house.attribute.7value 7")
    find.fill("nothing like it")
    expect(page.locator(".raw")).to_contain_text("No name or value holds it.")


def test_the_request_is_taken_away_for_a_shell(page: Page, calls: list[Call]) -> None:
    page.goto(path_of(calls[0]))
    expect(page.locator("article").first).to_be_visible()
    words = shlex.split(copied(page, "Copy request as curl, without a key").replace("\\\n", ""))
    assert words[:4] == [
        "curl",
        "https://api.openai.com/v1/chat/completions",
        "-H",
        "Authorization: Bearer $OPENAI_API_KEY",
    ]
    body = json.loads(words[words.index("-d") + 1])
    assert (body["model"], body["temperature"]) == ("gpt-4o", 0.5)
    assert body["messages"][:2] == [
        {"role": "system", "content": "Be kind"}, {"role": "user", "content": "Where is order A-1?"},
    ]  # fmt: skip
    (used,) = body["messages"][2]["tool_calls"]
    assert (used["id"], used["function"]["name"]) == ("t1", "lookup")
    assert json.loads(used["function"]["arguments"]) == {"order": "A-1", "x": bad("argument")}
    assert (body["messages"][3]["role"], body["messages"][3]["tool_call_id"]) == ("tool", "t1")
    assert json.loads(body["messages"][3]["content"]) == {"state": bad("result")}
    assert body["tools"] == [{
        "type": "function",
        "function": {"name": "lookup", "description": "Finds it", "parameters": {"type": "object"}},
    }]  # fmt: skip


def test_the_span_is_taken_away_as_otlp(page: Page, calls: list[Call]) -> None:
    call = calls[0]
    page.goto(path_of(call))
    expect(page.locator("article").first).to_be_visible()
    told = json.loads(copied(page, "Copy span as OTLP JSON"))
    (resource,) = told["resourceSpans"]
    assert {"key": "service.name", "value": {"stringValue": "shop"}} in resource["resource"]["attributes"]
    (span,) = resource["scopeSpans"][0]["spans"]
    assert (span["traceId"], span["spanId"], span["kind"]) == (call.trace_id, call.span_id, 3)
    assert span["startTimeUnixNano"] == f"{call.at}000000"
    assert int(span["endTimeUnixNano"]) == call.at * 1_000_000 + 100_000_000
    attributes = {one["key"]: one["value"] for one in span["attributes"]}
    assert attributes[semconv.INPUT_TOKENS] == {"intValue": "10"}
    assert json.loads(attributes[semconv.INPUT_MESSAGES]["stringValue"])[0]["role"] == "user"


WATCH_TASKS = """
window.tasks = [];
new PerformanceObserver(list => window.tasks.push(...list.getEntries().map(e => e.duration)))
  .observe({type: 'longtask', buffered: true});
"""


def shown(page: Page) -> int:
    found: int = page.evaluate("document.querySelector('article.user .text').textContent.length")
    return found


def longest(page: Page) -> float:
    page.wait_for_timeout(100)
    found: float = page.evaluate("Math.max(0, ...window.tasks.splice(0))")
    return found


def test_a_message_of_five_megabytes_never_makes_the_page_stand_still(page: Page, calls: list[Call]) -> None:
    page.add_init_script(WATCH_TASKS)
    page.goto(path_of(calls[1]))
    text = page.locator("article.user .text")
    expect(text).to_contain_text("start word")
    assert page.evaluate("document.querySelector('main').innerText.length") < 40_000
    opening = longest(page)
    page.get_by_role("button", name="show 100,000 more").click()
    until(lambda: shown(page), lambda n: n > 100_000)
    more = longest(page)
    page.get_by_role("button", name="show all").click()
    until(lambda: shown(page), lambda n: n >= FIVE_MB * 0.99, 120)
    everything = longest(page)
    print(f"longest task, ms: opening {opening:.0f}, 100,000 more {more:.0f}, all of it {everything:.0f}")
    assert max(opening, more, everything) < LONGEST_TASK_MS
    assert page.evaluate("document.querySelector('article.user .text').textContent.endsWith('end')")
    assert page.locator("article.user mark").count() == FIVE_MB // len(LINE)  # none is torn between two blocks


@pytest.fixture
def traced(store: Store, tmp_path: Path) -> tuple[Store, list[Call]]:
    """Two calls of one trace with a tool between them; the second repeats what the first said."""
    now = int(time.time() * 1000)
    first = Call(now - 2 * MINUTE, said="first question", answered="first answer")
    history = [message("user", "first question"), message("assistant", "first answer"), message("user", "and now?")]
    second = Call(
        now - MINUTE, trace=first.trace, answered="second answer",
        attributes={semconv.INPUT_MESSAGES: json.dumps(history)},
    )  # fmt: skip
    put(store, tmp_path, [first, second])
    operation(store, tmp_path, second, "execute_tool", "send_mail", {"gen_ai.tool.call.result": bad("sent")})
    return store, [first, second]


def test_a_trace_is_read_without_what_it_repeats(browser: Browser, traced: tuple[Store, list[Call]]) -> None:
    store, calls = traced
    with served(app_of(store)) as where, tab(browser, where) as page:
        page.goto(path_of(calls[0]))
        page.get_by_role("link", name="All that was said in the trace").click()
        expect(page).to_have_url(f"{where}{path_of(calls[0])}?read=trace")
        said = page.locator(".call-reader article .text")
        expect(said).to_have_text(["first question", "first answer", bad("sent"), "and now?", "second answer"])
        expect(page.locator(".call-turn").last).to_contain_text("2 messages from above")
        assert_only_text(page)
        page.locator(".call-turn a").last.click()
        expect(page).to_have_url(f"{where}{path_of(calls[1])}?read=trace")


def nested(at: int, many: int) -> list[Call]:
    """Calls under each other in groups of ten, one trace."""
    root = Call(at, model="root", latency_ms=1000)
    groups = [Call(at + n, model=f"group {n}", trace=root.trace, latency_ms=10) for n in range(many // 10)]
    below = [Call(at + n, model=f"leaf {n}", trace=root.trace, latency_ms=1) for n in range(many)]
    for one in groups:
        one.attributes["parent"] = root.span
    for n, one in enumerate(below):
        one.attributes["parent"] = groups[n // 10].span
    return [root, *groups, *below]


def test_a_large_trace_folds_and_zooms(
    browser: Browser, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from . import traffic

    make = traffic._span

    def with_parent(call: Call) -> Any:
        parent = call.attributes.pop("parent", None)
        span = make(call)
        if parent:
            span.parent_span_id = parent.to_bytes(8)
        return span

    monkeypatch.setattr(traffic, "_span", with_parent)
    calls = nested(int(time.time() * 1000) - MINUTE, 300)
    put(store, tmp_path, calls)
    with served(app_of(store)) as where, tab(browser, where) as page:
        page.goto(path_of(calls[0]))
        trace = page.get_by_label("Trace", exact=True)
        rows = trace.locator("ol > li")
        expect(rows).to_have_count(331)
        trace.get_by_role("button", name="What is below chat group 0").click()
        expect(rows).to_have_count(321)
        trace.get_by_role("button", name="Unfold all").click()
        trace.get_by_role("button", name="Fold all").click()
        expect(rows).to_have_count(1)
        trace.get_by_role("button", name="Unfold all").click()
        trace.get_by_role("button", name="chat group 3", exact=True).click()
        trace.get_by_role("button", name="Zoom to this span").click()
        expect(rows).to_have_count(11)
        expect(trace).to_contain_text("331 spans, 10 ms, 11 shown")
        trace.get_by_role("button", name="Whole trace").click()
        expect(rows).to_have_count(331)


MAIL = "ada.canary@example.com"


def test_a_placeholder_is_revealed_with_a_reason_and_a_line_in_the_audit_log(browser: Browser, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    with serving(tmp_path / "data", "--policy", policy) as running, tab(browser, running.address) as page:
        context = Context(app="shop", environment="test", session_id="s-1")
        check = Check("input", (Message("user", (Part("text", f"write to {MAIL}"),)),), context)
        assert running.http.post("/v1/guard/check", json=check_to_json(check)).status_code == 200
        text = "write to <EMAIL_ADDRESS_1> and <EMAIL_ADDRESS_2>"
        span = otlp_call(7, CONVERSATION="s-1", INPUT_MESSAGES=otlp_said("user", text))
        running.post(request("shop", [span]).SerializeToString())
        until(lambda: running.count("llm_calls", "shop"), lambda n: n == 1)

        page.goto(f"/calls/{7:032x}/{7:016x}")
        page.get_by_role("button", name="<EMAIL_ADDRESS_1>").click()
        sheet = page.get_by_role("dialog", name="What <EMAIL_ADDRESS_1> stands for")
        expect(sheet.get_by_role("button", name="Reveal")).to_be_disabled()
        sheet.get_by_label("Reason").fill("a complaint")
        sheet.get_by_role("button", name="Reveal").click()
        expect(sheet.locator("output")).to_have_text(MAIL)
        sheet.get_by_role("button", name="Hide").click()
        assert MAIL not in page.content()
        assert MAIL not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, location.href])")
        line = json.loads((running.data / "audit.log").read_text().splitlines()[-1])
        assert (line["action"], line["subject"], line["detail"]["reason"], line["detail"]["found"]) == (
            "vault.reveal", "<EMAIL_ADDRESS_1>", "a complaint", "yes",
        )  # fmt: skip


def test_who_may_not_reveal_is_told_who_may(page: Page, calls: list[Call]) -> None:
    message = "reveal needs a key whose role is one of revealer, admin"
    page.route("**/v1/vault/reveal", lambda route: route.fulfill(status=200, json={"value": "x"}))
    page.goto(path_of(calls[0]))
    page.get_by_role("button", name="<EMAIL_ADDRESS_1>").click()
    page.get_by_label("Reason").fill("why not")
    page.unroute("**/v1/vault/reveal")
    page.evaluate(
        """told => { window.fetch = async () => new Response(JSON.stringify({message: told}), {status: 403}) }""",
        message,
    )
    page.get_by_role("button", name="Reveal", exact=True).click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text(message)


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_runs_off_the_screen(browser: Browser, address: str, calls: list[Call], width: int) -> None:
    with tab(browser, address, viewport={"width": width, "height": 800}) as page:
        for query in ("", "?read=trace"):
            page.goto(path_of(calls[0]) + query)
            expect(page.locator("article").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.goto(path_of(calls[0]))
        expect(page.get_by_label("Tokens and cost")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_hindrance_for_anyone(browser: Browser, address: str, calls: list[Call], scheme: str) -> None:
    with tab(browser, address, color_scheme=scheme, reduced_motion="reduce") as page:
        page.goto(path_of(calls[0]))
        expect(page.locator("article").first).to_be_visible()
        page.locator(".raw summary").click()
        assert serious(page) == []
        page.get_by_role("button", name="<EMAIL_ADDRESS_1>").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert serious(page) == []
        page.goto(path_of(calls[0]) + "?read=trace")
        expect(page.locator("article").first).to_be_visible()
        assert serious(page) == []


PRICES = """
prices:
  - {provider: acme, model: house, input: 2.0, output: 10.0, cache_read: 0.5}
"""


@pytest.mark.parametrize(
    ("cost", "by", "says"),
    [
        (0.0067, "2026-11", "."),
        (0.0080, "2026-11", ", by which it costs $0.0067: $0.008 came by prices 2026-11."),
        (0.0080, "", ", by which it costs $0.0067: $0.008 came with the call."),
    ],
)
def test_what_each_kind_of_token_cost_is_told_by_the_prices_of_the_sidecar(
    browser: Browser, store: Store, tmp_path: Path, cost: float, by: str, says: str
) -> None:
    (tmp_path / "prices.yaml").write_text(PRICES)
    pricing = Pricing(tmp_path / "prices.yaml")
    call = Call(
        int(time.time() * 1000) - MINUTE, "house", "acme", tokens=(1000, 500), cached=200, cost=cost,
        attributes={semconv.PRICE_VERSION: by},
    )  # fmt: skip
    put(store, tmp_path, [call])
    means = means_of(store)
    app = Starlette(routes=routes(means, operations(Repricing(store, pricing, means.documents), pricing)))
    with served(app) as address, tab(browser, address) as page:
        page.goto(path_of(call))
        told = page.locator(".cost-parts")
        told.get_by_text("What each kind cost").click()
        expect(told.locator("dl > div")).to_have_text([
            "Input 800 at $2.00 a million$0.0016",
            "Read from cache 200 at $0.500 a million$0.0001",
            "Output 500 at $10.00 a million$0.005",
        ])  # fmt: skip
        expect(told.locator("p")).to_have_text(f"By prices {pricing.version}{says}")
        assert serious(page) == []


def test_what_guards_missed_is_told_on_the_call_and_taken_back(browser: Browser, store: Store, tmp_path: Path) -> None:
    call = Call(int(time.time() * 1000) - MINUTE, said="my account is 4711")
    put(store, tmp_path, [call])
    with served(app_of(store)) as address, tab(browser, address) as page:
        page.goto(path_of(call))
        page.get_by_text("Something was missed").click()
        form = page.locator(".missed form")
        form.get_by_label("What it is").fill("ACCOUNT")
        form.get_by_label("Note").fill("of our bank")
        assert serious(page) == []
        form.get_by_role("button", name="Save").click()
        expect(page.locator(".missed")).to_contain_text("Noted: ACCOUNT was missed.")
        said = "SELECT trace_id, label, verdict, note FROM reviews"
        assert store.ask(said).rows == ((call.trace_id, "ACCOUNT", "missed", "of our bank"),)
        page.locator(".missed").get_by_role("button", name="Undo").click()
        expect(form).to_be_visible()
        assert store.ask(f"{said} ORDER BY ts DESC LIMIT 1").rows[0][2] == "none"


def test_who_may_not_review_is_told_so(browser: Browser, store: Store, tmp_path: Path) -> None:
    call = Call(int(time.time() * 1000) - MINUTE)
    put(store, tmp_path, [call])
    with served(app_of(store, authorize=nobody_but("see_content"))) as address:
        context = browser.new_context(base_url=address)  # no `tab`: the browser notes a 403 as an error
        page = context.new_page()
        page.goto(path_of(call))
        page.get_by_text("Something was missed").click()
        page.locator(".missed form").get_by_label("What it is").fill("ACCOUNT")
        page.locator(".missed form").get_by_role("button", name="Save").click()
        expect(page.locator(".missed").get_by_role("alert")).to_have_text("review needs another key")
        context.close()
    assert store.ask("SELECT count() FROM reviews").rows == ((0,),)
