"""`spanward policy test`, as a CI runs it."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from .sidecar_process import spanward

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "policy" / "shop-cases.yaml"
CASES = """\
policy: default
cases:
  - name: an address leaves the prompt
    input: "Write to jane@example.org"
    expect: { action: modify, text: "Write to <EMAIL_ADDRESS_1>" }
  - name: "a card \\e is stopped"
    input: "4111 1111 1111 1111"
    expect: { action: block, finds: CREDIT_CARD }
"""
DIFFERENCE = ["-action: block", "+action: modify", " finds: CREDIT_CARD"]


def test_the_example_holds() -> None:
    told = spanward("policy", "test", EXAMPLE)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.splitlines()[-1] == "7 cases, 7 passed, 0 failed"


def test_a_case_that_does_not_hold(tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_text(CASES)
    told = spanward("policy", "test", path)
    assert (told.returncode, told.stderr) == (1, "")
    head, *lines = (line for line in told.stdout.splitlines() if "less than full" not in line)
    assert head.startswith(f"{path} against default ")
    assert lines == [
        "  pass  an address leaves the prompt",
        f"  FAIL  a card \x1b is stopped  ({path}:6)",
        "        - expected  + came",
        *(f"        {line}" for line in DIFFERENCE),
        "2 cases, 1 passed, 1 failed",
    ]


def test_for_programs(tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_text(CASES)
    told = spanward("policy", "test", path, EXAMPLE, "--format", "json")
    assert told.returncode == 1
    mine, example = json.loads(told.stdout)
    assert (mine["policy"], mine["failed"], example["policy"], example["failed"]) == ("default", 1, "shop", 0)
    assert [(case["name"], case["line"], case["passed"], case["differences"]) for case in mine["cases"]] == [
        ("an address leaves the prompt", 3, True, []),
        ("a card \x1b is stopped", 6, False, DIFFERENCE),
    ]


def test_for_a_ci(tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_text(CASES)
    told = spanward("policy", "test", path, "--format", "junit")
    suite = ET.fromstring(told.stdout.encode()).find("testsuite")
    assert suite is not None
    assert {key: suite.attrib[key] for key in ("name", "tests", "failures", "errors")} == {
        "name": str(path), "tests": "2", "failures": "1", "errors": "0",
    }  # fmt: skip
    good, bad = suite.findall("testcase")
    assert (good.attrib["name"], good.attrib["classname"], list(good)) == (
        "an address leaves the prompt",
        "default",
        [],
    )
    assert bad.attrib["name"] == "a card ? is stopped"  # no XML can hold an escape character
    failure = bad.find("failure")
    assert failure is not None
    assert (failure.text or "").splitlines() == DIFFERENCE


def test_another_policy_than_the_file_names(tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_text(CASES)
    (tmp_path / "other.yaml").write_text(
        "version: 1\nrules:\n  - {name: cards, detect: {pii: {entities: [CREDIT_CARD]}}, action: block}\n"
    )
    told = spanward("policy", "test", path, "--policy", tmp_path / "other.yaml")
    assert told.returncode == 1
    assert "FAIL  an address leaves the prompt" in told.stdout
    assert "pass  a card" in told.stdout


def test_what_cannot_be_tried(tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_text(CASES.replace("finds: CREDIT_CARD", "finds: CREDITCARD"))
    told = spanward("policy", "test", path)
    assert (told.returncode, told.stdout, told.stderr) == (
        1,
        "",
        f"spanward policy: {path}:8: default has no label 'CREDITCARD'; did you mean 'CREDIT_CARD'?\n",
    )
    path.write_text(CASES.replace("policy: default\n", ""))
    told = spanward("policy", "test", path)
    assert told.stderr == f"spanward policy: {path}: no policy to try; write `policy: FILE`, or give --policy FILE\n"
    told = spanward("policy", "test", tmp_path / "none.yaml")
    assert (told.returncode, told.stderr) == (
        1,
        f"spanward policy: {tmp_path / 'none.yaml'}: No such file or directory\n",
    )
