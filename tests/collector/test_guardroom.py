"""A policy that changes while it is in force."""

import shutil
from pathlib import Path

import pytest

from spanward.collector.guardroom import Guardroom
from spanward.collector.metrics import Metrics
from spanward.guards.policy import PolicyError

from .conftest import POLICY
from .sidecar_process import serving, until

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
        told = until(running.health, lambda health: bool(health["policy"]["problem"]), 10)
        assert told["status"] == "degraded"
        assert told["policy"] == before | {"problem": f"{policy}:12: 'flagg' is no action; did you mean 'flag'?"}
        assert f"{policy}:12" in running.log.read_text()
        policy.write_text(POLICY.replace("name: house", "name: mended"))
        mended = until(running.health, lambda health: health["policy"]["name"] == "mended", 10)["policy"]
        assert mended["problem"] == ""
        assert running.http.get("/v1/guard/policy").json()["hash"] == mended["hash"]
