"""Rows of the table `alert_events`: what became of rules and of what was sent, in the order in which it happened."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from typing_extensions import TypedDict

from ..ask import Ask
from .reading import Group

TABLE = "alert_events"
MOST = 200
JOINED = " · "
"""Between the names of a group."""
LONGEST = 500

_ROWS = """SELECT id, toUnixTimestamp64Milli(ts) AS at, rule, name, `group`, event, value, threshold, channel, attempts,
       actor, detail
FROM (SELECT * FROM alert_events WHERE {where} ORDER BY ts DESC, id DESC LIMIT 1 BY id)
ORDER BY ts DESC, id DESC LIMIT {{size:UInt32}}"""


class Happened(TypedDict):
    """`at` in milliseconds; `event`: firing, repeated, resolved, delivered, failed, snoozed, woken, dropped, lost."""

    id: str
    at: int
    rule: str
    name: str
    group: str
    event: str
    value: float | None
    threshold: float | None
    channel: str
    attempts: int
    actor: str
    detail: str


def shown(group: Group) -> str:
    return JOINED.join(name or "(none)" for name in group)


def row(happened: Mapping[str, Any]) -> dict[str, Any]:
    """As the table has it; what is missing is empty."""
    return {
        "tenant": "default",
        "ts": datetime.fromtimestamp(int(happened["at"]) / 1000, UTC),
        "id": happened["id"],
        "rule": happened.get("rule", ""),
        "name": happened.get("name", ""),
        "group": happened.get("group", ""),
        "event": happened["event"],
        "value": happened.get("value"),
        "threshold": happened.get("threshold"),
        "channel": happened.get("channel", ""),
        "attempts": happened.get("attempts", 0),
        "actor": happened.get("actor", ""),
        "detail": str(happened.get("detail", ""))[:LONGEST],
    }


def history(ask: Ask, *, rule: str = "", before: tuple[int, str] | None = None, size: int = 50) -> list[Happened]:
    """The newest first; `before` is (`at`, `id`) of the last one that was seen."""
    terms = ["1"]
    parameters: dict[str, Any] = {"size": size}
    if rule:
        terms.append("rule = {rule:String}")
        parameters["rule"] = rule
    if before:
        terms.append("(toUnixTimestamp64Milli(ts), id) < ({at:Int64}, {id:String})")
        parameters |= {"at": before[0], "id": before[1]}
    found: Sequence[Any] = ask(_ROWS.format(where=" AND ".join(terms)), parameters).records()
    return list(found)
