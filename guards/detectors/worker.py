"""A model in a process of its own: started as a fresh interpreter, never forked, and started again after it died.

Question and answer are JSON over a socket pair. The child sees the end of the file when the parent is gone, and stops.
"""

import json
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection, Pipe
from typing import Any

LONGEST_PAUSE = 60.0
"""Seconds between two attempts to start a worker that does not come up; the first pause is 1 s, then it doubles."""


class WorkerError(Exception):
    """The worker died, did not answer in time, could not start, or failed at the question. The text says which."""


class Worker:
    """`ask` is for several threads; they take turns.

    `module` is run with `arguments` behind the number of its file descriptor and is expected to call `serve`.
    """

    def __init__(self, module: str, arguments: Sequence[str], *, timeout_s: float, startup_s: float) -> None:
        """Start the process and wait until its model is loaded. Raises `WorkerError`."""
        self._command = [sys.executable, "-P", "-m", module]
        self._arguments = list(arguments)
        self._timeout_s, self._startup_s = timeout_s, startup_s
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pause, self._not_before, self._trouble = 1.0, 0.0, ""
        self.about: Mapping[str, Any] = self._start()

    @property
    def trouble(self) -> str:
        """Why the last question had no answer, or nothing."""
        return self._trouble

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process else None

    def ask(self, question: object) -> Any:
        """The answer, within `timeout_s` (and `startup_s` more after a death). Raises `WorkerError`."""
        if not self._turn.acquire(timeout=self._timeout_s):
            raise WorkerError(f"the model was busy for {self._timeout_s:g} s")
        try:
            if self._process is None:
                self._start()
            answer = self._exchange(question)
        finally:
            self._turn.release()
        if "failed" in answer:
            raise WorkerError(answer["failed"])
        return answer["answer"]

    def close(self) -> None:
        """Stop the process; a later question starts another."""
        if self._process is not None:
            self._stop()
            self._process = None

    def _exchange(self, question: object) -> Mapping[str, Any]:
        content = json.dumps(question).encode()
        try:
            answer = self._within(self._timeout_s, lambda pipe: pipe.send_bytes(content))
        except WorkerError as error:
            self._trouble = str(error)
            raise
        self._trouble = ""
        return answer

    def _within(self, limit_s: float, ask: "Callable[[Connection[Any, Any]], None]") -> Mapping[str, Any]:
        """What comes back. Neither sending nor receiving can hang: after the limit the process is killed.

        So a late answer is never taken for the next one's.
        """
        assert self._process is not None
        watch = threading.Timer(limit_s, self._process.kill)
        watch.start()
        started = time.monotonic()
        try:
            ask(self._pipe)
            answer: Mapping[str, Any] = json.loads(self._pipe.recv_bytes())
        except (EOFError, OSError) as error:
            late = time.monotonic() - started >= limit_s
            self.close()
            trouble = f"the model gave no answer within {limit_s:g} s" if late else "the model's process died"
            raise WorkerError(f"{trouble}; the next call starts another process") from error
        finally:
            watch.cancel()
        return answer

    def _start(self) -> Mapping[str, Any]:
        if time.monotonic() < self._not_before:
            raise WorkerError(f"{self._trouble} (not tried again at once)")
        self._pipe, theirs = Pipe()
        with theirs:
            descriptor = theirs.fileno()
            command = [*self._command, str(descriptor), *self._arguments]
            process = subprocess.Popen(  # noqa: S603  our own module, no shell
                command,
                pass_fds=[descriptor],
                process_group=0,  # Ctrl-C is for the parent; the end of the pipe tells the child
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_environment(),
            )
        self._process, self._stop = process, weakref.finalize(self, _end, process, self._pipe)
        try:
            hello = self._hello()
        except WorkerError as error:
            self.close()
            self._trouble = str(error)
            self._not_before, self._pause = time.monotonic() + self._pause, min(self._pause * 2, LONGEST_PAUSE)
            raise
        self._pause, self._trouble = 1.0, ""
        return hello

    def _hello(self) -> Mapping[str, Any]:
        hello = self._within(self._startup_s, lambda _: None)
        if "refused" in hello:
            raise WorkerError(hello["refused"])
        return hello


def serve(descriptor: int, load: Callable[[], tuple[Mapping[str, Any], Callable[[Any], Any]]]) -> None:
    """The child's side: `load` gives what to tell about the model, and the function that answers a question."""
    pipe = Connection(descriptor)
    try:
        about, answer = load()
    except Exception as error:  # noqa: BLE001  whatever it is, the parent must say it
        pipe.send_bytes(json.dumps({"refused": f"{error}" or type(error).__name__}).encode())
        return
    pipe.send_bytes(json.dumps(about).encode())
    while True:
        try:
            question = json.loads(pipe.recv_bytes())
        except EOFError:
            return
        try:
            reply = {"answer": answer(question)}
        except Exception as error:  # noqa: BLE001  one question must not end the process; its text may quote content
            reply = {"failed": f"the model failed with {type(error).__name__}"}
        pipe.send_bytes(json.dumps(reply).encode())


def _environment() -> dict[str, str]:
    """No look at any network, no dumps of configurations on the terminal."""
    return os.environ | {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "TOKENIZERS_PARALLELISM": "false",
    }


def _end(process: "subprocess.Popen[bytes]", pipe: "Connection[Any, Any]") -> None:
    pipe.close()
    process.kill()
    process.wait()
