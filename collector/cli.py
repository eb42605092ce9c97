"""The command line: `spanward COMMAND …`. Exit codes: 0 done, 1 failed, 2 asked for something that cannot be done."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from .command import CANNOT, FAILED, CommandError

COMMANDS = {
    "serve": (".serve", "receive, guard, store and show model calls"),
    "query": (".query", "ask the store in SQL"),
    "policy": (".policy.command", "check, try, replay, promote and show policies"),
    "bias": (".bias.command", "ask a model the same for different groups, and compare the answers"),
    "vault": (".vault.command", "say what a placeholder stands for, erase a tenant's key"),
    "models": (".models_command", "install a larger model that was brought here, verify it, remove it"),
    "run": (".run_command", "start a program whose model calls are traced and guarded, without touching its code"),
    "doctor": (".doctor", "what is traced here, what is not and why, where the sidecar is"),
    "demo": (".demo.command", "sidecar, local provider, sample app and page, in one command"),
    "store": (".store_command", "look after the store"),
}
"""Name -> module, one line of help. A module is brought in when its command is chosen."""
OURS = __package__.partition(".")[0]


class Command(Protocol):
    """A module of `COMMANDS`."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    told = list(sys.argv[1:] if argv is None else argv)
    chosen = next((word for word in told if not word.startswith("-")), "")
    try:
        return carry_out(told, chosen)
    except CommandError as problem:
        sys.stderr.write(f"spanward {chosen}: {problem}\n")
        return problem.code
    except ModuleNotFoundError as missing:
        return explain(missing, chosen)
    except BrokenPipeError:  # the reader has seen enough
        sys.stderr.close()
    except KeyboardInterrupt:
        pass
    return FAILED


def carry_out(told: Sequence[str], chosen: str) -> int:
    parser = argparse.ArgumentParser(prog="spanward", description="Makes model calls observable and safe.")
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (module, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name == chosen:
            implementation = cast(Command, import_module(module, __package__))
            implementation.add_arguments(command)
            command.set_defaults(run=implementation.run)
    arguments = parser.parse_args(told)
    if arguments.version:
        sys.stdout.write(f"{version()}\n")
        return 0
    if not chosen:
        parser.print_help(sys.stderr)
        return CANNOT
    return int(arguments.run(arguments))


def version() -> str:
    from importlib.metadata import version

    return version(OURS)


def explain(missing: ModuleNotFoundError, chosen: str) -> int:
    """The plain wheel has only what an application needs."""
    if (missing.name or OURS).partition(".")[0] == OURS:
        raise missing
    wanted = f"{OURS}[sidecar,demo]" if chosen == "demo" else f"{OURS}[sidecar]"
    sys.stderr.write(f"spanward {chosen} needs {missing.name}, which is not installed: pip install '{wanted}'\n")
    return CANNOT


if __name__ == "__main__":
    sys.exit(main())
