"""What the log promises: on disk when it says so, cut clean after a crash, bounded."""

import os
import stat
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.collector.bodies import DigestFile, KnownBodies, digest_of, digests_in, mark
from spanward.collector.wal import LogFull, Segment, WriteAheadLog
from spanward.tracer.segment import bodies, frame

PATIENCE = 60


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


def kept(log: Path) -> list[bytes]:
    """Digests in the log's segments, oldest first."""
    paths = [*log.glob("*.ready"), *log.glob("*.open")]
    return [found for path in sorted(paths) for found in digests_in(path.read_bytes())]


def quiet(log: Path, **limits: int) -> WriteAheadLog:
    """A log that closes no segment by itself."""
    return WriteAheadLog(log, segment_seconds=3600, **limits)


def test_an_append_that_is_done_is_in_the_file(tmp_path: Path) -> None:
    wal = quiet(tmp_path)
    wal.append(b"body", digest(1)).result(PATIENCE)
    (path,) = tmp_path.glob("*.open")
    assert path.read_bytes() == frame(mark(b"body", digest(1)))
    assert wal.size == path.stat().st_size
    wal.close()


def test_many_senders_wait_for_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a first write is synced the others gather: the group is written and synced together."""
    syncs, first, go_on = [], threading.Event(), threading.Event()
    really = os.fdatasync

    def sync(descriptor: int) -> None:
        syncs.append(descriptor)
        first.set()
        assert go_on.wait(PATIENCE)
        really(descriptor)

    monkeypatch.setattr(os, "fdatasync", sync)
    wal = quiet(tmp_path)
    futures = [wal.append(b"first", digest(0))]
    assert first.wait(PATIENCE)
    futures += [wal.append(b"later", digest(n)) for n in range(1, 50)]
    go_on.set()
    for future in futures:
        future.result(PATIENCE)
    assert len(syncs) == 2
    assert kept(tmp_path) == [digest(n) for n in range(50)]
    wal.close()


def test_a_segment_is_closed_by_size(tmp_path: Path) -> None:
    wal = quiet(tmp_path, segment_bytes=1000)
    for n in range(4):
        wal.append(bytes(600), digest(n)).result(PATIENCE)
    wal.seal()
    assert [len(list(digests_in(segment.path.read_bytes()))) for segment in wal.ready()] == [2, 2]
    wal.close()


def test_a_small_segment_is_closed_by_age_when_nothing_waits(tmp_path: Path) -> None:
    wal = WriteAheadLog(tmp_path, segment_seconds=0.02, between_seconds=0)
    wal.append(b"one", digest(1)).result(PATIENCE)
    first = wal.next(PATIENCE)
    assert first
    wal.append(b"two", digest(2)).result(PATIENCE)
    assert wal.wait_gone({"other"}, 0.2)
    assert wal.ready() == [first], "the ingestor is busy, so the next segment goes on growing"
    wal.remove(first)
    assert wal.next(PATIENCE)
    wal.close()


def test_a_clock_that_goes_back_keeps_no_segment_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment opened before the clock was set back an hour was not closed for that hour."""
    log = WriteAheadLog(tmp_path, segment_seconds=0.05)
    log.append(b"body", bytes(32)).result(5)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    assert log.next(timeout=5)
    log.close()


def test_ids_rise_and_never_repeat_over_restarts(tmp_path: Path) -> None:
    ids = []
    for n in range(5):
        wal = quiet(tmp_path)
        wal.append(b"body", digest(n)).result(PATIENCE)
        wal.close()
        ids = [segment.id for segment in wal.ready()]
    assert len(set(ids)) == 5
    assert ids == sorted(ids)


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    quiet(tmp_path / "log").close()
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o700


CUTS = range(1, len(frame(mark(b"second", digest(2)))))


@pytest.mark.parametrize("cut", [CUTS[0], CUTS[len(CUTS) // 2], CUTS[-1]])
def test_a_torn_tail_is_cut_and_the_rest_is_kept(tmp_path: Path, cut: int) -> None:
    first, second = frame(mark(b"first", digest(1))), frame(mark(b"second", digest(2)))
    (tmp_path / "00000000000000000001-aa.open").write_bytes(first + second[:cut])
    wal = quiet(tmp_path)
    (segment,) = wal.ready()
    assert segment.path.read_bytes() == first
    assert segment.id == "00000000000000000001-aa"
    wal.close()


def test_a_frame_of_zeros_after_a_power_cut_is_no_frame(tmp_path: Path) -> None:
    """File systems may grow a file before its bytes arrive."""
    first, second = frame(mark(b"first", digest(1))), frame(mark(b"second", digest(2)))
    (tmp_path / "00000000000000000001-aa.open").write_bytes(first + second[:10] + bytes(len(second) - 10))
    wal = quiet(tmp_path)
    assert [segment.path.read_bytes() for segment in wal.ready()] == [first]
    wal.close()


def test_a_segment_of_which_nothing_is_whole_goes(tmp_path: Path) -> None:
    (tmp_path / "00000000000000000001-aa.open").write_bytes(b"\x50half")
    wal = quiet(tmp_path)
    assert wal.ready() == []
    assert list(tmp_path.glob("*.open")) == []
    wal.close()


def test_a_companion_outlives_a_restart_only_with_its_segment(tmp_path: Path) -> None:
    (tmp_path / "00000000000000000001-aa.ready").write_bytes(frame(mark(b"first", digest(1))))
    for name in (
        "00000000000000000001-aa.review",
        "00000000000000000009-bb.review",
        "00000000000000000009-bb.review-new",
    ):
        (tmp_path / name).write_bytes(b"")
    quiet(tmp_path).close()
    assert [path.name for path in tmp_path.glob("*.review*")] == ["00000000000000000001-aa.review"]


def test_beyond_its_bound_the_log_refuses_and_keeps_what_it_has(tmp_path: Path) -> None:
    wal = quiet(tmp_path, limit_bytes=1000)
    wal.append(bytes(600), digest(1)).result(PATIENCE)
    assert not wal.full
    with pytest.raises(LogFull, match="at most 1000"):
        wal.append(bytes(600), digest(2))
    assert wal.full
    wal.append(bytes(100), digest(3)).result(PATIENCE)
    assert not wal.full
    wal.seal()
    (segment,) = wal.ready()
    wal.remove(segment)
    assert wal.size == 0
    wal.append(bytes(600), digest(2)).result(PATIENCE)
    assert kept(tmp_path) == [digest(2)]
    wal.close()


def test_what_the_disk_refuses_is_not_acknowledged_and_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wal = quiet(tmp_path)
    wal.append(b"before", digest(1)).result(PATIENCE)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", _no_space)
        with pytest.raises(LogFull, match="No space left"):
            wal.append(b"refused", digest(2)).result(PATIENCE)
        assert wal.full
    wal.append(b"after", digest(3)).result(PATIENCE)
    assert not wal.full
    assert kept(tmp_path) == [digest(1), digest(3)]
    wal.close()


def _no_space(_descriptor: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_closed_log_takes_nothing_and_sealing_it_again_is_nothing(tmp_path: Path) -> None:
    wal = quiet(tmp_path)
    wal.append(b"body", digest(1)).result(PATIENCE)
    wal.close()
    wal.close()
    wal.seal()
    with pytest.raises(LogFull):
        wal.append(b"late", digest(2))
    assert len(wal.ready()) == 1


def test_what_is_set_aside_is_still_there_and_still_known(tmp_path: Path) -> None:
    wal = quiet(tmp_path)
    wal.append(b"body", digest(1)).result(PATIENCE)
    wal.seal()
    (segment,) = wal.ready()
    whole = segment.path.read_bytes()
    assert wal.set_aside(segment).read_bytes() == whole
    assert wal.ready() == []
    assert KnownBodies(tmp_path).claim(digest(1))
    wal.close()


def test_the_age_of_what_waits(tmp_path: Path) -> None:
    wal = quiet(tmp_path)
    assert wal.oldest is None
    wal.append(b"body", digest(1)).result(PATIENCE)
    started = wal.oldest
    assert started
    wal.seal()
    assert wal.oldest == started
    wal.remove(wal.ready()[0])
    assert wal.oldest is None
    wal.close()


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_marked_bodies_are_bodies_with_their_digest(written: list[bytes]) -> None:
    data = b"".join(frame(mark(body, digest(n))) for n, body in enumerate(written))
    assert list(digests_in(data)) == [digest(n) for n in range(len(written))]
    assert [body[: len(body) - 40] for body in bodies(data)] == written


@given(st.binary(max_size=50), st.data())
def test_a_changed_byte_is_noticed(body: bytes, data: st.DataObject) -> None:
    marked = bytearray(mark(body, digest(1)))
    at = data.draw(st.integers(0, len(marked) - 1))
    marked[at] ^= data.draw(st.integers(1, 255))
    assert digest_of(bytes(marked)) is None


def test_the_file_of_digests_forgets_the_oldest(tmp_path: Path) -> None:
    file = DigestFile(tmp_path / "known", keep=10)
    for n in range(25):
        file.append([digest(n)])
    assert file.read() == [digest(n) for n in range(11, 25)]


def test_a_torn_digest_is_written_over(tmp_path: Path) -> None:
    file = DigestFile(tmp_path / "known")
    file.append([digest(1)])
    with file.path.open("ab") as torn:
        torn.write(b"half")
    assert file.read() == [digest(1)]
    file.append([digest(2)])
    assert file.read() == [digest(1), digest(2)]


def test_bodies_are_known_while_in_flight_and_after(tmp_path: Path) -> None:
    known = KnownBodies(tmp_path, keep=2)
    assert known.claim(digest(1)) is None
    waiting = known.claim(digest(1))
    assert waiting
    assert not waiting.done()
    known.settle(digest(1), None)
    assert waiting.result(0) is None
    again = known.claim(digest(1))
    assert again
    assert again.done()


def test_a_body_that_failed_is_welcome_again(tmp_path: Path) -> None:
    known = KnownBodies(tmp_path)
    assert known.claim(digest(1)) is None
    waiting: Future[None] | None = known.claim(digest(1))
    known.settle(digest(1), LogFull("full"))
    assert waiting
    assert isinstance(waiting.exception(0), LogFull)
    assert known.claim(digest(1)) is None


def test_removed_segments_are_known_after_a_restart(tmp_path: Path) -> None:
    wal = quiet(tmp_path)
    for n in range(3):
        wal.append(b"body", digest(n)).result(PATIENCE)
        wal.seal()
    ready: list[Segment] = wal.ready()
    wal.remove(ready[0])
    wal.append(b"open", digest(3)).result(PATIENCE)
    known = KnownBodies(tmp_path)
    assert [known.claim(digest(n)) is not None for n in range(5)] == [True, True, True, True, False]
    wal.close()
