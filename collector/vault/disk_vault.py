"""The sidecar's vault: pseudonyms of sessions in memory, and sealed on disk before they leave.

Whatever is wrong with the disk, calls go on: values are still hidden and put back, under numbers from a range so wide
that no later process gives one of them to another value, and `problem` says so.
"""

import logging
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

from ...guards.judgement import Context
from ...guards.pseudonyms import LIMIT, PLACEHOLDER, Given, Pseudonyms
from ...guards.vault import Vault
from ..command import CommandError
from .box import Box, Unreadable
from .file import Damaged, Row, Tenant, VaultFile, set_aside
from .key import Keys, VaultSettings
from .writer import NotWritten, VaultWriter

log = logging.getLogger(__name__)
NAME = "vault.db"
"""In the data directory."""
DEFAULT_TENANT = "default"
MOST_TENANTS = 1000
_TENANT = re.compile(r"[\w.@-]{1,64}")
_SLACK = 0.1
"""Share of the time to live by which what the disk knows of the last use may lag behind."""


class Revealed(NamedTuple):
    """`given` is when the placeholder was given to the value, in Unix time."""

    value: str
    given: float


class _Known(NamedTuple):
    session: bytes
    touched: float


class DiskVault:
    """One data directory's, for every policy that comes to be in force. Safe for several threads.

    `keys` is None where none can be kept: then it is in memory only, and so it is where the file cannot be used.
    Raises `CommandError` where a key is not the one that the rows were sealed with.
    """

    def __init__(
        self,
        path: Path,
        keys: Keys | None,
        settings: VaultSettings,
        clock: Callable[[], float] = time.time,
        saved: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.path, self._keys, self._ttl, self._clock, self._saved = path, keys, settings.ttl_s, clock, saved
        self.trouble = ""
        self._boxes: dict[str, Box] = {}
        self._making = Lock()
        self._touching = Lock()
        self._known: WeakKeyDictionary[Pseudonyms, _Known] = WeakKeyDictionary()
        self._memory = Vault(ttl_s=settings.ttl_s, clock=clock, found=self._found)
        self._file = self._open(settings.limit_bytes) if keys else None
        self._lost_at = self._file.lost_at if self._file else 0.0
        if keys is None:
            self.trouble = f"no key can be kept in {path.parent}"
        self._writer = VaultWriter(self._file, self._expire(settings)) if self._file else None
        try:
            self._unlock()
        except CommandError:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"DiskVault({self._memory!r})"

    @property
    def problem(self) -> str:
        """What is less than it should be, for `/healthz`; empty for nothing. Tells no content."""
        return self.trouble or (self._writer.problem if self._writer else "")

    @property
    def key_source(self) -> str:
        return self._keys.source if self._keys else "none"

    def pseudonyms(self, context: Context) -> Pseudonyms:
        if context.tenant == DEFAULT_TENANT:  # one session, whether its tenant is named or not
            context = replace(context, tenant="")
        found = self._memory.pseudonyms(context)
        with self._touching:
            known = self._known.get(found)
            now = self._clock()
            if known is None or now - known.touched < self._ttl * _SLACK:
                return found
            self._known[found] = known._replace(touched=now)
        if self._writer and self._file:
            self._writer.post(partial(self._file.touch, known.session, now))
        return found

    def reveal(self, context: Context, placeholder: str) -> Revealed | None:
        """What `placeholder` stands for in the context's session; None if that is unknown or expired.

        Raises `NotWritten` while the vault cannot be read.
        """
        parts = PLACEHOLDER.fullmatch(placeholder)
        box = self._boxes.get(context.tenant or DEFAULT_TENANT)
        if self._file is None:
            raise NotWritten(self.problem)
        if box is None or parts is None or len(parts[2]) > 18:
            return None
        session = box.session(context)
        try:
            used, rows = self._file.rows(session) or (0.0, [])
        except sqlite3.Error as problem:
            raise NotWritten(f"the vault cannot be read: {_said(problem)}") from None
        if used < self._clock() - self._ttl:
            return None
        wanted = (parts[1], int(parts[2]))
        for row in rows:
            if (row.label, row.number) == wanted:
                return Revealed(box.open(session, row.label, row.number, row.sealed).value, row.given)
        return None

    def session_name(self, context: Context) -> str:
        """By what the audit log calls a session; empty for a tenant that has nothing here."""
        box = self._boxes.get(context.tenant or DEFAULT_TENANT)
        return box.session(context).hex()[:32] if box else ""

    def drop(self, tenant: str) -> int | None:
        """Erase a tenant's key, and its sessions with it; how many there were, None without a key.

        Raises `NotWritten`.
        """
        if self._writer is None or self._file is None:
            raise NotWritten(self.problem)
        with self._making:
            self._boxes.pop(tenant, None)
            dropped = self._writer.ask(partial(self._file.drop, tenant))
            self._memory.forget("" if tenant == DEFAULT_TENANT else tenant)
        self._writer.flush()
        return dropped

    def close(self) -> None:
        if self._writer:
            self._writer.stop()
        if self._file:
            self._file.close()

    def _open(self, limit_bytes: int) -> VaultFile | None:
        try:
            try:
                return VaultFile(self.path, limit_bytes)
            except Damaged:
                aside = set_aside(self.path)
                self.trouble = f"{self.path.name} was damaged and is set aside as {aside.name}"
                log.error("%s; what placeholders stood for before is lost", self.trouble)  # noqa: TRY400  said in full
                return VaultFile(self.path, limit_bytes, lost_at=self._clock())
        except (OSError, sqlite3.Error) as problem:
            self.trouble = f"{self.path.name} cannot be used, so pseudonyms end with this process: {_said(problem)}"
            log.error("%s", self.trouble)  # noqa: TRY400  the reason is all there is
            return None

    def _unlock(self) -> None:
        """A box for each tenant that has rows. Raises `CommandError`."""
        if self._file is None or self._keys is None:
            return
        try:
            tenants = self._file.tenants()
        except sqlite3.Error as problem:
            raise CommandError(f"{self.path} cannot be read: {_said(problem)}") from None
        for tenant in tenants:
            box = Box.made(tenant.name, self._keys.of(tenant.name), tenant.salt)
            if box.fits != tenant.fits:
                raise CommandError(
                    f"{self.path}: the key ({self._keys.source}) is not the one that the pseudonyms of tenant "
                    f"{tenant.name!r} were sealed with. Give that one, or erase them: "
                    f"spanward vault drop-key --tenant {tenant.name}"
                )
            self._boxes[tenant.name] = box

    def _expire(self, settings: VaultSettings) -> Callable[[], None]:
        def expire() -> None:
            if self._file:
                self._file.expire(self._clock() - self._ttl * (1 + 2 * _SLACK), settings.sessions, LIMIT)

        return expire

    def _found(self, context: Context) -> Pseudonyms:
        """The session as it was left, or a new one. Never raises: a call waits for it."""
        try:
            box = self._box(context.tenant or DEFAULT_TENANT)
            session = box.session(context)
            return self._loaded(box, session)
        except (NotWritten, sqlite3.Error, ValueError):
            return Pseudonyms(far=True)

    def _loaded(self, box: Box, session: bytes) -> Pseudonyms:
        if self._file is None or self._writer is None:
            raise NotWritten(self.problem)
        now = self._clock()
        used, rows = self._file.rows(session) or (now, [])
        if used < now - self._ttl:
            self._writer.post(partial(self._file.forget, session, now - self._ttl))
            rows = []
        known, far = [], now - self._lost_at < self._ttl
        for row in rows:
            try:
                known.append(box.open(session, row.label, row.number, row.sealed))
            except Unreadable as problem:
                far, self.trouble = True, f"{self.path.name}: {problem}"
        found = Pseudonyms(known=known, keep=partial(self._keep, box, session), far=far)
        with self._touching:
            self._known[found] = _Known(session, now if not rows else used)
        return found

    def _box(self, tenant: str) -> Box:
        """Raises `NotWritten`."""
        known = self._boxes.get(tenant)
        if known:
            return known
        with self._making:
            known = self._boxes.get(tenant)
            if known:
                return known
            if self._writer is None or self._file is None or self._keys is None:
                raise NotWritten(self.problem)
            if len(self._boxes) >= MOST_TENANTS or not _TENANT.fullmatch(tenant):
                raise NotWritten("the tenant's name is not one, or there are too many")
            box = Box.made(tenant, self._keys.of(tenant))
            self._writer.ask(partial(self._file.add_tenant, Tenant(tenant, box.salt, box.fits)))
            self._boxes[tenant] = box
            return box

    def _keep(self, box: Box, session: bytes, given: Sequence[Given]) -> bool:
        now = self._clock()
        kept = False
        if self._writer and self._file and self._boxes.get(box.tenant) is box:
            rows = [Row(each.label, each.number, box.seal(session, each), now) for each in given]
            try:
                kept = self._writer.ask(partial(self._file.add, box.tenant, session, rows, now))
            except NotWritten:
                kept = False
        self._saved("kept" if kept else "failed")
        return kept


def _said(problem: Exception) -> str:
    """SQLite quotes no values in its errors."""
    return problem.strerror or "" if isinstance(problem, OSError) else str(problem)
