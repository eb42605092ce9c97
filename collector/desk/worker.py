"""A process of its own for what takes long: policies of thousands of rules, cases, stored calls.

Python runs one thread at a time, so this work beside the guards would make every call wait. A question is a line of
JSON on stdin, its answer a line on stdout; the process ends with its stdin.
"""

import json
import os
import sys
from typing import Any

from ...guards.pipeline import DetectorUnavailable
from ...guards.policy import PolicyError
from ..command import CommandError
from ..gate import place_of
from .jobs import Jobs

NICE = 10
"""Calls that are guarded come first."""


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a library that prints must not be taken for an answer
    os.nice(NICE)
    jobs = Jobs()
    for line in sys.stdin:
        answers.write(json.dumps(_done(jobs, line)) + "\n")
        answers.flush()


def _done(jobs: Jobs, line: str) -> dict[str, Any]:
    """`answer`, `refused` (may be shown) or `failed` (a place in the code: what a failure says may quote content)."""
    told = json.loads(line)
    try:
        return {"answer": jobs.do(told.pop("job"), told)}
    except (PolicyError, DetectorUnavailable, CommandError) as no:
        return {"refused": str(no)}
    except Exception as failure:  # noqa: BLE001  the asker is told, and the next question is answered
        return {"failed": place_of(failure)}


if __name__ == "__main__":
    main()
