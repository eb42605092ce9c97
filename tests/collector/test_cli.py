"""The command line, run as people run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from spanward.collector.doctor import lines
from spanward.tracer.doctor import Fact

from .sidecar_process import Running, clean_environment, spanward

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("chdb", "presidio_analyzer", "uvicorn", "starlette", "pydantic", "yaml", "rich", "httpx", "numpy")


def test_help_names_every_command_and_brings_nothing_in() -> None:
    program = (
        "import sys\nfrom spanward.collector.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd="/").stdout
    assert told.splitlines()[-1] == "[]"
    for command in ("serve", "query", "policy", "doctor", "demo", "store"):
        assert f"\n    {command} " in told


@pytest.mark.parametrize("command", ["serve", "query", "policy", "doctor", "demo", "store"])
def test_every_command_has_help(command: str) -> None:
    told = spanward(command, "--help")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith(f"usage: spanward {command}")


def test_version() -> None:
    assert spanward("--version").stdout == "0.1.0\n"


@pytest.mark.parametrize("words", [[], ["bogus"], ["query"], ["policy"], ["store"], ["serve", "--nonsense"]])
def test_what_is_not_understood_is_2(words: list[str]) -> None:
    told = spanward(*words)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("usage: spanward")


WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name.partition('.')[0])
sys.meta_path.insert(0, Missing())
from spanward.collector.cli import main
sys.exit(main({words!r}))
"""


@pytest.mark.parametrize(
    ("missing", "words", "extras"),
    [
        ("uvicorn", ["serve"], "sidecar"),
        ("yaml", ["policy", "check", "default"], "sidecar"),
        ("rich", ["demo"], "sidecar,demo"),
    ],
)
def test_the_plain_wheel_says_what_is_missing(missing: str, words: list[str], extras: str) -> None:
    program = WITHOUT.format(missing={missing}, words=words)
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd="/")
    says = f"spanward {words[0]} needs {missing}, which is not installed: pip install 'spanward[{extras}]'\n"
    assert (told.returncode, told.stderr) == (2, says)


def test_policy_check(tmp_path: Path) -> None:
    good = spanward("policy", "check", "default")
    assert good.returncode == 0
    assert good.stdout.startswith("default: fine. default ")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 1\nrules:\n  - name: a\n    detect: { secret: {} }\n    action: block\n")
    bad = spanward("policy", "check", wrong)
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr == f"spanward policy: {wrong}:4: unknown detector 'secret'; did you mean 'secrets'?\n"


def test_policy_schema_is_json() -> None:
    told = spanward("policy", "schema")
    assert json.loads(told.stdout)["title"]
    assert told.returncode == 0


def test_policy_show_is_a_policy_that_says_the_same(tmp_path: Path) -> None:
    shown = spanward("policy", "show", "strict").stdout
    again = tmp_path / "again.yaml"
    again.write_text(shown)
    assert yaml.safe_load(shown)["name"] == "strict"
    assert spanward("policy", "show", again).stdout == shown


def test_store_migrate_refuses_a_directory_in_use_and_is_idempotent(sidecar: Running, tmp_path: Path) -> None:
    refused = spanward("store", "migrate", "--data", sidecar.data)
    assert refused.returncode == 2
    assert f"is in use by process {sidecar.process.pid}" in refused.stderr
    for _ in range(2):
        told = spanward("store", "migrate", "--data", tmp_path / "data")
        assert (told.returncode, told.stdout, told.stderr) == (0, "The schema is up to date.\n", "")


def test_doctor_names_what_is_not_installed_in_one_line_at_the_end() -> None:
    absent = [Fact(name, "absent", "not installed") for name in ("acme", "zeta-ai")]
    told = "".join(lines([absent[0], Fact("openai", "ok", "openai 3: traced"), absent[1]]))
    assert told == "ok openai           openai 3: traced\n - not installed    acme, zeta-ai\n"
    assert "not installed" not in "".join(lines([Fact("openai", "ok", "openai 3: traced")]))


def test_doctor_says_what_is_wrong(tmp_path: Path, sidecar: Running) -> None:
    environment = {
        "SPANWARD_SPOOL": str(tmp_path / "spool"),
        "XDG_STATE_HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path),
    }
    fine = spanward("doctor", SPANWARD_ENDPOINT=sidecar.address, **environment)
    assert fine.returncode == 0, fine.stdout
    assert f"ok sidecar          {sidecar.address} answers\n" in fine.stdout
    lonely = spanward("doctor", SPANWARD_ENDPOINT="http://127.0.0.1:9", **environment)
    assert lonely.returncode == 1
    assert "!! sidecar          nobody answers" in lonely.stdout


def test_a_reader_who_has_seen_enough_is_no_failure(sidecar: Running) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "spanward.collector.cli", "policy", "schema"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment(),
    )  # fmt: skip
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(30) == 1
