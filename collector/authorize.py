"""Who may do what: one question, `authorize(action)`, asked by every route that shows, changes or erases.

The gate lets a request in; this says what it may do then. Keys of people are in `keys:` of the configuration, by role.
An application's key (`SPANWARD_INGEST_KEY`) is in many hands: off this machine it reveals and erases nothing.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from starlette.requests import Request

from .gate import shown_key
from .roles import EVERYTHING, OF_THE_SHARED_KEY, ROLES, Key, Role


class NotAuthorized(Exception):  # noqa: N818  an answer
    """The request may not do this; the text says who may."""


@dataclass(frozen=True, slots=True)
class Grant:
    """`actor` is who the key belongs to; empty where nobody is told apart."""

    actor: str = ""


@dataclass(frozen=True, slots=True)
class Authorizer:
    """`loopback`: bound to this machine only. `keys` is name -> key."""

    loopback: bool = True
    keys: Mapping[str, Key] = field(default_factory=dict)

    def authorize(self, action: str, request: Request | None = None) -> Grant:
        """Raises `NotAuthorized`, also for an action that it does not know."""
        if action not in EVERYTHING:
            raise NotAuthorized(f"there is no action {action!r}; there are {', '.join(sorted(EVERYTHING))}")
        name, role = self._who(request)
        allowed = EVERYTHING if role is None else ROLES[role]
        if action not in allowed:
            able = ", ".join(role for role, actions in ROLES.items() if action in actions)
            raise NotAuthorized(
                f"{action} needs a key whose role is one of {able}: name it under `keys:` in the configuration, "
                "and show it as `Authorization: Bearer …` (SPANWARD_KEY for the command line)"
            )
        return Grant(name)

    def knows(self, key: str) -> bool:
        """Whether this is the key of a person; for the gate."""
        return bool(self._owner(key))

    def _who(self, request: Request | None) -> tuple[str, Role | None]:
        """Name and role; no role means everything: nobody set up keys, and only this machine can ask."""
        owner = self._owner(shown_key(request.headers.get("authorization", ""))) if request else ""
        if owner:
            return owner, self.keys[owner].role
        return "", None if self.loopback and not self.keys else OF_THE_SHARED_KEY

    def _owner(self, key: str) -> str:
        digest = sha256(key.encode()).hexdigest() if key else ""
        owners = [name for name, known in self.keys.items() if hmac.compare_digest(known.sha256, digest)]
        return owners[0] if owners else ""
