"""How soon each page is there for somebody who was never here: `python benchmarks/cold_load.py [--runs 5]`.

Real Chromium with an empty cache opens every page of the demonstration at the real sidecar, over loopback. Told of
each: seconds of the clock until its heading stands, and until the last answer that it waits for is drawn (p50 and p95
of the runs), and what came over the wire without the API's answers. With `--limits` it ends with 1 where a page has
more bytes than `WIRE_KB` or a p95 above `SECONDS`.
"""

import argparse
import json
import os
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from demonstration import demonstration, pages
from playwright.sync_api import Browser

from spanward.tests.dashboards.browser import chromium

SECONDS = 1.5
WIRE_KB = 120
QUIET_MS = 500
"""Nothing asked and nothing drawn for so long: the page is there. It does not count."""
WATCH = """
(() => {
  const seen = { open: 0, head: 0, drawn: 0 };
  window.coldLoad = seen;
  const ask = window.fetch;
  window.fetch = (...told) => {
    seen.open += 1;
    return ask(...told).finally(() => { seen.open -= 1; seen.drawn = performance.now(); });
  };
  new MutationObserver(() => {
    seen.drawn = performance.now();
    if (!seen.head && document.querySelector("main h1")) seen.head = seen.drawn;
  }).observe(document, { childList: true, subtree: true, characterData: true });
})()
"""
THERE = f"() => coldLoad.head && !coldLoad.open && performance.now() - coldLoad.drawn > {QUIET_MS}"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--limits", action="store_true", help="end with 1 where a page is beyond them")
    options.add_argument("--json", type=Path, help="write the numbers here as well")
    chosen = options.parse_args()
    with demonstration() as address, chromium() as browser:
        found = measure(browser, address, chosen.runs)
    print(f"{chosen.runs} runs, load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(f"{'page':14}{'heading p50':>12}{'p95':>7}{'whole p50':>12}{'p95':>7}{'kB':>8}{'files':>7}")
    for name, one in found.items():
        print(
            "{:14}{:12.2f}{:7.2f}{:12.2f}{:7.2f}{:8.1f}{:7}".format(
                name, *one["head"], *one["whole"], one["kb"], one["files"]
            )
        )
    beyond = [name for name, one in found.items() if one["whole"][1] > SECONDS or one["kb"] > WIRE_KB]
    print(f"beyond {SECONDS} s or {WIRE_KB} kB: {', '.join(beyond) or 'none'}")
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))
    return 1 if beyond and chosen.limits else 0


def measure(browser: Browser, address: str, runs: int) -> dict[str, Any]:
    """Run by run and not page by page, so that a busy moment of the machine meets every page alike."""
    taken: dict[str, list[tuple[float, float, float, int]]] = defaultdict(list)
    addresses = pages(address)
    for _ in range(runs):
        for name, path in addresses.items():
            taken[name].append(opened(browser, address + path))
    return {
        name: {
            "head": spread([head for head, *_ in each]),
            "whole": spread([whole for _, whole, *_ in each]),
            "kb": max(kb for _, _, kb, _ in each),
            "files": each[0][3],
        }
        for name, each in taken.items()
    }


def opened(browser: Browser, url: str) -> tuple[float, float, float, int]:
    """Seconds until the heading and until all is drawn; kilobytes and files over the wire without the API."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="UTC")
    page = context.new_page()
    page.add_init_script(WATCH)
    told = context.new_cdp_session(page)
    told.send("Network.enable")
    asked: dict[str, str] = {}
    sizes: dict[str, int] = {}
    told.on("Network.requestWillBeSent", lambda one: asked.update({one["requestId"]: one["request"]["url"]}))
    told.on("Network.loadingFinished", lambda one: sizes.update({one["requestId"]: one["encodedDataLength"]}))
    try:
        page.goto(url, wait_until="commit")
        page.wait_for_function(THERE, timeout=60_000)
        head, whole = page.evaluate("[coldLoad.head, coldLoad.drawn]")
    finally:
        context.close()
    files = [
        size
        for request, size in sizes.items()
        if asked[request].startswith("http") and not urlsplit(asked[request]).path.startswith("/api")
    ]
    return head / 1000, whole / 1000, sum(files) / 1000, len(files)


def spread(values: list[float]) -> tuple[float, float]:
    """p50 and p95; of few runs the second is the slowest."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]


if __name__ == "__main__":
    sys.exit(main())
