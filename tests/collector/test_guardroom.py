"""A policy that changes while it is in force."""

import json
import shutil
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from spanward.collector.audit.log import Audit
from spanward.collector.guardroom import Guardroom, PolicyStatus
from spanward.collector.metrics import Metrics
from spanward.guards.judgement import Check, Context
from spanward.guards.messages import Message, Part
from spanward.guards.policy import Policy, PolicyError, load

from .conftest import POLICY
from .otlp import body, call, said
from .sidecar_process import Running, serving, until

SECRETS_ONLY = """\
version: 1
name: {name}
rules:
  - name: no-secrets
    detect: {{ secrets: {{}} }}
    action: {action}
"""


def write(path: Path, action: str, name: str = "one") -> None:
    path.write_text(SECRETS_ONLY.format(action=action, name=name))


def reloads(room: Guardroom) -> tuple[float, float]:
    value = room.metrics.registry.get_sample_value
    ok, failed = (value("spanward_policy_reloads_total", {"outcome": outcome}) or 0 for outcome in ("ok", "failed"))
    return ok, failed


def test_an_edit_is_taken_up_and_a_wrong_one_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "policy.yaml"
    write(path, "block")
    room = Guardroom(path, Metrics())
    first = room.status
    room.look()
    assert (room.status, reloads(room)) == (first, (0, 0))

    write(path, "flagg")
    room.look()
    room.look()
    problem = f"{path}:6: 'flagg' is no action; did you mean 'flag'?"
    assert (room.status.hash, room.status.problem, reloads(room)) == (first.hash, problem, (0, 1))
    assert problem in caplog.text

    path.unlink()
    room.look()
    assert room.status.hash == first.hash
    assert "No such file" in room.status.problem

    write(path, "flag", "two")
    room.look()
    assert (room.status.name, room.status.problem, reloads(room)) == ("two", "", (1, 2))
    room.stop()


def test_an_edit_of_what_it_extends_is_taken_up(tmp_path: Path) -> None:
    (tmp_path / "bases").mkdir()
    write(tmp_path / "bases" / "base.yaml", "block")
    path = tmp_path / "policy.yaml"
    path.write_text('version: 1\nname: heir\nextends: "bases/base.yaml"  # the house\nrules: []\n')
    room = Guardroom(path, Metrics())
    before = room.status.hash
    write(tmp_path / "bases" / "base.yaml", "flag")
    room.look()
    assert room.status.hash != before
    room.stop()


def test_a_wrong_policy_makes_no_room(tmp_path: Path) -> None:
    write(tmp_path / "policy.yaml", "blok")
    with pytest.raises(PolicyError, match=r"policy\.yaml:6: 'blok' is no action"):
        Guardroom(tmp_path / "policy.yaml", Metrics())


def test_a_running_sidecar_takes_up_edits(tmp_path: Path, policy_file: Path) -> None:
    policy = tmp_path / "policy.yaml"
    shutil.copy(policy_file, policy)
    with serving(tmp_path / "data", "--policy", policy) as running:
        before = running.health()["policy"]
        assert before["problem"] == ""
        policy.write_text(POLICY.replace("action: flag", "action: flagg"))
        told = until(running.health, lambda health: bool(health["policy"]["problem"]))
        assert told["status"] == "degraded"
        assert told["policy"] == before | {"problem": f"{policy}:12: 'flagg' is no action; did you mean 'flag'?"}
        assert f"{policy}:12" in running.log.read_text()
        policy.write_text(POLICY.replace("name: house", "name: mended"))
        mended = until(running.health, lambda health: health["policy"]["name"] == "mended")["policy"]
        assert mended["problem"] == ""
        assert running.http.get("/v1/guard/policy").json()["hash"] == mended["hash"]


FOLDER = {
    "folder/10-base.yaml": "version: 1\nname: folder\nextends: ../bases/one.yaml\nrules: []\n",
    "bases/one.yaml": "version: 1\nextends: two.yaml\nrules: []\n",
    "bases/two.yaml": SECRETS_ONLY.format(action="block", name="two"),
}


def test_every_file_of_a_folder_and_of_what_it_extends_is_watched(tmp_path: Path) -> None:
    for name, text in FOLDER.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    room = Guardroom(tmp_path / "folder", Metrics())

    def actions() -> list[str]:
        room.look()
        return [rule.action for rule in room.pipeline.policy.rules]

    assert actions() == ["block"]
    (tmp_path / "bases/two.yaml").write_text(SECRETS_ONLY.format(action="flag", name="two"))
    assert actions() == ["flag"]
    mail = "version: 1\nrules: [{name: mail, detect: {pii: {entities: [EMAIL_ADDRESS]}}, action: redact}]\n"
    (tmp_path / "folder/20-mail.yaml").write_text(mail)
    assert actions() == ["flag", "redact"]
    (tmp_path / "folder/20-mail.yaml").unlink()
    assert actions() == ["flag"]
    assert reloads(room) == (3, 0)
    room.stop()


def test_a_base_that_was_missing_is_noticed_when_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    write(path, "block")
    room = Guardroom(path, Metrics())
    path.write_text("version: 1\nname: heir\nextends: ./later.yaml\nrules: []\n")
    room.look()
    assert room.status.problem == f"{path}:3: no such file: './later.yaml'"
    (tmp_path / "later.yaml").write_text("version: 1\nrules: [\n")
    room.look()
    assert room.status.problem.startswith(f"{tmp_path / 'later.yaml'}:3: not valid YAML")
    write(tmp_path / "later.yaml", "flag")
    room.look()
    assert (room.status.name, room.status.problem, reloads(room)) == ("heir", "", (1, 2))
    room.stop()


def test_a_file_that_says_the_same_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    write(path, "block")
    room = Guardroom(path, Metrics())
    before = room.pipeline
    path.write_text("nonsense")
    room.look()
    assert room.status.problem
    path.write_text("# a word\n" + SECRETS_ONLY.format(action="block", name="one"))
    room.look()
    assert (room.pipeline is before, room.status.problem, reloads(room)) == (True, "", (0, 1))
    room.stop()


def test_nothing_is_in_force_that_the_audit_log_does_not_know(tmp_path: Path) -> None:
    path, audit = tmp_path / "policy.yaml", Audit(tmp_path / "audit.log")
    write(path, "block")
    room = Guardroom(path, Metrics())
    first = room.status
    room.start(audit.write)
    audit.close()  # as a disk that is full
    write(path, "flag", "two")
    told = until(lambda: room.status, lambda status: bool(status.problem))
    assert told == PolicyStatus("one", first.hash, "the audit log is closed, so nothing was done; try again")
    again = Audit(tmp_path / "audit.log")
    room._record = again.write
    taken = until(lambda: room.status, lambda status: status.name == "two")
    room.stop()
    entries = [json.loads(entry.line) for entry in again.after(0)]
    assert [{key: entry[key] for key in ("action", "subject", "detail", "actor")} for entry in entries] == [
        {
            "action": "policy.reload",
            "subject": str(path),
            "detail": {"from": first.hash, "to": taken.hash, "name": "two"},
            "actor": "file change",
        }
    ]
    assert reloads(room) == (1, 1)


TWO = """\
version: 1
name: {label}
defaults: {{ timeout_ms: 600000 }}  # it is not speed that is asked about
rules:
  - {{ name: {label}, detect: {{ pii: {{ entities: [{label}] }} }}, action: redact }}
"""
SAYS = "jane@example.org, 212-09-9999"
BECOMES = {"EMAIL_ADDRESS": "[EMAIL_ADDRESS], 212-09-9999", "US_SSN": "jane@example.org, [US_SSN]"}


def test_checks_run_on_while_the_policy_changes(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(TWO.format(label="EMAIL_ADDRESS"))
    room = Guardroom(path, Metrics())
    check = Check("input", (Message("user", (Part("text", SAYS),)),))
    hashes = {}
    for label in BECOMES:
        other = tmp_path / f"{label}.yaml"
        other.write_text(TWO.format(label=label))
        hashes[label] = load(other).hash
    ended = threading.Event()

    def ask() -> Counter[tuple[str, str, str, tuple[str, ...]]]:
        seen: Counter[tuple[str, str, str, tuple[str, ...]]] = Counter()
        while not ended.is_set():
            decision = room.check(check)
            told = decision.messages[0].parts[0].text
            seen[decision.policy_name, decision.policy_hash, told, tuple(e.rule for e in decision.events)] += 1
        return seen

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask) for _ in range(4)]
        pipelines = []
        for number in range(30):
            label = ("US_SSN", "EMAIL_ADDRESS")[number % 2]
            draft = tmp_path / "draft"
            draft.write_text(TWO.format(label=label))
            pipelines.append(room.pipeline)
            draft.replace(path)
            room.look()
            assert room.status == PolicyStatus(label, hashes[label], "")
        ended.set()
        seen = sum((future.result() for future in asking), Counter())
    assert seen.keys() == {(label, hashes[label], BECOMES[label], (label,)) for label in BECOMES}
    assert reloads(room) == (30, 0)
    for replaced in pipelines:  # each was closed by the last check that used it, and not before
        assert replaced._scanner._pool._shutdown
    assert not room.pipeline._scanner._pool._shutdown
    room.stop()


def test_a_session_keeps_its_pseudonyms_over_a_reload(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    mail = TWO.replace("redact", "pseudonymise").replace("[{label}]", "[EMAIL_ADDRESS]")
    path.write_text(mail.format(label="one"))
    room = Guardroom(path, Metrics())

    def said(text: str) -> str:
        check = Check("input", (Message("user", (Part("text", text),)),), Context(app="a", session_id="s"))
        return room.check(check).messages[0].parts[0].text

    assert said("a@example.org") == "<EMAIL_ADDRESS_1>"
    path.write_text(mail.format(label="two"))
    room.look()
    assert room.pipeline.policy.rules[0].name == "two"
    assert said("b@example.org a@example.org") == "<EMAIL_ADDRESS_2> <EMAIL_ADDRESS_1>"
    room.stop()


def test_a_running_sidecar_tells_the_audit_log(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    write(policy, "block")
    with serving(tmp_path / "data", "--policy", policy) as running:
        before = running.health()["policy"]["hash"]
        write(policy, "flag")
        after = until(lambda: running.health()["policy"]["hash"], lambda found: found != before)
        sql = "SELECT action, subject, actor, detail['from'], detail['to'] FROM audit"
        rows = until(lambda: running.query(sql), bool)
        assert rows == [["policy.reload", str(policy), "file change", before, after]]
        whole = running.http.get("/api/policy").json()
        assert (whole["hash"], Policy.model_validate(whole["policy"]).hash) == (after, after)
    write(policy, "block")
    with serving(tmp_path / "data", "--policy", policy) as running:
        rows = until(lambda: running.query(f"{sql} ORDER BY seq"), lambda rows: len(rows) == 2)
        assert rows[1] == ["policy.restart", str(policy), "restart", after, before]


def test_every_decision_names_policy_and_rule(sidecar: Running) -> None:
    key = "aws_access_key_id = AKIAQWERTYUIOPASDFGH"
    check = {
        "side": "input",
        "messages": [{"role": "user", "parts": [{"kind": "text", "text": f"x@example.org {key}"}]}],
    }
    decision = sidecar.http.post("/v1/guard/check", json=check).json()
    in_force = sidecar.http.get("/v1/guard/policy").json()
    assert (decision["policy_name"], decision["policy_hash"]) == ("house", in_force["hash"])
    assert (decision["blocked_by"], {event["rule"] for event in decision["events"]}) == (
        "no-secrets", {"no-secrets", "mail-out"},
    )  # fmt: skip
    sidecar.post(body("decided", call(77, OUTPUT_MESSAGES=said("assistant", "write to x@example.org"))))
    sql = "SELECT policy, policy_hash, rule FROM guard_events WHERE service = 'decided'"
    assert until(lambda: sidecar.query(sql), bool) == [["house", in_force["hash"], "mail-in-answers"]]
