"""What the guards find, what they miss and what they cost: `make bench-guards` (ARGS="pii streams", "--docs").

Each part is a script beside this one and runs in a process of its own: what one imports changes the speed of another.
Tables go to the terminal, and into `.bench/guards/` with the results as JSON. `--docs` writes docs/guards/measured.md
from what each part printed last.
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

Made by `make bench-guards ARGS=--docs`. What each table means stands at the head of its script in `benchmarks/guards`;
CPU times of a shared machine differ by some ten per cent from run to run, wall times by more.
"""


def run(part: str) -> None:
    """Print and keep what the part prints. Raises `SystemExit` where it fails."""
    print(f"## {PARTS[part]}\n", flush=True)
    machine = f"{os.cpu_count()} shared cores of {platform.machine()}, Python {platform.python_version()}"
    said = [f"`python benchmarks/guards {part}`, {datetime.now(UTC):%Y-%m-%d}, {machine}.\n\n"]
    command = [sys.executable, HERE / f"{part}.py", "--json", RESULTS / f"{part}.json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        for line in it.stdout:
            print(line, end="", flush=True)
            said.append(line)
    print(flush=True)
    if it.returncode:
        sys.exit(f"benchmarks/guards/{part}.py ended with {it.returncode}")
    kept(part).write_text("".join(said), encoding="utf-8")


def kept(part: str) -> Path:
    """Where what a part printed last is."""
    return RESULTS / f"{part}.md"


def page() -> str:
    """Of what every part printed last. Raises `SystemExit` where one was never run."""
    if never := [part for part in PARTS if not kept(part).exists()]:
        sys.exit(f"never run here: {', '.join(never)}")
    texts = (f"## {about}\n\n{kept(part).read_text(encoding='utf-8').rstrip()}" for part, about in PARTS.items())
    return "\n\n".join([HEAD.rstrip(), *texts]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all without any")
    parser.add_argument("--docs", action="store_true", help="write docs/guards/measured.md too")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    for part in chosen.parts or PARTS:
        run(part)
    if chosen.docs:
        PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
