"""An application of one's own beside a sidecar, both real processes: killed, running on, and without a sidecar."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spanward.collector.demo.provider import Provider, serve_in_thread

from ..collector.sidecar_process import Running, clean_environment, serving, until

APP = """
import os, signal, sys
import spanward
spanward.instrument()
import openai

client = openai.OpenAI(max_retries=0)
for number in range(int(sys.argv[1])):
    answer = client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": f"call {number} for jane.doe@birdcage.example.com"}]
    )
    print(answer.choices[0].message.content, flush=True)
if sys.argv[2] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serve_in_thread(keep=20) as serving_provider:
        yield serving_provider


def run_app(provider: Provider, sidecar: str, spool: Path, calls: int, ending: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", APP, str(calls), ending]
    environment = app_environment(provider, sidecar, spool)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250, check=False)


def app_environment(provider: Provider, sidecar: str, spool: Path) -> dict[str, str]:
    return clean_environment(
        OPENAI_API_KEY="test",
        OPENAI_BASE_URL=f"{provider.address}/v1",
        SPANWARD_ENDPOINT=sidecar,
        SPANWARD_SPOOL=str(spool),
        OTEL_SERVICE_NAME="own-app",
    )


@contextmanager
def running_app(provider: Provider, sidecar: str, spool: Path) -> "Iterator[subprocess.Popen[str]]":
    """The app after its one call, waiting for its standard input to end."""
    command = [sys.executable, "-c", f"{APP}\nsys.stdin.read()", "1", "normal"]
    environment = app_environment(provider, sidecar, spool)
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as app:
        yield app


def listed(sidecar: Running) -> int:
    """How many calls the page's list has."""
    return len(sidecar.http.get("/api/calls", params={"from": "now-1h"}).json()["calls"])


def once(sidecar: Running, sql: str, count: int) -> int:
    """The one number that `sql` gives, once it is `count`."""
    return until(lambda: int(sidecar.query(sql)[0][0]), lambda seen: seen >= count)


def frames(spool: Path) -> int:
    return sum(path.read_bytes().count(b"chat gpt-4o-mini") for path in spool.rglob("*") if path.is_file())


def test_the_calls_of_a_killed_app_arrive(tmp_path: Path, provider: Provider) -> None:
    """kill -9 right after the last call returned: nothing was flushed, and nothing is lost or stored twice."""
    spool = tmp_path / "spool"
    with serving(tmp_path / "data") as sidecar:
        ended = run_app(provider, sidecar.address, spool, 3, "killed")
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert once(sidecar, "SELECT count() FROM llm_calls WHERE service = 'own-app'", 3) == 3
        assert once(sidecar, "SELECT sum(calls) FROM llm_1m WHERE service = 'own-app'", 3) == 3
        assert sidecar.query(
            "SELECT uniqExact(span_id), count() FROM spans WHERE service = 'own-app' AND name LIKE 'chat%'"
        ) == [[3, 3]]
    assert frames(spool) == 0


def test_a_call_is_on_the_page_while_the_app_still_runs(tmp_path: Path, provider: Provider) -> None:
    spool = tmp_path / "spool"
    with serving(tmp_path / "data") as sidecar:
        run_app(provider, sidecar.address, spool, 1, "normal")  # the first insert into a new store compiles its views
        assert once(sidecar, "SELECT count() FROM llm_calls", 1) == 1
        with running_app(provider, sidecar.address, spool) as app:
            assert app.stdout is not None
            app.stdout.readline()
            assert until(lambda: listed(sidecar), lambda seen: seen == 2) == 2
            assert app.poll() is None, "nobody flushed at the end of the process"


def test_without_a_sidecar_the_app_runs_and_its_calls_are_seen_later(tmp_path: Path, provider: Provider) -> None:
    spool = tmp_path / "spool"
    alone = run_app(provider, "http://127.0.0.1:9", spool, 3, "normal")
    assert alone.returncode == 0, alone.stderr
    assert len(alone.stdout.splitlines()) == 3
    assert alone.stderr.count("spanward serve") == 1, alone.stderr
    assert frames(spool) == 3
    assert b"jane.doe" not in b"".join(path.read_bytes() for path in spool.rglob("*") if path.is_file())
    with serving(tmp_path / "data") as sidecar:
        assert once(sidecar, "SELECT count() FROM llm_calls WHERE service = 'own-app'", 3) == 3
        verdicts = sidecar.query("SELECT DISTINCT guard_verdict, content_withheld != '' FROM llm_calls")
        assert verdicts == [["fail_open", True]]
        kinds = [row[0] for row in sidecar.query("SELECT DISTINCT kind FROM reports")]
        assert kinds, "what happened is told on the page"
    assert frames(spool) == 0
