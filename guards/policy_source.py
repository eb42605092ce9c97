"""The files of a policy: which they are, in which order they hold, and what each of them says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .policy_file import Lines, Place, PolicyError, complain, did_you_mean, read

SHIPPED = Path(__file__).parent / "policies"


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a policy: what it says, and where."""

    path: Path
    data: dict[str, Any]
    lines: Lines

    def complaint(self, mistakes: Iterable[tuple[Place, str]]) -> PolicyError:
        """The error for mistakes in this file."""
        return complain(self.path, self.lines, mistakes)


Layer = Sequence[Source]
"""A file, or the files of a folder in the order of their names. A layer extends the one before it."""
Texts = Mapping[Path, str]
"""What files (resolved) are read as, whatever they say on disk: drafts of an editor, versions of the past."""


def locate(named: str, beside: Path) -> Path:
    """A bare name is a shipped policy, unless a file of that name lies there; a folder is told by a `/`."""
    path = beside / named
    if path.is_file() or "/" in named or path.suffix:
        return path
    shipped = SHIPPED / f"{named}.yaml"
    if shipped.exists():
        return shipped
    if path.exists():
        return path
    raise PolicyError(f"{named}: no such policy{did_you_mean(named, (p.stem for p in SHIPPED.glob('*.yaml')))}")


def layers_of(path: Path, heirs: tuple[Path, ...] = (), texts: Texts | None = None) -> list[Layer]:
    """The policy at `path`, and before it all that it extends. Raises `PolicyError`."""
    said = texts or {}
    layer = [Source(file, *read(file, text=said.get(file.resolve()))) for file in files_in(path)]
    extending = [source for source in layer if source.data.get("extends") is not None]
    if len(extending) > 1:
        text = f"only one file of a folder may extend, and {extending[0].path.name} does"
        raise extending[1].complaint([(("extends",), text)])
    if not extending:
        return [layer]
    source = extending[0]
    try:
        base = locate(str(source.data["extends"]), source.path.parent)
    except PolicyError as error:
        raise source.complaint([(("extends",), str(error))]) from None
    if base.resolve() in {path.resolve(), *heirs}:
        raise source.complaint([(("extends",), f"{source.data['extends']!r} extends this policy in turn")])
    if base.parent == path:
        raise source.complaint([(("extends",), f"{source.data['extends']!r} is a file of this folder already")])
    if not base.exists() and base.resolve() not in said:
        raise source.complaint([(("extends",), f"no such file: {source.data['extends']!r}")])
    return [*layers_of(base, (*heirs, path.resolve()), texts), layer]


def files_in(path: Path) -> list[Path]:
    """The files of a policy that is one, or a folder of them. Raises `PolicyError`."""
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.iterdir() if p.suffix in {".yaml", ".yml"} and not p.name.startswith("."))
    if not found:
        raise PolicyError(f"{path}: no policy files (*.yaml) in this folder")
    return found
