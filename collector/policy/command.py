"""`spanward policy ACTION`: what a person does with a policy before it is in force, and after."""

import argparse
from collections.abc import Callable, Mapping

from ...guards.pipeline import DetectorUnavailable
from ...guards.policy import PolicyError
from ..command import FAILED, CommandError
from . import case_run, export, promotion, reading, replay_command, shadow

AddArguments = Callable[[argparse.ArgumentParser], None]
Run = Callable[[argparse.Namespace], int]
ACTIONS: Mapping[str, tuple[AddArguments, Run, str]] = {
    "check": (
        reading.add_check, reading.check, "say whether a policy would be taken up, and what is odd in it"
    ),
    "show": (
        reading.add_show, reading.show, "print a policy as in force, all that it extends included"
    ),
    "schema": (reading.add_schema, reading.schema, "print the JSON Schema of policy files"),
    "test": (case_run.add_arguments, case_run.run, "put the cases of a file to a policy; exit code 1 if one fails"),
    "replay": (
        replay_command.add_arguments, replay_command.run, "put recorded calls to a candidate: who would be blocked"
    ),
    "export": (export.add_arguments, export.run, "write recorded calls to a file, for `replay --from`"),
    "shadow": (shadow.add_arguments, shadow.run, "what rules in shadow would have done"),
    "promote": (promotion.add_arguments, promotion.run, "put rules that are in shadow in force"),
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, (add, act, text) in ACTIONS.items():
        action = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        add(action)
        action.set_defaults(act=act)


def run(arguments: argparse.Namespace) -> int:
    act: Run = arguments.act
    try:
        return act(arguments)
    except (PolicyError, DetectorUnavailable) as problem:
        raise CommandError(str(problem), FAILED) from None
