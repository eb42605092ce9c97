"""`spanward policy promote`, `shadow`: the file keeps its layout, the audit log knows first, the sidecar follows."""

import json
from functools import partial
from pathlib import Path

import pytest

from spanward.collector.audit.client import record
from spanward.collector.audit.log import Audit
from spanward.collector.cli import main
from spanward.collector.command import CommandError
from spanward.collector.policy.draft import Draft, change
from spanward.collector.policy.promotion import put_in_force
from spanward.collector.settings import Settings
from spanward.guards.policy import load

from .otlp import body, call, said
from .sidecar_process import serving, spanward, until

SHADOW = """\
# what the house lets through\r
version: 1
name:   house

rules:
  - name: mail       # since March
    when: { stage: output }
    detect: { pii: { entities: { EMAIL_ADDRESS: 0.4 } } }
    action: block
    mode:   'shadow'   # watched until May
  - { name: cards, detect: { pii: { entities: [CREDIT_CARD] } }, action: redact, mode: shadow }
  - name: mode
    detect: { secrets: {} }   # mode: shadow
    action: block
"""
MAIL = SHADOW.replace("'shadow'", "enforce")
BOTH = MAIL.replace("mode: shadow }", "mode: enforce }")


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "house.yaml"
    path.write_bytes(SHADOW.encode())
    path.chmod(0o640)
    return path


def promoted(path: Path, *words: str | Path) -> int:
    return main(["policy", "promote", str(path), *map(str, words), "--data", str(path.parent / "data")])


def entries(path: Path) -> list[dict[str, object]]:
    log = path.parent / "data" / "audit.log"
    if not log.exists():
        return []
    audit = Audit(log)
    told = [json.loads(entry.line) for entry in audit.after(0)]
    audit.close()
    return [{key: entry[key] for key in ("action", "subject", "detail")} for entry in told]


def test_only_the_word_changes(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = load(policy).hash
    assert promoted(policy, "--rule", "mail") == 0
    assert policy.read_bytes() == MAIL.encode()
    assert policy.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in policy.parent.iterdir()) == ["data", "house.yaml"]
    after = load(policy).hash
    lines = capsys.readouterr().out.splitlines()
    assert "-    mode:   'shadow'   # watched until May" in lines
    assert "+    mode:   enforce   # watched until May" in lines
    assert lines[-2:] == [
        f"no sidecar runs on {policy.parent / 'data'}: what these rules would have done is not known here",
        f"{policy}: {after}, in force: mail",
    ]
    detail = {"rules": "mail", "policy": "house", "from": before, "to": after}
    assert entries(policy) == [{"action": "policy.promote", "subject": str(policy), "detail": detail}]


def test_all_of_them(policy: Path) -> None:
    assert promoted(policy, "--all") == 0
    assert policy.read_bytes() == BOTH.encode()
    assert promoted(policy, "--all") == 1  # none is left


def test_a_dry_run_changes_nothing_and_shows_a_patch(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert promoted(policy, "--all", "--dry-run") == 0
    assert policy.read_bytes() == SHADOW.encode()
    assert entries(policy) == []
    assert capsys.readouterr().out.endswith("nothing was changed\n")
    assert [path.name for path in policy.parent.iterdir()] == ["house.yaml"]


def test_a_link_stays_a_link(policy: Path) -> None:
    link = policy.parent / "link.yaml"
    link.symlink_to(policy)
    assert promoted(link, "--rule", "cards") == 0
    assert link.is_symlink()
    assert policy.read_text().count("mode: enforce }") == 1


HEIR = "version: 1\nextends: ./house.yaml\nrules: []\n"
MERGED = """\
version: 1
rules:
  - &first { name: first, detect: { secrets: {} }, action: block, mode: shadow }
  - { <<: *first, name: second }
  - { name: third, detect: { secrets: {} }, action: flag, mode: &how shadow }
  - { name: fourth, detect: { secrets: {} }, action: flag, mode: *how }
"""


@pytest.mark.parametrize(
    ("text", "rule", "says"),
    [
        (SHADOW, "mai", "{path}: no rule 'mai'; in shadow are: mail, cards"),
        (SHADOW, "mode", "{path}:12: 'mode' is in force already; in shadow are: mail, cards"),
        (HEIR, "mail", "{house}:6: 'mail' is written in a policy that {path} extends; promote it there"),
        ("version: 1\nextends: observe-only\nrules: []\n", "rude", "is in force already"),
        ("version: 1\nextends: observe-only\nrules: []\n", "no-secrets", "is in a policy that is shipped"),
        (MERGED, "second", "{path}: `mode: shadow` of 'second' is not written at the rule itself; write it there"),
        (MERGED, "fourth", "{path}: `mode: shadow` of 'fourth' is not written at the rule itself; write it there"),
        (MERGED, "first", "{path}: more than the mode of these rules would change; edit it by hand"),
        (MERGED, "third", "{path}:6: not valid YAML: found undefined alias 'how'"),
        ("version: 1\nrules: [\n", "x", "{path}:3: not valid YAML"),
    ],
)
def test_refused(policy: Path, text: str, rule: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = policy.parent / "tried.yaml"
    path.write_bytes(text.encode())
    assert promoted(path, "--rule", rule) == 1
    assert says.format(path=path, house=policy) in capsys.readouterr().err
    assert path.read_bytes() == text.encode()
    assert entries(path) == []
    assert sorted(file.name for file in policy.parent.iterdir()) == ["house.yaml", "tried.yaml"]


def test_a_rule_of_a_folder_is_changed_in_its_file(policy: Path) -> None:
    folder = policy.parent / "folder"
    folder.mkdir()
    (folder / "10-first.yaml").write_text("version: 1\nname: whole\nextends: ../base.yaml\nrules: []\n")
    (folder / "20-house.yaml").write_bytes(SHADOW.replace("name:   house\n", "").encode())
    (policy.parent / "base.yaml").write_text("version: 1\nrules: [{name: x, detect: {secrets: {}}, action: flag}]\n")
    before = load(folder).hash
    assert promoted(folder, "--rule", "mail") == 0
    assert (folder / "20-house.yaml").read_bytes() == MAIL.replace("name:   house\n", "").encode()
    assert sorted(file.name for file in folder.iterdir()) == ["10-first.yaml", "20-house.yaml"]
    assert sorted(file.name for file in policy.parent.iterdir()) == ["base.yaml", "data", "folder", "house.yaml"]
    (told,) = entries(policy)
    assert told["detail"] == {"rules": "mail", "policy": "whole", "from": before, "to": load(folder).hash}


def test_without_an_audit_log_nothing_is_promoted(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (policy.parent / "data" / "audit.log").mkdir(parents=True)  # so that no file can be there
    assert promoted(policy, "--rule", "mail") == 1
    assert "audit.log" in capsys.readouterr().err
    assert policy.read_bytes() == SHADOW.encode()


def test_a_file_that_was_edited_meanwhile_is_left_alone(policy: Path) -> None:
    settings = Settings(data=policy.parent / "data")
    before, edit = load(policy), change(policy, ["mail"])
    with Draft(str(policy), edit) as draft:
        after = draft.load()
        policy.write_text(HEIR)
        with pytest.raises(CommandError, match="was changed meanwhile"):
            put_in_force(partial(record, settings.data), edit, draft, before, after)
    assert policy.read_text() == HEIR
    assert [entry["action"] for entry in entries(policy)] == ["policy.promote", "policy.promote_failed"]
    assert sorted(path.name for path in policy.parent.iterdir()) == ["data", "house.yaml"]


def test_from_shadow_into_force(tmp_path: Path, policy: Path) -> None:
    """What a rule in shadow would have done, its promotion, and the running sidecar that takes it up."""
    answer = said("assistant", "write to jane@example.org")
    with serving(tmp_path / "data", "--policy", policy) as running:
        data = running.data
        none = spanward("policy", "shadow", "--data", data)
        assert (none.returncode, none.stdout) == (0, "0 calls; no rule in shadow met one\n")
        before = running.health()["policy"]["hash"]
        running.post(body("shadowed", *(call(number, OUTPUT_MESSAGES=answer) for number in (1, 2)), call(3)))
        sql = "SELECT uniqExact(span_id) FROM guard_events WHERE mode = 'shadow'"
        assert until(lambda: running.query(sql), lambda rows: rows == [[2]]) == [[2]]
        told = spanward("policy", "shadow", "--data", data)
        assert [line.split() for line in told.stdout.splitlines()] == [
            ["3", "calls;", "rules", "in", "shadow:"],
            ["rule", "would", "have", "calls", "labels", "for", "example"],
            ["mail", "blocked", "2", "EMAIL_ADDRESS", f"{1:032x}", f"{2:032x}"],
        ]
        as_json = json.loads(spanward("policy", "shadow", "--format", "json", "--data", data).stdout)
        assert as_json == {
            "calls": 3,
            "rules": [
                {"rule": "mail", "verdict": "deny", "calls": 2, "labels": ["EMAIL_ADDRESS"],
                 "traces": [f"{1:032x}", f"{2:032x}"]}
            ],
        }  # fmt: skip
        done = spanward("policy", "promote", policy, "--all", "--data", data)
        assert (done.returncode, done.stderr) == (0, "")
        assert "in shadow, 'mail' would have blocked 2 calls in the last 7 days\n" in done.stdout
        assert "in shadow, 'cards' met no call in the last 7 days\n" in done.stdout
        after = until(lambda: running.health()["policy"]["hash"], lambda found: found != before)
        assert after == load(policy).hash
        sql = "SELECT action, subject, detail['from'], detail['to'], actor != '' FROM audit ORDER BY seq"
        rows = until(lambda: running.query(sql), lambda rows: len(rows) == 2)
        assert rows == [
            ["policy.promote", str(policy), before, after, 1],
            ["policy.reload", str(policy), before, after, 1],
        ]
        check = {
            "side": "output",
            "messages": [{"role": "assistant", "parts": [{"kind": "text", "text": "a@example.org"}]}],
        }
        assert running.http.post("/v1/guard/check", json=check).json()["blocked_by"] == "mail"
