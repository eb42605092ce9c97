"""`spanward policy replay CANDIDATE`: recorded calls through a candidate."""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from ...guards import policy as policies
from ...guards.policy import Policy
from ..command import FAILED, CommandError
from ..data_directory import DataDirectory
from ..query import asking, request
from ..settings import Settings
from .arguments import add_place, add_since, settings_of
from .replay import Replay, Replayed, Side, Truth
from .replay_report import WRITERS
from .reviewed import truth
from .stored_calls import StoredCall, from_lines, from_store

IN_FORCE = "/api/policy"
"""Where the sidecar tells the whole policy that is in force."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("candidate", metavar="CANDIDATE", help="the policy to try: a file, a folder or a shipped name")
    parser.add_argument("--against", metavar="FILE|NAME", help="compare with this one (default: the policy in force)")
    add_since(parser)
    parser.add_argument("--from", dest="file", type=Path, metavar="FILE.jsonl", help="calls of `policy export`, or own")
    parser.add_argument("--labels", type=Path, metavar="FILE.jsonl", help="what people found (default: reviews)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the newest N calls")
    parser.add_argument("--show-content", action="store_true", help="print the beginning of what examples say")
    parser.add_argument("--format", choices=WRITERS, default="text", help="default: text")
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    candidate = Side(policies.load(arguments.candidate), arguments.candidate)
    current = Side(*against(arguments.against, settings))
    result = Replayed(current, candidate)
    with (
        known_calls(arguments, settings) as (stored, known),
        closing(Replay(result, show=arguments.show_content, truth=known)) as replaying,
    ):
        for call in islice(stored, arguments.limit):
            replaying.put(call)
            progress(result.calls)
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
    WRITERS[arguments.format](result, sys.stdout)
    return 0


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
        yield from_store(ask, _since_us(arguments))


@contextmanager
def known_calls(arguments: argparse.Namespace, settings: Settings) -> Iterator[tuple[Iterator[StoredCall], Truth]]:
    """With what people found in them: as the file of labels says, else the review queue."""
    if arguments.file or arguments.labels:
        with calls(arguments, settings) as stored:
            yield stored, dict(labels_of(arguments.labels)) if arguments.labels else {}
        return
    with asking(settings) as ask:
        yield from_store(ask, _since_us(arguments)), truth(ask, _since_us(arguments))


def _since_us(arguments: argparse.Namespace) -> int:
    return (int(time.time()) - int(arguments.since)) * 1_000_000


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
