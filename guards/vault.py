"""Pseudonyms by session, so that a value keeps its placeholder from turn to turn. In memory, bounded."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Protocol

from .judgement import Context
from .pseudonyms import Pseudonyms

Key = tuple[str, str, str, str]
"""Tenant, app, environment, session."""


class Pseudonymiser(Protocol):
    """Whoever keeps the pseudonyms of sessions; a pipeline asks one for each check."""

    def pseudonyms(self, context: Context) -> Pseudonyms: ...


def key_of(context: Context) -> Key:
    return context.tenant, context.app, context.environment, context.session_id


class Vault:
    """At most `sessions` of them, each forgotten `ttl_s` seconds after it was last used; safe for several threads.

    `found` makes the pseudonyms of a session that is not in memory.
    """

    def __init__(
        self,
        sessions: int = 10_000,
        ttl_s: float = 3600.0,
        clock: Callable[[], float] = monotonic,
        found: Callable[[Context], Pseudonyms] = lambda _: Pseudonyms(),
    ) -> None:
        self._limit, self._ttl, self._clock, self._found = sessions, ttl_s, clock, found
        self._sessions: OrderedDict[Key, tuple[float, Pseudonyms]] = OrderedDict()
        self._lock = Lock()

    def __repr__(self) -> str:
        """The number of sessions, never a value."""
        return f"Vault({len(self._sessions)} sessions)"

    def pseudonyms(self, context: Context) -> Pseudonyms:
        """Those of the context's session; fresh ones for a call that has none."""
        if not context.session_id:
            return Pseudonyms()
        key = key_of(context)
        with self._lock:
            now = self._clock()
            self._forget(now)
            _, known = self._sessions.pop(key, (now, None))
            found = known or self._found(context)
            self._sessions[key] = (now, found)
            return found

    def forget(self, tenant: str) -> None:
        """Let go of all sessions of a tenant."""
        with self._lock:
            for key in [key for key in self._sessions if key[0] == tenant]:
                del self._sessions[key]

    def _forget(self, now: float) -> None:
        """Sessions are in order of last use, so the oldest are in front."""
        while self._sessions:
            key, (used, _) = next(iter(self._sessions.items()))
            if now - used < self._ttl and len(self._sessions) < self._limit:
                return
            del self._sessions[key]
