"""`vault.db`: the sealed pseudonyms of all sessions, in SQLite. Knows no key and no value.

What was committed survives the end of the process, however it ends. The machine's own end takes what `sync` has not yet
brought to the disk (a second's worth), and then `lost_at` says so. Where nobody can tell one start of the machine from
the next, every commit is synced instead.
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

_PAGE = 4096
_FORM = 1
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_CLOSED = "closed"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS running (boot TEXT NOT NULL, lost_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS tenants (tenant TEXT PRIMARY KEY, salt BLOB NOT NULL, fits BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
    id INTEGER PRIMARY KEY, session BLOB NOT NULL UNIQUE, tenant TEXT NOT NULL, used REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS sessions_by_use ON sessions (used);
CREATE INDEX IF NOT EXISTS sessions_by_tenant ON sessions (tenant);
CREATE TABLE IF NOT EXISTS names (
    session INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    label TEXT NOT NULL, number INTEGER NOT NULL, sealed BLOB NOT NULL, given REAL NOT NULL,
    PRIMARY KEY (session, label, number)
) WITHOUT ROWID;
"""


def no_key(tenant: str) -> str:
    """What is said of a name that was mistyped, most likely: nobody may take it for an erasure."""
    return f"the vault holds no key of a tenant {tenant!r}: nothing was erased"


class Tenant(NamedTuple):
    """`fits` is that of the box with which the tenant's rows were sealed."""

    name: str
    salt: bytes
    fits: bytes


class Row(NamedTuple):
    """One sealed value; `given` is Unix time."""

    label: str
    number: int
    sealed: bytes
    given: float


class Damaged(Exception):  # noqa: N818  says what it is
    """The file is no vault any more."""


class VaultFile:
    """Writes come from one thread, reads from any. Deleted bytes are overwritten. Raises `sqlite3.Error`.

    Made anew it raises `Damaged` for a file that is not whole, and OSError or `sqlite3.Error` where none can be.
    """

    def __init__(self, path: Path, limit_bytes: int = 1 << 30, lost_at: float = 0.0) -> None:
        self.path = path
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # its companions get its mode
        self._boot = boot()
        self.lost_at = lost_at
        """Unix time from which on rows may be missing that were there before; 0 for never."""
        self._log = -1
        self._reading = Lock()
        self._writes = self._connection()
        try:
            self._prepare(limit_bytes)
            self._reads = self._connection()
            self._begin()
        except BaseException:
            self._writes.close()
            raise

    def _connection(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=5, isolation_level=None, check_same_thread=False)

    def _prepare(self, limit_bytes: int) -> None:
        write = self._writes.execute
        try:
            if write("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise Damaged(str(self.path))
            form = write("PRAGMA user_version").fetchone()[0]
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            raise Damaged(str(self.path)) from None
        if form not in (0, _FORM):
            raise sqlite3.NotSupportedError(f"the vault has form {form}, this version reads {_FORM}")
        for pragma in (
            "journal_mode = WAL", f"synchronous = {'NORMAL' if self._boot else 'FULL'}",
            "secure_delete = ON", "foreign_keys = ON",
            f"max_page_count = {max(32, limit_bytes // _PAGE)}", "wal_autocheckpoint = 1000",
            "journal_size_limit = 4194304",
        ):  # fmt: skip
            write(f"PRAGMA {pragma}")
        if form != _FORM:
            self._writes.executescript(_SCHEMA)
            write(f"PRAGMA user_version = {_FORM}")

    def _begin(self) -> None:
        for before, lost_at in self._writes.execute("SELECT boot, lost_at FROM running").fetchall():
            ended = self._boot and before not in (self._boot, _CLOSED)  # and the machine with it
            self.lost_at = time.time() if ended else max(lost_at, self.lost_at)
        with self.transaction():
            self._writes.execute("DELETE FROM running")
            self._writes.execute("INSERT INTO running (boot, lost_at) VALUES (?, ?)", (self._boot, self.lost_at))
        self.flush()
        self._log = os.open(self.path.with_name(self.path.name + "-wal"), os.O_RDWR | os.O_CLOEXEC)

    def tenants(self) -> list[Tenant]:
        with self._reading:
            return [Tenant(*row) for row in self._reads.execute("SELECT tenant, salt, fits FROM tenants")]

    def rows(self, session: bytes) -> tuple[float, list[Row]] | None:
        """When the session was last used, and its rows, oldest first; None for one that is not there."""
        with self._reading:
            found = self._reads.execute("SELECT id, used FROM sessions WHERE session = ?", (session,)).fetchone()
            if found is None:
                return None
            sql = "SELECT label, number, sealed, given FROM names WHERE session = ? ORDER BY given, number"
            return found[1], [Row(*row) for row in self._reads.execute(sql, (found[0],))]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """On disk when it ends; an exception undoes it. All of the following are called inside one."""
        self._writes.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._writes.execute("COMMIT")
        except BaseException:
            if self._writes.in_transaction:
                self._writes.execute("ROLLBACK")
            raise

    def add_tenant(self, tenant: Tenant) -> None:
        self._writes.execute("INSERT INTO tenants (tenant, salt, fits) VALUES (?, ?, ?)", tenant)

    def add(self, tenant: str, session: bytes, rows: Sequence[Row], used: float) -> bool:
        """Whether all rows are new; else none of them is there."""
        self._writes.execute("SAVEPOINT adding")
        try:
            number = self._session(tenant, session, used)
            self._writes.executemany(
                "INSERT INTO names (session, label, number, sealed, given) VALUES (?, ?, ?, ?, ?)",
                [(number, *row) for row in rows],
            )
        except sqlite3.IntegrityError:
            self._writes.execute("ROLLBACK TO adding")
            return False
        finally:
            if self._writes.in_transaction:  # a full disk has undone all of it
                self._writes.execute("RELEASE adding")
        return True

    def _session(self, tenant: str, session: bytes, used: float) -> int:
        """Its number. The use of a known one is not written: each table touched is a page more to sync."""
        found = self._writes.execute("SELECT id FROM sessions WHERE session = ?", (session,)).fetchone()
        if found is None:
            new = "INSERT INTO sessions (session, tenant, used) VALUES (?, ?, ?) RETURNING id"
            ((number,),) = self._writes.execute(new, (session, tenant, used)).fetchall()
            return int(number)
        return int(found[0])

    def touch(self, session: bytes, used: float) -> None:
        self._writes.execute("UPDATE sessions SET used = max(used, ?) WHERE session = ?", (used, session))

    def forget(self, session: bytes, before: float) -> None:
        """A session that was not used since `before`."""
        self._writes.execute("DELETE FROM sessions WHERE session = ? AND used < ?", (session, before))

    def expire(self, before: float, sessions: int, names: int) -> None:
        """Sessions last used before `before` go, the longest unused beyond `sessions`, and the oldest of many names."""
        self._writes.execute("DELETE FROM sessions WHERE used < ?", (before,))
        beyond = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions ORDER BY used DESC LIMIT -1 OFFSET ?)"
        self._writes.execute(beyond, (sessions,))
        many = "SELECT session FROM names GROUP BY session HAVING count() > ?"
        for (session,) in self._writes.execute(many, (names,)).fetchall():
            old = """DELETE FROM names WHERE session = ?1 AND given < (
                         SELECT given FROM names WHERE session = ?1 ORDER BY given DESC LIMIT 1 OFFSET ?2)"""
            self._writes.execute(old, (session, names - 1))

    def drop(self, tenant: str) -> int | None:
        """How many sessions went with the tenant's salt; None where there was none."""
        known = self._writes.execute("DELETE FROM tenants WHERE tenant = ?", (tenant,)).rowcount
        sessions = self._writes.execute("DELETE FROM sessions WHERE tenant = ?", (tenant,)).rowcount
        return sessions if known or sessions else None

    def sync(self) -> None:
        """Bring to the disk what was committed. Raises OSError."""
        if self._log >= 0:
            os.fdatasync(self._log)

    def flush(self) -> None:
        """Leave nothing in the write-ahead log of what was deleted. Outside of transactions."""
        self._writes.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        with self._reading:
            self._reads.close()
        with suppress(sqlite3.Error):  # a disk that takes nothing any more: the next process counts as after a crash
            with self.transaction():
                self._writes.execute("UPDATE running SET boot = ?", (_CLOSED,))
            self.flush()
        self._writes.close()
        if self._log >= 0:
            os.close(self._log)


def boot() -> str:
    """Names this start of the machine; empty where the system does not tell."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


def set_aside(path: Path) -> Path:
    """Move a damaged file with its companions out of the way, without losing it."""
    aside = path.with_name(f"{path.name}.bad-{time.time_ns()}")
    for end in ("-wal", "-shm", ""):
        companion = path.with_name(path.name + end)
        if companion.exists():
            companion.replace(aside.with_name(aside.name + end))
    return aside
