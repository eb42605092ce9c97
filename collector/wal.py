"""The write-ahead log: what a sender was told is kept, is on disk."""

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path


class LogFull(Exception):  # noqa: N818  a state of the world
    """The log has reached its bound, or the disk refused the write. Nothing of this body was kept."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A closed file of frames. `id` is its deduplication token, unique over all runs."""

    id: str
    path: Path


class WriteAheadLog:
    """Appends bodies to segment files in `directory`; one writer thread syncs for all who wait (group commit)."""

    def __init__(self, directory: Path, *, segment_bytes: int = 8 << 20, segment_seconds: float = 0.3,
                 limit_bytes: int = 2 << 30) -> None: ...

    def append(self, body: bytes, digest: bytes) -> "Future[None]":
        """Completes when the body is on disk (fdatasync). Fails with `LogFull`. Await it with `asyncio.wrap_future`."""
        raise NotImplementedError

    def ready(self) -> list[Segment]:
        """Closed segments that are not yet ingested, oldest first."""
        raise NotImplementedError

    def close(self) -> None:
        """Sync and close; what is open becomes ready."""
