"""Put the prompts of an audit to a model function: at most so many at once, each answer measured and written down.

The journal has a line for each call with what was measured, never the answer itself, so that an audit that was
stopped goes on where it was.
"""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import anyio
from anyio.to_thread import run_sync

from ...guards.bias.measures import FAILED, Values
from ...guards.bias.prompts import Prompt
from ...guards.bias.report import Answered
from ..command import CommandError

Ask = Callable[[str], str | Awaitable[str]]
Key = tuple[str, str, str, int]


class Journal:
    """A file of JSON lines. The first says what the audit is; the others are `Answered`, failed ones not kept."""

    def __init__(self, path: Path, about: dict[str, object]) -> None:
        """Open or go on. Raises `CommandError` where the file is another audit's, or cannot be written."""
        try:
            lines = path.read_text("utf-8").splitlines() if path.exists() else []
            self.answers = _kept(lines, path, about)
            again = path.with_suffix(".tmp")
            again.write_text("".join(f"{json.dumps(row)}\n" for row in (about, *map(Answered._asdict, self.answers))))
            again.replace(path)
            self._file = path.open("a", encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"cannot use {path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error

    def add(self, answer: Answered) -> None:
        """On disk for a later run, when this returns."""
        self.answers.append(answer)
        if not answer.error:
            self._file.write(json.dumps(answer._asdict()) + "\n")
            self._file.flush()

    def close(self) -> None:
        self._file.close()


def _kept(lines: Sequence[str], path: Path, about: dict[str, object]) -> list[Answered]:
    rows = []
    for place, line in enumerate(lines):
        try:
            rows.append(json.loads(line))
        except ValueError:  # the last line of a run that was killed may be half a line
            if place < len(lines) - 1:
                raise CommandError(f"{path} line {place + 1} is no line of a journal; choose another file") from None
    if rows and rows[0] != about:
        differ = sorted(key for key in about if not isinstance(rows[0], dict) or rows[0].get(key) != about[key])
        what = ", ".join(differ)
        raise CommandError(f"{path} belongs to another audit ({what} differ); choose another --out, or --fresh")
    return [Answered(**row) for row in rows[1:]]


class Threads:
    """`count` threads for functions that block. The program may end while a function hangs in one of them."""

    def __init__(self, count: int) -> None:
        self._todo: SimpleQueue[tuple[Future[Any], Ask, str]] = SimpleQueue()
        self._started, self._count = False, count

    async def run(self, ask: Ask, prompt: str) -> Any:
        """What `ask` returns or raises. A cancelled wait leaves the function to itself."""
        if not self._started:
            self._started = True
            for _ in range(self._count):
                Thread(target=self._work, daemon=True).start()
        future: Future[Any] = Future()
        self._todo.put((future, ask, prompt))
        return await asyncio.wrap_future(future)

    def _work(self) -> None:
        while True:
            future, ask, prompt = self._todo.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(ask(prompt))
                except BaseException as error:  # noqa: BLE001  SystemExit of a model function is a failed call, too
                    future.set_exception(error if isinstance(error, Exception) else RuntimeError(repr(error)))


async def ask_all(
    ask: Ask,
    prompts: Sequence[Prompt],
    measure: Callable[[str], Values],
    journal: Journal,
    *,
    repeats: int,
    concurrency: int,
    timeout_s: float,
    shown: Callable[[Answered, BaseException | None], None],
) -> None:
    """Ask what the journal does not hold yet. A failed call is an `Answered` with its error; nothing is raised."""
    done: set[Key] = {(a.axis, a.group, a.template, a.repeat) for a in journal.answers}
    slots, threads, measuring = anyio.Semaphore(concurrency), Threads(concurrency), anyio.Lock()

    async def one(prompt: Prompt, repeat: int) -> None:
        problem: Exception | None = None
        values: Values = FAILED
        try:
            with anyio.fail_after(timeout_s):
                text = await _answer(ask, prompt.text, threads)
            async with measuring:
                values = await run_sync(measure, text)
        except Exception as error:  # noqa: BLE001  whatever a model function raises is counted and shown
            problem = error
        finally:
            slots.release()
        name = type(problem).__name__ if problem else ""
        answer = Answered(prompt.axis, prompt.group, prompt.template, repeat, values, name)
        journal.add(answer)
        shown(answer, problem)

    async with anyio.create_task_group() as group:
        for repeat in range(repeats):
            for prompt in prompts:
                if (prompt.axis, prompt.group, prompt.template, repeat) not in done:
                    await slots.acquire()
                    group.start_soon(one, prompt, repeat)


async def _answer(ask: Ask, prompt: str, threads: Threads) -> str:
    asynchronous = inspect.iscoroutinefunction(ask) or inspect.iscoroutinefunction(type(ask).__call__)
    answer = ask(prompt) if asynchronous else await threads.run(ask, prompt)
    if inspect.isawaitable(answer):
        answer = await answer
    if not isinstance(answer, str):
        raise TypeError(f"the function returned {type(answer).__name__}, not a text")
    return answer
