"""Spools of dead applications: taken over once, whole, and only when their owner is gone."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spanward.collector.adoption import Adoption
from spanward.collector.bodies import KnownBodies
from spanward.collector.pricing import Pricing
from spanward.collector.receiver import Receiver
from spanward.collector.wal import WriteAheadLog
from spanward.tracer.segment import bodies, frame
from spanward.tracer.spool import Spool

from .otlp import body, call

PATIENCE = 60
OWNER = "4194399-17"


class Sidecar:
    """A receiver over a log, and what it has stored."""

    def __init__(self, log: Path, spool: Path, limit_bytes: int = 1 << 20) -> None:
        self.log = log
        self.spool = spool
        self.wal = WriteAheadLog(log, segment_seconds=3600, limit_bytes=limit_bytes)
        self.receiver = Receiver(self.wal, KnownBodies(log), Pricing())
        self.adoption = Adoption(spool, self.receiver)

    def stored(self) -> int:
        paths = [*self.log.glob("*.ready"), *self.log.glob("*.open")]
        return sum(len(list(bodies(path.read_bytes()))) for path in paths)

    def left(self) -> list[str]:
        return sorted(path.name for path in self.spool.iterdir())


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    (tmp_path / "spool").mkdir()
    running = Sidecar(tmp_path / "log", tmp_path / "spool")
    yield running
    running.wal.close()


def orphan(spool: Path, **files: bytes) -> None:
    (spool / f"{OWNER}.lock").touch()
    for name, data in files.items():
        turn, _, ending = name.strip("_").partition("_")
        (spool / f"{OWNER}-{turn}.{ending}").write_bytes(data)


def frames(*numbers: int) -> bytes:
    return b"".join(frame(body("app", call(n))) for n in numbers)


def test_closed_and_open_files_of_a_dead_owner_are_taken(sidecar: Sidecar) -> None:
    orphan(sidecar.spool, _1_seg=frames(1, 2), _2_seg=frames(3), _10_open=frames(4) + frames(5)[:-3])
    assert sidecar.adoption.sweep() == 3
    assert sidecar.left() == []
    assert sidecar.stored() == 3
    assert sidecar.adoption.sweep() == 0


def test_a_file_that_its_owner_had_sent_is_not_stored_twice(sidecar: Sidecar) -> None:
    """The application died between the answer and the removal of the file."""
    file = frames(1, 2)
    sidecar.receiver.accept(b"".join(bodies(file))).result(PATIENCE)
    orphan(sidecar.spool, _1_seg=file)
    assert sidecar.adoption.sweep() == 1
    assert sidecar.stored() == 1
    assert sidecar.left() == []


def test_files_of_a_living_owner_are_left_alone(sidecar: Sidecar) -> None:
    spool = Spool(sidecar.spool, 1 << 20)
    spool.append(frame(body("app", call(1))))
    spool.close_turn()
    before = sidecar.left()
    assert sidecar.adoption.sweep() == 0
    assert sidecar.left() == before
    spool.close()
    assert sidecar.adoption.sweep() == 1
    assert sidecar.left() == []


def test_a_killed_application_loses_nothing_that_its_calls_had_written(sidecar: Sidecar) -> None:
    code = (
        "import sys; from pathlib import Path; from spanward.tracer.spool import Spool\n"
        "spool = Spool(Path(sys.argv[1]), 1 << 20)\n"
        "spool.append(bytes.fromhex(sys.argv[2])); spool.close_turn(); spool.append(bytes.fromhex(sys.argv[3]))\n"
        "print('written', flush=True); sys.stdin.read()\n"
    )
    hexes = [frame(body("app", call(n))).hex() for n in (1, 2)]
    command = [sys.executable, "-c", code, str(sidecar.spool), *hexes]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout
        assert app.stdout.readline() == "written\n"
        assert sidecar.adoption.sweep() == 0
        os.kill(app.pid, signal.SIGKILL)
        app.wait(PATIENCE)
    assert sidecar.adoption.sweep() == 2
    assert sidecar.stored() == 2
    assert sidecar.left() == []


def test_what_cannot_be_read_is_set_aside(sidecar: Sidecar) -> None:
    orphan(sidecar.spool, _1_seg=frame(b"hello"), _2_seg=frames(2))
    assert sidecar.adoption.sweep() == 1
    assert sidecar.left() == [f"{OWNER}-1.bad"]
    assert sidecar.stored() == 1


def test_a_file_of_which_nothing_is_whole_goes(sidecar: Sidecar) -> None:
    orphan(sidecar.spool, _1_open=b"\x50half")
    assert sidecar.adoption.sweep() == 0
    assert sidecar.left() == []


def test_a_full_log_leaves_the_rest_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    size = len(frames(1))
    full = Sidecar(tmp_path / "log", tmp_path / "spool", limit_bytes=2 * size)
    orphan(full.spool, _1_seg=frames(1), _2_seg=frames(2), _3_seg=frames(3))
    assert full.adoption.sweep() == 1
    assert full.left() == [f"{OWNER}-2.seg", f"{OWNER}-3.seg", f"{OWNER}.lock"]
    full.wal.seal()
    full.wal.remove(full.wal.ready()[0])
    assert full.adoption.sweep() == 1
    full.wal.close()


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    sidecar = Sidecar(tmp_path / "log", tmp_path / "nowhere")
    assert sidecar.adoption.sweep() == 0
    sidecar.wal.close()
