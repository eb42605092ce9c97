"""A model in a process of its own: started as a fresh interpreter, never forked, and started again when it is gone.

`worker_process` is the other side, `worker_pipes` what lies between. A thread of ours reads the answers and watches
over the process; another writes the questions. So an asker waits for its own answer and its own time limit, and for
nothing that becomes of the process.
"""

import json
import os
import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count
from time import monotonic
from typing import Any

from .worker_pipes import Running

LONGEST_PAUSE = 60.0
"""Seconds between two starts. A process that ran for this long is started again at once, the others after 0, 1, 2,
4 … seconds."""
STRIKES = 2
"""So many times a question may be at hand when the process dies. From the first on it is asked alone, so that the
second is its own; then it is refused."""
SUSPECTS = 1000
"""Questions whose deaths are remembered, by digest."""

_STARTER = ["-P", "-m"]
_KEY = os.urandom(16)
_workers: "weakref.WeakSet[Worker]" = weakref.WeakSet()


class WorkerError(Exception):
    """The process died, did not answer in time, could not start, or failed at the question. The text says which."""


@dataclass(frozen=True, slots=True)
class State:
    """How a worker does, for Health and the metrics. No field holds content."""

    engine: str
    alive: bool
    restarts: int
    timeouts: int
    refused: int
    waiting: int
    trouble: str


def states() -> list[State]:
    """Of every worker that this process has, by engine."""
    return sorted((worker.state for worker in list(_workers) if not worker.closed), key=lambda state: state.engine)


@dataclass(slots=True)
class Question:
    """`at_hand`: the model works on it. One that is `given_up` is still the process's until it says so."""

    number: int
    texts: Sequence[str]
    digest: bytes
    alone: bool
    asked: float
    at_hand: bool = False
    given_up: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    answer: Any = None
    failed: str = ""

    @property
    def line(self) -> bytes:
        return json.dumps({"id": self.number, "texts": list(self.texts), "alone": self.alone}).encode() + b"\n"

    def fail(self, why: str) -> None:
        if not self.given_up:
            self.failed = why
        self.done.set()


class Worker:
    """`ask` is for several threads, and each has an answer of its own. `close` ends the process for good.

    `module` is run with `arguments` and is expected to call `worker_process.serve`. A process that has questions and
    says nothing for `silent_s` hangs, and is killed. `timeout_s` is an asker's, if it names none.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        timeout_s: float = 30,
        startup_s: float = 120,
        silent_s: float = 30,
    ) -> None:
        """Start the process and wait until its model is loaded. Raises `WorkerError`."""
        self.command = [sys.executable, *_STARTER, module, *arguments]
        self.timeout_s, self.startup_s, self.silent_s = timeout_s, startup_s, silent_s
        self.about: Mapping[str, Any] = {}
        self._starts = self._timeouts = self._refused = 0
        self._suspects: OrderedDict[bytes, int] = OrderedDict()
        self._trouble, self._closed = "", threading.Event()
        self._renew()
        _workers.add(self)
        with self._lock:
            self._watched()
        self._up.wait()
        if not self.about:
            self.close()
            raise WorkerError(self._trouble)

    def _renew(self) -> None:
        """Everything that belongs to this process alone: a fork has none of our threads, and another's pipes."""
        self._lock = threading.Lock()
        self._numbers = count()
        self._waiting: dict[int, Question] = {}
        self._process: Running | None = None
        self._running: Running | None = None
        """The same, while its model is loaded."""
        self._pausing = False
        self._up = threading.Event()
        """Set once the first start came to an end, whichever."""
        self._thread: threading.Thread | None = None

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    @property
    def trouble(self) -> str:
        """Why the last question had no answer, or why there is no process; else nothing."""
        return self._trouble

    @property
    def pid(self) -> int | None:
        """Of the process that answers; none while one starts."""
        running = self._running
        return running.process.pid if running else None

    @property
    def state(self) -> State:
        with self._lock:
            name = str(self.about.get("name", ""))
            waiting = sum(not question.given_up for question in self._waiting.values())
            alive = self._running is not None
        return State(name, alive, max(0, self._starts - 1), self._timeouts, self._refused, waiting, self._trouble)

    def ask(self, texts: Sequence[str], timeout_s: float | None = None) -> Any:
        """The answer, within `timeout_s`. Raises `WorkerError`."""
        limit = self.timeout_s if timeout_s is None else timeout_s
        question = self._put(texts)
        if not question.done.wait(limit):
            self._give_up(question, limit)
        if question.failed:
            raise WorkerError(question.failed)
        return question.answer

    def close(self) -> None:
        """End the process; who waits is told so."""
        self._closed.set()
        with self._lock:
            self._fail(list(self._waiting.values()), "the model was closed")
        if self._process:
            self._process.process.kill()
        if self._thread:
            self._thread.join(timeout=5)

    def _put(self, texts: Sequence[str]) -> Question:
        digest = blake2b(json.dumps(list(texts)).encode(), key=_KEY, digest_size=16).digest()
        with self._lock:
            if self.closed:
                raise WorkerError("the model was closed")
            strikes = self._suspects.get(digest, 0)
            if strikes >= STRIKES:
                self._refused += 1
                raise WorkerError(f"the model's process died {strikes} times at this question; it is not asked again")
            self._watched()
            if self._pausing:
                raise WorkerError(f"{self._trouble} (not tried again at once)")
            question = Question(next(self._numbers), texts, digest, strikes > 0, monotonic())
            self._waiting[question.number] = question
            self._send(question)
        return question

    def _watched(self) -> None:
        """There is a thread that looks after the process: after a fork not before somebody asks."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._supervise, name="spanward-worker", daemon=True)
            self._thread.start()

    def _send(self, question: Question) -> None:
        if self._running:
            question.asked = monotonic()
            self._running.send(lambda: question.line)

    def _give_up(self, question: Question, limit: float) -> None:
        with self._lock:
            if question.done.is_set():
                return  # answered in this very moment
            self._timeouts += 1
            question.given_up = True
            question.failed = self._trouble = f"the model gave no answer within {limit:g} s"
            if self._running is None:
                del self._waiting[question.number]
            else:
                self._running.send(lambda: json.dumps({"cancel": question.number}).encode() + b"\n")

    def _supervise(self) -> None:
        """Start, listen until the end, pause, start again; until closed."""
        failures, pause = 0, 0.0
        while not self._closed.wait(pause):
            started = monotonic()
            came_up, why = self._run()
            failures = 1 if monotonic() - started > LONGEST_PAUSE else failures + 1
            at_once = came_up and failures == 1
            pause = 0.0 if at_once else min(2.0 ** (failures - 1), LONGEST_PAUSE)
            with self._lock:
                self._died("the model was closed" if self.closed else why, all_of_them=self.closed or not at_once)
                self._pausing = not at_once
            self._up.set()

    def _run(self) -> tuple[bool, str]:
        """One process from its start to its end: whether it came up, and why it ended."""
        with self._lock:
            self._starts += 1
        try:
            running = Running(self.command)
        except OSError as error:
            return False, f"no process can be started for the model: {error.strerror}"
        self._process = running
        lines = running.lines(min(0.2, self.silent_s / 4))
        try:
            why = self._started(running, lines)
            return not why, why or self._listen(running, lines)
        except Exception as error:  # noqa: BLE001  a line that is none of ours; this thread must go on
            return False, f"the model's process spoke gibberish: {type(error).__name__}"
        finally:
            with self._lock:
                self._running = None
            running.end()

    def _started(self, running: Running, lines: Iterator[Mapping[str, Any] | None]) -> str:
        """Why it did not come up, or nothing."""
        for line in lines:
            if self.closed:
                return "the model was closed"
            if line is not None:
                if "refused" in line:
                    return str(line["refused"])
                with self._lock:
                    self.about, self._trouble, self._running, self._pausing = line["about"], "", running, False
                    for question in self._waiting.values():
                        self._send(question)
                self._up.set()
                return ""
            if monotonic() - running.started > self.startup_s:
                return f"the model did not start within {self.startup_s:g} s"
        return "the model's process died before its model was loaded"

    def _listen(self, running: Running, lines: Iterator[Mapping[str, Any] | None]) -> str:
        """Hand out answers; why it ended."""
        heard = running.started
        for line in lines:
            now = monotonic()
            if line is not None:
                heard = now
                self._heard(line)
                continue
            with self._lock:
                oldest = min((question.asked for question in self._waiting.values()), default=now)
            if now - max(heard, oldest) > self.silent_s:
                return f"the model hung for {self.silent_s:g} s; another process is started"
        return "the model's process died; another is started"

    def _heard(self, line: Mapping[str, Any]) -> None:
        with self._lock:
            if "working" in line:
                working = set(line["working"])
                for question in self._waiting.values():
                    question.at_hand = question.number in working
                return
            asked = self._waiting.pop(line["id"])
            if asked.given_up:
                return
            self._suspects.pop(asked.digest, None)
            asked.answer, self._trouble = line.get("answer"), line.get("failed", "")
            asked.failed = self._trouble
            asked.done.set()

    def _died(self, why: str, *, all_of_them: bool) -> None:
        """Those at hand have no answer. The others are asked again, of the next process, if it is started at once."""
        self._trouble = why
        lost = [question for question in self._waiting.values() if question.at_hand]
        for question in lost:
            self._suspects[question.digest] = self._suspects.pop(question.digest, 0) + 1
        while len(self._suspects) > SUSPECTS:
            self._suspects.popitem(last=False)
        gone = [question for question in self._waiting.values() if all_of_them or question.at_hand or question.given_up]
        self._fail(gone, why)

    def _fail(self, questions: Sequence[Question], why: str) -> None:
        for question in questions:
            self._waiting.pop(question.number, None)
            question.fail(why)

    def _forked(self) -> None:
        """In a child of the application: its worker is the parent's, whose pipes must not be held open from here."""
        if self._process:
            process = self._process.process
            process.returncode = 0  # not ours to wait for
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()
        if not self.closed:
            self._closed = threading.Event()
            self._starts = self._timeouts = self._refused = 0
            self._renew()


def _after_fork() -> None:
    for worker in list(_workers):
        worker._forked()  # noqa: SLF001  of this module


os.register_at_fork(after_in_child=_after_fork)
