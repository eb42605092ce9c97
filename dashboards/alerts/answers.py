"""What the API answers about alerts. Times in milliseconds."""

from math import inf
from typing import Any

from typing_extensions import TypedDict

from .. import documents
from ..documents import Documents
from . import happened, kept
from .delivery import Undelivered, undelivered
from .engine import rule_state
from .metrics import METRICS
from .rule import Rule

_WORST = ("firing", "pending", "ok")


class GroupState(TypedDict):
    """`told`: when people were last told, 0 if they were not. `names` are those of `Rule.by`."""

    group: str
    names: list[str]
    phase: str
    since: int
    told: int
    value: float | None
    text: str


class SnoozeTold(TypedDict):
    until: int
    since: int
    actor: str
    note: str


class Alert(TypedDict):
    """`phase` is the worst of its groups, or off. `problem`: why it could not be measured the last time."""

    id: str
    version: int
    changed: int
    actor: str
    rule: dict[str, Any]
    metric: str
    unit: str
    phase: str
    groups: list[GroupState]
    left_out: int
    problem: str
    snooze: SnoozeTold | None


class EngineTold(TypedDict):
    """The last round, as `kept.LastRound`."""

    at: int
    rules: int
    problem: str
    waiting: int
    lost: int
    every_s: int


class ChannelName(TypedDict):
    id: str
    name: str
    kind: str


class Alerts(TypedDict):
    alerts: list[Alert]
    undelivered: list[Undelivered]
    unreadable: int
    engine: EngineTold
    channels: list[ChannelName]


def alerts(documents_: Documents, now: int) -> Alerts:
    stored = documents_.all(kept.RULE)
    readable = [(document, rule) for document in stored if (rule := kept.rule_of(document))]
    found = [alert(documents_, document, rule, now) for document, rule in readable]
    rank = {phase: number for number, phase in enumerate((*_WORST, "off"))}
    return {
        "alerts": sorted(found, key=lambda one: (rank[one["phase"]], one["rule"]["name"].lower(), one["id"])),
        "undelivered": undelivered(documents_),
        "unreadable": len(stored) - len(readable),
        "engine": engine(documents_),
        "channels": channel_names(documents_),
    }


def alert(documents_: Documents, document: documents.Document, rule: Rule, now: int) -> Alert:
    state = rule_state(documents_, document.id)
    groups: list[GroupState] = [
        {
            "group": happened.shown(group), "names": list(group),
            "phase": one.phase, "since": one.since, "told": one.told,
            "value": one.value, "text": one.text,
        }
        for group, one in state.groups.items()
    ]  # fmt: skip
    groups.sort(key=lambda one: _first_told(one, rule))
    snooze = kept.snooze_of(documents_, document.id, now)
    phase = next((one for one in _WORST if any(group["phase"] == one for group in groups)), "ok")
    return {
        "id": document.id,
        "version": document.version,
        "changed": document.changed,
        "actor": document.actor,
        "rule": rule.model_dump(),
        "metric": METRICS[rule.metric].text,
        "unit": METRICS[rule.metric].unit,
        "phase": phase if rule.enabled else "off",
        "groups": groups,
        "left_out": state.left_out,
        "problem": state.problem if rule.enabled else "",
        "snooze": {"until": snooze.until, "since": snooze.since, "actor": snooze.actor, "note": snooze.note}
        if snooze
        else None,
    }


def _first_told(one: GroupState, rule: Rule) -> tuple[int, int, float, str]:
    """What fires or waits, the newest first; of what is quiet, the one that is nearest to firing."""
    since = -one["since"] if one["phase"] != "ok" else 0
    value = -inf if one["value"] is None else one["value"] if rule.condition == "above" else -one["value"]
    return _WORST.index(one["phase"]), since, -value, one["group"]


def engine(documents_: Documents) -> EngineTold:
    last = kept.last_round(documents_)
    return {
        "at": last.at,
        "rules": last.rules,
        "problem": last.problem,
        "waiting": last.waiting,
        "lost": last.lost,
        "every_s": kept.every_s(documents_),
    }


def channel_names(documents_: Documents) -> list[ChannelName]:
    return [
        {"id": one.id, "name": str(one.body["name"]), "kind": str(one.body["kind"])}
        for one in documents_.all(kept.CHANNEL)
    ]
