"""What `serve` is told, and by whom."""

from pathlib import Path
from typing import Any

import pytest

from spanward.collector import data_directory
from spanward.collector.command import CommandError
from spanward.collector.settings import Settings, settings_from


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment that says nothing, in an empty directory."""
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "SPANWARD_SPOOL", "SPANWARD_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_told(bare: Path) -> None:
    settings = settings_from(None, {"port": None})
    data = bare / ".local" / "share" / "spanward"
    assert (settings.data, settings.host, settings.port, settings.policy) == (data, "127.0.0.1", 4318, "default")
    assert settings.store_url == f"chdb:///{data / 'store'}"
    assert settings.spool_directory == bare / ".local" / "state" / "spanward" / "spool"


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    monkeypatch.setenv("SPANWARD_STORE", "clickhouse://u@h:8123/d")
    settings = Settings()
    assert (settings.data, settings.spool_directory) == (Path("/data/spanward"), Path("/state/spanward/spool"))
    assert settings.store_url == "clickhouse://u@h:8123/d"
    monkeypatch.setenv("SPANWARD_SPOOL", "/spool")
    assert Settings().spool_directory == Path("/spool")


def test_a_relative_xdg_directory_is_ignored(monkeypatch: pytest.MonkeyPatch, bare: Path) -> None:
    """As its specification asks."""
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    assert data_directory.default() == bare / ".local" / "share" / "spanward"


def test_paths_are_relative_to_whoever_names_them(bare: Path) -> None:
    folder = bare / "etc"
    folder.mkdir()
    file = folder / "spanward.yaml"
    file.write_text("data: lib\nspool: ~/spool\npolicy: rules.yaml\nport: 1\n")
    settings = settings_from(file, {"port": 2, "prices": "prices.yaml"})
    assert settings.data == folder / "lib"
    assert settings.spool_directory == bare / "spool"
    assert settings.policy == str(folder / "rules.yaml")
    assert (settings.port, settings.prices) == (2, bare / "prices.yaml")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("strict", "strict"), ("strict.yaml", "{}/strict.yaml"), ("./strict", "{}/strict"), ("/a/b.yaml", "/a/b.yaml")],
)
def test_a_bare_name_is_a_shipped_policy(bare: Path, policy: str, expected: str) -> None:
    assert settings_from(None, {"policy": policy}).policy == expected.format(bare)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prot: 1\n", "{}: prot: Extra inputs are not permitted; known are data, store, host, port"),
        ("port: many\n", "{}: port: Input should be a valid integer"),
        ("- port\n", "{}: must hold `name: value` lines"),
        ("port: [\n", "{}: while parsing"),
    ],
)
def test_a_wrong_file_is_refused(bare: Path, text: str, says: str) -> None:
    file = bare / "spanward.yaml"
    file.write_text(text)
    with pytest.raises(CommandError) as problem:
        settings_from(file, {})
    assert str(problem.value).startswith(says.format(file))


def test_an_empty_file_says_nothing(bare: Path) -> None:
    (bare / "empty.yaml").write_text("# nothing yet\n")
    told: dict[str, Any] = {}
    assert settings_from(bare / "empty.yaml", told) == settings_from(None, told)
