"""Documents of the dashboards in one SQLite file of the data directory."""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..dashboards.documents import Changed, Document, TooMany

NAME = "documents.db"
MOST = 1000
"""Of one kind."""
LARGEST = 256 << 10
"""Characters of one body, as JSON."""
_TABLE = """CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, version INTEGER NOT NULL, changed INTEGER NOT NULL,
    actor TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID"""
_ALL = "SELECT kind, id, body, version, changed, actor FROM documents WHERE kind = ? ORDER BY id"
_ONE = "SELECT kind, id, body, version, changed, actor FROM documents WHERE kind = ? AND id = ?"
_PUT = "INSERT OR REPLACE INTO documents (kind, id, body, version, changed, actor) VALUES (?, ?, ?, ?, ?, ?)"


class DocumentFile:
    """One connection behind a lock: these are few and small. `clock` is in seconds since 1970."""

    def __init__(self, path: Path | str, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        if path != ":memory:":  # URLs of channels let one in; what SQLite puts beside the file has its rights
            os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC, 0o600))
            with suppress(OSError):  # a file system without rights, or whose owner is another
                Path(path).chmod(0o600)
        self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")
        self._file.execute(_TABLE)

    def all(self, kind: str) -> list[Document]:
        with self._lock:
            rows = self._file.execute(_ALL, (kind,))
            return [_document(row) for row in rows]

    def get(self, kind: str, id_: str) -> Document | None:
        with self._lock:
            return self._get(kind, id_)

    def put(
        self, kind: str, id_: str, body: Mapping[str, Any], *, actor: str = "", version: int | None = None
    ) -> Document:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        if len(text) > LARGEST:
            raise TooMany(f"a document may have {LARGEST} characters, this one has {len(text)}")
        with self._lock:
            before = self._get(kind, id_)
            if version is not None and version != (before.version if before else 0):
                raise Changed(f"{kind} {id_} was changed meanwhile; load it again")
            if before is None and self._count(kind) >= MOST:
                raise TooMany(f"there are {MOST} documents of the kind {kind}; remove one first")
            put = Document(kind, id_, body, (before.version if before else 0) + 1, round(self._clock() * 1000), actor)
            self._file.execute(_PUT, (kind, id_, text, put.version, put.changed, actor))
            return put

    def remove(self, kind: str, id_: str) -> bool:
        with self._lock:
            done = self._file.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, id_))
            return done.rowcount > 0

    def close(self) -> None:
        self._file.close()

    def _get(self, kind: str, id_: str) -> Document | None:
        found = self._file.execute(_ONE, (kind, id_))
        row = found.fetchone()
        return _document(row) if row else None

    def _count(self, kind: str) -> int:
        counted = self._file.execute("SELECT count(*) FROM documents WHERE kind = ?", (kind,)).fetchone()
        return int(counted[0])


def _document(row: tuple[Any, ...]) -> Document:
    kind, id_, body, version, changed, actor = row
    return Document(kind, id_, json.loads(body), version, changed, actor)
