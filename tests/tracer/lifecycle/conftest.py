"""Real processes under `spanward run`, a provider on loopback, and the real sidecar that has to know every call."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from spanward.collector.demo.provider import Provider, serve_in_thread

from ...collector.sidecar_process import SPANWARD, Running, clean_environment, serving, until

PROGRAMS = Path(__file__).parent / "programs"
MODEL = "gpt-4o-mini-"


@dataclass(frozen=True)
class House:
    """The sidecar, the provider, and how to start a program between them. `service` tells programs apart."""

    sidecar: Running
    provider: Provider
    spool: Path

    def command(self, service: str, *program: str | Path) -> list[str]:
        told = ["--endpoint", self.sidecar.address, "--spool", str(self.spool), "--guards", "off"]
        return [*SPANWARD, "run", *told, "--service-name", service, *map(str, program)]

    def environment(self, **also: str) -> dict[str, str]:
        return clean_environment(**{"PROVIDER": self.provider.address, "PYTHONPATH": str(PROGRAMS), **also})

    def run(self, service: str, *program: str | Path, **also: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(service, *program),
            env=self.environment(**also),
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )

    def asked(self, service: str) -> list[str]:
        """The names of the calls of this service that are in the store, by the time they began."""
        rows = self.sidecar.query(f"SELECT request_model FROM llm_calls WHERE service = '{service}' ORDER BY ts")
        return [str(name).removeprefix(MODEL) for (name,) in rows]

    def settled(self, service: str, number: int) -> list[str]:
        """The same, once there are so many and nobody has anything left to send."""
        until(self.waiting, lambda files: not files)
        return until(lambda: self.asked(service), lambda names: len(names) >= number)

    def waiting(self) -> list[str]:
        return [path.name for path in self.spool.glob("*") if path.suffix != ".json"]


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    place = tmp_path_factory.mktemp("house")
    with serve_in_thread() as provider, serving(place / "data", "--policy", "observe-only") as sidecar:
        yield House(sidecar, provider, place / "spool")


@contextmanager
def background(house: House, service: str, *program: str | Path, **also: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A server that runs until the block ends; then it is asked to end, and has to."""
    log = house.spool.parent / f"{service}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            house.command(service, *program), env=house.environment(**also), stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


PYTHON = sys.executable
