"""Which policy was last in force on a data directory: one that is another at the next start was changed meanwhile."""

import os
from pathlib import Path

NAME = "policy.hash"
"""In the data directory."""


class KnownPolicy:
    """A hash in a file of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str:
        """Empty where none is known."""
        try:
            return self._path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def write(self, hash_: str) -> None:
        """Raises OSError."""
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        draft.write_text(f"{hash_}\n", encoding="ascii")
        draft.replace(self._path)
