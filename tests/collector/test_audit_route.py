"""Commands write to the audit log of a real sidecar, or by themselves; killed in between, each entry is a row once."""

import json
import threading
from pathlib import Path

import httpx
import pytest

from spanward.collector.audit.client import record, user
from spanward.collector.audit.log import NAME
from spanward.collector.command import CommandError

from .sidecar_process import Running, serving, spanward, until

ROWS = "SELECT action, subject, detail, actor FROM audit ORDER BY seq"


def rows(running: Running, count: int) -> list[list[object]]:
    return until(lambda: running.query(ROWS), lambda seen: len(seen) >= count)


def test_with_and_without_a_sidecar(tmp_path: Path, policy_file: Path) -> None:
    data = tmp_path / "data"
    record(data, "policy.promote", "alone.yaml", {"hash": "0a"})
    with serving(data, "--policy", policy_file) as running:
        record(data, "policy.promote", "house.yaml", {"hash": "1b"})
        seen = rows(running, 2)
        assert running.health()["audit"] == {"problem": "", "waiting": 0}
        running.end()
    record(data, "policy.promote", "later.yaml", {})
    told = [
        ["policy.promote", "alone.yaml", {"hash": "0a"}, user()],
        ["policy.promote", "house.yaml", {"hash": "1b"}, user()],
    ]
    assert seen == told
    asked = json.loads(spanward("query", ROWS, "--data", data, "--format", "json").stdout)
    assert [row["subject"] for row in asked] == ["alone.yaml", "house.yaml", "later.yaml"]


def test_a_directory_that_another_process_has_and_no_sidecar_refuses(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(CommandError, match="choose a directory"):
        record(tmp_path / "data", "policy.promote", "x", {})


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"no",
        b'{"action": "reveal", "subject": "x"}',
        b'{"action": "policy.x"}',
        b'{"action": "policy.x", "subject": 1}',
        b'{"action": "policy.x", "subject": "x", "detail": []}',
        b'{"action": "policy.x", "subject": "x", "detail": {"a": 1}}',
        b'{"action": "policy.x", "subject": "x", "tenant": "t"}',
    ],
)
def test_other_forms_and_other_deeds_are_refused(sidecar: Running, body: bytes) -> None:
    answer = sidecar.http.post("/v1/audit", content=body)
    assert (answer.status_code, answer.json()["message"][:28]) == (400, 'the body must be {"action": ')


def test_killed_again_and_again_every_entry_is_a_row_once(tmp_path: Path, policy_file: Path) -> None:
    """Whoever was told 200 finds the row; whoever was told nothing may find it, but never twice."""
    data, sent = tmp_path / "data", 0
    acknowledged: list[str] = []
    for _ in range(3):
        with serving(data, "--policy", policy_file) as running:
            killing = threading.Event()

            def write(here: Running = running, killing: threading.Event = killing) -> None:
                nonlocal sent
                with httpx.Client(base_url=here.address, trust_env=False, timeout=60) as http:
                    while True:
                        subject, sent = str(sent), sent + 1
                        if len(acknowledged) % 10 == 9:
                            killing.set()
                        try:
                            answer = http.post("/v1/audit", json={"action": "policy.x", "subject": subject})
                        except httpx.TransportError:
                            return
                        assert answer.status_code == 200
                        acknowledged.append(subject)

            writer = threading.Thread(target=write)
            writer.start()
            assert killing.wait(30)
            running.kill()
            writer.join()
    with serving(data, "--policy", policy_file) as running:
        until(lambda: running.health()["audit"]["waiting"], lambda waiting: waiting == 0)
        seen = [subject for (subject,) in running.query("SELECT subject FROM audit ORDER BY seq")]
        assert len(set(seen)) == len(seen)
        assert set(acknowledged) <= set(seen)
        assert len((data / NAME).read_text().splitlines()) == len(seen)
        assert running.health()["audit"]["problem"] == ""
