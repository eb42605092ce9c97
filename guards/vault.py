"""Pseudonyms by session, so that a value keeps its placeholder from turn to turn. In memory only, bounded."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from time import monotonic

from .judgement import Context
from .pseudonyms import Pseudonyms

Key = tuple[str, str, str]


class Vault:
    """At most `sessions` of them, each forgotten `ttl_s` seconds after it was last used; safe for several threads."""

    def __init__(self, sessions: int = 10_000, ttl_s: float = 3600.0, clock: Callable[[], float] = monotonic) -> None:
        self._limit, self._ttl, self._clock = sessions, ttl_s, clock
        self._sessions: OrderedDict[Key, tuple[float, Pseudonyms]] = OrderedDict()
        self._lock = Lock()

    def __repr__(self) -> str:
        """The number of sessions, never a value."""
        return f"Vault({len(self._sessions)} sessions)"

    def pseudonyms(self, context: Context) -> Pseudonyms:
        """Those of the context's session; fresh ones for a call that has none."""
        if not context.session_id:
            return Pseudonyms()
        key = (context.app, context.environment, context.session_id)
        with self._lock:
            now = self._clock()
            self._forget(now)
            _, known = self._sessions.pop(key, (now, None))
            found = known or Pseudonyms()
            self._sessions[key] = (now, found)
            return found

    def _forget(self, now: float) -> None:
        """Sessions are in order of last use, so the oldest are in front."""
        while self._sessions:
            key, (used, _) = next(iter(self._sessions.items()))
            if now - used < self._ttl and len(self._sessions) < self._limit:
                return
            del self._sessions[key]
