"""The pages lead to one another, and the map of the code names what there is."""

import fnmatch
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
ROOMS = ("guards", "tracer", "dashboards", "collector")


def linked(page: Path) -> list[Path]:
    """What a page links to in this repository."""
    targets = re.findall(r"\]\((?!\w+:|#)([^)#]+)(?:#[^)]*)?\)", page.read_text())
    return [(page.parent / target).resolve() for target in targets]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_its_links_lead_somewhere(page: Path) -> None:
    assert [str(target) for target in linked(page) if not target.exists()] == []


def test_every_page_is_reached_from_the_first_one() -> None:
    reached: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in reached:
            continue
        reached.add(page)
        for target in filter(Path.exists, linked(page)):
            ahead += sorted(target.glob("*.md")) if target.is_dir() else [target] * (target.suffix == ".md")
    assert [str(page.relative_to(ROOT)) for page in PAGES if page not in reached] == []


def test_the_map_names_every_folder_of_code() -> None:
    folders = [
        path.parent.relative_to(ROOT)
        for room in ROOMS
        for path in (ROOT / room).rglob("__init__.py")
        if "node_modules" not in path.parts
    ]
    assert [str(folder) for folder in folders if f"{folder.name}/" not in CONTRIBUTING] == []


def test_the_map_names_no_file_that_is_gone() -> None:
    """A name in capitals stands for one to be written."""
    there = [str(path) for room in (*ROOMS, "docs", "tests") for path in (ROOT / room).rglob("*.py")]
    named = set(re.findall(r"(?<![\w*/])[a-z_*/]+\.py\b", CONTRIBUTING))
    assert len(named) > 100
    assert sorted(name for name in named if not fnmatch.filter(there, f"*/{name}")) == []
