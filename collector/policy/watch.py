"""Whether a policy's files are as they were when it was last read."""

from pathlib import Path

from ...guards.policy_walk import walk

Stamp = tuple[int, int, int] | None


class PolicyWatch:
    """`policy` is a file, a folder or a shipped name. Shipped policies are watched too: an upgrade replaces them."""

    def __init__(self, policy: str | Path) -> None:
        self._policy = policy
        self._stamps: dict[Path, Stamp] = {}
        self.look_again()

    @property
    def changed(self) -> bool:
        """Whether a file changed, came or went since `look_again`. Asks the file system and reads nothing."""
        return any(_stamp(path) != stamp for path, stamp in self._stamps.items())

    def look_again(self) -> None:
        """Before the policy is read: each file is stamped before it is looked into, so no edit falls in between."""
        self._stamps = {}
        for path in walk(self._policy):
            self._stamps[path] = _stamp(path)


def _stamp(path: Path) -> Stamp:
    """Of a folder, that something in it came or went."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
