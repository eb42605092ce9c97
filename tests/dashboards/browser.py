"""Real Chromium against the real API over a port of its own; what a person would see and do."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright
from starlette.types import ASGIApp

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_MS = 60_000
"""No test is gated by time: five seconds are little where other tests keep the processors busy."""
NAMES = ("chromium", "chromium-browser", "google-chrome")


def executable() -> str | None:
    """The system's Chromium; None leaves it to Playwright's own."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Raises playwright's Error if there is no Chromium at all."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """The app on a free loopback port; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started, "the page's server did not start"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


@dataclass
class Watch:
    """Everything a page did that it should not: requests elsewhere, errors in the console."""

    address: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        page.on("request", lambda request: self._asked(request.url))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _asked(self, url: str) -> None:
        if not url.startswith((self.address + "/", "data:")):
            self.foreign.append(url)


@contextmanager
def tab(browser: Browser, address: str, **how: Any) -> Iterator[Page]:
    """A page of its own context, 1280 px wide unless `how` (options of a context) says otherwise.

    Fails if the page asked a foreign host or wrote an error to the console.
    """
    defaults = {"viewport": {"width": 1280, "height": 900}, "base_url": address, "timezone_id": "UTC"}
    context = browser.new_context(**(defaults | how))
    watch = Watch(address)
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    watch.over(opened)
    try:
        yield opened
    finally:
        context.close()
    assert (watch.foreign, watch.errors) == ([], []), (watch.foreign, watch.errors)


def style(page: Page, selector: str, name: str) -> Any:
    return page.eval_on_selector(selector, "(e, n) => getComputedStyle(e)[n]", name)
