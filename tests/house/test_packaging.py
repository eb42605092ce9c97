"""The wheel holds every package, and the checkers see one copy of each module."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import spanward
from spanward.tracer.blocked import ModelCallBlocked

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("tracer", "guards", "collector", "dashboards")


def test_every_package_is_listed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {"spanward"} | {
        "spanward." + ".".join(path.parent.relative_to(ROOT).parts)
        for room in ROOMS
        for path in (ROOT / room).rglob("__init__.py")
        if "node_modules" not in path.parts
    }
    assert set(listed) == found


def test_every_module_is_in_a_package() -> None:
    """A folder without `__init__.py` works from the checkout and is missing in the wheel."""
    homeless = [
        path.relative_to(ROOT)
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "node_modules" not in path.parts and not (path.parent / "__init__.py").exists()
    ]
    assert homeless == []


def test_face_hands_on_the_one_copy() -> None:
    assert spanward.ModelCallBlocked is ModelCallBlocked
    assert [name for name in sys.modules if name.endswith("tracer.blocked")] == ["spanward.tracer.blocked"]


def test_every_public_name_is_there() -> None:
    assert {name: callable(getattr(spanward, name)) for name in spanward.__all__} == dict.fromkeys(
        spanward.__all__, True
    )


def test_importing_the_face_is_free() -> None:
    """`import spanward` alone brings in nothing of ours and nothing of anybody else's."""
    program = "import sys; before = set(sys.modules); import spanward; print(sorted(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd="/")
    added = {name.split(".")[0] for name in ast.literal_eval(result.stdout)} - set(sys.stdlib_module_names)
    assert {name for name in added if not name.startswith("__editable__")} == {"spanward"}
    assert "spanward." not in result.stdout


def test_the_layout_link_is_what_the_checkers_read() -> None:
    assert (ROOT / ".layout" / "spanward").resolve() == ROOT
    assert [path.name for path in (ROOT / ".layout").iterdir()] == ["spanward"]
