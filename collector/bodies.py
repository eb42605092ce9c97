"""Which bodies were stored already: a sender that missed the answer repeats the same bytes."""

from pathlib import Path


class KnownBodies:
    """`KnownBodies(directory)`: digests of recent bodies, kept with the log, so known across restarts."""

    def __init__(self, directory: Path, *, keep: int = 100_000) -> None: ...
