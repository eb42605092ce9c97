"""Which bodies were stored already: a sender that missed the answer repeats the same bytes.

The digest of a body travels inside its frame, as a field that OTLP does not have and ClickHouse skips, so that the body
and the knowledge of it reach the disk in one write. When a segment leaves the log its digests move to the file `known`.
"""

import os
import struct
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Lock

from ..tracer.segment import bodies

DIGEST = 32
_FIELD = b"\xca\xd1\x0f"  # the key of field 32025, length-delimited
_TRAILER = struct.Struct("<3sB32sI")


def mark(body: bytes, digest: bytes) -> bytes:
    """The body with its digest and a checksum over all that is before the checksum."""
    head = body + _FIELD + bytes([DIGEST + 4]) + digest
    return head + zlib.crc32(head).to_bytes(4, "little")


def digest_of(marked: bytes) -> bytes | None:
    """The digest in a frame's body, or None if the frame is not as it was written."""
    if len(marked) < _TRAILER.size:
        return None
    field, length, digest, checksum = _TRAILER.unpack_from(marked, len(marked) - _TRAILER.size)
    whole = field == _FIELD and length == DIGEST + 4 and checksum == zlib.crc32(memoryview(marked)[:-4])
    return digest if whole else None


def digests_in(segment: bytes) -> Iterator[bytes]:
    """The digests of all bodies in a segment's bytes; a torn tail is left out."""
    for body in bodies(segment):
        digest = digest_of(body)
        if digest is None:
            return
        yield digest


class DigestFile:
    """Digests end to end, oldest first. A digest may be there twice; a torn tail is left out."""

    def __init__(self, path: Path, *, keep: int = 100_000) -> None:
        self.path = path
        self._keep = keep

    def read(self) -> list[bytes]:
        data = self.path.read_bytes() if self.path.exists() else b""
        return [data[at : at + DIGEST] for at in range(0, len(data) - DIGEST + 1, DIGEST)]

    def append(self, digests: Iterable[bytes]) -> None:
        """On disk when it returns. Twice the bound is cut back to the bound."""
        with self.path.open("ab") as file:
            size = file.tell()
            if size % DIGEST:
                file.truncate(size - size % DIGEST)
            file.write(b"".join(digests))
            file.flush()
            os.fdatasync(file.fileno())
            size = file.tell()
        if size > 2 * self._keep * DIGEST:
            self._cut()

    def _cut(self) -> None:
        shorter = self.path.with_suffix(".new")
        with shorter.open("wb") as file:
            file.write(b"".join(self.read()[-self._keep :]))
            file.flush()
            os.fdatasync(file.fileno())
        shorter.replace(self.path)


class KnownBodies:
    """Digests of bodies that are on disk or on their way there; thread-safe.

    Read once from `directory`, the log's own: from its segments, and from those that left it.
    """

    def __init__(self, directory: Path, *, keep: int = 100_000) -> None:
        self._keep = keep
        self._lock = Lock()
        self._in_flight: dict[bytes, Future[None]] = {}
        self._stored: OrderedDict[bytes, None] = OrderedDict.fromkeys(DigestFile(directory / "known").read())
        for suffix in (".ready", ".open"):
            for segment in sorted(directory.glob(f"*{suffix}")):
                self._stored.update(dict.fromkeys(digests_in(segment.read_bytes())))

    def claim(self, digest: bytes) -> "Future[None] | None":
        """None: yours to store, then call `settle`. Else a future that completes when these bytes are on disk."""
        with self._lock:
            if digest in self._stored:
                done: Future[None] = Future()
                done.set_result(None)
                return done
            if digest in self._in_flight:
                return self._in_flight[digest]
            self._in_flight[digest] = Future()
            return None

    def settle(self, digest: bytes, error: BaseException | None) -> None:
        """Say how storing went. After an error the same bytes are welcome again."""
        with self._lock:
            waiting = self._in_flight.pop(digest)
            if error is None:
                self._stored[digest] = None
                while len(self._stored) > self._keep:
                    self._stored.popitem(last=False)
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)
