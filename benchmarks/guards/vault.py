"""What the vault costs a check: `python benchmarks/guards/vault.py`.

One check's worth of placeholders in a session of 30 values: all of them known from earlier turns, or one of them new,
which is written down (fsync) before the placeholder leaves. `memory` is the vault of guards in the application's own
process. CPU is that of the whole process, its writer thread included, over all checks; wall times are of one check
after the other, and of eight threads that each check as fast as they are answered. `first` is the first check of a
session after a restart, when its 30 values are read and opened.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import quantiles

from spanward.collector.vault.disk_vault import DiskVault
from spanward.collector.vault.key import Keys, VaultSettings
from spanward.guards.judgement import Context
from spanward.guards.vault import Pseudonymiser, Vault

VALUES, CHECKS, THREADS = 30, 1500, 8
Turn = Callable[[int], None]


def context(session: int) -> Context:
    return Context(app="bench", session_id=str(session))


def turn(vault: Pseudonymiser, session: int, fresh: str = "") -> None:
    """As a check does it."""
    names = vault.pseudonyms(context(session))
    values = [f"known value {n}" for n in range(VALUES - bool(fresh))] + ([fresh] if fresh else [])
    assert names.save([names.placeholder("PERSON", value) for value in values])


def cost(run: Turn, checks: int = CHECKS, threads: int = 1) -> dict[str, float]:
    """CPU ms a check, wall ms at p50 and p99."""

    def one(number: int) -> float:
        started = time.perf_counter()
        run(number)
        return (time.perf_counter() - started) * 1e3

    began = time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        wall = list(pool.map(one, range(checks)))
    cpu = (time.process_time() - began) * 1e3 / checks
    cuts = quantiles(wall, n=100)
    return {"cpu": cpu, "p50": cuts[49], "p99": cuts[98]}


@contextmanager
def on_disk(folder: Path) -> Iterator[DiskVault]:
    with closing(DiskVault(folder / "vault.db", Keys("own", bytes(32)), VaultSettings())) as vault:
        yield vault


def measured(folder: Path) -> dict[str, dict[str, float]]:
    memory = Vault()
    turn(memory, 0)
    results = {
        "memory, all known": cost(lambda _: turn(memory, 0)),
        "memory, one new": cost(lambda n: turn(memory, n % 50, f"new {n}")),
    }
    with on_disk(folder) as vault:
        for session in range(50):
            turn(vault, session)
        results["on disk, all known"] = cost(lambda _: turn(vault, 0))
        results["on disk, one new"] = cost(lambda n: turn(vault, n % 50, f"new {n}"))
        results["on disk, one new, 8 threads"] = cost(lambda n: turn(vault, n % 50, f"newer {n}"), threads=THREADS)
        for session in range(1000, 1200):
            turn(vault, session)
    with on_disk(folder) as vault:
        results["on disk, first"] = cost(lambda n: turn(vault, 1000 + n), checks=200)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--folder", type=Path, help="on the disk to be measured (default: the temporary folder)")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=told.folder) as folder:
        results = measured(Path(folder))
    print("| | CPU ms | wall ms p50 | p99 |\n|---|---|---|---|")
    for name, row in results.items():
        print(f"| {name} | {row['cpu']:.3f} | {row['p50']:.3f} | {row['p99']:.3f} |")
    if told.json:
        told.json.parent.mkdir(parents=True, exist_ok=True)
        told.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
