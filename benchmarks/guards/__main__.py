"""What the guards find, what they miss and what they cost: `make bench-guards` (ARGS="pii streams", "--docs").

Each part is a script beside this one and runs in a process of its own: what one imports changes the speed of another.
Tables go to the terminal, results as JSON into `.bench/guards/`; `--docs` writes docs/guards/measured.md from what the
parts print.
"""

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = ROOT / ".bench" / "guards"
PAGE = ROOT / "docs" / "guards" / "measured.md"
PARTS = {
    "pii": "Personal data",
    "toxicity": "Toxicity",
    "flags": "Secrets, injection, hidden text, own patterns",
    "latency": "What a check costs",
    "transformer": "The transformer path",
    "streams": "Leaks of held-back streams",
}
"""Script -> what it is about."""
HEAD = """\
# Guards, measured

Made by `make bench-guards ARGS=--docs` on {date}, {machine}. What each table means stands at the head of its
script in `benchmarks/guards`; the CPU of a shared machine differs by some ten per cent from run to run.
"""


def run(part: str) -> str:
    """What the part prints. Raises `SystemExit` where it fails."""
    print(f"## {PARTS[part]}\n", flush=True)
    command = [sys.executable, HERE / f"{part}.py", "--json", RESULTS / f"{part}.json"]
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        for line in it.stdout:
            print(line, end="", flush=True)
            said.append(line)
    print(flush=True)
    if it.returncode:
        sys.exit(f"benchmarks/guards/{part}.py ended with {it.returncode}")
    return "".join(said).rstrip()


def page(said: dict[str, str]) -> str:
    machine = f"{os.cpu_count()} shared cores of {platform.machine()}, Python {platform.python_version()}"
    head = HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=machine)
    return "\n\n".join([head.rstrip(), *(f"## {PARTS[part]}\n\n{text}" for part, text in said.items())]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help=f"of {', '.join(PARTS)}; all without any")
    parser.add_argument("--docs", action="store_true", help="write docs/guards/measured.md; needs all parts")
    chosen = parser.parse_args()
    parts = chosen.parts or list(PARTS)
    if chosen.docs and set(parts) != set(PARTS):
        parser.error("--docs needs all parts")
    RESULTS.mkdir(parents=True, exist_ok=True)
    said = {part: run(part) for part in parts}
    if chosen.docs:
        PAGE.write_text(page(said), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
