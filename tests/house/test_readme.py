"""What the README shows is what there is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import spanward
from spanward.guards.policy import load

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_its_policy_is_one(tmp_path: Path) -> None:
    (text,) = blocks("yaml")
    path = tmp_path / "shop.yaml"
    path.write_text(text)
    policy = load(path)
    assert [rule.name for rule in policy.rules][-1] == "no-rude-answers"
    assert len(policy.rules) > 1, "it extends the default"


@pytest.mark.parametrize("block", blocks("python"))
def test_its_python_compiles_and_names_what_exists(block: str) -> None:
    compile(block, "README.md", "exec")
    for name in re.findall(r"spanward\.(\w+)\(", block):
        assert name in spanward.__all__


def test_its_files_are_there() -> None:
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert [path for path in linked if not (ROOT / path).exists()] == []


def test_its_commands_are_there() -> None:
    helped = subprocess.run(
        [sys.executable, "-m", "spanward.collector.cli", "--help"], capture_output=True, text=True, check=True
    ).stdout
    named = set(re.findall(r"`?spanward (serve|demo|query|doctor|policy|store)\b", README))
    assert named
    assert all(re.search(rf"^\s+{name}\s", helped, re.MULTILINE) for name in named)


def test_its_targets_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert all(
        f"\n{target}:" in makefile
        for target in set(re.findall(r"make (\w+)", README + (ROOT / "CONTRIBUTING.md").read_text()))
        - {"PYTHON", "help"}
    )
