"""`spanward policy promote FILE`: rules that only watched are put in force, and the audit log knows before they are."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Self

from ...guards.policy import Policy, PolicyError, load
from ...guards.policy_promotion import differs_only_in_mode, promoted, watching, where_written
from ..audit.client import record
from ..command import FAILED, CommandError
from ..data_directory import DataDirectory
from ..query import asking
from ..settings import Settings
from .replay_command import add_place, settings_of
from .shadow import shadowed

ACTION, ACTION_FAILED = "policy.promote", "policy.promote_failed"
WEEK = 7 * 86400


@dataclass(frozen=True, slots=True)
class Change:
    """One file, as it is and as it will be."""

    file: Path
    rules: tuple[str, ...]
    before: str
    after: str

    @property
    def diff(self) -> str:
        """As `patch -p0` takes it."""
        lines = (self.before.splitlines(keepends=True), self.after.splitlines(keepends=True))
        return "".join(
            line if line.endswith("\n") else f"{line}\n"
            for line in unified_diff(*lines, str(self.file), str(self.file))
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("policy", metavar="FILE|FOLDER")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--rule", metavar="NAME", action="append", help="put this rule in force; may be said again")
    chosen.add_argument("--all", action="store_true", help="put all rules of these files in force")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    before = load(arguments.policy)
    rules = watching(before) if arguments.all else list(dict.fromkeys(arguments.rule))
    if not rules:
        raise CommandError(f"{arguments.policy}: no rule is in shadow", FAILED)
    changes = [change(file, names) for file, names in where_written(arguments.policy, rules).items()]
    if len(changes) > 1:
        files = ", ".join(each.file.name for each in changes)
        raise CommandError(f"these rules are in several files ({files}): promote one file's at a time", FAILED)
    sys.stdout.write("".join(each.diff for each in changes))
    sys.stdout.writelines(f"{line}\n" for line in results(settings, rules))
    with Draft(arguments.policy, changes[0]) as draft:
        after = draft.load()
        if not differs_only_in_mode(before, after, rules):
            raise CommandError(
                f"{changes[0].file}: more than the mode of these rules would change; edit it by hand", FAILED
            )
        if arguments.dry_run:
            sys.stdout.write("nothing was changed\n")
            return 0
        put_in_force(settings, changes[0], draft, before, after)
    sys.stdout.write(f"{arguments.policy}: {load(arguments.policy).hash}, in force: {', '.join(rules)}\n")
    return 0


def change(file: Path, rules: Sequence[str]) -> Change:
    """The text with its own line ends. Raises `PolicyError`."""
    text = file.read_bytes().decode()
    return Change(file, tuple(rules), text, promoted(file, text, rules))


def results(settings: Settings, rules: Collection[str]) -> list[str]:
    """What the rules would have done in the last seven days, where a sidecar can be asked."""
    if not DataDirectory(settings.data).sidecar():
        return [f"no sidecar runs on {settings.data}: what these rules would have done is not known here"]
    with asking(settings) as ask:
        found = shadowed(ask, (int(time.time()) - WEEK) * 1_000_000)
    told = [(each.rule, f"in shadow, {each.rule!r} {each} in the last 7 days") for each in found]
    met = {rule for rule, _ in told}
    return [text for rule, text in told if rule in rules] + [
        f"in shadow, {rule!r} met no call in the last 7 days" for rule in rules if rule not in met
    ]


class Draft:
    """The changed file, whole and on disk, beside the one that it will replace; gone at the end if it did not."""

    def __init__(self, policy: str, change: Change) -> None:
        self._policy = Path(policy)
        self._change = change
        self.path = Path()

    def __enter__(self) -> Self:
        file = self._change.file
        try:
            handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
            self.path = Path(name)
            with os.fdopen(handle, "wb") as out:
                out.write(self._change.after.encode())
                out.flush()
                self._keep_owner(handle)
                os.fsync(handle)
        except OSError as problem:
            self.__exit__()
            raise CommandError(f"{file.parent}: {problem.strerror}; nothing was changed", FAILED) from None
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.path.unlink()

    def _keep_owner(self, handle: int) -> None:
        stat = self._change.file.stat()
        with suppress(PermissionError):  # only root may give a file away; the mode is kept all the same
            os.fchown(handle, stat.st_uid, stat.st_gid)
        os.fchmod(handle, stat.st_mode & 0o7777)

    def load(self) -> Policy:
        """The policy as it would be. A folder is loaded as a copy beside it, so that it extends the same files."""
        if not self._policy.is_dir():
            return _load(self.path, self.path, self._change.file)
        folder = self._policy.resolve()
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as copy:
            for file in folder.glob("*.y*ml"):
                shutil.copyfile(self.path if file.resolve() == self._change.file else file, Path(copy) / file.name)
            return _load(Path(copy), Path(copy), folder)

    def replace(self) -> None:
        """Put it in the place of the file, which must be as it was read. Raises `CommandError`, OSError."""
        file = self._change.file
        if file.read_bytes().decode(errors="replace") != self._change.before:
            raise CommandError(f"{file} was changed meanwhile; look at it and try again", FAILED)
        self.path.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _load(path: Path, shown: Path, instead: Path) -> Policy:
    try:
        return load(path)
    except PolicyError as problem:
        told = str(problem).replace(str(shown), str(instead))
        raise CommandError(f"what would come of it does not load, so nothing was changed:\n{told}", FAILED) from None


def put_in_force(settings: Settings, change: Change, draft: Draft, before: Policy, after: Policy) -> None:
    """First the audit entry, then the file. A file that cannot be replaced is told to the log as well."""
    named = after.model_copy(update={"name": before.name})
    detail = {"rules": ", ".join(change.rules), "policy": before.name, "from": before.hash, "to": named.hash}
    record(settings.data, ACTION, str(change.file), detail)
    try:
        draft.replace()
    except (OSError, CommandError) as problem:
        record(settings.data, ACTION_FAILED, str(change.file), detail)
        raise CommandError(f"{problem}; nothing was changed, and the audit log says so", FAILED) from None
