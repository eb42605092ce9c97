"""From the audit log into the table `audit`, in order, exactly once."""

import base64
import logging
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from ...dashboards.ask import Table
from ..ingest import reason
from .log import Audit, Entry

log = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0
_LONGEST_PAUSE = 30.0
_NEWEST = "SELECT max(seq) FROM audit WHERE chain = {chain:String}"
_INSERT = """
INSERT INTO audit (tenant, ts, actor, action, subject, detail, chain, seq, prev, hash)
SELECT
    JSONExtractString(line, 'tenant'), toDateTime64(JSONExtractFloat(line, 'ts'), 6, 'UTC'),
    JSONExtractString(line, 'actor'), JSONExtractString(line, 'action'), JSONExtractString(line, 'subject'),
    JSONExtract(line, 'detail', 'Map(LowCardinality(String), String)'),
    {chain:String}, {seq:UInt64}, JSONExtractString(line, 'prev'), {hash:String}
FROM (SELECT base64Decode({line:String}) AS line)
SETTINGS insert_deduplicate = 1, distributed_foreground_insert = 1, insert_deduplication_token = """


class AuditStore(Protocol):
    """The store, as far as it is needed here."""

    def ask(self, sql: str, parameters: Mapping[str, Any], /) -> Table: ...

    def command(self, sql: str, parameters: Mapping[str, Any], /) -> None: ...


class AuditRows:
    """A thread between `start` and `stop`. While the store is away the entries wait in the log, which is theirs.

    What the table has is asked once at the start; a try that was broken off is repeated under the same token.
    """

    def __init__(self, audit: Audit, store: AuditStore) -> None:
        self._audit = audit
        self._store = store
        self._stored: int | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spanward-audit", daemon=True)
        self.last_error = ""

    @property
    def waiting(self) -> int:
        """Entries that are in the log and not yet in the table."""
        return self._audit.last - (self._stored or 0)

    @property
    def problem(self) -> str:
        """What is wrong with the log or with the way into the table; empty for nothing."""
        return self._audit.problem or self.last_error

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 10) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def put(self) -> None:
        """Bring the table up to the log. Raises `QueryFailed`."""
        if self._audit.last == 0:
            self._stored = 0
            return
        if self._stored is None:
            self._stored = int(self._store.ask(_NEWEST, {"chain": self._audit.chain}).rows[0][0])
        for entry in self._audit.after(self._stored):
            if self._stopping.is_set():
                return
            self._insert(entry)
            self._stored = entry.seq

    def _insert(self, entry: Entry) -> None:
        chain = self._audit.chain
        token = "".join(letter for letter in f"audit-{chain}-{entry.seq}" if letter.isalnum() or letter == "-")
        line = base64.b64encode(entry.line).decode()
        told = {"chain": chain, "seq": entry.seq, "hash": entry.hash, "line": line}
        self._store.command(f"{_INSERT}'{token}'", told)

    def _run(self) -> None:
        pause = 0.1
        while not self._stopping.is_set():
            try:
                self.put()
            except Exception as problem:  # noqa: BLE001  nothing may end the thread: what follows would never be stored
                self.last_error = reason(problem)
                log.warning("audit rows wait in %s, next try in %.1f s: %s", self._audit.path, pause, self.last_error)
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self.last_error, pause = "", 0.1
                self._audit.wait(self._stored or 0, _LOOK_SECONDS)
