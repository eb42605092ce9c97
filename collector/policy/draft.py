"""A changed policy file, whole and tried beside the one that it will replace, which goes in one step or not at all."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Self

from ...guards.policy import Policy, PolicyError, load
from ...guards.policy_promotion import promoted
from ..command import FAILED, CommandError


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


def change(file: Path, rules: Sequence[str]) -> Change:
    """The text with its own line ends. Raises `PolicyError`."""
    text = file.read_bytes().decode()
    return Change(file, tuple(rules), text, promoted(file, text, rules))


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
