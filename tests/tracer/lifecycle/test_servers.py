"""Servers that fork, recycle and reload their workers: every call that was answered is in the store, once."""

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ...collector.sidecar_process import until
from .conftest import PROGRAMS, PYTHON, House, background

pytestmark = pytest.mark.slow

NUMBER, MOST = 12, 100
GUNICORN = ["gunicorn", "--workers", "2", "--chdir", str(PROGRAMS), "shop:app"]
SERVERS = {
    "sync": [*GUNICORN, "--max-requests", "3"],
    "gthread": [*GUNICORN, "--max-requests", "3", "--worker-class", "gthread", "--threads", "4"],
    "preload": [*GUNICORN, "--max-requests", "3", "--preload"],
    "uvicorn": ["uvicorn", "--workers", "2", "--app-dir", str(PROGRAMS), "shop:asgi"],
}


def place(program: str) -> str:
    """A command of this environment, whatever the path says."""
    return str(Path(sys.executable).parent / program)


def connected(path: Path) -> "socket.socket | None":
    """None while nobody listens."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection


def get(path: Path, name: object) -> str:
    """What the server at this socket answers, over a connection of its own."""
    http_ = http.client.HTTPConnection("shop", timeout=30)
    http_.sock = until(lambda: connected(path), lambda found: found is not None)
    http_.request("GET", f"/{name}", headers={"Connection": "close"})
    answer = http_.getresponse()
    assert answer.status == 200, answer.read()
    said = answer.read().decode()
    http_.close()
    return said


@contextmanager
def listening(
    house: House, service: str, command: list[str], path: Path, **also: str
) -> Iterator[Callable[[object], str]]:
    option = ["--uds", str(path)] if command[0] == "uvicorn" else ["--bind", f"unix:{path}"]
    with background(house, service, place(command[0]), *command[1:], *option, **also):
        yield lambda name: get(path, name)


@pytest.mark.parametrize("name", SERVERS)
def test_workers_come_and_go(house: House, tmp_path: Path, name: str) -> None:
    pytest.importorskip(SERVERS[name][0])
    at_import = {"ASK_AT_IMPORT": "1"} if name == "preload" else {}
    fewest = 1 if name == "uvicorn" else 4
    workers: set[str] = set()
    asked = 0
    with listening(house, name, SERVERS[name], tmp_path / "s", **at_import) as ask:
        # a worker with threads may answer a few more than its most before it goes
        while asked < NUMBER or (len(workers) < fewest and asked < MOST):
            workers.add(ask(asked).split()[0])
            asked += 1
    assert len(workers) >= fewest, "workers were replaced"
    wanted = [*(["import"] if at_import else []), *map(str, range(asked))]
    assert house.settled(name, len(wanted)) == wanted


def test_a_killed_worker_loses_nothing_that_was_answered(house: House, tmp_path: Path) -> None:
    pytest.importorskip("gunicorn")
    with listening(house, "killed", [*GUNICORN, "--workers", "1"], tmp_path / "s") as ask:
        for number in range(3):
            worker = int(ask(number).split()[0])
            os.kill(worker, 9)
            until(lambda pid=worker: Path(f"/proc/{pid}").exists(), lambda alive: not alive)  # type: ignore[misc]  # lambda's default
    assert house.settled("killed", 3) == ["0", "1", "2"]


def test_celery_with_one_task_a_child(house: House, tmp_path: Path) -> None:
    pytest.importorskip("celery")
    also = {"BROKER": str(tmp_path), "PYTHONPATH": str(PROGRAMS)}
    send = (
        "from jobs import answer; found = [answer.delay(str(n)) for n in range(6)];"
        "print(*{r.get(timeout=50).split()[0] for r in found})"
    )
    worker = [place("celery"), "-A", "jobs", "worker", "--pool", "prefork", "-l", "WARNING", "--without-mingle"]
    with background(house, "celery", *worker, "--without-gossip", "--without-heartbeat", **also):
        sent = subprocess.run(
            [PYTHON, "-c", send],
            env=house.environment(**also),
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
    assert sent.returncode == 0, sent.stderr
    assert len(sent.stdout.split()) == 6, "each task had a process of its own"
    assert sorted(house.settled("celery", 6)) == ["0", "1", "2", "3", "4", "5"]
