"""What may be done, by which role."""

from collections.abc import Mapping
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Action = Literal["see_content", "run_sql", "keep", "review", "configure", "edit_policy", "reveal", "drop_key", "retain"]
"""`keep`: saved views and queries; `review`: labels on verdicts; `configure`: alerts, budgets, prices.
`retain`: how long tables keep their rows, and so what is erased."""
Role = Literal["viewer", "analyst", "policy_editor", "revealer", "admin"]
EVERYTHING: frozenset[Action] = frozenset(get_args(Action))
_ANALYST: frozenset[Action] = frozenset({"see_content", "run_sql", "keep", "review"})
ROLES: Mapping[Role, frozenset[Action]] = {
    "viewer": frozenset(),
    "analyst": _ANALYST,
    "policy_editor": _ANALYST | {"configure", "edit_policy"},
    "revealer": _ANALYST | {"reveal"},
    "admin": EVERYTHING,
}
OF_THE_SHARED_KEY: Role = "policy_editor"
"""Of whoever shows the key that every application has: no content comes back, nothing is erased."""


class Key(BaseModel):
    """One person's key, by its digest: the configuration holds nothing that opens anything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Of the key, as `printf %s KEY | sha256sum` prints it."""
    role: Role
