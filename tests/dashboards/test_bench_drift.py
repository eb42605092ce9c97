"""The benchmark of drift runs, is the same each time, and a small part of it keeps what the whole of it promises."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_small_part_of_the_benchmark(tmp_path: Path) -> None:
    """One month and twenty runs of each drift: too few to hold the whole to its numbers."""
    out = tmp_path / "drift.json"
    command = [sys.executable, str(ROOT / "benchmarks" / "drift"), "--quick", "--json", str(out)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(out.read_text())
    assert "| Spanward |" in told.stdout
    quiet = result["false_alarms_a_month"]
    assert quiet["Spanward"] <= 2 < quiet["PSI > 0.25"] < quiet["KS / χ², p < 0.05"]
    assert result["drifts"]["10 points at 200 calls/h"]["Spanward"]["within_three"] >= 0.8
    assert result["drifts"]["20 points at 200 calls/h"]["Spanward"]["within_three"] == 1
