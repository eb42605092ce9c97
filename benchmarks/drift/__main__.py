"""False alarms and delay of drift detection, ours and others': `make bench-drift` (ARGS="--quick", "--docs").

Everything is simulated by `traffic.py` from fixed seeds, so the table is the same on every machine. Evidently is not
installed (it brings a gigabyte); its default rules are written out in `rivals.py`. All methods judge the same windows.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from measure import CASES, METHODS, OURS, SHARES, STREAMS, TARGET, Found, drift, false_alarms

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / ".bench" / "drift"
PAGE = ROOT / "docs" / "dashboards" / "drift.md"
MARKS = "<!-- measured -->", "<!-- /measured -->"
WITHIN = 3
MOST_FALSE, LEAST_FOUND = 1.0, 0.9


def measured(months: int, runs: int) -> dict[str, Any]:
    """By method: false alarms a month, and by case the share found within three windows and the median delay."""
    with get_context("spawn").Pool() as pool:
        quiet = pool.map(false_alarms, range(months))
        drifts = {case.name: pool.map(partial(drift, case), range(runs), chunksize=8) for case in CASES}
    return {
        "months": months,
        "streams": STREAMS,
        "runs": runs,
        "false_alarms_a_month": {name: sum(month[name] for month in quiet) / months for name in METHODS},
        "drifts": {
            case: {name: _summary([run[name] for run in found]) for name in METHODS} for case, found in drifts.items()
        },
        "target_by_share": {
            str(share): _within(run[OURS] for run in drifts[TARGET.name] if run[OURS].share == share)
            for share in SHARES
        },
    }  # fmt: skip


def _summary(found: list[Found]) -> dict[str, float | None]:
    hours = median(one.hours for one in found)
    return {"within_three": _within(found), "median_hours": hours if hours < 1000 else None}


def _within(found: Iterable[Found]) -> float:
    told = [one.windows <= WITHIN for one in found]
    return sum(told) / len(told)


def table(result: dict[str, Any]) -> str:
    """Markdown."""
    head = ["", "false alarms a month", *(case.name for case in CASES)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name in METHODS:
        cells = [f"{result['false_alarms_a_month'][name]:.1f}"]
        for case in CASES:
            one = result["drifts"][case.name][name]
            hours = f"{one['median_hours']:.0f} h" if one["median_hours"] is not None else "never"
            cells.append(f"{100 * one['within_three']:.0f} % ({hours})")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    shares = ", ".join(f"{float(s):.0%} before: {100 * p:.0f} %" for s, p in result["target_by_share"].items())
    return "\n".join([*lines, "", f"{TARGET.name}, by the share that grew: {shares}."])


def reached(result: dict[str, Any]) -> bool:
    return bool(
        result["false_alarms_a_month"][OURS] <= MOST_FALSE
        and result["drifts"][TARGET.name][OURS]["within_three"] >= LEAST_FOUND
    )


def main() -> None:
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--quick", action="store_true", help="a small part of it")
    told.add_argument("--months", type=int, default=24)
    told.add_argument("--runs", type=int, default=300, help="of each drift")
    told.add_argument("--docs", action="store_true", help="write the table into docs/dashboards/drift.md")
    told.add_argument("--json", type=Path, default=RESULTS / "drift.json")
    arguments = told.parse_args()
    months, runs = (1, 20) if arguments.quick else (arguments.months, arguments.runs)
    result = measured(months, runs)
    of_what = f"{months} months of {STREAMS} streams, {runs} runs of each drift"
    said = f"{of_what}: the share found within {WITHIN} windows (median delay).\n\n{table(result)}\n"
    print(said)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(result, indent=2), encoding="utf-8")
    if arguments.docs:
        text = PAGE.read_text(encoding="utf-8")
        before, after = text.split(MARKS[0])[0], text.split(MARKS[1])[1]
        PAGE.write_text(f"{before}{MARKS[0]}\n{said}{MARKS[1]}{after}", encoding="utf-8")
    if not arguments.quick and not reached(result):
        sys.exit(f"not reached: at most {MOST_FALSE} false alarms, and {LEAST_FOUND:.0%} found")


if __name__ == "__main__":
    main()
