"""One subject in a process of its own: reads orders from stdin, a JSON object a line, and answers each with another.

`python worker.py SUBJECT [ADDRESS]` (of whoever takes spans) says first what importing and setting up cost; then it
does as it is told:
{"do": "cpu", "case": NAME} and so on, see `ORDERS`.
"""

import asyncio
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import captured
from cases import CASES, CONCURRENT, MODEL, SHOWN, Clients, chat, stream, user
from subjects import SETUPS, Sink

WARM = 30


def resident_mb() -> float:
    said = Path("/proc/self/status").read_text()
    return int(said.partition("VmRSS:")[2].split()[0]) / 1024


class Worker:
    """The subject, set up after openai was imported and a client was made."""

    def __init__(self, subject: str, address: str = "") -> None:
        self.clients = Clients()
        self.clients.sync.chat.completions  # noqa: B018  loads what an application has loaded
        gc.collect()
        before, cpu = resident_mb(), time.process_time()
        self.sink = Sink(address)
        SETUPS[subject](self.sink)
        self.setup = {"ms": (time.process_time() - cpu) * 1e3, "mb": resident_mb() - before}
        self.clients = Clients()  # some patch the making of clients
        self.loopback: Clients | None = None

    def of(self, case: str, address: str = "") -> Callable[[], None]:
        chosen = CASES[case]
        if chosen.loopback and self.loopback is None:
            self.loopback = Clients(address)
        clients = self.loopback if chosen.loopback else self.clients
        assert clients is not None
        return lambda: chosen.call(clients)

    def cpu(self, case: str, address: str = "", share: int = 1) -> dict[str, float]:
        """Microseconds of CPU of the whole process a call (or chunk), over a `share`th of the runs of the case."""
        call, chosen = self.of(case, address), CASES[case]
        runs = max(1, chosen.runs // share)
        self.sink.flush()
        captured.empty_spool()
        gc.collect()
        gc.freeze()  # or full collections walk all that was ever imported, which is no cost of tracing
        for _ in range(max(1, runs // 10)):
            call()  # what ran meanwhile in other processes put this one out of the caches
        self.sink.flush()
        began = time.process_time_ns()
        for _ in range(runs):
            call()
        self.sink.flush()
        return {"us": (time.process_time_ns() - began) / 1e3 / runs / chosen.parts}

    def warm(self, case: str, address: str = "") -> dict[str, float]:
        call, chosen = self.of(case, address), CASES[case]
        for _ in range(max(2, WARM // chosen.parts)):
            call()
        return {}

    def calls(self, case: str) -> dict[str, float]:
        """Function calls in the calling thread, Python's and C's, a call (or chunk): the least of five."""
        call = self.of(case)
        return {"calls": min(counted(call) for _ in range(5)) / CASES[case].parts}

    def captured(self) -> dict[str, Any]:
        """What the spans of each kind of call hold."""
        found = {}
        for name, call in SHOWN.items():
            self.sink.kept = []
            before = captured.spooled()
            call(self.clients)
            self.sink.flush()  # the exporters of some have a thread
            found[name] = captured.of_spans(self.sink.kept) | captured.of_spool(before)
            self.sink.kept = None
        return {"captured": {name: sorted(what) for name, what in found.items()}}

    def memory(self, number: int) -> dict[str, float]:
        """Megabytes that the process grew by from so many calls to as many after them."""
        self._resident(1000)
        begin = self._resident(number)
        return {"mb": self._resident(number) - begin}

    def _resident(self, calls: int) -> float:
        """The least that it had while so many were made: our shipper holds a file of the spool while it sends that, and
        the allocator keeps its memory for a while.
        """
        call = self.of("chat 4 KB")
        least = inf
        for i in range(calls):
            call()
            if i % 100 == 0:
                gc.collect()
                least = min(least, resident_mb())
        return least

    def growth(self) -> dict[str, float]:
        """CPU a call around call number 100 and around number 10,000; a chunk of streams of 200 and of 5,000 chunks."""
        call = chat(user(4096))
        begun = [self._least(lambda: call(self.clients), 10) for _ in range(10)]
        for _ in range(9_800):
            call(self.clients)
        self.sink.flush()  # or what waited would be sent now, which is the cost of those before
        late = [self._least(lambda: call(self.clients), 10) for _ in range(10)]
        few, many = stream(200), stream(5000)
        return {
            "first": min(begun),
            "late": min(late),
            "of 200": self._least(lambda: few(self.clients), 10) / 200,
            "of 5000": self._least(lambda: many(self.clients), 5) / 5000,
        }

    def _least(self, call: Callable[[], None], times: int) -> float:
        spent = []
        for _ in range(times):
            began = time.process_time_ns()
            call()
            spent.append((time.process_time_ns() - began) / 1e3)
        return min(spent)

    def stall(self, address: str) -> dict[str, float]:
        """The longest that one step on the event loop took, of 50 calls at once, in ms of CPU: so long nobody else
        had a turn there. Other loads put many steps behind each other, and so make the wait between two ticks of a
        timer long, whoever calls.
        """
        return {"ms": asyncio.run(_stall(Clients(address).asynchronous()))}


async def _stall(client: Any) -> float:
    worst = 0.0
    run = asyncio.Handle._run  # noqa: SLF001  what the loop calls for each step

    def timed(handle: asyncio.Handle) -> None:
        nonlocal worst
        began = time.thread_time()
        run(handle)
        worst = max(worst, time.thread_time() - began)

    async def asks() -> None:
        messages = user(4096)
        for _ in range(4):
            await client.chat.completions.create(model=MODEL, messages=messages)

    async with client:
        await asks()
        gc.collect()
        gc.freeze()
        asyncio.Handle._run = timed  # noqa: SLF001  as above
        try:
            await asyncio.gather(*(asks() for _ in range(CONCURRENT)))
        finally:
            asyncio.Handle._run = run  # noqa: SLF001  as above
    return worst * 1e3


def counted(call: Callable[[], None]) -> int:
    number = 0

    def profile(_: Any, event: str, __: Any) -> None:
        nonlocal number
        if event in {"call", "c_call"}:
            number += 1

    gc.collect()
    gc.disable()
    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
        gc.enable()
    return number - 1  # of `setprofile` itself


ORDERS = ("cpu", "warm", "calls", "captured", "memory", "growth", "stall")


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what subjects print is not an answer
    worker = Worker(*sys.argv[1:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({**worker.setup, "peak_kb": peak}), file=answers)
    for line in sys.stdin:
        order = json.loads(line)
        name = order.pop("do")
        try:
            said = getattr(worker, name)(**order) if name in ORDERS else {"failed": f"no order {name}"}
        except Exception as error:  # noqa: BLE001  said in the table
            said = {"failed": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(said), file=answers)


if __name__ == "__main__":
    main()
