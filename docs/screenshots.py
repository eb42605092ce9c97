"""The pictures of the README: runs the demonstration on a directory of its own and photographs the pages.

python docs/screenshots.py        writes docs/images/*.png
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from spanward.collector.data_directory import DataDirectory

IMAGES = Path(__file__).parent / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE = {"width": 1440, "height": 900}
LIGHT = (
    ("overview", "/?from=now-14d", ""),
    ("calls", "/calls?from=now-1h", ""),
    ("call", "/calls?from=now-1h&guard=modified&operation=chat", "table tbody tr a"),
    ("sessions", "/sessions?from=now-14d", ""),
    ("users", "/users?from=now-14d", ""),
    ("failures", "/failures?from=now-14d", ""),
    ("failure", "/failures?from=now-14d", "main a[href^='/failures/']"),
    ("drift", "/drift?from=now-14d", ""),
    ("compare", "/compare?from=now-14d", ""),
    ("cost", "/cost?from=now-14d", ""),
    ("guards", "/guards?from=now-14d", ""),
    ("review", "/guards/review?from=now-14d", ""),
    ("policies", "/policies", ""),
    ("sql", "/sql", ""),
    ("alerts", "/alerts", ""),
    ("health", "/health", ""),
    ("settings", "/settings", ""),
)
DARK = (
    ("overview-dark", "/?from=now-14d", ""),
    ("failures-dark", "/failures?from=now-14d", ""),
    ("cost-dark", "/cost?from=now-14d", ""),
)
"""Name, address, and a link to follow first."""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        demo = subprocess.Popen(
            [sys.executable, "-m", "spanward.collector.cli", "demo", "--calls", "80", "--data", folder, "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert demo.stdout is not None
            for line in demo.stdout:
                print(line, end="")
                if "Ctrl-C" in line:
                    break
            sidecar = DataDirectory(Path(folder)).sidecar()
            assert sidecar is not None, "the demonstration did not start; its messages are above"
            photograph(sidecar.address)
        finally:
            demo.terminate()
            demo.wait()


def photograph(address: str) -> None:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        for scheme, pictures in (("light", LIGHT), ("dark", DARK)):
            context = browser.new_context(viewport=SIZE, color_scheme=scheme, reduced_motion="reduce")
            page = context.new_page()
            for name, path, link in pictures:
                page.goto(address + path)
                take(page, name, link)
            context.close()
        browser.close()


def take(page: Page, name: str, link: str) -> None:
    """With `link`, of the page that the first such link leads to; none of it, no picture."""
    page.wait_for_load_state("networkidle")
    if link:
        found = page.locator(link).first
        if not found.count():
            print(f"no {link} on {page.url}, so no picture {name}")
            return
        found.click()
        page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
