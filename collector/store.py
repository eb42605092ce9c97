"""The store: one ClickHouse, embedded (chDB) or a server, behind one set of SQL."""
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..dashboards.ask import Table


class StoreInUse(Exception):  # noqa: N818  a state of the world
    """Another process owns the data directory; the text names its pid."""


class Store:
    """Thread-safe. Embedded, one process owns the directory, so one `Store.open` a process."""

    @classmethod
    def open(cls, url: str, data: Path, *, database: str = "spanward") -> "Store":
        """`url` is `chdb:///DIR` or `clickhouse://user:password@host:8123/db`; `data` is the sidecar's own directory.

        Raises `StoreInUse`, `StoreUnavailable` (a server that does not answer), ValueError for a URL it does not know.
        """
        raise NotImplementedError

    def beside(self, database: str) -> "Store":
        """The same engine with another database (tests, imports). Closing it leaves this one open."""
        raise NotImplementedError

    def migrate(self) -> None:
        """Bring the schema up to date. Idempotent."""
        raise NotImplementedError

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None, *, limit_seconds: float = 30) -> Table:
        """Our own SELECTs (SQL of people goes through `analyst.check` first). Raises `QueryFailed`."""
        raise NotImplementedError

    def ingest(self, segment: Path, token: str) -> None:
        """Put a segment's spans in, once for a token however often it is called.

        Raises `SegmentUnreadable` (the bytes are at fault) or `StoreUnavailable` (try again).
        """
        raise NotImplementedError

    def close(self) -> None:
        """Release the directory. Idempotent."""
        raise NotImplementedError
