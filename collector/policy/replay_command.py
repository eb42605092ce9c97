"""`spanward policy replay CANDIDATE` and `export FILE`: recorded calls through a candidate, and into a file."""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TextIO

from ...guards import policy as policies
from ...guards.policy import Policy
from ..command import FAILED, CommandError
from ..data_directory import DataDirectory
from ..query import asking, request
from ..settings import Settings, settings_from
from .replay import Replay, Replayed, Side
from .replay_report import WRITERS
from .stored_calls import StoredCall, from_lines, from_store, to_line

SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
IN_FORCE = "/api/policy"
"""Where the sidecar tells the whole policy that is in force."""


def add_place(parser: argparse.ArgumentParser) -> None:
    """The arguments of every action that asks a sidecar or opens its directory."""
    parser.add_argument("--data", metavar="DIR", help="data directory (default ~/.local/share/spanward)")
    parser.add_argument("--store", metavar="URL", help="a store to open where no sidecar runs (default: that in DIR)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration file of `serve`")


def add_since(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="7d", type=span, default="7d", help="minutes, hours, days or weeks back")


def span(text: str) -> int:
    """Seconds of `30m`, `12h`, `7d`, `2w`. Raises what argparse tells."""
    told = re.fullmatch(r"(\d+)([mhdw])", text)
    if not told:
        raise argparse.ArgumentTypeError(f"{text!r} is no span of time; write 30m, 12h, 7d or 2w")
    return int(told[1]) * SECONDS[told[2]]


def add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("candidate", metavar="CANDIDATE", help="the policy to try: a file, a folder or a shipped name")
    parser.add_argument("--against", metavar="FILE|NAME", help="compare with this one (default: the policy in force)")
    add_since(parser)
    parser.add_argument("--from", dest="file", type=Path, metavar="FILE.jsonl", help="calls of `policy export`, or own")
    parser.add_argument("--labels", type=Path, metavar="FILE.jsonl", help='what people found: {"id", "labels"} a line')
    parser.add_argument("--limit", type=int, metavar="N", help="only the newest N calls")
    parser.add_argument("--show-content", action="store_true", help="print the beginning of what examples say")
    parser.add_argument("--format", choices=WRITERS, default="text", help="default: text")
    add_place(parser)


def replay(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    candidate = Side(policies.load(arguments.candidate), arguments.candidate)
    current = Side(*against(arguments.against, settings))
    result = Replayed(current, candidate)
    truth = dict(labels_of(arguments.labels)) if arguments.labels else {}
    with (
        calls(arguments, settings) as stored,
        closing(Replay(result, show=arguments.show_content, truth=truth)) as replaying,
    ):
        for call in islice(stored, arguments.limit):
            replaying.put(call)
            progress(result.calls)
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
    WRITERS[arguments.format](result, sys.stdout)
    return 0


def settings_of(arguments: argparse.Namespace) -> Settings:
    return settings_from(arguments.config, {"data": arguments.data, "store": arguments.store})


def against(named: str | None, settings: Settings) -> tuple[Policy, str]:
    """The policy to compare with, and where it is from. Raises `PolicyError`, `CommandError`."""
    if named:
        return policies.load(named), named
    sidecar = DataDirectory(settings.data).sidecar()
    if not sidecar:
        return policies.load(settings.policy), f"{settings.policy}; no sidecar runs"
    answer = request(sidecar, "GET", IN_FORCE)
    if answer.status_code != 200:
        raise CommandError(
            f"the sidecar does not tell its policy ({answer.status_code}); name one with --against", FAILED
        )
    try:
        return Policy.model_validate(answer.json()["policy"]), f"in force at {sidecar.address}"
    except (ValueError, KeyError, TypeError):
        raise CommandError(
            "the sidecar is of another version than this command; name a policy with --against"
        ) from None


@contextmanager
def calls(arguments: argparse.Namespace, settings: Settings) -> Iterator[Iterator[StoredCall]]:
    """The newest first, where they come from a store."""
    if arguments.file:
        yield from_lines(arguments.file)
        return
    with asking(settings) as ask:
        yield from_store(ask, (int(time.time()) - arguments.since) * 1_000_000)


def labels_of(path: Path) -> Iterator[tuple[str, frozenset[str]]]:
    """Id of a call and the labels that a person found in it. Raises `CommandError`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise CommandError(f"{path}: {getattr(problem, 'strerror', None) or 'not UTF-8 text'}") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                told = json.loads(line)
                yield (
                    str(told.get("id") or f"{told['trace_id']}/{told['span_id']}"),
                    frozenset(map(str, told["labels"])),
                )
            except (ValueError, KeyError, TypeError, AttributeError):
                form = '{"trace_id": …, "span_id": …, "labels": ["EMAIL_ADDRESS"]}; no label found is []'
                raise CommandError(f"{path}:{number}: write {form}, or `id` for the two ids", FAILED) from None


def progress(done: int) -> None:
    if done % 100 == 0 and sys.stderr.isatty():
        sys.stderr.write(f"\r{done} calls")
        sys.stderr.flush()


def add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("to", metavar="FILE.jsonl", type=Path, help="`-` for standard output")
    add_since(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="only the newest N calls")
    add_place(parser)


def export(arguments: argparse.Namespace) -> int:
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
