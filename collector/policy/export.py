"""`spanward policy export FILE`: recorded calls into a file that `replay --from` takes."""

import argparse
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

from ..command import FAILED, CommandError
from .arguments import add_place, add_since, settings_of
from .replay_command import calls
from .stored_calls import StoredCall, to_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("to", metavar="FILE.jsonl", type=Path, help="`-` for standard output")
    add_since(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="only the newest N calls")
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    """What was said leaves the store: the file is readable by its owner only."""
    settings = settings_of(arguments)
    arguments.file = None
    with calls(arguments, settings) as stored:
        if str(arguments.to) == "-":
            write_lines(islice(stored, arguments.limit), sys.stdout)
            return 0
        draft = arguments.to.with_name(f".{arguments.to.name}.part")
        try:
            draft.touch(mode=0o600)
            with draft.open("w", encoding="utf-8") as out:
                written = write_lines(islice(stored, arguments.limit), out)
            draft.replace(arguments.to)
        except OSError as problem:
            raise CommandError(f"{arguments.to}: {problem.strerror}", FAILED) from None
        finally:
            draft.unlink(missing_ok=True)
    sys.stdout.write(f"{written} calls in {arguments.to}; it holds what was said, as it was recorded\n")
    return 0


def write_lines(stored: Iterator[StoredCall], out: TextIO) -> int:
    written = 0
    for call in stored:
        out.write(to_line(call) + "\n")
        written += 1
    return written
