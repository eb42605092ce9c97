"""The audit log: on disk before the deed, a chain that shows what was changed, and rows exactly once."""

import json
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.collector.audit.log import LONGEST_TEXT, MOST_DETAILS, Audit, AuditUnavailable
from spanward.collector.audit.rows import AuditRows
from spanward.collector.store import Store, StoreUnavailable
from spanward.dashboards.ask import Table

from .sidecar_process import until

ROWS = "SELECT seq, tenant, actor, action, subject, detail, prev, hash FROM audit ORDER BY seq"


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def test_a_line_is_on_disk_when_write_returns_and_names_the_one_before(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.log", clock=lambda: 12.5)
    audit.write("reveal", "<PERSON_1>", {"reason": "a complaint"}, "ada")
    audit.write("policy.promote", "house.yaml", {})
    first, second = map(json.loads, lines(audit.path))
    assert first == {
        "ts": 12.5, "tenant": "default", "actor": "ada", "action": "reveal", "subject": "<PERSON_1>",
        "detail": {"reason": "a complaint"}, "prev": audit.chain,
    }  # fmt: skip
    assert second["prev"] == sha256(lines(audit.path)[0]).hexdigest()
    assert audit.path.stat().st_mode & 0o077 == 0


def test_the_chain_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    Audit(path).write("a", "1", {})
    again = Audit(path)
    again.write("a", "2", {})
    assert (again.last, again.problem) == (2, "")
    assert Audit(path).problem == ""
    assert [entry.seq for entry in again.after(0)] == [1, 2]
    assert [json.loads(entry.line)["subject"] for entry in again.after(1)] == ["2"]
    assert list(again.after(2)) == []


def test_a_torn_tail_is_cut_and_was_never_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    Audit(path).write("a", "1", {})
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"ts": 1, "ten')
    assert Audit(path).problem == ""
    assert path.read_bytes() == whole


def changed(data: list[bytes]) -> list[bytes]:
    return [data[0], data[1].replace(b'"2"', b'"X"'), *data[2:]]


@pytest.mark.parametrize(
    "tamper",
    [
        changed,
        lambda data: [data[0], *data[2:]],
        lambda data: [data[0], data[0], *data[1:]],
        lambda data: [b"no json", *data[1:]],
        lambda data: [b"[]", *data[1:]],
        lambda data: [data[1], data[0], *data[2:]],
    ],
    ids=["changed", "taken out", "put in", "no JSON", "no object", "swapped"],
)
def test_what_was_tampered_with_shows_and_the_log_goes_on(tmp_path: Path, tamper: Any) -> None:
    path = tmp_path / "audit.log"
    audit = Audit(path)
    for number in "1234":
        audit.write("a", number, {})
    path.write_bytes(b"".join(line + b"\n" for line in tamper(lines(path))))
    found = Audit(path)
    assert "is not as it was written" in found.problem
    found.write("a", "later", {})
    assert json.loads(lines(path)[-1])["subject"] == "later"


def test_lines_are_bounded(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.log")
    audit.write("a", "s" * (LONGEST_TEXT + 7), {f"k{n}": "v" for n in range(MOST_DETAILS + 3)})
    told = json.loads(lines(audit.path)[0])
    assert told["subject"].endswith("s… (7 characters more)")
    assert len(told["detail"]) == MOST_DETAILS + 1
    assert told["detail"]["more"] == "3 further details are left out"


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from spanward.collector.audit.log import Audit, AuditUnavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
audit = Audit(Path(sys.argv[1]))
audit.write("a", "1", {})
size = audit.path.stat().st_size
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40, hard))
try:
    audit.write("a", "2", {})
except AuditUnavailable as refused:
    print(refused)
assert audit.path.stat().st_size == size
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
audit.write("a", "3", {})
"""


def test_a_full_disk_refuses_and_keeps_no_half_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    told = subprocess.run(
        [sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, timeout=250, check=True
    ).stdout
    assert told == (
        f"the audit log {path} cannot be written (File too large), so nothing was done; "
        "make room or put the disk in order, and try again\n"
    )
    found = Audit(path)
    assert ([json.loads(entry.line)["subject"] for entry in found.after(0)], found.problem) == (["1", "3"], "")


def test_a_closed_log_refuses(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.log")
    audit.close()
    with pytest.raises(AuditUnavailable, match="closed"):
        audit.write("a", "1", {})


def stored(store: Store) -> list[dict[str, Any]]:
    return store.ask(ROWS).records()


def test_rows_say_what_the_log_says(tmp_path: Path, store: Store) -> None:
    audit = Audit(tmp_path / "audit.log")
    audit.write("reveal", "<PERSON_1>", {"reason": "it's a 'quoted'\n\\thing\t✓", "": ""}, "ada", tenant="acme")
    AuditRows(audit, store).put()
    (entry,) = audit.after(0)
    assert stored(store) == [
        {
            "seq": 1, "tenant": "acme", "actor": "ada", "action": "reveal", "subject": "<PERSON_1>",
            "detail": {"reason": "it's a 'quoted'\n\\thing\t✓", "": ""}, "prev": audit.chain, "hash": entry.hash,
        }
    ]  # fmt: skip


@given(st.lists(st.tuples(st.text(), st.dictionaries(st.text(), st.text(), max_size=3)), max_size=4))
def test_any_text_is_a_line_that_can_be_read_again(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, dict[str, str]]]
) -> None:
    path = tmp_path_factory.mktemp("audit") / "audit.log"
    audit = Audit(path)
    for subject, detail in told:
        audit.write("a", subject, detail)
    found = Audit(path)
    audit.close()
    assert found.problem == ""
    assert [json.loads(entry.line)["subject"] for entry in found.after(0)] == [
        subject.encode(errors="replace").decode() for subject, _ in told
    ]
    found.close()


class Shaky:
    """A real store whose answer to an insert is lost now and then: before it came there, or after."""

    def __init__(self, store: Store, faults: list[str]) -> None:
        self.store, self.faults = store, faults

    def ask(self, sql: str, parameters: Mapping[str, Any], /) -> Table:
        return self.store.ask(sql, parameters)

    def command(self, sql: str, parameters: Mapping[str, Any], /) -> None:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            raise StoreUnavailable("away")
        self.store.command(sql, parameters)
        if fault == "after":
            raise StoreUnavailable("the answer is lost")


@pytest.mark.parametrize("restarts", [False, True], ids=["one process", "restarted at each failure"])
def test_a_store_that_comes_and_goes_gets_every_row_once(tmp_path: Path, store: Store, *, restarts: bool) -> None:
    audit = Audit(tmp_path / "audit.log")
    for number in range(8):
        audit.write("a", str(number), {})
    shaky = Shaky(store, ["", "after", "before", "after", "after", "", "before", "", "after"])
    rows, failures = AuditRows(audit, shaky), 0
    while True:
        try:
            rows.put()
            break
        except StoreUnavailable:
            failures += 1
            if restarts:
                audit.close()
                audit = Audit(audit.path)
                rows = AuditRows(audit, shaky)
    assert failures == 6
    assert [(row["seq"], row["subject"]) for row in stored(store)] == [(n + 1, str(n)) for n in range(8)]
    assert rows.waiting == 0


def test_another_store_gets_all_of_the_log(tmp_path: Path, store: Store, engine: Store) -> None:
    audit = Audit(tmp_path / "audit.log")
    audit.write("a", "1", {})
    AuditRows(audit, store).put()
    audit.write("a", "2", {})
    other = engine.beside(f"{store.database}_other")
    other.migrate()
    AuditRows(audit, other).put()
    assert [row["subject"] for row in stored(other)] == ["1", "2"]
    other.drop()


def test_the_thread_puts_rows_in_and_waits_while_there_is_no_store(tmp_path: Path, store: Store) -> None:
    audit = Audit(tmp_path / "audit.log")
    rows = AuditRows(audit, Shaky(store, ["before", "before"]))
    rows.start()
    audit.write("a", "1", {})
    audit.write("a", "2", {})
    until(lambda: rows.waiting, lambda waiting: waiting == 0)
    rows.stop()
    assert [row["subject"] for row in stored(store)] == ["1", "2"]
