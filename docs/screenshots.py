"""The pictures of the README: runs the demonstration on a directory of its own and photographs the pages.

python docs/screenshots.py        writes docs/images/{overview,calls,call}.png
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
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/?from=now-14d")
        take(page, "overview")
        page.goto(f"{address}/calls?from=now-1h")
        take(page, "calls")
        page.goto(f"{address}/calls?from=now-1h&guard_action=modify&operation=chat")
        page.locator("table tbody tr a").first.click()
        take(page, "call")
        browser.close()


def take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
