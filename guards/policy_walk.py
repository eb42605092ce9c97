"""Which files a policy is read from, found without reading it as a policy: what to watch while one of them is wrong."""

from collections.abc import Iterator
from pathlib import Path

from .policy import files_in, locate
from .policy_file import PolicyError, read


def walk(policy: str | Path) -> Iterator[Path]:
    """Each file and folder that loading `policy` looks at, before it is looked at; also one that is missing.

    It ends where a file cannot be read, and never raises.
    """
    seen: set[Path] = set()
    try:
        path = locate(str(policy), Path())
        while path.resolve() not in seen:
            seen.add(path.resolve())
            yield path
            extends = None
            for file in files_in(path):
                if file != path:
                    yield file
                extends = read(file)[0].get("extends") or extends
            if extends is None:
                return
            beside = path if path.is_dir() else path.parent
            path = locate(str(extends), beside)
    except (PolicyError, OSError):
        return
