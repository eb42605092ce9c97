"""The transformer path: torch as Detoxify's package runs it, against our installed model, by CPU time.

A bert-base of random weights (109 million) in Detoxify's format is converted by `spanward models add` as any other.
CPU time is what decides: on a loaded machine, wall time says more about the neighbours.

    python benchmarks/guards/transformer.py [--quick] [--folder DIR] [--json FILE]
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from spanward.guards.detectors import detoxify, models, onnx_model
from spanward.guards.detectors.pieces import worst
from spanward.guards.detectors.worker import Worker

NAME = "bert-base-random"
LABELS = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
SHAPES = [(1, 32), (8, 32), (1, 128), (8, 128), (1, 512), (8, 512)]
WORDS = 30_000
LENGTHS = (4.1, 0.9)
"""Of a log-normal distribution of tokens a text: half are shorter than 60, one in ten longer than 190."""
ASKERS = 8


def checkpoint(folder: Path) -> tuple[Path, Path]:
    """A checkpoint with random weights, and the folder of its encoder, whose vocabulary is made up."""
    import torch
    import transformers

    torch.manual_seed(0)
    encoder = folder / "encoder"
    encoder.mkdir(parents=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(word(number) for number in range(WORDS))]
    (encoder / "vocab.txt").write_text("\n".join(words))
    config = transformers.BertConfig(vocab_size=len(words), num_labels=len(LABELS))
    config.save_pretrained(encoder)
    arguments = {
        "num_classes": len(LABELS),
        "model_type": "bert-base-uncased",
        "model_name": "BertForSequenceClassification",
        "tokenizer_name": "BertTokenizer",
    }
    path = folder / f"{NAME}.ckpt"
    saved = {
        "state_dict": transformers.BertForSequenceClassification(config).state_dict(),
        "config": {"arch": {"args": arguments}, "dataset": {"args": {"classes": LABELS}}},
    }
    torch.save(saved, path)
    return path, encoder


def word(number: int) -> str:
    letters = ""
    for _ in range(4):
        number, letter = divmod(number, 26)
        letters += chr(97 + letter)
    return letters


def text(tokens: int, chance: random.Random) -> str:
    """Of `tokens` tokens, the two around it included."""
    return " ".join(word(chance.randrange(WORDS)) for _ in range(tokens - 2))


def installed(folder: Path) -> tuple[models.Model, Path, Path, dict[str, float]]:
    """Converted by the command that people use, in a process of its own; what that took."""
    folder.mkdir(parents=True, exist_ok=True)
    path, encoder = folder / f"{NAME}.ckpt", folder / "encoder"
    if not path.exists():
        checkpoint(folder)
    command = [sys.executable, "-m", "spanward.collector.cli", "models", "add", NAME, "--replace"]
    command += ["--checkpoint", str(path), "--tokenizer", str(encoder)]
    command += ["--allow-hash", sha256(path.read_bytes()).hexdigest()]
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, check=True, env=os.environ | {models.FOLDER: str(folder / "models")})
    after = os.times()
    model = models.installed(NAME, folder / "models")
    took = {
        "cpu_s": after.children_user + after.children_system - before.children_user - before.children_system,
        "wall_s": time.perf_counter() - started,
        "mib": model.size / 2**20,
        "checkpoint_mib": path.stat().st_size / 2**20,
        "drift": max(model.manifest["drift"]["labels"].values()),
    }
    return model, path, encoder, took


def timed(runs: int, *does: Callable[[], object]) -> list[tuple[float, float]]:
    """Median (CPU, wall) milliseconds of each, taking turns, so that a busy moment meets all of them."""
    taken: list[list[tuple[float, float]]] = [[] for _ in does]
    for run in range(runs + 1):
        for place, do in enumerate(does):
            cpu, wall = time.process_time(), time.perf_counter()
            do()
            if run:
                taken[place].append(((time.process_time() - cpu) * 1e3, (time.perf_counter() - wall) * 1e3))
    return [(median(cpu for cpu, _ in each), median(wall for _, wall in each)) for each in taken]


def by_shape(torch_model: detoxify.Detoxify, ours: onnx_model.OnnxModel, runs: int) -> list[dict[str, Any]]:
    """One batch of windows of one length."""
    chance = random.Random(1)
    rows = []
    for batch, tokens in SHAPES:
        ids = [[2, *(chance.randrange(5, WORDS) for _ in range(tokens - 2)), 3] for _ in range(batch)]
        few = runs if batch * tokens < 600 else max(2, runs // 3)
        theirs, mine = timed(few, lambda ids=ids: torch_model.scores(ids), lambda ids=ids: ours.scores(ids))
        rows.append(row(f"{batch} x {tokens} tokens", theirs, mine))
    return rows


def by_mix(torch_model: detoxify.Detoxify, ours: onnx_model.OnnxModel, runs: int) -> list[dict[str, Any]]:
    """Texts of all lengths in one question: the package pads them to the longest, in one batch of all, cut at 512."""
    chance = random.Random(2)
    texts = [text(max(4, min(900, int(chance.lognormvariate(*LENGTHS)))), chance) for _ in range(32)]

    def package(size: int) -> None:
        for start in range(0, len(texts), size):
            ids = torch_model.tokenizer(texts[start : start + size], truncation=True, max_length=512)["input_ids"]
            torch_model.scores(ids)

    def package_of(size: int) -> Callable[[], None]:
        return lambda: package(size)

    rows = []  # from here on torch's tokenizer is set as the package sets it
    for name, size in (("one by one", 1), ("8 at a time", 8), ("all at a time", len(texts))):
        theirs, mine = timed(runs, package_of(size), lambda: worst(ours, texts))
        rows.append(row(f"{len(texts)} texts of 4 to 900 tokens, torch {name}", theirs, mine))
    return rows


def row(what: str, theirs: tuple[float, float], mine: tuple[float, float]) -> dict[str, Any]:
    return {
        "what": what,
        "torch_cpu_ms": theirs[0], "torch_wall_ms": theirs[1],
        "ours_cpu_ms": mine[0], "ours_wall_ms": mine[1],
        "times": theirs[0] / mine[0],
    }  # fmt: skip


def by_askers(worker: Worker, askers: int, questions: int) -> dict[str, float]:
    """Every asker asks one text after the other; what each had to wait, and the worker's CPU time a text."""
    chance = random.Random(3)
    asked = [
        [text(max(4, min(400, int(chance.lognormvariate(*LENGTHS)))), chance) for _ in range(questions)]
        for _ in range(askers)
    ]
    worker.ask([text(20, chance)])
    waited: list[float] = []

    def ask(texts: Sequence[str]) -> None:
        for one in texts:
            started = time.perf_counter()
            worker.ask([one], timeout_s=300)
            waited.append((time.perf_counter() - started) * 1e3)

    before, started = cpu_of(worker), time.perf_counter()
    threads = [threading.Thread(target=ask, args=(texts,)) for texts in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waited.sort()
    return {
        "askers": askers,
        "texts": len(waited),
        "cpu_ms_a_text": (cpu_of(worker) - before) * 1e3 / len(waited),
        "texts_a_second": len(waited) / (time.perf_counter() - started),
        "wall_ms_p50": median(waited),
        "wall_ms_p99": waited[int(len(waited) * 0.99)],
    }


def cpu_of(worker: Worker) -> float:
    """Seconds, all threads, of the worker's process."""
    fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(worker: Worker) -> float:
    """Resident MiB."""
    return int(Path(f"/proc/{worker.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def machine() -> dict[str, Any]:
    flags = Path("/proc/cpuinfo").read_text()
    return {
        "cores": os.cpu_count(),
        "instructions": [name for name in ("avx2", "avx512f", "avx512_vnni", "avx_vnni") if f" {name} " in flags],
        "python": platform.python_version(),
        "load": [round(load, 1) for load in os.getloadavg()],
        "date": time.strftime("%Y-%m-%d"),
    }


def measured(folder: Path, *, quick: bool) -> dict[str, Any]:
    model, path, encoder, conversion = installed(folder)
    result: dict[str, Any] = {"machine": machine(), "versions": model.manifest["versions"], "conversion": conversion}
    result["askers"] = {}
    for name, start in (
        ("torch", lambda: Worker(detoxify.__name__, [str(path), str(encoder)], startup_s=300)),
        ("ours", lambda: model.start(startup_s=300)),
    ):
        started = time.perf_counter()
        worker = start()
        up = time.perf_counter() - started
        rows = [by_askers(worker, askers, 3 if quick else 12) for askers in (1, ASKERS)]
        result["askers"][name] = {"start_s": up, "rss_mib": memory_of(worker), "rows": rows}
        worker.close()
    # one thread from here on, for both: CPU time is then the work and not the waiting of one for the other
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import torch

    torch.set_num_threads(1)
    torch_model, ours = detoxify.load(path, encoder), onnx_model.load(model)
    result["shapes"] = by_shape(torch_model, ours, 3 if quick else 9)
    result["mix"] = by_mix(torch_model, ours, 1 if quick else 3)
    return result


def table(result: dict[str, Any]) -> str:
    askers = result["askers"].items()
    lines = ["| one thread | torch CPU ms | ours CPU ms | times | torch wall | ours wall |", "|-|-|-|-|-|-|"]
    lines += [
        f"| {r['what']} | {r['torch_cpu_ms']:.0f} | {r['ours_cpu_ms']:.0f} | **{r['times']:.1f}** "
        f"| {r['torch_wall_ms']:.0f} | {r['ours_wall_ms']:.0f} |"
        for r in (*result["shapes"], *result["mix"])
    ]
    lines += ["", "| through the worker | CPU ms a text | texts/s | wall p50 ms | wall p99 ms |", "|-|-|-|-|-|"]
    lines += [
        f"| {name}, {int(r['askers'])} at once | {r['cpu_ms_a_text']:.0f} | {r['texts_a_second']:.1f} "
        f"| {r['wall_ms_p50']:.0f} | {r['wall_ms_p99']:.0f} |"
        for name, said in askers
        for r in said["rows"]
    ]
    lines += [
        "",
        *(f"{name}: up in {said['start_s']:.1f} s, {said['rss_mib']:.0f} MiB" for name, said in askers),
        "conversion: " + ", ".join(f"{name} {value:.4g}" for name, value in result["conversion"].items()),
        f"machine: {result['machine']}",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--folder", type=Path, help="keep the checkpoint and the model here")
    parser.add_argument("--json", type=Path, help="write the figures here")
    told = parser.parse_args()
    with TemporaryDirectory() as scratch:
        result = measured(told.folder or Path(scratch), quick=told.quick)
    if told.json:
        told.json.write_text(json.dumps(result, indent=1) + "\n")
    print(table(result))


if __name__ == "__main__":
    main()
