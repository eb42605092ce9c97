"""Pseudonyms on disk: the same after a restart, gone in time, erased with the key, and never in the way of a call."""

import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from spanward.collector.command import CommandError
from spanward.collector.vault.disk_vault import DiskVault, Revealed
from spanward.collector.vault.key import Keys, VaultSettings
from spanward.collector.vault.writer import NotWritten
from spanward.guards.judgement import Context
from spanward.guards.pseudonyms import FAR

KEYS = Keys("environment", bytes(range(32)), {"ACME": bytes(32)})
CANARY = "Ada Canary-Lovelace"
S = Context(app="shop", environment="prod", session_id="s-1")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextmanager
def vault(
    folder: Path,
    clock: Callable[[], float] | None = None,
    keys: Keys | None = KEYS,
    limit_bytes: int = 1 << 30,
    sessions: int = 100_000,
) -> Iterator[DiskVault]:
    settings = VaultSettings(ttl_s=1000, limit_bytes=limit_bytes, sessions=sessions)
    made = DiskVault(folder / "vault.db", keys, settings, clock or time.time)
    try:
        yield made
    finally:
        made.close()


def say(vault: DiskVault, context: Context, *values: str, label: str = "PERSON") -> list[str]:
    """As a check does it."""
    session = vault.pseudonyms(context)
    names = [session.placeholder(label, value) for value in values]
    if not session.save(names):
        names = [session.placeholder(label, value) for value in values]
    return names


def tables(folder: Path) -> dict[str, int]:
    with sqlite3.connect(folder / "vault.db") as file:
        return {
            table: file.execute(f"SELECT count() FROM {table}").fetchone()[0]
            for table in ("tenants", "sessions", "names")
        }


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_value_has_its_placeholder_after_a_restart_and_no_number_comes_back(tmp_path: Path) -> None:
    with vault(tmp_path) as first:
        assert say(first, S, "ada", "bob") == ["<PERSON_1>", "<PERSON_2>"]
        assert say(first, S, "ada@example.com", label="EMAIL_ADDRESS") == ["<EMAIL_ADDRESS_1>"]
    with vault(tmp_path) as second:
        assert say(second, S, "carl", "bob", "ada") == ["<PERSON_3>", "<PERSON_2>", "<PERSON_1>"]
        assert say(second, S, "ada@example.com", label="EMAIL_ADDRESS") == ["<EMAIL_ADDRESS_1>"]
        assert (second.problem, second.key_source) == ("", "environment")


def test_it_is_on_disk_before_save_returns(tmp_path: Path) -> None:
    """Read by another connection while the first vault lives, as after kill -9."""
    with vault(tmp_path) as first:
        say(first, S, "ada")
        assert tables(tmp_path) == {"tenants": 1, "sessions": 1, "names": 1}
        say(first, S, "ada")
        assert tables(tmp_path)["names"] == 1


def test_sessions_apps_environments_and_tenants_are_apart(tmp_path: Path) -> None:
    others = [
        Context(app="shop", environment="prod", session_id="s-2"),
        Context(app="shop2", environment="prod", session_id="s-1"),
        Context(app="shop", environment="test", session_id="s-1"),
        Context(app="shop", environment="prod", session_id="s-1", tenant="acme"),
    ]
    for _ in range(2):
        with vault(tmp_path) as made:
            for number, context in enumerate([S, *others]):
                assert say(made, context, f"value {number}") == ["<PERSON_1>"]
                found = made.reveal(context, "<PERSON_1>")
                assert found
                assert found.value == f"value {number}"
    assert tables(tmp_path) == {"tenants": 2, "sessions": 5, "names": 5}


def test_the_tenant_default_is_the_one_of_those_that_name_none(tmp_path: Path) -> None:
    with vault(tmp_path) as made:
        named = Context(app="shop", environment="prod", session_id="s-1", tenant="default")
        assert made.pseudonyms(S) is made.pseudonyms(named)
        assert say(made, S, "ada", "bob") == say(made, named, "ada", "bob")


def test_without_a_session_nothing_is_written(tmp_path: Path) -> None:
    with vault(tmp_path) as made:
        assert say(made, Context(app="shop"), "ada") == ["<PERSON_1>"]
    assert tables(tmp_path) == {"tenants": 0, "sessions": 0, "names": 0}


def test_no_file_holds_a_value_or_a_session_in_clear(tmp_path: Path) -> None:
    with vault(tmp_path) as made:
        say(made, Context(app="shop", session_id="session-canary"), CANARY)
        assert made.problem == ""
        shown = repr(made) + repr(made.pseudonyms(S)) + repr(KEYS)
        for secret in (CANARY, "session-canary", KEYS.master.hex(), str(KEYS.master)):
            assert secret.encode() not in everything(tmp_path)
            assert secret not in shown
        assert KEYS.master not in everything(tmp_path)


def test_reveal(tmp_path: Path, clock: Clock) -> None:
    with vault(tmp_path, clock) as made:
        (name,) = say(made, S, CANARY)
        clock.now += 5
        assert made.reveal(S, name) == Revealed(CANARY, 1_000_000.0)
        for context, placeholder in (
            (S, "<PERSON_2>"),
            (S, "<PLACE_1>"),
            (S, "PERSON_1"),
            (S, "<PERSON_" + "9" * 40 + ">"),
            (Context(app="shop", environment="prod", session_id="s-2"), name),
            (Context(app="shop", environment="prod", session_id="s-1", tenant="nobody"), name),
        ):
            assert made.reveal(context, placeholder) is None
        assert made.session_name(S) != made.session_name(Context(app="shop", session_id="s-1"))
        assert made.session_name(Context(tenant="nobody", session_id="s")) == ""


def test_a_session_ends_in_time_in_memory_and_on_disk(tmp_path: Path, clock: Clock) -> None:
    with vault(tmp_path, clock) as made:
        say(made, S, "ada", "bob")
        clock.now += 999
        assert say(made, S, "bob") == ["<PERSON_2>"]
        clock.now += 999
    with vault(tmp_path, clock) as made:
        assert say(made, S, "bob") == ["<PERSON_2>"]  # its last use is known after a restart
        clock.now += 1001
        assert made.reveal(S, "<PERSON_2>") is None
        assert say(made, S, "bob") == ["<PERSON_1>"]
    with vault(tmp_path, clock) as made:
        assert say(made, S, "carl", "bob") == ["<PERSON_2>", "<PERSON_1>"]


def test_the_sweep_removes_what_nobody_comes_back_for(tmp_path: Path, clock: Clock) -> None:
    with vault(tmp_path, clock) as made:
        say(made, S, CANARY)
        clock.now += 1300
    with vault(tmp_path, clock) as made:
        swept(made)
        assert tables(tmp_path) == {"tenants": 1, "sessions": 0, "names": 0}


def swept(made: DiskVault) -> None:
    writer, file = made._writer, made._file
    assert writer
    assert file
    writer.ask(made._expire(VaultSettings(ttl_s=1000, sessions=2)))


def test_beyond_the_bound_the_longest_unused_sessions_go(tmp_path: Path, clock: Clock) -> None:
    contexts = [Context(app="shop", session_id=str(number)) for number in range(4)]
    with vault(tmp_path, clock) as made:
        for context in contexts:
            say(made, context, "ada")
            clock.now += 1
        swept(made)
        assert tables(tmp_path)["sessions"] == 2
        assert [bool(made.reveal(context, "<PERSON_1>")) for context in contexts] == [False, False, True, True]


def test_many_threads_and_sessions_agree_and_all_of_it_is_kept(tmp_path: Path) -> None:
    contexts = [Context(app="shop", session_id=str(number)) for number in range(5)]
    asked = [(contexts[n % 5], f"value {n % 40}") for n in range(600)]
    with vault(tmp_path) as made, ThreadPoolExecutor(8) as pool:
        names = set(
            zip(asked, (name for (name,) in pool.map(lambda each: say(made, each[0], each[1]), asked)), strict=True)
        )
    assert len(names) == 40
    assert len({(context.session_id, name) for (context, _), name in names}) == 40
    with vault(tmp_path) as again:
        for (context, value), name in names:
            found = again.reveal(context, name)
            assert found
            assert found.value == value


@pytest.mark.parametrize(
    ("keys", "tenant"),
    [(Keys("file", bytes(32)), "default"), (Keys("environment", KEYS.master, {"ACME": bytes(31) + b"x"}), "acme")],
)
def test_another_key_is_refused_with_the_way_out(tmp_path: Path, keys: Keys, tenant: str) -> None:
    with vault(tmp_path) as made:
        say(made, S, "ada")
        say(made, Context(app="shop", session_id="s", tenant="acme"), "ada")
    with pytest.raises(CommandError, match=f"spanward vault drop-key --tenant {tenant}$"), vault(tmp_path, keys=keys):
        pass
    with vault(tmp_path) as made:  # nothing was changed by the attempt
        assert say(made, S, "ada") == ["<PERSON_1>"]


def test_dropping_a_key_erases_one_tenant(tmp_path: Path) -> None:
    acme = Context(app="shop", session_id="s", tenant="acme")
    with vault(tmp_path) as made:
        say(made, S, "ada")
        say(made, acme, "bob")
        before = {name: made._boxes[name].salt for name in ("acme", "default")}
        held = made.pseudonyms(acme)
        assert made.drop("acme") == 1
        assert made.reveal(acme, "<PERSON_1>") is None
        assert not held.save([held.placeholder("PERSON", "late")])  # a check that was under way writes nothing
        kept = everything(tmp_path)
        assert (before["acme"] in kept, before["default"] in kept) == (False, True)
        assert say(made, acme, "carl") == ["<PERSON_1>"]
        assert made._boxes["acme"].salt != before["acme"]
        assert say(made, S, "ada", "x") == ["<PERSON_1>", "<PERSON_2>"]
        assert made.drop("nobody") is None


def test_a_full_vault_hides_values_under_numbers_that_nobody_repeats(tmp_path: Path) -> None:
    with vault(tmp_path, limit_bytes=1 << 16) as made:
        names: list[str] = []
        while not made.problem:
            names += say(made, S, f"{len(names)} {'x' * 500}")
            assert len(names) < 1000
        assert "full" in made.problem
        assert int(names[-1][8:-1]) >= FAR
        assert int(names[-2][8:-1]) == len(names) - 1
        assert len(set(names)) == len(names)
        kept = names[:-1]
    with vault(tmp_path) as again:  # as after a restart with room: what was kept is known, the rest is not repeated
        found = [again.reveal(S, name) for name in kept]
        assert [each.value.partition(" ")[0] for each in found if each] == [str(n) for n in range(len(kept))]
        (fresh,) = say(again, S, "new")
        assert fresh not in names
        assert again.problem == ""


def test_what_was_not_kept_is_kept_once_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with vault(tmp_path) as made:
        assert say(made, S, "ada") == ["<PERSON_1>"]
        writer, file = made._writer, made._file
        assert writer
        assert file
        file._writes.execute("PRAGMA query_only = ON")
        (far,) = say(made, S, "bob")
        assert int(far[8:-1]) >= FAR
        assert "cannot be written" in made.problem
        file._writes.execute("PRAGMA query_only = OFF")
        monkeypatch.setattr(writer, "_rest_until", 0.0)
        (further,) = say(made, S, "carl")
        assert made.problem == ""
        found = made.reveal(S, far)
        assert found
        assert found.value == "bob"
        assert say(made, S, "ada", "bob", "carl") == ["<PERSON_1>", far, further]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with vault(tmp_path) as made:
            assert int(say(made, S, "ada")[0][8:-1]) >= FAR
            assert "cannot be used" in made.problem
    finally:
        tmp_path.chmod(0o700)


def test_a_path_that_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "vault.db").mkdir()
    with vault(tmp_path) as made:
        (name,) = say(made, S, "ada")
        assert int(name[8:-1]) >= FAR
        assert say(made, S, "ada") == [name]
        assert made.problem == "vault.db cannot be used, so pseudonyms end with this process: Is a directory"
        with pytest.raises(NotWritten):
            made.reveal(S, name)
        with pytest.raises(NotWritten):
            made.drop("default")


def test_no_key_no_file(tmp_path: Path) -> None:
    with vault(tmp_path, keys=None) as made:
        assert int(say(made, S, "ada")[0][8:-1]) >= FAR
        assert made.problem.startswith("no key can be kept")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("started", "far"), [("this start", False), ("another start", True)])
def test_after_the_end_of_the_machine_numbers_are_not_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: str, *, far: bool
) -> None:
    """The files as they are while a process has them, without their last second; then a new start of the machine."""
    monkeypatch.setattr("spanward.collector.vault.file.boot", lambda: "this start")
    crashed = tmp_path / "crashed"
    with vault(tmp_path) as made:
        say(made, S, "ada")
        shutil.copytree(tmp_path, crashed)
        assert say(made, S, "bob") == ["<PERSON_2>"]
    monkeypatch.setattr("spanward.collector.vault.file.boot", lambda: started)
    for turn in range(2):  # and it is still known after one more restart, or a command in between
        with vault(crashed) as made:
            other = Context(app="shop", session_id=f"s {turn}")
            assert say(made, S, "ada") == ["<PERSON_1>"]
            assert (int(say(made, other, "carl")[0][8:-1]) >= FAR) == far
            assert made.problem == ""
    with vault(tmp_path) as made:
        assert say(made, S, "bob", "carl") == ["<PERSON_2>", "<PERSON_3>"]


def no_database(data: bytes) -> bytes:
    return b"no database at all" * 1000


def torn(data: bytes) -> bytes:
    return data[:6000]


def scrambled(data: bytes) -> bytes:
    return data[:4096] + bytes(reversed(data[4096:]))


@pytest.mark.parametrize("damage", [no_database, torn, scrambled])
def test_a_damaged_file_is_set_aside_and_told_and_its_numbers_are_not_given_again(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    with vault(tmp_path) as made:
        say(made, S, *(f"value {n}" for n in range(50)))
    path = tmp_path / "vault.db"
    broken = damage(path.read_bytes())
    path.write_bytes(broken)
    with vault(tmp_path) as made:
        assert "was damaged and is set aside as vault.db.bad-" in made.problem
        (name,) = say(made, S, "new")
        assert int(name[8:-1]) >= FAR
    (aside,) = tmp_path.glob("vault.db.bad-*")
    assert aside.read_bytes() == broken
    with vault(tmp_path) as made:
        assert (made.problem, say(made, S, "new")) == ("", [name])
        assert int(say(made, Context(app="shop", session_id="of before"), "new")[0][8:-1]) >= FAR


def test_a_row_that_was_tampered_with_is_told_and_never_garbage(tmp_path: Path) -> None:
    with vault(tmp_path) as made:
        say(made, S, "ada", "bob")
    with sqlite3.connect(tmp_path / "vault.db") as file:
        file.execute("UPDATE names SET sealed = (SELECT sealed FROM names WHERE number = 2) WHERE number = 1")
    file.close()
    with vault(tmp_path) as made:
        bob, ada = say(made, S, "bob", "ada")
        assert bob == "<PERSON_2>"
        assert int(ada[8:-1]) >= FAR
        assert made.problem == "vault.db: a row does not open under its tenant's key"


def test_a_tenant_whose_name_is_none_is_not_written(tmp_path: Path) -> None:
    with vault(tmp_path) as made:
        for name in ("../x", "a" * 65, "a b"):
            assert int(say(made, Context(session_id="s", tenant=name), "ada")[0][8:-1]) >= FAR
    assert tables(tmp_path)["tenants"] == 0


def test_a_later_form_is_left_alone(tmp_path: Path) -> None:
    with vault(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "vault.db") as file:
        file.execute("PRAGMA user_version = 2")
    file.close()
    with vault(tmp_path) as made:
        assert "has form 2" in made.problem
        assert int(say(made, S, "ada")[0][8:-1]) >= FAR
    assert not list(tmp_path.glob("*.bad-*"))


def test_a_disk_that_hangs_keeps_one_call_for_a_while_and_then_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spanward.collector.vault.writer.PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr("spanward.collector.vault.writer.REST_SECONDS", 1e6)
    with vault(tmp_path) as made:
        say(made, S, "ada")
        writer = made._writer
        assert writer
        hanging = threading.Event()
        writer.post(hanging.wait)
        (name,) = say(made, S, "bob")
        assert int(name[8:-1]) >= FAR
        assert made.problem == "the vault cannot be written: no answer within 0 s"
        queued = writer._jobs.qsize()
        assert int(say(made, Context(app="shop", session_id="another"), "carl")[0][8:-1]) >= FAR
        assert writer._jobs.qsize() == queued
        with pytest.raises(NotWritten):
            made.drop("default")
        hanging.set()
