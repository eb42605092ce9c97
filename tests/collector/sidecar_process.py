"""A real `spanward serve` process, and what one may ask of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from spanward.collector.data_directory import DataDirectory

SPANWARD = [sys.executable, "-m", "spanward.collector.cli"]
PATIENCE = 120.0
LONGEST_COMMAND = 250.0
"""Below the limit of a test: nothing here should take so long, even on a machine that is busy."""
T = TypeVar("T")


def clean_environment(**also: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPANWARD_", "OTEL_"))}
    return {**kept, **also}


def spanward(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end."""
    return subprocess.run(
        [*SPANWARD, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=LONGEST_COMMAND,
        check=False,
        env=clean_environment(**environment),
    )


def until(look: Callable[[], T], is_right: Callable[[T], bool], patience: float = PATIENCE) -> T:
    """What `look` says, once it is right, or when patience ends."""
    deadline = time.monotonic() + patience
    while not is_right(seen := look()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return seen


@dataclass(frozen=True)
class Running:
    """`log` is what the process writes to stderr, `said` to stdout."""

    process: "subprocess.Popen[bytes]"
    data: Path
    address: str
    log: Path
    said: Path
    http: httpx.Client

    def post(self, body: bytes, content_type: str = "application/x-protobuf", **headers: str) -> httpx.Response:
        return self.http.post("/v1/traces", content=body, headers={"content-type": content_type, **headers})

    def query(self, sql: str) -> list[list[Any]]:
        response = self.http.post("/api/query", json={"sql": sql})
        assert response.status_code == 200, response.text
        rows: list[list[Any]] = response.json()["rows"]
        return rows

    def health(self) -> dict[str, Any]:
        told: dict[str, Any] = self.http.get("/healthz").json()
        return told

    def count(self, table: str, service: str) -> int:
        return int(self.query(f"SELECT count() FROM {table} WHERE service = '{service}'")[0][0])

    def metric(self, line: str) -> float:
        """The value of the series that is written `line`; 0 while there is none."""
        for text in self.http.get("/metrics").text.splitlines():
            if text.startswith(line + " "):
                return float(text.rpartition(" ")[2])
        return 0.0

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)


@contextmanager
def serving(data: Path, *options: str | Path, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Runs until the block ends, or until the test ended or killed it itself."""
    data.parent.mkdir(parents=True, exist_ok=True)
    log, said = data.parent / f"{data.name}.log", data.parent / f"{data.name}.said"
    told = ["--data", data, "--spool", data.parent / "spool", "--port", "0", *options]
    with log.open("ab") as err, said.open("ab") as out:
        process = subprocess.Popen(
            [*SPANWARD, "serve", *map(str, told)], stdout=out, stderr=err, env=clean_environment(**(environment or {}))
        )
    try:
        found = until(
            lambda: (DataDirectory(data).sidecar(), process.poll()),
            lambda seen: seen[0] is not None or seen[1] is not None,
        )[0]
        assert found, f"the sidecar did not start: {log.read_text()}"
        assert found.pid == process.pid
        key = (environment or {}).get("SPANWARD_INGEST_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with httpx.Client(base_url=found.address, trust_env=False, timeout=PATIENCE, headers=headers) as http:
            yield Running(process, data, found.address, log, said, http)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def announced(data: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((data / "sidecar.json").read_text())
    return told
