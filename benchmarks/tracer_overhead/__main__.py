"""What tracing costs, ours and others': `make bench-overhead` (`--quick` for a look, `--docs` to write the page).

Every subject is a process of its own with the same openai SDK, the same calls and the same machine, and all of them
live at the same time: they take turns of some tens of milliseconds, so that what disturbs one disturbs all. A turn is
measured in CPU time of the whole process, threads that ship included, and what a subject adds is the median of its
turns minus those, in the same rounds, of a process of its environment in which nothing is patched. Two processes of a
kind differ by a few per cent for where their memory happens to lie and for what they did before, which is as much as
some subjects add: so all are started anew several times, do the cases in another order each time, and the median of
these generations counts. Peers have content on and an exporter that drops everything; we write to disk, with nobody
listening. The control sets up OpenTelemetry and patches nothing: reads it other than 0.95 to 1.05 of raw in any case,
the run is void, and exits with 3.

A second race has the export in it: peers send by the batch over OTLP/HTTP, ours by its shipper, to a sink in another
process, and what waits is sent before the clock is stopped.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
from base64 import b64decode
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Self

import captured
import page
import table
from cases import CASES
from environments import HOME, PEERS, ROOT, SUBJECTS, Environment, variables

HERE = Path(__file__).parent
COUNTED = ("chat 4 KB", "chat of 20 messages", "stream of 200 chunks")
SLOW = {"spanward, guards local": 8}
"""Who takes milliseconds a call needs fewer calls to be read: the divisor of the runs."""
WIDE = ("spanward, guards off", "spanward, content")
"""Whose memory, growth and stalls are measured: those of others are not ours to publish."""


Turns = dict[tuple[str, str], tuple[list[float], list[float]]]
"""(subject, case) -> what it added in each generation of processes, and the CPU of the raw beside it."""


class Process:
    """A worker: `ask` sends an order and waits for the answer."""

    def __init__(self, environment: Environment, subject: str, sink: str = "") -> None:
        self.subject, self.environment = subject, environment
        self._process = subprocess.Popen(
            [environment.python, HERE / "worker.py", subject, sink],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=variables(),
        )  # fmt: skip

    @cached_property
    def setup(self) -> dict[str, Any]:
        """What it cost. Waits until it is done."""
        return self._answer()

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self.setup  # that answer comes first
        self._process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self._process.stdin.flush()
        said = self._answer()
        if "failed" in said and do != "cpu":  # a subject that cannot do a case has no number there
            raise SystemExit(f"{self.subject}, {do}: {said['failed']}")
        return said

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(
                f"{self.subject} ended: run `{self.environment.python} worker.py '{self.subject}'` to see why"
            )
        said: dict[str, Any] = json.loads(line)
        return said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Race:
    """All processes of a run, `raw` of each environment included; with `export` their spans are taken by a sink."""

    def __init__(self, stack: ExitStack, subjects: list[str], *, export: bool = False) -> None:
        self.server = stack.enter_context(
            subprocess.Popen([sys.executable, HERE / "server.py"], stdout=subprocess.PIPE, text=True, env=variables())
        )
        stack.callback(self.server.kill)
        assert self.server.stdout is not None
        self.address = f"http://127.0.0.1:{int(self.server.stdout.readline())}"
        environments = dict.fromkeys(SUBJECTS[name] for name in subjects)
        sink = self.address if export else ""
        self.raws = {place: stack.enter_context(Process(place, "raw", sink)) for place in environments}
        self.subjects = {name: stack.enter_context(Process(SUBJECTS[name], name, sink)) for name in subjects}
        for process in (*self.raws.values(), *self.subjects.values()):
            assert process.setup  # none is measured while another one starts

    def cpu(self, case: str, rounds: int, turns: "Turns") -> None:
        """Add what every subject adds, and the CPU of the raw beside it; all take turns in a new order each round."""
        everyone = [*self.raws.values(), *self.subjects.values()]
        spent: dict[Process, list[float]] = {process: [] for process in everyone}
        for process in everyone:
            process.ask("warm", case=case, address=self.address)
        for number in range(rounds):
            random.Random(number).shuffle(everyone)
            for process in everyone:
                share = SLOW.get(process.subject, 1)
                said = process.ask("cpu", case=case, address=self.address, share=share)
                if "us" in said:
                    spent[process].append(said["us"])
        for name, process in self.subjects.items():
            raw = spent[self.raws[process.environment]]
            if spent[process]:  # some cannot do some cases
                added, beside = turns.setdefault((name, case), ([], []))
                added.append(median([one - other for one, other in zip(spent[process], raw, strict=True)]))
                beside.append(median(raw))

    def calls(self) -> dict[str, dict[str, float]]:
        raw = {
            place: {case: process.ask("calls", case=case)["calls"] for case in COUNTED}
            for place, process in self.raws.items()
        }
        return {
            name: {case: process.ask("calls", case=case)["calls"] - raw[process.environment][case] for case in COUNTED}
            for name, process in self.subjects.items()
        }

    def captured(self) -> dict[str, dict[str, list[str]]]:
        return {name: _whole(process.ask("captured")["captured"]) for name, process in self.subjects.items()}

    def steady(self, memory: int, subject: str) -> dict[str, Any]:
        process = self.subjects[subject]
        raw = self.raws[process.environment]
        pairs = [(p.ask("stall", address=self.address)["ms"]) for _ in range(5) for p in (raw, process)]
        return {
            "stall": {
                "raw": min(pairs[::2]),
                "ms": min(pairs[1::2]),
                "added": min(pairs[1::2]) - min(pairs[::2]),
            },
            "growth": process.ask("growth"),
            "memory": {"calls": memory, **process.ask("memory", number=memory)},
        }


def _whole(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """What our frames hold is read here."""
    return {
        kind: sorted(captured.of_frames(b64decode(what[0][6:]))) if what[:1] and what[0].startswith("spool:") else what
        for kind, what in found.items()
    }


def once(race: Race, told: dict[str, dict[str, Any]]) -> None:
    """What no repetition makes better."""
    for name, what in race.captured().items():
        told[name]["captured"] = what
    for name, number in race.calls().items():
        told[name]["calls"] = number


def steadily(race: Race, told: dict[str, dict[str, Any]], memory: int) -> None:
    """What takes long, with the export in it."""
    for name in WIDE:
        if name in told and memory:
            print(f"{name}: stalls, growth, memory …", flush=True)
            told[name] |= race.steady(memory, name)


def told_of(told: dict[str, dict[str, Any]], mode: str, turns: Turns) -> None:
    for (name, case), (added, raw) in turns.items():
        told[name][mode][case] = {"added": median(added), "spread": _spread(added), "raw": median(raw)}


def _spread(numbers: list[float]) -> float:
    """Half of what lies between the quartiles."""
    low, _, high = quantiles(numbers, n=4, method="inclusive") if len(numbers) > 1 else (0, 0, 0)
    return (high - low) / 2


def measure(chosen: argparse.Namespace) -> table.Result:
    for environment in (PEERS, *(place for place in dict.fromkeys(SUBJECTS.values()) if place is not PEERS)):
        environment.build()
    subjects = [name for name in SUBJECTS if not chosen.only or name in chosen.only or name == "control"]
    cases = chosen.case or [name for name in CASES if not chosen.quick or name in COUNTED]
    result: table.Result = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores of {platform.machine()}, Python {platform.python_version()}",
        "rounds": chosen.rounds,
        "generations": chosen.generations,
        "subjects": {name: {"cpu": {}, "export": {}} for name in subjects},
    }
    told = result["subjects"]
    setups: dict[str, list[dict[str, float]]] = {name: [] for name in subjects}
    turns: Turns = {}
    exported: Turns = {}
    for generation in range(1, chosen.generations + 1):
        with ExitStack() as stack:
            race = Race(stack, subjects)
            for name, process in race.subjects.items():
                setups[name].append(process.setup)
            for case in random.Random(generation).sample(cases, len(cases)):
                print(f"{case}, processes {generation} of {chosen.generations} …", flush=True)
                race.cpu(case, chosen.rounds, turns)
            if generation == chosen.generations:
                once(race, told)
        with ExitStack() as stack:
            race = Race(stack, subjects, export=True)
            for case in random.Random(generation).sample(cases, len(cases)):
                print(f"{case}, export included, processes {generation} of {chosen.generations} …", flush=True)
                race.cpu(case, chosen.rounds, exported)
            if generation == chosen.generations:
                steadily(race, told, chosen.memory)
    for name, said in setups.items():
        told[name]["setup"] = {key: min(one[key] for one in said) for key in ("ms", "mb")}
    told_of(told, "cpu", turns)
    told_of(told, "export", exported)
    result["void"] = table.void(result)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="three cases, few rounds, nothing that takes long")
    parser.add_argument("--rounds", type=int, default=0, help="turns of every process in every case (default 6)")
    parser.add_argument("--generations", type=int, default=0, help="times that all processes are started (default 10)")
    parser.add_argument("--memory", type=int, default=-1, help="calls over which memory is watched (default 5000)")
    parser.add_argument("--only", action="append", default=[], help="measure this subject and the control; repeatable")
    parser.add_argument("--case", action="append", choices=CASES, help="measure this case; repeatable")
    parser.add_argument("--docs", action="store_true", help="write docs/overhead.md from the result")
    parser.add_argument("--json", type=Path, default=HOME / "overhead.json", help="where the result goes")
    parser.add_argument(
        "--steady", action="store_true", help="measure only stalls, growth and memory, beside what is there"
    )
    parser.add_argument("--from-json", action="store_true", help="measure nothing: show (and write) what is there")
    chosen = parser.parse_args()
    chosen.rounds = chosen.rounds or (5 if chosen.quick else 6)
    chosen.generations = chosen.generations or (1 if chosen.quick else 10)
    chosen.memory = chosen.memory if chosen.memory >= 0 else (0 if chosen.quick else 5_000)
    if chosen.from_json or chosen.steady:
        result = json.loads(chosen.json.read_text())
        if chosen.steady:
            with ExitStack() as stack:
                steadily(Race(stack, list(WIDE), export=True), result["subjects"], chosen.memory)
            chosen.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    else:
        HOME.mkdir(exist_ok=True)
        result = measure(chosen)
        chosen.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(f"{result['date']}, {result['machine']}\n")
    for part in (table.cost, table.exported, table.targets, table.counts, table.matrix, table.steadiness):
        print("\n".join(part(result)), end="\n\n")
    if result["void"]:
        print(f"VOID: the control, which patches nothing, is more than 5 % off raw: {', '.join(result['void'])}")
    if chosen.docs:
        (ROOT / "docs" / "overhead.md").write_text(page.of(result))
    return 3 if result["void"] else 0


if __name__ == "__main__":
    sys.exit(main())
