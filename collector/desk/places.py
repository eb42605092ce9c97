"""The policies that the page knows: the one that the sidecar runs, the shipped ones, those saved beside its data."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from ...dashboards.api.operation import BadQuestion, NotThere
from ...guards.policy import SHIPPED, PolicyError, files_in, locate

IN_FORCE = "in-force"
"""The address of what the sidecar was started with, whatever that is called."""
FOLDER = "policies"
"""In the data directory: policies that were saved from the page."""
MOST_TEXT = 1_000_000
"""Characters of one file that the page takes or shows."""
MOST_SAVED = 50
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}\.yaml")
Kind = Literal["shipped", "file", "folder", "missing"]


@dataclass(frozen=True, slots=True)
class Place:
    """One policy. `named` is what `policy.load` takes, `path` the file or folder."""

    id: str
    named: str
    path: Path
    kind: Kind

    @property
    def files(self) -> list[Path]:
        """Its own files, without those that it extends. Raises `PolicyError`."""
        return files_in(self.path)

    def file(self, name: str) -> Path:
        """One of its own by name; the only one if none is named. Raises `BadQuestion`, `PolicyError`."""
        files = self.files
        found = [file for file in files if file.name == name] if name else files
        if len(found) != 1:
            raise BadQuestion(f"file={name!r} is none of {', '.join(file.name for file in files)}")
        return found[0]

    def why_fixed(self) -> str:
        """Why its files cannot be changed from here; empty if they can."""
        if self.kind == "shipped":
            return "it is shipped with the software, and an upgrade would undo a change; save it under a name of yours"
        if self.kind == "missing":
            return f"{self.path} is not there"
        try:
            fixed = [file for file in self.files if not _writable(file)]
        except PolicyError as problem:
            return str(problem)
        return f"the sidecar may not write {fixed[0]}; change it where it is managed" if fixed else ""


def _writable(file: Path) -> bool:
    return os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)


@dataclass(frozen=True, slots=True)
class Places:
    """`named` is what the sidecar was started with, `folder` where the page saves."""

    named: str
    folder: Path

    def all(self) -> Iterator[Place]:
        yield self.get(IN_FORCE)
        yield from (self.get(path.stem) for path in sorted(SHIPPED.glob("*.yaml")))
        if self.folder.is_dir():
            saved = sorted(path.name for path in self.folder.glob("*.yaml") if _FILE.fullmatch(path.name))
            yield from (self.get(name) for name in saved[:MOST_SAVED])

    def get(self, id_: str) -> Place:
        """Raises `NotThere`."""
        if id_ == IN_FORCE:
            return _place(IN_FORCE, self.named)
        if _FILE.fullmatch(id_) and (self.folder / id_).is_file():
            return _place(id_, str(self.folder / id_))
        if (SHIPPED / f"{id_}.yaml") in SHIPPED.glob("*.yaml"):
            return Place(id_, id_, SHIPPED / f"{id_}.yaml", "shipped")
        raise NotThere(f"there is no policy {id_[:80]!r}")

    def new(self, name: str) -> Path:
        """Where a file of that name is saved. Raises `BadQuestion`."""
        if not _FILE.fullmatch(name):
            raise BadQuestion(f"file={name!r}: letters, digits, . _ and -, and .yaml at the end")
        return self.folder / name


def _place(id_: str, named: str) -> Place:
    try:
        path = locate(named, Path())
    except PolicyError:
        return Place(id_, named, Path(named), "missing")
    if path.parent.resolve() == SHIPPED.resolve():
        return Place(id_, named, path, "shipped")
    return Place(id_, named, path, "folder" if path.is_dir() else "file" if path.is_file() else "missing")


def text_of(file: Path) -> str:
    """With its own line ends. Raises `PolicyError` where it is gone, too long or no UTF-8."""
    try:
        data = file.read_bytes()
    except OSError as problem:
        raise PolicyError(f"{file}: {problem.strerror}") from None
    if len(data) > 4 * MOST_TEXT:
        raise PolicyError(f"{file}: longer than {MOST_TEXT:,} characters; edit it where it lies")
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise PolicyError(f"{file}:{line}: not UTF-8 text; save it as UTF-8") from None


def digest(text: str) -> str:
    """Of a text, to tell whether a file is as it was read."""
    return sha256(text.encode()).hexdigest()[:16]
