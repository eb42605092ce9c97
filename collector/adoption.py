"""Spool files of applications that died before they could send."""

from pathlib import Path

from .receiver import Receiver


class Adoption:
    """`Adoption(spool: Path, receiver)`; `.sweep() -> int` takes what is orphaned now and says how many files."""

    def __init__(self, spool: Path, receiver: Receiver) -> None: ...

    def sweep(self) -> int:
        raise NotImplementedError
