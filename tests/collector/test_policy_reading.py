"""`spanward policy check | show`: what is odd is told with its line, and what is shown is a policy again."""

from pathlib import Path

import pytest

from spanward.collector.cli import main
from spanward.collector.policy import reading as policy_reading
from spanward.guards.policy import load

FINE = """\
version: 1
name: fine
detectors:
  tickets: { kind: regex, patterns: { TICKET: 'ACME-[0-9]{6}' } }
rules:
  - name: no-tickets
    when: { stage: input, tags: [a, b] }
    detect: { tickets: {} , pii: { entities: { EMAIL_ADDRESS: 0.4, US_SSN: { threshold: 0.5, action: block } } } }
    action: redact
"""
ODD = """\
version: 1
rules:
  - name: cards
    detect: { pii: { entities: { CREDIT_CARD: 0 } } }
    action: block
"""
WRONG = """\
version: 1
rules:
  - { name: strict, detect: { pii: { entities: { CREDIT_CARD: 0.4 } } }, action: block }
  - { name: mild, detect: { pii: { entities: { CREDIT_CARD: 0.4 } } }, action: allow }
"""


def checked(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, list[str], str]:
    code = main(["policy", "check", *map(str, words)])
    told = capsys.readouterr()
    return code, told.out.splitlines(), told.err


def test_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fine.yaml"
    path.write_text(FINE)
    policy = load(path)
    says = f"{path}: fine. fine {policy.hash}, 1 rules, 1 of them stand in the way of a call"
    assert checked(capsys, path, "--strict") == (0, [says], "")


def test_a_warning_fails_only_where_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(ODD)
    code, lines, err = checked(capsys, path)
    assert (code, len(lines), err) == (0, 2, "")
    assert lines[0].startswith(f"{path}: 1 warning. odd ")
    assert lines[1].startswith(f"{path}:4: warning: rule 'cards' takes CREDIT_CARD from 0 on")
    assert checked(capsys, path, "--strict")[0] == 1


def test_a_rule_that_never_acts_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG)
    code, lines, err = checked(capsys, path)
    assert (code, len(lines), err) == (1, 2, "")
    assert lines[1].startswith(f"{path}:4: error: rule 'mild': CREDIT_CARD: `allow` is no exception")


def test_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "10.yaml").write_text(FINE)
    (tmp_path / "20.yaml").write_text(ODD)
    code, lines, _ = checked(capsys, tmp_path)
    assert code == 0
    assert f"{tmp_path / '20.yaml'}:4: warning" in lines[1]
    (tmp_path / "20.yaml").write_text(ODD.replace("pii", "pi"))
    assert checked(capsys, tmp_path) == (
        1, [], f"spanward policy: {tmp_path / '20.yaml'}:4: unknown detector 'pi'; did you mean 'pii'?\n",
    )  # fmt: skip


def test_what_is_shown_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, again = tmp_path / "fine.yaml", tmp_path / "again.yaml"
    path.write_text(FINE)
    assert main(["policy", "show", str(path)]) == 0
    again.write_text(capsys.readouterr().out)
    assert load(again).hash == load(path).hash
    assert policy_reading.as_file(load(again))["detectors"] == {
        "tickets": {"kind": "regex", "patterns": {"TICKET": "ACME-[0-9]{6}"}}
    }
