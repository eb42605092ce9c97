"""Asks a process beside the sidecar to do what takes long, and ends it when it takes too long."""

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from typing import Any

from ...dashboards.api.operation import BadQuestion
from ...dashboards.documents import TooMany
from ..settings import KEY_VARIABLE, OWN_KEY_VARIABLE
from .jobs import Jobs

log = logging.getLogger(__name__)
SMALL = 24_000
"""Characters that are judged here: a few milliseconds, less than it takes to ask another process."""
SECONDS = 60.0
WAIT_SECONDS = 8.0
IDLE_SECONDS = 300.0


class Refused(BadQuestion):
    """What was asked cannot be done; the text says why."""


class Worker:
    """One process. `ask` is for one thread at a time."""

    def __init__(self) -> None:
        hidden = {KEY_VARIABLE, OWN_KEY_VARIABLE}
        kept = {name: value for name, value in os.environ.items() if name not in hidden}
        kept["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, "-P", "-m", f"{__package__}.worker"], env=kept, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
        )  # fmt: skip

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, job: str, told: dict[str, Any], seconds: float = SECONDS) -> Any:
        """Raises `Refused`, also when it takes longer than `seconds`: then the process is gone."""
        timer = threading.Timer(seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            answer = self._exchange(json.dumps({**told, "job": job}))
        except (OSError, ValueError):
            answer = {"refused": f"this took longer than {seconds:.0f} s, or more memory than there is; ask for less"}
            self.close()
        finally:
            timer.cancel()
        if "failed" in answer:
            log.error("work on a policy failed: %s", answer["failed"])
            raise Refused(f"this failed at {answer['failed']}")
        if "refused" in answer:
            raise Refused(answer["refused"])
        return answer["answer"]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()

    def _exchange(self, line: str) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


class Bench:
    """Small things are done here, others by one worker, which ends when it has nothing to do for some minutes."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._worker: Worker | None = None
        self._idle: threading.Timer | None = None

    def do(self, job: str, told: dict[str, Any], size: int) -> Any:
        """`size` in characters. Raises `Refused`, `PolicyError`, and `TooMany` while others work."""
        if size <= SMALL:
            return Jobs().do(job, told)
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise TooMany("the sidecar works on another policy; try again in a moment")
        try:
            return self._ask(job, told)
        finally:
            self._turn.release()

    def close(self) -> None:
        with self._turn:
            self._end()

    def _ask(self, job: str, told: dict[str, Any]) -> Any:
        if self._idle:
            self._idle.cancel()
        if self._worker is None or not self._worker.alive:
            self._worker = Worker()
        try:
            return self._worker.ask(job, told)
        finally:
            self._idle = threading.Timer(IDLE_SECONDS, self.close)
            self._idle.daemon = True
            self._idle.start()

    def _end(self) -> None:
        if self._idle:
            self._idle.cancel()
        if self._worker:
            self._worker.close()
            self._worker = None
