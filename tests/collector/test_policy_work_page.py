"""docs/guards/policy-work.md shows what its commands print. SPANWARD_WRITE_PAGES=1 writes them in anew."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from .otlp import body, call, said
from .sidecar_process import Running, clean_environment, serving, until

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "guards" / "policy-work.md"
BLOCK = re.compile(r"```console\n(.*?)```\n", re.DOTALL)
PLACE = "/etc/spanward"
LABELLED = [
    {"id": "1", "output": "Your card 4111 1111 1111 1111 was charged.", "labels": ["CREDIT_CARD"]},
    {"id": "2", "input": "Write to jane@example.org", "labels": ["EMAIL_ADDRESS"]},
    {"id": "3", "input": "Order 4111 is late", "labels": []},
]
LOOSE = """\
version: 1
extends: ./shop.yaml
rules:
  - name: customers
    when: { stage: input, app: "shop-*" }
    detect: { pii: { entities: { EMAIL_ADDRESS: 0.4, CREDIT_CARD: 0.4 } } }
    action: redact
"""


def fill(running: Running) -> None:
    spans = [
        call(1, INPUT_MESSAGES=said("user", "Where is my order?"), OUTPUT_MESSAGES=said("assistant", "On its way.")),
        call(2, INPUT_MESSAGES=said("user", "Write to <EMAIL_ADDRESS_1>."), OUTPUT_MESSAGES=said("assistant", "Done.")),
        call(3, INPUT_MESSAGES=said("user", "Who wrote?"), OUTPUT_MESSAGES=said("assistant", "jane@example.org did.")),
        call(4, INPUT_MESSAGES=said("user", "My card?"), OUTPUT_MESSAGES=said("assistant", "4111 1111 1111 1111.")),
    ]
    running.post(body("shop-web", *spans))
    assert until(lambda: running.count("llm_calls", "shop-web"), lambda n: n == len(spans)) == len(spans)
    assert until(lambda: running.count("guard_events", "shop-web"), bool)


def ran(command: str, place: Path, data_home: Path) -> str:
    words = shlex.split(command)
    assert words[0] == "spanward"
    told = subprocess.run(
        [sys.executable, "-m", "spanward.collector.cli", *words[1:]],
        capture_output=True, text=True, timeout=250, check=False, cwd=place,
        env=clean_environment(XDG_DATA_HOME=str(data_home)),
    )  # fmt: skip
    assert told.returncode in (0, 1)
    return (told.stdout + told.stderr).replace(str(place), PLACE)


def written(page: str, place: Path, running: Running) -> str:
    """The page with what its commands print now."""

    def block(found: re.Match[str]) -> str:
        lines = []
        for command in (line for line in found[1].splitlines() if line.startswith("$ ")):
            lines += [command, *shown(ran(command[2:], place, running.data.parent))]
            if "promote" in command:
                until(lambda: running.query("SELECT count() FROM audit"), lambda rows: rows == [[2]])
        return "```console\n" + "".join(f"{line}\n" for line in lines) + "```\n"

    return BLOCK.sub(block, page)


def shown(text: str) -> list[str]:
    """Which engines are less than full depends on what is installed."""
    return [line for line in text.splitlines() if "less than full" not in line]


def masked(page: str) -> str:
    """What differs from run to run: hashes, times, the port, who runs it."""
    page = re.sub(r"\b[0-9a-f]{12}\b", "HASH", page)
    page = re.sub(r"\d+\.\d ms", "T ms", re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:4318", page))
    return re.sub(rf"(policy\.promote,{PLACE}/shop.yaml),[^,]+,", r"\1,WHO,", page)


def test_the_page_shows_what_its_commands_print(tmp_path: Path) -> None:
    place = tmp_path / "place"
    shutil.copytree(ROOT / "examples" / "policy", place)
    lines = (json.dumps({**call, "context": {"app": "shop-web"}}) for call in LABELLED)
    (place / "labelled.jsonl").write_text("\n".join(lines))
    (place / "loose.yaml").write_text(LOOSE)
    page = PAGE.read_text()
    with serving(tmp_path / "home" / "spanward", "--policy", place / "shop.yaml") as running:
        fill(running)
        now = written(page, place, running)
    if os.environ.get("SPANWARD_WRITE_PAGES"):
        PAGE.write_text(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:4318", now))
    else:
        assert masked(page) == masked(now)
