"""One owner a directory; who looks for a sidecar finds one that lives, or none."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from spanward.collector.command import CommandError
from spanward.collector.data_directory import DataDirectory, Sidecar


def test_announced_while_owned(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / "a" / "data")
    assert data.sidecar() is None
    data.take()
    assert data.sidecar() is None
    data.announce("http://127.0.0.1:1")
    assert DataDirectory(data.path).sidecar() == Sidecar(os.getpid(), "http://127.0.0.1:1")
    data.release()
    data.release()
    assert data.sidecar() is None
    assert data.path.stat().st_mode & 0o077 == 0


def test_a_second_owner_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    first, second = DataDirectory(tmp_path), DataDirectory(tmp_path)
    first.take()
    first.announce("http://127.0.0.1:1")
    with pytest.raises(CommandError, match=rf"is in use by process {os.getpid()}: stop that one"):
        second.take()
    second.release()
    assert first.sidecar() == Sidecar(os.getpid(), "http://127.0.0.1:1")
    first.release()
    second.take()
    second.release()


def test_what_a_killed_sidecar_announced_is_not_its_successor(tmp_path: Path) -> None:
    """The successor has the lock and has not yet removed the file: nobody is to be sent to the dead one."""
    with subprocess.Popen(["true"]) as dead:
        pass
    successor = DataDirectory(tmp_path)
    successor.take()
    (tmp_path / "sidecar.json").write_text(f'{{"pid": {dead.pid}, "address": "http://127.0.0.1:1"}}')
    assert DataDirectory(tmp_path).sidecar() is None
    successor.release()


def test_those_who_look_are_waited_for(tmp_path: Path) -> None:
    """To look at the lock is to hold it for a moment: a start in that moment must not fail."""
    data = DataDirectory(tmp_path)
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            data.sidecar()

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(50):
            (tmp_path / "sidecar.json").write_text('{"pid": 1, "address": "x"}')  # as a killed one leaves it
            owner = DataDirectory(tmp_path)
            owner.take()
            owner.release()
    finally:
        stop.set()
        looking.join()
    assert data.sidecar() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": 1, "address": "x", "more": 1}'])
def test_what_cannot_be_read_is_no_sidecar(tmp_path: Path, text: str) -> None:
    data = DataDirectory(tmp_path)
    data.take()
    (tmp_path / "sidecar.json").write_text(text)
    assert data.sidecar() is None
    data.release()
