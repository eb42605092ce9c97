"""`make matrix`: each library's tests with the oldest version that its adapter claims, and with the latest there is.

A cell is an environment of its own below `.matrix/`, in which everything is that of `.venv` but the library (and what
the package index wants beside that version). `--quick` runs a few cells, words choose libraries, and `--oldest` or
`--latest` one side. Prints a table and exits with 1 if a cell failed.
"""

import argparse
import os
import re
import subprocess
import sys
import time
import venv
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spanward.tracer import registry

ROOT = Path(__file__).resolve().parents[1]
CELLS = ROOT / ".matrix"
TRACER = ROOT / "tests" / "tracer"
EVERY = ("conformance", "cassettes")
"""Asked of every library; both know which one by MATRIX_LIBRARY."""
OWN: dict[str, tuple[str, ...]] = {
    "openai": ("providers/test_openai_beyond_chats.py", "providers/test_azure.py", "providers/test_blocked.py",
               "providers/test_stream_endings.py", "providers/test_unchanged_app.py", "providers/test_usage.py"),
    "anthropic": ("providers/test_anthropic_clouds.py", "providers/test_native_spans.py", "providers/test_blocked.py",
                  "providers/test_stream_endings.py", "providers/test_unchanged_app.py"),
    "botocore": ("providers/test_bedrock.py",),
    "google.genai": ("providers/test_google_genai.py",),
    "huggingface_hub": ("providers/test_huggingface.py",),
    "mistralai": ("providers/test_mistral.py",),
    "requests": ("providers/test_stability.py",),
    "httpx": ("providers/test_stability.py",),
    "httpx2": ("providers/test_stability.py",),
    "agents": ("frameworks/test_openai_agents.py",),
    "langchain_core": ("frameworks/test_langchain.py",),
    "llama_index.core": ("frameworks/test_llama_index.py",),
    "chromadb": ("stores/test_chroma.py",),
    "qdrant_client": ("stores/test_qdrant.py",),
}  # fmt: skip
"""Tests of one library's own, below `tests/tracer`; any other has a test file of its name, or none."""
BESIDE: dict[tuple[str, str], tuple[str, ...]] = {
    ("botocore", "oldest"): ("boto3=={version}",),
    ("botocore", "latest"): ("boto3",),
    ("langchain_core", "oldest"): (
        "langchain==1.0.0",
        "langchain-openai==1.0.0",
        "langgraph==1.0.0",
        "langgraph-checkpoint<4",
    ),
    ("langchain_core", "latest"): ("langchain-openai",),
    ("agents", "oldest"): ("openai==2.8.0",),  # it makes objects of openai's that have more fields since
}
"""What has to be installed with a version, by side, where the library alone is not what people install."""
QUICK = (("openai", "oldest"), ("litellm", "latest"))


@dataclass
class Cell:
    """One library in one version: 'oldest' or 'latest'. The counts are of tests."""

    library: str
    side: str
    installed: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    said: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return CELLS / f"{self.library}-{self.side}"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def wanted(self) -> list[str]:
        """Requirements, as pip has them."""
        adapter = registry.load(self.library)
        beside = [name.format(version=adapter.oldest) for name in BESIDE.get((self.library, self.side), ())]
        if self.side == "latest":
            return ["--upgrade", adapter.distribution, *beside]
        return [f"{adapter.distribution}=={adapter.oldest}", *beside]

    def run(self) -> None:
        started = time.monotonic()
        if self._make():
            self._test()
        self.seconds = time.monotonic() - started

    def _make(self) -> bool:
        """An environment that sees the packages of `.venv` below its own."""
        if not self.python.exists():
            venv.create(self.folder, symlinks=True)
            (site,) = self.folder.glob("lib/python*/site-packages")
            below = next(path for path in sys.path if path.endswith("site-packages"))
            (site / "below.pth").write_text(f"import site; site.addsitedir({below!r})\n")
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "--disable-pip-version-check", "install"]
        done = subprocess.run([*pip, "--quiet", *self.wanted], capture_output=True, text=True, check=False)
        if done.returncode:
            self.failed, self.said = 1, done.stderr.strip().splitlines()[-3:]
            return False
        asks = f"import importlib.metadata as m; print(m.version({registry.load(self.library).distribution!r}))"
        self.installed = subprocess.run(
            [self.python, "-c", asks], capture_output=True, text=True, check=True
        ).stdout.strip()
        return True

    def _test(self) -> None:
        report = self.folder / "report.xml"
        report.unlink(missing_ok=True)
        own = OWN.get(self.library, (f"providers/test_{self.library}.py", f"frameworks/test_{self.library}.py",
                                     f"stores/test_{self.library}.py"))  # fmt: skip
        paths = [str(path) for name in (*EVERY, *own) if (path := TRACER / name).exists()]
        # a library warns of what is around it: only what it does is asked here
        flags = ["-q", "-p", "no:cacheprovider", "--tb=short", "-W", "default", f"--junitxml={report}"]
        done = subprocess.run(
            [self.python, "-m", "pytest", *flags, *paths],
            cwd=ROOT,
            env={**os.environ, "MATRIX_LIBRARY": self.library},
            capture_output=True,
            text=True,
            check=False,
        )
        (self.folder / "output.txt").write_text(done.stdout + done.stderr)
        if not report.exists():
            self.failed, self.said = 1, done.stdout.strip().splitlines()[-3:]
            return
        suite = next(ET.parse(report).getroot().iter("testsuite"))
        self.skipped = int(suite.get("skipped", 0))
        self.failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        self.passed = int(suite.get("tests", 0)) - self.skipped - self.failed
        self.said = [line for line in done.stdout.splitlines() if re.match("(FAILED|ERROR) tests", line)][:5]


def chosen(words: list[str], sides: list[str], *, quick: bool) -> Iterator[Cell]:
    for library in registry.ADAPTERS:
        for side in ("oldest", "latest"):
            wanted = (library, side) in QUICK if quick else side in sides and (not words or library in words)
            if wanted:
                yield Cell(library, side)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make matrix", description=__doc__)
    parser.add_argument("library", nargs="*", help=f"only these: {', '.join(registry.ADAPTERS)}")
    parser.add_argument("--quick", action="store_true", help="the few cells that tell most")
    parser.add_argument("--oldest", action="append_const", dest="sides", const="oldest")
    parser.add_argument("--latest", action="append_const", dest="sides", const="latest")
    asked = parser.parse_args()
    if unknown := set(asked.library) - set(registry.ADAPTERS):
        parser.error(f"no such library: {', '.join(sorted(unknown))}")
    print(
        f"{'library':<18} {'side':<7} {'version':<12} {'passed':>6} {'failed':>6} {'skipped':>7} {'s':>5}", flush=True
    )
    failed = 0
    for cell in chosen(asked.library, asked.sides or ["oldest", "latest"], quick=asked.quick):
        cell.run()
        failed += bool(cell.failed)
        counts = f"{cell.passed:>6} {cell.failed:>6} {cell.skipped:>7} {cell.seconds:>5.0f}"
        print(f"{cell.library:<18} {cell.side:<7} {cell.installed or '-':<12} {counts}", flush=True)
        for line in cell.said:
            print(f"    {line[:200]}", flush=True)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
