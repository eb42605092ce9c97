"""What was acknowledged to the application is on disk, whole, once, within the bound, whoever dies."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.tracer import health, segment
from spanward.tracer.segment import frame
from spanward.tracer.shipper import Shipper
from spanward.tracer.sidecar import Unreachable
from spanward.tracer.spool import Spool

from .conftest import Spooled

MANY = 1 << 20


def bodies_in(folder: Path) -> list[bytes]:
    return list(segment.bodies(Spooled(folder).bytes))


@given(bodies=st.lists(st.binary(min_size=0, max_size=300), max_size=20))
def test_frames_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, MANY)
    assert all(spool.append(frame(body)) for body in bodies)
    spool.close()
    assert bodies_in(folder) == bodies


def test_a_frame_is_on_disk_before_append_returns(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a" / "b", MANY)
    spool.append(frame(b"one"))
    assert bodies_in(tmp_path / "a" / "b") == [b"one"]
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "a" / "b").iterdir()} == {0o600}
    spool.close()


def test_the_bound_holds_and_what_is_dropped_is_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 100)
    kept = [spool.append(frame(b"x" * 39)) for _ in range(5)]
    assert kept == [True, True, False, False, False]
    assert health.take() == {("dropped", "spool_full"): 3}
    assert spool.append(frame(b"report"), bounded=False)
    spool.close_turn()
    spool.segments()[0].unlink()
    assert spool.append(frame(b"y" * 39)), "there is room again"
    spool.close()


def test_a_folder_that_cannot_be_written_is_counted_and_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "spool", MANY)
    assert not spool.append(frame(b"x"))
    ((kind, reason),) = health.take()
    assert (kind, reason.split(":")[0]) == ("dropped", "spool_unwritable")


def test_files_of_the_dead_are_adopted_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    living = Spool(tmp_path, MANY)
    living.append(frame(b"living"))
    code = (
        "import os, signal, sys; from pathlib import Path; from spanward.tracer.spool import Spool\n"
        "from spanward.tracer.segment import frame\n"
        f"s = Spool(Path({str(tmp_path)!r}), 1 << 20)\n"
        "s.append(frame(b'closed')); s.close_turn(); s.append(frame(b'open'))\n"
        "os.write(s._fd, b'\\x7ftorn'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    dead = subprocess.run([sys.executable, "-c", code], check=False)
    assert dead.returncode == -signal.SIGKILL
    heir = Spool(tmp_path, MANY)
    assert heir.adopt() == 2
    assert heir.adopt() == 0
    assert [list(segment.bodies(path.read_bytes())) for path in heir.segments()] == [[b"closed"], [b"open"]]
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".lock", ".lock", ".open", ".seg", ".seg"]
    heir.close()
    living.close()


def test_a_child_writes_files_of_its_own(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MANY)
    spool.append(frame(b"parent 1"))
    child = os.fork()
    if child == 0:
        spool.after_fork()
        os._exit(0 if spool.append(frame(b"child")) else 1)
    assert os.waitpid(child, 0)[1] == 0
    spool.append(frame(b"parent 2"))
    spool.close()
    files = sorted(list(segment.bodies(p.read_bytes())) for p in tmp_path.iterdir() if p.suffix in {".open", ".seg"})
    assert files == [[b"child"], [b"parent 1", b"parent 2"]]
    assert Spool(tmp_path, MANY).adopt() == 2


class Receiver:
    """The way to a sidecar: `answers` are statuses or exceptions, then 200."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.got: list[bytes] = []
        self.patience: list[float] = []

    def post(self, path: str, body: bytes, content_type: str, timeout_s: float) -> int:
        assert (path, content_type) == ("/v1/traces", "application/x-protobuf")
        self.patience.append(timeout_s)
        self.got.append(body)
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return answer


def ship(spool: Spool, receiver: Receiver, rounds: int = 1) -> None:
    shipper = Shipper(spool, receiver.post)
    for _ in range(rounds):
        shipper._round()


def test_a_segment_is_one_request_and_gone_once_taken(tmp_path: Path) -> None:
    spool, receiver = Spool(tmp_path, MANY), Receiver()
    spool.append(frame(b"a"))
    spool.append(frame(b"b"))
    ship(spool, receiver, 2)
    assert (receiver.got, spool.segments()) == ([b"ab"], [])
    spool.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answer", [Unreachable("gone"), 503, 429, 500, 302, 404, 401])
def test_what_was_not_taken_is_sent_again_with_the_same_bytes(tmp_path: Path, answer: int | Exception) -> None:
    spool, receiver = Spool(tmp_path, MANY), Receiver(answer)
    spool.append(frame(b"a"))
    shipper = Shipper(spool, receiver.post)
    shipper._round()
    spool.append(frame(b"b"))
    shipper._round()
    assert receiver.got == [b"a", b"a", b"b"]
    assert health.take() == {}
    spool.close()


@pytest.mark.parametrize("status", [400, 413, 415])
def test_a_body_that_is_refused_is_set_aside_and_counted(tmp_path: Path, status: int) -> None:
    spool, receiver = Spool(tmp_path, MANY), Receiver(status)
    spool.append(frame(b"bad"))
    ship(spool, receiver)
    spool.append(frame(b"good"))
    ship(spool, receiver)
    assert receiver.got == [b"bad", b"good"]
    assert [list(segment.bodies(path.read_bytes())) for path in tmp_path.glob("*.bad")] == [[b"bad"]]
    assert health.take() == {("unsent", f"refused with {status}"): 1}
    spool.close()


def test_stopping_sends_what_is_left(tmp_path: Path) -> None:
    spool, receiver = Spool(tmp_path, MANY), Receiver()
    shipper = Shipper(spool, receiver.post)
    spool.on_append = shipper.wake
    spool.append(frame(b"last"))
    assert shipper.stop(5)
    assert b"".join(receiver.got) == b"last"
    spool.close()


def test_the_end_waits_no_longer_for_an_answer_than_it_was_given(tmp_path: Path) -> None:
    spool, receiver = Spool(tmp_path, MANY), Receiver(Unreachable("no answer in time"))
    spool.append(frame(b"last"))
    assert not Shipper(spool, receiver.post).stop(0.5)
    assert 0 < receiver.patience[0] <= 0.5
    spool.close()
    assert bodies_in(tmp_path) == [b"last"]


def test_what_comes_after_the_end_is_written_and_holds_nothing_open(tmp_path: Path) -> None:
    """Calls that were on their way when we were taken down."""
    spool = Spool(tmp_path, MANY)
    spool.append(frame(b"one"))
    spool.close()
    open_files = Path("/proc/self/fd")
    before = len(list(open_files.iterdir())) if open_files.exists() else 0
    assert spool.append(frame(b"two"))
    assert spool.append(frame(b"three"))
    assert not before or len(list(open_files.iterdir())) == before
    assert sorted(bodies_in(tmp_path)) == [b"one", b"three", b"two"]
    heir = Spool(tmp_path, MANY)
    assert heir.adopt() == 3
    heir.close()


def test_a_shipper_is_stopped_while_its_thread_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path, MANY)
    shipper = Shipper(spool, lambda *_: 200)
    start, stopped = threading.Thread.start, []

    def slowly(thread: threading.Thread) -> None:
        stopped.append(shipper.stop(5))
        start(thread)

    spool.append(frame(b"one"))
    monkeypatch.setattr(threading.Thread, "start", slowly)
    shipper.wake()
    assert stopped == [True]
    assert bodies_in(tmp_path) == []
    spool.close()
