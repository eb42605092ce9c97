"""The pictures of README and docs: every page of the demonstration, photographed.

python docs/screenshots.py [NAME ...]        writes docs/images/*.png, or only these of them
"""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page

from spanward.benchmarks.demonstration import demonstration, pages
from spanward.tests.dashboards.browser import chromium

IMAGES = Path(__file__).parent / "images"
WIDTH, HEIGHT = 1440, 900
LONGER = {"call": 1040, "drift-alarm": 1200, "cost": 1100, "failure": 1000}
"""Heights of pages whose point lies further down."""
BOTH = ("overview", "calls", "call")
"""Also in the dark, as NAME-dark."""
LARGEST_KB = 150


def main(chosen: list[str]) -> int:
    IMAGES.mkdir(exist_ok=True)
    with demonstration() as address, chromium() as browser:
        addresses = {name: address + path for name, path in pages(address).items()}
        large = photograph(browser, addresses, chosen)
    for name, kb in large:
        print(f"{name}.png has {kb} kB, more than {LARGEST_KB}")
    return 1 if large else 0


def photograph(browser: Browser, addresses: dict[str, str], chosen: list[str]) -> list[tuple[str, int]]:
    """Gives those that came out too large."""
    large = []
    for scheme, suffix, names in (("light", "", tuple(addresses)), ("dark", "-dark", BOTH)):
        context = browser.new_context(color_scheme=scheme, reduced_motion="reduce", timezone_id="UTC", locale="en-GB")
        page = context.new_page()
        for name in names:
            if chosen and name + suffix not in chosen:
                continue
            page.set_viewport_size({"width": WIDTH, "height": LONGER.get(name, HEIGHT)})
            page.goto(addresses[name])
            kb = take(page, name + suffix)
            if kb > LARGEST_KB:
                large.append((name + suffix, kb))
        context.close()
    return large


def take(page: Page, name: str) -> int:
    """Kilobytes of the picture."""
    page.wait_for_load_state("networkidle")
    page.locator("main h1").first.wait_for()
    page.wait_for_timeout(300)
    file = IMAGES / f"{name}.png"
    in_palette(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).save(file, optimize=True)
    return file.stat().st_size // 1000


def in_palette(seen: Image.Image) -> Image.Image:
    """In 256 colours, each taken because what is like none of those before it is there most: a dot counts as well."""
    dots = np.asarray(seen).reshape(-1, 3)
    colours, which, often = np.unique(dots, axis=0, return_inverse=True, return_counts=True)
    colours = colours.astype(int)
    taken = [int(often.argmax())]
    nearest, away = np.zeros(len(colours), dtype=np.uint8), np.full(len(colours), 1 << 20)
    for number in range(min(256, len(colours))):
        apart = ((colours - colours[taken[-1]]) ** 2).sum(axis=1)
        nearest[apart < away] = number
        away = np.minimum(apart, away)
        taken.append(int((often * away).argmax()))
    picture = Image.fromarray(nearest[which.ravel()].reshape(seen.height, seen.width), "P")
    picture.putpalette(colours[taken[:256]].ravel().tolist())
    return picture


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
