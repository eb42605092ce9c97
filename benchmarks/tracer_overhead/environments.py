"""Where subjects run: environments of their own for the peers, built once, with the versions that are compared."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".bench"
OTEL = ("opentelemetry-api==1.45.2", "opentelemetry-sdk==1.45.2", "opentelemetry-instrumentation==0.66b2")


@dataclass(frozen=True)
class Environment:
    """`packages` are pinned. `alone` are installed without what they ask for."""

    name: str
    packages: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()

    @property
    def python(self) -> Path:
        return HOME / self.name / "bin" / "python" if self.packages else Path(sys.executable)

    def build(self) -> None:
        """Once; again when the versions change."""
        stamp = HOME / self.name / "packages.txt"
        wanted = "\n".join((*self.packages, *self.alone))
        if not self.packages or (stamp.exists() and stamp.read_text() == wanted):
            return
        print(f"building {stamp.parent.relative_to(ROOT)} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", stamp.parent], check=True)
        pip = [self.python, "-m", "pip", "--disable-pip-version-check", "--quiet", "--quiet", "install"]
        subprocess.run([*pip, *self.packages], check=True)
        if self.alone:
            subprocess.run([*pip, "--no-deps", *self.alone], check=True)
        stamp.write_text(wanted)


PEERS = Environment(
    "peers",
    (
        "openai==3.52.0", "httpx2==2.16.2", "httpx==0.28.1", *OTEL, "wrapt==2.5.2", "anyio==4.16.0",
        "genai-prices==0.2.3",
        "opentelemetry-exporter-otlp-proto-common==1.45.2", "opentelemetry-exporter-otlp-proto-http==1.45.2",
        "opentelemetry-semantic-conventions==0.66b2", "opentelemetry-util-genai==1.3b0",
        "opentelemetry-instrumentation-genai-openai==1.3b0", "openinference-instrumentation-openai==0.1.66",
        "opentelemetry-instrumentation-openai==0.62.4", "logfire==5.2.0", "langfuse==5.0.4",
    ),
)  # fmt: skip
OPENLIT = Environment(
    "openlit",
    (
        "openai==2.54.0", "httpx==0.28.1", *OTEL, "opentelemetry-exporter-otlp==1.45.2", "pydantic>=2", "requests",
        "schedule", "xmltodict",
    ),
    ("openlit==1.45.0",),
)  # fmt: skip
"""openlit does not take openai 3. It asks for instrumentations of a dozen web frameworks, which nothing here uses."""
OURS = Environment("ours")
"""The one that runs this: the guards and what they need are here."""

SUBJECTS = {
    "control": PEERS,
    "spanward, guards off": PEERS,
    "spanward, content": PEERS,
    "openinference": PEERS,
    "genai-openai": PEERS,
    "traceloop": PEERS,
    "logfire": PEERS,
    "langfuse": PEERS,
    "openlit": OPENLIT,
    "spanward, guards local": OURS,
}
"""Subject -> where it runs, beside a `raw` of its own."""


def variables() -> dict[str, str]:
    """Of a subject's process. Bytecode is kept: an installed package is compiled once, too."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SPANWARD_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    ours = {"PYTHONPATH": str(ROOT / ".layout"), "PYTHONPYCACHEPREFIX": str(HOME / "bytecode"), "PYTHONHASHSEED": "0"}
    return kept | ours
