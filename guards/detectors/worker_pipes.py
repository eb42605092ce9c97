"""A process that was started for a worker: what it is told and what it says, as lines of JSON through its pipes."""

import json
import os
import select
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from queue import SimpleQueue
from time import monotonic
from typing import Any


class Running:
    """One started process. `lines` is what it says; to `send` never blocks."""

    def __init__(self, command: Sequence[str]) -> None:
        self.started = monotonic()
        self._questions: SimpleQueue[Callable[[], bytes] | None] = SimpleQueue()
        self.process = subprocess.Popen(  # noqa: S603  our own module, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            process_group=0,  # Ctrl-C is for the parent; the end of its input tells the child
            env=_environment(),
        )
        threading.Thread(target=self._write, name="spanward-worker-questions", daemon=True).start()

    def send(self, line: Callable[[], bytes]) -> None:
        self._questions.put(line)

    def lines(self, look_s: float) -> Iterator[Mapping[str, Any] | None]:
        """What the process says; None each time it said nothing for `look_s`; ends with the process."""
        assert self.process.stdout is not None
        descriptor, rest = self.process.stdout.fileno(), b""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while True:
            if not poll.poll(look_s * 1000):
                if self.process.poll() is not None:
                    return
                yield None
                continue
            content = os.read(descriptor, 1 << 16)
            if not content:
                return
            *whole, rest = (rest + content).split(b"\n")
            yield from map(json.loads, whole)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._questions.put(None)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _write(self) -> None:
        pipe = self.process.stdin
        assert pipe is not None
        try:
            while line := self._questions.get():
                rest = memoryview(line())
                while rest:
                    rest = rest[pipe.write(rest) :]
        except (OSError, ValueError):
            pass  # the process is gone; whoever reads its answers sees it too
        finally:
            pipe.close()


def _environment() -> dict[str, str]:
    """No look at any network, no dumps of configurations on the terminal."""
    return os.environ | {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "TOKENIZERS_PARALLELISM": "false",
    }
