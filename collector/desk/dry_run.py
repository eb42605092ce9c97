"""Stored calls put to a candidate in a process beside the sidecar: bounded, told how far it is, and ended on demand."""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from ...dashboards.api.operation import NotThere
from ...dashboards.ask import QueryFailed
from ...dashboards.documents import TooMany
from ..command import FAILED, CommandError
from ..gate import place_of
from ..policy.stored_calls import StoredCall, from_store, to_line
from ..query import Answer
from .bench import Refused, Worker

log = logging.getLogger(__name__)
BATCH = 20
BATCH_SECONDS = 120.0
MOST_CALLS = 5000
MOST_SECONDS = 300.0
REMEMBERED = 5
State = Literal["running", "done", "stopped", "cancelled", "failed"]


@dataclass(slots=True)
class Run:
    """`stopped`: the time was over, `result` is of the newest `calls`. `started` in seconds since 1970."""

    id: str
    hash: str
    most: int
    started: float
    state: State = "running"
    calls: int = 0
    seconds: float = 0.0
    problem: str = ""
    result: dict[str, Any] | None = None
    cancel: threading.Event = field(default_factory=threading.Event)


class DryRuns:
    """One at a time. `ask` is the store, bounded as for people."""

    def __init__(self, ask: Callable[[str], Any], clock: Callable[[], float] = time.time) -> None:
        self._ask = ask
        self._clock = clock
        self._turn = threading.Lock()
        self._runs: dict[str, Run] = {}
        self._seconds = MOST_SECONDS

    def start(self, told: dict[str, Any], hash_: str, since_us: int, most: int) -> Run:
        """`told`: `current` (what is in force, dumped) and the candidate. Raises `TooMany` while another runs."""
        with self._turn:
            if any(run.state == "running" for run in self._runs.values()):
                raise TooMany("another dry run is on its way; wait for it, or stop it")
            run = Run(secrets.token_hex(8), hash_, most, self._clock())
            self._runs = {**dict(list(self._runs.items())[1 - REMEMBERED :]), run.id: run}
        threading.Thread(target=self._run, args=(run, told, since_us), name="dry-run", daemon=True).start()
        return run

    def get(self, id_: str) -> Run:
        """Raises `NotThere`."""
        run = self._runs.get(id_)
        if run is None:
            raise NotThere("there is no such dry run; it was forgotten, or the sidecar was started anew")
        return run

    def cancel(self, id_: str) -> Run:
        run = self.get(id_)
        run.cancel.set()
        return run

    def _run(self, run: Run, told: dict[str, Any], since_us: int) -> None:
        worker: Worker | None = None
        try:
            worker = Worker()
            worker.ask("replay_start", told, BATCH_SECONDS)
            ended = self._put(run, worker, since_us)
            run.result = worker.ask("replay_end", {}, BATCH_SECONDS)
            run.state = ended
        except (Refused, CommandError) as problem:
            run.problem, run.state = str(problem), "failed"
        except Exception as failure:  # noqa: BLE001  told to who asked
            log.error("a dry run failed: %s", place_of(failure))  # noqa: TRY400  a traceback may quote content
            run.problem, run.state = f"this failed at {place_of(failure)}", "failed"
        finally:
            if worker:
                worker.close()

    def _put(self, run: Run, worker: Worker, since_us: int) -> State:
        started = time.monotonic()
        calls = islice(from_store(self._asked, since_us), run.most)
        while lines := [to_line(call) for call in self._some(calls)]:
            worker.ask("replay_put", {"lines": lines}, BATCH_SECONDS)
            run.calls += len(lines)
            run.seconds = time.monotonic() - started
            if run.cancel.is_set():
                return "cancelled"
            if run.seconds > self._seconds:
                return "stopped"
        return "done"

    def _some(self, calls: Iterator[StoredCall]) -> Iterator[StoredCall]:
        return islice(calls, BATCH)

    def _asked(self, sql: str) -> Answer:
        """Raises `CommandError`."""
        try:
            table = self._ask(sql)
        except QueryFailed as problem:
            raise CommandError(str(problem), FAILED) from None
        return Answer(table.columns, table.rows)
