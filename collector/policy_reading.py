"""`spanward policy check | show | schema`: a policy as it is read."""

import argparse
import json
import sys

import yaml

from ..guards import policy as policies
from ..guards.detectors import registry


def add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("policy", metavar="FILE|NAME")


def check(arguments: argparse.Namespace) -> int:
    policy = policies.load(arguments.policy)
    in_the_way = sum(rule.in_the_way for rule in policy.rules)
    sys.stdout.write(
        f"{arguments.policy}: fine. {policy.name} {policy.hash}, {len(policy.rules)} rules, "
        f"{in_the_way} of them stand in the way of a call\n"
    )
    return 0


def add_schema(_parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def schema(_arguments: argparse.Namespace) -> int:
    sys.stdout.write(json.dumps(policies.schema(), indent=2) + "\n")
    return 0


def add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("policy", metavar="FILE|NAME", nargs="?", default="default")


def show(arguments: argparse.Namespace) -> int:
    policy = policies.load(arguments.policy)
    said = policy.model_dump(mode="json", exclude={"extends"}, exclude_none=True)
    for rule in said["rules"]:
        rule["detect"] = {
            name: {registry.detector_class(name).noun: labels} for name, labels in rule["detect"].items()
        }  # as a file says it: what the labels of a detector are called stands before them
    sys.stdout.write(f"# {policy.name} {policy.hash}\n" + yaml.safe_dump(said, sort_keys=False, allow_unicode=True))
    return 0
