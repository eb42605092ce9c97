"""What alerts keep among the documents: kinds, and how each is read."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ..documents import Document, Documents
from .budgets import KIND as BUDGET
from .budgets import budget_of
from .measuring import Asked
from .rule import Rule

log = logging.getLogger(__name__)

RULE, STATE, SNOOZE, CHANNEL, OUTBOX, ENGINE, SETTINGS = (
    "alert", "alert_state", "alert_snooze", "alert_channel", "alert_outbox", "alert_engine", "settings",
)  # fmt: skip
OF_ENGINE = "round"
OF_ALERTS = "alerts"
"""The one document of `SETTINGS` that is about alerts: `address` of the page for links, `every_s`."""
DEFAULT_EVERY_S = 30


@dataclass(frozen=True, slots=True)
class Snooze:
    """Nobody is told until then, in milliseconds since 1970."""

    until: int
    actor: str
    note: str
    since: int


@dataclass(frozen=True, slots=True)
class LastRound:
    """`at` in milliseconds, 0 before the first. Of events, `waiting` wait for the store, `lost` found no room to."""

    at: int = 0
    rules: int = 0
    problem: str = ""
    waiting: int = 0
    lost: int = 0


def unsent(documents: Documents) -> list[Document]:
    """What waits in the outbox; the rest of it is sent, and waits for its row in the history."""
    return [document for document in documents.all(OUTBOX) if "ended" not in document.body]


def last_round(documents: Documents) -> LastRound:
    found = documents.get(ENGINE, OF_ENGINE)
    return LastRound(**found.body) if found else LastRound()


def rule_of(document: Document) -> Rule | None:
    """None, and a line in the log, for one that another version wrote and this one cannot read."""
    try:
        return Rule.model_validate(document.body)
    except ValidationError as wrong:
        log.warning("alert rule %s cannot be read: %s", document.id, wrong.errors()[0]["msg"])
        return None


def snooze_of(documents: Documents, rule: str, now: int) -> Snooze | None:
    """The one in force."""
    found = documents.get(SNOOZE, rule)
    if found is None or int(found.body["until"]) <= now:
        return None
    return Snooze(int(found.body["until"]), found.actor, str(found.body["note"]), found.changed)


def asked_of(documents: Documents, id_: str, rule: Rule) -> Asked:
    found = documents.get(BUDGET, rule.budget) if rule.budget else None
    return Asked(id_, rule, budget_of(found.body) if found else None)


def settings_of(documents: Documents) -> Mapping[str, Any]:
    found = documents.get(SETTINGS, OF_ALERTS)
    return found.body if found else {}


def every_s(documents: Documents) -> int:
    told = settings_of(documents).get("every_s", DEFAULT_EVERY_S)
    return min(3600, max(5, told)) if isinstance(told, int) else DEFAULT_EVERY_S
