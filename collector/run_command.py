"""`spanward run PROGRAM …`: start a program whose model calls are traced and guarded, without a line of its code.

The program takes the place of this process: same process id, signals, exit code. Everything it starts inherits the
environment, and so is traced too. Needs nothing but the plain wheel.
"""

import argparse
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from .command import CommandError

BOOTSTRAP = Path(__file__).resolve().parent.parent / "tracer" / "bootstrap"
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Exit codes as shells have them."""
OPTIONS = {
    "endpoint": ("SPANWARD_ENDPOINT", "URL", "where the sidecar is (default http://127.0.0.1:4318)"),
    "guards": ("SPANWARD_GUARDS", "WHERE", "who judges: sidecar (default), local or off"),
    "policy": ("SPANWARD_POLICY", "FILE|NAME", "policy for --guards local"),
    "content": ("SPANWARD_CONTENT", "WHAT", "guarded (default), or none: record nothing of what is said"),
    "spool": ("SPANWARD_SPOOL", "DIR", "where spans wait for the sidecar"),
    "service_name": ("OTEL_SERVICE_NAME", "NAME", "name of the program on the pages (default: the program's)"),
}
"""Option -> environment variable, what to give, one line of help."""
CHOICES = {"guards": ("sidecar", "local", "off"), "content": ("guarded", "none")}
DEAF = re.compile(r"-[bBdiOPqRsuvx]*[EIS]")
"""Options of Python with which it reads neither the module path nor `sitecustomize`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    for name, (_, metavar, text) in OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, choices=CHOICES.get(name), help=text)
    parser.add_argument("--environment", metavar="NAME", help="deployment environment, such as production")
    parser.add_argument(
        "-m", dest="module", nargs=argparse.REMAINDER, help=argparse.SUPPRESS
    )  # as a person may write it, from habit
    parser.add_argument("program", nargs=argparse.REMAINDER, help="the program and its arguments, as without us")


def run(arguments: argparse.Namespace) -> int:
    """Does not return if all goes well."""
    program = arguments.program[1:] if arguments.program[:1] == ["--"] else arguments.program
    if arguments.module is not None:
        raise CommandError(f"say the interpreter as well: spanward run python -m {' '.join(arguments.module)}")
    if not program:
        raise CommandError("say which program to run: spanward run [OPTIONS] python app.py")
    if shutil.which(program[0]) is None:
        there = Path(program[0]).exists()
        why = "cannot be executed: spanward run python FILE" if there else "no such program"
        raise CommandError(f"{program[0]}: {why}", NOT_EXECUTABLE if there else NOT_FOUND)
    if deaf := deaf_option(program):
        sys.stderr.write(f"spanward run: {program[0]} {deaf} reads no module path: nothing will be traced in it\n")
    chosen = {name: getattr(arguments, name) for name in (*OPTIONS, "environment")}
    sys.stdout.flush()
    os.execvpe(program[0], program, environment(chosen, os.environ))  # noqa: S606  what it was asked for


def environment(chosen: Mapping[str, str | None], before: Mapping[str, str]) -> dict[str, str]:
    """The environment of the program: options as variables, our folder in front of the module path."""
    after = dict(before) | {OPTIONS[name][0]: value for name, value in chosen.items() if value and name in OPTIONS}
    if named := chosen.get("environment"):
        said = f"deployment.environment.name={quote(named)}"
        after["OTEL_RESOURCE_ATTRIBUTES"] = ",".join(filter(None, (before.get("OTEL_RESOURCE_ATTRIBUTES"), said)))
    paths = [path for path in before.get("PYTHONPATH", "").split(os.pathsep) if path and path != str(BOOTSTRAP)]
    after["PYTHONPATH"] = os.pathsep.join((str(BOOTSTRAP), *paths))
    after["SPANWARD_RUN"] = "1"
    after.pop("SPANWARD_RUN_SAID", None)
    return after


def deaf_option(program: Iterable[str]) -> str:
    """The option with which a Python interpreter would not notice us, '' if there is none."""
    name, *options = program
    if not re.fullmatch(r"(python|pypy)[\d.]*", Path(name).name):
        return ""
    for option in options:
        if not option.startswith("-") or option in ("-c", "-m", "-"):
            break
        if DEAF.match(option):
            return option
    return ""
