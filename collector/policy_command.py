"""`spanward policy check | schema | show`."""

import argparse
import json
import sys

import yaml

from ..guards import policy as policies
from ..guards.detectors import registry
from .command import FAILED, CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    checking = actions.add_parser("check", help="say whether a policy file would be taken up")
    checking.add_argument("policy", metavar="FILE|NAME")
    checking.set_defaults(act=check)
    printing = actions.add_parser("schema", help="print the JSON Schema of policy files")
    printing.set_defaults(act=schema)
    showing = actions.add_parser("show", help="print a policy as it would be in force, everything it extends included")
    showing.add_argument("policy", metavar="FILE|NAME", nargs="?", default="default")
    showing.set_defaults(act=show)


def run(arguments: argparse.Namespace) -> int:
    try:
        sys.stdout.write(arguments.act(arguments) + "\n")
    except policies.PolicyError as problem:
        raise CommandError(str(problem), FAILED) from None
    return 0


def check(arguments: argparse.Namespace) -> str:
    policy = policies.load(arguments.policy)
    in_the_way = sum(rule.in_the_way for rule in policy.rules)
    return (
        f"{arguments.policy}: fine. {policy.name} {policy.hash}, {len(policy.rules)} rules, "
        f"{in_the_way} of them stand in the way of a call"
    )


def schema(_arguments: argparse.Namespace) -> str:
    return json.dumps(policies.schema(), indent=2)


def show(arguments: argparse.Namespace) -> str:
    policy = policies.load(arguments.policy)
    said = policy.model_dump(mode="json", exclude={"extends"}, exclude_none=True)
    for rule in said["rules"]:
        rule["detect"] = {
            name: {registry.detector_class(name).noun: labels} for name, labels in rule["detect"].items()
        }  # as a file says it: what the labels of a detector are called stands before them
    return f"# {policy.name} {policy.hash}\n" + yaml.safe_dump(said, sort_keys=False, allow_unicode=True).rstrip()
