"""A process that ends as it is told: `python ends.py HOW`. Knows nothing of spanward."""

import asyncio
import atexit
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from asking import ask, begin_anew, client, stream  # type: ignore[import-not-found]  # beside this file


def exits() -> None:
    ask("a")
    ask("b")


def raises() -> None:
    exits()
    raise LookupError("on purpose")


def killed_by(number: signal.Signals) -> Callable[[], None]:
    def end() -> None:
        if number is signal.SIGINT:  # a shell that starts us in the background has it ignored
            signal.signal(number, signal.default_int_handler)
        exits()
        os.kill(os.getpid(), number)
        threading.Event().wait(20)  # until the signal is taken

    return end


def leaves() -> None:
    exits()
    os._exit(3)


def asks_while_ending() -> None:
    atexit.register(ask, "b")
    ask("a")


def forks(end: Callable[[int], Any]) -> Callable[[], None]:
    def run() -> None:
        ask("parent")
        child = os.fork()
        if child == 0:
            ask("child")
            end(4)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4
        ask("after")

    return run


def multiplies(method: str) -> Callable[[], None]:
    def run() -> None:
        ask("parent")
        with ProcessPoolExecutor(2, multiprocessing.get_context(method), initializer=begin_anew) as pool:
            assert all(pool.map(ask, range(4)))

    return run


def threads() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(8)))
    threading.Thread(target=ask, args=("late",)).start()  # the interpreter waits for it


def daemon_threads() -> None:
    ask("a")
    asked = threading.Event()

    def forever() -> None:
        ask("b")
        asked.set()
        ask("never-slow")  # two seconds: the process ends before it does

    threading.Thread(target=forever, daemon=True).start()
    asked.wait(20)


open_streams: list[Any] = []


def holds_a_stream() -> None:
    ask("a")
    open_streams.append(stream("b"))
    next(open_streams[0])


def is_terminated_within_a_stream() -> None:
    holds_a_stream()
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(20)


def drops_a_loop() -> None:
    import openai

    async def begin() -> None:
        asking = openai.AsyncOpenAI(base_url=client.base_url, api_key="demo", max_retries=0)
        open_streams.append(
            await asking.chat.completions.create(
                model="gpt-4o-mini-b", messages=[{"role": "user", "content": "b"}], stream=True
            )
        )
        await anext(open_streams[0])

    ask("a")
    loop = asyncio.new_event_loop()
    loop.run_until_complete(begin())
    loop.close()


HOW: dict[str, Callable[[], None]] = {
    "exits": exits,
    "raises": raises,
    "SIGTERM": killed_by(signal.SIGTERM),
    "SIGINT": killed_by(signal.SIGINT),
    "SIGKILL": killed_by(signal.SIGKILL),
    "leaves": leaves,
    "asks_while_ending": asks_while_ending,
    "fork_exit": forks(sys.exit),
    "fork_leave": forks(os._exit),
    "spawn": multiplies("spawn"),
    "forkserver": multiplies("forkserver"),
    "fork_pool": multiplies("fork"),
    "threads": threads,
    "daemon_threads": daemon_threads,
    "holds_a_stream": holds_a_stream,
    "is_terminated_within_a_stream": is_terminated_within_a_stream,
    "drops_a_loop": drops_a_loop,
}

if __name__ == "__main__":
    HOW[sys.argv[1]]()
