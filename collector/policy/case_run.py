"""`spanward policy test CASES.yaml …`: whether a policy does with each case what the file says it must."""

import argparse
import sys
from pathlib import Path
from time import perf_counter

from ...guards import policy as policies
from ...guards.pipeline import Pipeline
from ...guards.policy import Policy
from ...guards.policy_cases import Cases, load, place_of_policy
from ...guards.policy_trial import differences, patient, see
from ..command import FAILED, CommandError
from .case_report import WRITERS, CaseResult, FileResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cases", metavar="CASES.yaml", nargs="+", type=Path)
    parser.add_argument("--policy", metavar="FILE|NAME", help="try this policy, not the one that the file names")
    parser.add_argument("--format", choices=WRITERS, default="text", help="default: text")


def run(arguments: argparse.Namespace) -> int:
    results = [try_file(path, arguments.policy) for path in arguments.cases]
    WRITERS[arguments.format](results, sys.stdout)
    return FAILED if any(not case.passed for result in results for case in result.cases) else 0


def try_file(path: Path, instead: str | None) -> FileResult:
    """Every case of a file through a real pipeline. Raises `PolicyError`, `DetectorUnavailable`, `CommandError`."""
    cases = load(path)
    named = instead or place_of_policy(cases)
    if not named:
        raise CommandError(f"{path}: no policy to try; write `policy: FILE`, or give --policy FILE", FAILED)
    policy = policies.load(named)
    return FileResult(str(path), named, policy.name, policy.hash, *put(cases, policy))


def put(cases: Cases, policy: Policy) -> tuple[tuple[str, ...], tuple[CaseResult, ...]]:
    """What is less than full of the policy's engines, and what came of each case. Raises as `try_file`."""
    cases.check_names(policy)
    pipeline = Pipeline(patient(policy))
    try:
        results = []
        for number, case in enumerate(cases.cases):
            started = perf_counter()
            seen = see(pipeline, case.check(cases.file.context))
            results.append(
                CaseResult(
                    case.name, cases.line(number), tuple(differences(case.expect, seen)), perf_counter() - started
                )
            )
    finally:
        pipeline.close()
    return tuple(pipeline.degraded), tuple(results)
