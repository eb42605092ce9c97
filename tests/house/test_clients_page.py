"""The page of clients says what the adapters say."""

import runpy
from pathlib import Path

from spanward.tracer import registry

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_is_not_stale() -> None:
    script = runpy.run_path(str(DOCS / "clients.py"))
    assert set(script["TOLD"]) == set(registry.ADAPTERS), "docs/clients.py has a row for every adapter, and no other"
    assert (DOCS / "clients.md").read_text() == script["page"](), "run `python docs/clients.py`"
