"""What guards cost: `python benchmarks/guards latency`.

Distinct texts of Wikipedia talk pages, cut to 100, 1,000 and 4,000 characters, in which the default policy finds
nothing that stands in a call's way. CPU is that of this process over all texts of a size, divided by their number: the
least of several rounds, and the first round apart (`cold`: caches of words are empty). Wall times are one check after
the other. The sidecar is a real `spanward serve` on loopback, asked as the tracer asks it; `8 apps` are eight processes
that ask at once, each as fast as it is answered.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from pii import stock
from prose import prose

from spanward.guards.detectors import registry
from spanward.guards.judgement import Check, Side
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline
from spanward.guards.policy import load
from spanward.tracer.guarding import PolicyFile, SidecarGuard
from spanward.tracer.settings import Settings
from spanward.tracer.sidecar import Sidecar

SIZES = (100, 1000, 4000)
TEXTS = 60
ROUNDS = 5
APPS = 8
NAMED = ("PERSON", "ADDRESS")
"""What the default policy asks of the engine for names."""
ASKED_BY_EACH = 100
Cost = dict[str, float]
PUBLISHED = (
    ("Anonymize, 317 characters", 177, 129),
    ("Toxicity, 97 characters", 86, 34),
    ("PromptInjection, 384 characters", 213, 104),
    ("Bias, 128 characters", 58, 17),
)
"""LLM Guard 0.3.16's own documentation (docs/input_scanners, docs/output_scanners): wall ms on an m5.xlarge, torch and
ONNX. Other machines, other texts: not measured here.
"""


def check_of(side: Side, text: str) -> Check:
    role = "user" if side == "input" else "assistant"
    return Check(side, (Message(role, (Part("text", text),)),))


def cost(run: Callable[[str], Any], texts: Sequence[str]) -> Cost:
    """CPU ms a text, cold and warm, and wall ms at p50 and p99 of the warm rounds."""
    cpu, wall = [], []
    for number in range(ROUNDS):
        began = time.process_time()
        for text in texts:
            started = time.perf_counter()
            run(text)
            if number:
                wall.append((time.perf_counter() - started) * 1e3)
        cpu.append((time.process_time() - began) * 1e3 / len(texts))
    return {"cold": cpu[0], "cpu": min(cpu[1:]), **spread(wall)}


def spread(wall: Sequence[float]) -> Cost:
    cuts = quantiles(wall, n=100)
    return {"p50": cuts[49], "p99": cuts[98]}


def runners(pipeline: Pipeline) -> Iterator[tuple[str, Callable[[str], Any]]]:
    """What is measured in this process, by name."""
    for title, name, also in (("pii", "pii", ()), ("pii with names", "pii", NAMED), ("secrets", "secrets", ()),
                              ("toxicity", "toxicity", ())):  # fmt: skip
        cls = registry.detector_class(name)
        detector = cls()
        labels = frozenset([label for label in cls.labels if label not in getattr(cls, "opt_in", ())] + list(also))
        yield title, lambda text, detector=detector, labels=labels: detector.detect([text], labels)
    yield "stock presidio, no model, no names", stock(0.4)
    yield "default policy, what stands in the way of the input", lambda text: pipeline.check(check_of("input", text))
    yield "default policy, what flags the input", lambda text: pipeline.review(check_of("input", text))
    yield "default policy, what flags the output", lambda text: pipeline.review(check_of("output", text))


def in_process(texts: dict[int, list[str]]) -> dict[str, dict[int, Cost]]:
    pipeline = Pipeline(load("default"))
    return {name: {size: cost(run, said) for size, said in texts.items()} for name, run in runners(pipeline)}


@contextmanager
def sidecar() -> Iterator[str]:
    """The address of a sidecar of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-guards-") as data:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SPANWARD_")}
        command = [sys.executable, "-m", "spanward.collector.cli", "serve", "--data", data, "--port", "0"]
        with subprocess.Popen(
            [*command, "--spool", f"{data}/spool"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            try:
                yield next(word.rstrip("/") for word in process.stdout.readline().split() if word.startswith("http"))
            finally:
                process.terminate()
                process.wait(30)


def asker(address: str) -> SidecarGuard:
    settings = Settings(endpoint=address, spool=Path(tempfile.mkdtemp(prefix="bench-guards-")))
    at = Sidecar(address)
    return SidecarGuard(at, PolicyFile(settings, at))


def through_the_sidecar(texts: dict[int, list[str]], address: str) -> dict[int, Cost]:
    guard = asker(address)
    return {size: cost(lambda text: guard.check(check_of("input", text)), said) for size, said in texts.items()}


def at_once(address: str, size: int) -> Cost:
    """As eight applications see it."""
    command = [sys.executable, __file__, "--ask", address, "--size", str(size)]
    apps = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(APPS)]
    for app in apps:
        assert app.stdout is not None
        app.stdout.readline()  # it is ready
    for app in apps:
        assert app.stdin is not None
        app.stdin.write("go\n")
        app.stdin.flush()
    waits = [wait for app in apps for wait in json.loads(app.communicate()[0])]
    return spread(waits)


def ask(address: str, size: int) -> None:
    """One application: says when it is ready, asks when it is told to, and tells how long each answer took."""
    guard, said = asker(address), prose(size, TEXTS)
    guard.check(check_of("input", said[0]))
    print("ready", flush=True)
    sys.stdin.readline()
    waits = []
    for number in range(ASKED_BY_EACH):
        started = time.perf_counter()
        guard.check(check_of("input", said[number % len(said)]))
        waits.append((time.perf_counter() - started) * 1e3)
    print(json.dumps(waits))


def measure() -> dict[str, Any]:
    texts = {size: prose(size, TEXTS) for size in SIZES}
    with sidecar() as address:
        asked = through_the_sidecar(texts, address)
        crowd = {size: at_once(address, size) for size in SIZES}
    return {"in process": in_process(texts), "through the sidecar": asked, f"{APPS} apps at once": crowd}


def table(result: dict[str, Any]) -> list[str]:
    rows = ["| CPU ms a text (cold) / wall ms p50, p99 | " + " | ".join(f"{size:,} ch" for size in SIZES) + " |"]
    rows.append("|---" * (len(SIZES) + 1) + "|")
    told = {f"in process: {name}": costs for name, costs in result["in process"].items()}
    told["through the sidecar: default policy, input (CPU is the asker's)"] = result["through the sidecar"]
    told[f"{APPS} apps at once, through the sidecar"] = result[f"{APPS} apps at once"]
    rows += [f"| {name} | " + " | ".join(_cell(costs[size]) for size in SIZES) + " |" for name, costs in told.items()]
    rows += ["", "| published by LLM Guard, not measured here | torch, ms | ONNX, ms |", "|---|---|---|"]
    return [*rows, *(f"| {what} | {torch} | {onnx} |" for what, torch, onnx in PUBLISHED)]


def _cell(said: Cost) -> str:
    waits = f"{said['p50']:.2f}, {said['p99']:.2f}"
    return f"{said['cpu']:.2f} ({said['cold']:.2f}) / {waits}" if "cpu" in said else waits


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write the result there")
    parser.add_argument("--ask", help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=1000, help=argparse.SUPPRESS)
    chosen = parser.parse_args(argv)
    if chosen.ask:
        ask(chosen.ask, chosen.size)
        return 0
    result = measure()
    print("\n".join(table(result)))
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
