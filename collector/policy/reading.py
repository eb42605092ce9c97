"""`spanward policy check | show | schema`: a policy as it is read."""

import argparse
import json
import sys
from collections import Counter
from typing import Any

import yaml

from ...guards import policy as policies
from ...guards.detectors import registry
from ...guards.policy_lint import Remark, lint
from ...guards.rules import Policy
from ..command import FAILED


def add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("policy", metavar="FILE|FOLDER|NAME")
    parser.add_argument("--strict", action="store_true", help="exit code 1 for warnings too")


def check(arguments: argparse.Namespace) -> int:
    """Exit code 1 for a policy that does not do what it says; what does not load raises `PolicyError`."""
    loaded = policies.loaded(arguments.policy)
    remarks = lint(loaded)
    sys.stdout.write(f"{arguments.policy}: {_opinion(remarks)}. {_in_short(loaded.policy)}\n")
    sys.stdout.writelines(f"{remark}\n" for remark in remarks)
    wrong = {"error", "warning"} if arguments.strict else {"error"}
    return FAILED if any(remark.severity in wrong for remark in remarks) else 0


def _opinion(remarks: list[Remark]) -> str:
    counted = Counter(remark.severity for remark in remarks)
    told = [f"{counted[what]} {what}{'s' * (counted[what] > 1)}" for what in ("error", "warning") if counted[what]]
    return ", ".join(told) or "fine"


def _in_short(policy: Policy) -> str:
    in_the_way = sum(rule.in_the_way for rule in policy.rules)
    return f"{policy.name} {policy.hash}, {len(policy.rules)} rules, {in_the_way} of them stand in the way of a call"


def add_schema(_parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def schema(_arguments: argparse.Namespace) -> int:
    sys.stdout.write(json.dumps(policies.schema(), indent=2) + "\n")
    return 0


def add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("policy", metavar="FILE|FOLDER|NAME", nargs="?", default="default")


def show(arguments: argparse.Namespace) -> int:
    policy = policies.load(arguments.policy)
    text = yaml.safe_dump(as_file(policy), sort_keys=False, allow_unicode=True)
    sys.stdout.write(f"# {policy.name} {policy.hash}\n{text}")
    return 0


def as_file(policy: Policy) -> dict[str, Any]:
    """What a file would say that is this policy: the options of a detector beside its kind, labels under their noun."""
    said = policy.model_dump(mode="json", exclude={"extends", "detectors"}, exclude_none=True)
    for rule in said["rules"]:
        rule["detect"] = {
            name: {registry.detector_class(policy.made(name).kind).noun: labels}
            for name, labels in rule["detect"].items()
        }
    rules = said.pop("rules")
    made = {name: {"kind": each.kind, **each.options} for name, each in policy.detectors.items()}
    return {**said, **({"detectors": made} if made else {}), "rules": rules}
