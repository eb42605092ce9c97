"""However a process ends, every call that had ended is in the store, once, in its order."""

import signal

import pytest

from .conftest import PROGRAMS, PYTHON, House

pytestmark = pytest.mark.slow

ENDS = [
    ("exits", 0, ["a", "b"]),
    ("raises", 1, ["a", "b"]),
    ("SIGTERM", -signal.SIGTERM, ["a", "b"]),
    ("SIGINT", -signal.SIGINT, ["a", "b"]),
    ("SIGKILL", -signal.SIGKILL, ["a", "b"]),
    ("leaves", 3, ["a", "b"]),
    ("asks_while_ending", 0, ["a", "b"]),
    ("fork_exit", 0, ["parent", "child", "after"]),
    ("fork_leave", 0, ["parent", "child", "after"]),
    ("daemon_threads", 0, ["a", "b"]),
    ("holds_a_stream", 0, ["a", "b"]),
    ("is_terminated_within_a_stream", -signal.SIGTERM, ["a"]),
    ("drops_a_loop", 0, ["a", "b"]),
]
MANY = [
    ("spawn", ["0", "1", "2", "3", "parent"]),
    ("forkserver", ["0", "1", "2", "3", "parent"]),
    ("fork_pool", ["0", "1", "2", "3", "parent"]),
    ("threads", ["0", "1", "2", "3", "4", "5", "6", "7", "late"]),
]


@pytest.mark.parametrize(("how", "code", "names"), ENDS, ids=[how for how, *_ in ENDS])
def test_every_end_of_a_process(house: House, how: str, code: int, names: list[str]) -> None:
    ended = house.run(how, PYTHON, PROGRAMS / "ends.py", how)
    assert ended.returncode == code, ended.stderr
    assert "spanward" not in ended.stderr
    assert house.settled(how, len(names)) == names


@pytest.mark.parametrize(("how", "names"), MANY, ids=[how for how, _ in MANY])
def test_every_way_to_be_many(house: House, how: str, names: list[str]) -> None:
    ended = house.run(how, PYTHON, PROGRAMS / "ends.py", how)
    assert ended.returncode == 0, ended.stderr
    assert "spanward" not in ended.stderr
    assert sorted(house.settled(how, len(names))) == names
