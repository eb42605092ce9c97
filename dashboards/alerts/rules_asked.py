"""Judges of the API that read, try, save, remove, snooze and test rules."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from ..api.operation import BadQuestion, NotThere, Question
from ..documents import Document
from . import answers, happened, kept
from .backtest import BackTest, back_test
from .budgets import KIND as BUDGET
from .channel import channel_of
from .failure_kinds import FAILURE_KINDS, GUARD_KINDS
from .measuring import COUNTED
from .metrics import METRICS
from .notification import compose
from .prometheus import rules_file
from .refused import Refused
from .rule import WINDOWS, Rule, groups_of
from .sending import send
from .sources import others

LONGEST_SNOOZE_MS = 90 * 86_400_000
MOST_EVENTS = 200


class Draft(BaseModel):
    """`version`: the one that was edited; 0 for a new rule."""

    model_config = ConfigDict(extra="forbid")

    rule: Rule
    version: int = Field(default=0, ge=0, le=2**53)


class SnoozeDraft(BaseModel):
    """`until` in milliseconds since 1970."""

    model_config = ConfigDict(extra="forbid")

    until: int = Field(ge=0, le=2**53)
    note: str = Field(default="", max_length=500)


class Saved(TypedDict):
    id: str
    version: int


class Done(TypedDict):
    done: bool


class Sent(TypedDict):
    """`why` is empty where it was taken."""

    channel: str
    name: str
    delivered: bool
    why: str


class Tested(TypedDict):
    sent: list[Sent]


class MetricTold(TypedDict):
    name: str
    text: str
    unit: str
    source: str
    kinds: list[str]
    by: list[str]
    sampled: bool
    fixed: float | None
    past: bool


class BudgetName(TypedDict):
    id: str
    name: str


class Choices(TypedDict):
    """What a form offers. `windows` in seconds."""

    metrics: list[MetricTold]
    windows: list[int]
    budgets: list[BudgetName]
    channels: list[answers.ChannelName]
    address: str


class History(TypedDict):
    events: list[happened.Happened]
    next: str | None


def choices(question: Question) -> Choices:
    documents = question.means.documents
    kinds = {"": (), "failure": tuple(FAILURE_KINDS), "guard": GUARD_KINDS}
    there = COUNTED | others(question.means).keys()
    return {
        "metrics": [
            {
                "name": name, "text": metric.text, "unit": metric.unit, "source": metric.source,
                "kinds": list(kinds[metric.kinds]), "by": list(groups_of(name)), "sampled": metric.sampled,
                "fixed": metric.fixed, "past": metric.source in COUNTED,
            }
            for name, metric in METRICS.items() if metric.source in there
        ],
        "windows": list(WINDOWS),
        "budgets": [{"id": one.id, "name": str(one.body.get("name", one.id))} for one in documents.all(BUDGET)],
        "channels": answers.channel_names(documents),
        "address": address(question),
    }  # fmt: skip


def listed(question: Question) -> answers.Alerts:
    return answers.alerts(question.means.documents, question.now)


def one(question: Question) -> answers.Alert:
    document, rule = found(question)
    return answers.alert(question.means.documents, document, rule, question.now)


def tried(question: Question) -> BackTest:
    return back_test(question.means.ask, _asked(question, "", question.body.rule), question.now)


def series(question: Question) -> BackTest:
    document, rule = found(question)
    days = question.whole("days", 7, most=7)
    return back_test(question.means.ask, _asked(question, document.id, rule), question.now, days)


def saved(question: Question) -> Saved:
    """A new rule, or a new version of the one in the path."""
    rule: Rule = question.body.rule
    documents = question.means.documents
    id_ = question.request.path_params.get("rule") or secrets.token_hex(6)
    if question.request.path_params and documents.get(kept.RULE, id_) is None:
        raise NotThere("no such rule: it was removed")
    known = {channel.id for channel in documents.all(kept.CHANNEL)}
    if gone := [channel for channel in rule.channels if channel not in known]:
        raise BadQuestion(f"rule.channels: there is no channel {gone[0]!r}")
    if rule.budget and documents.get(BUDGET, rule.budget) is None:
        raise BadQuestion(f"rule.budget: there is no budget {rule.budget!r}")
    body = rule.model_dump()
    question.means.record(question.actor, "alert.save", id_, {name: str(value) for name, value in body.items()})
    put = documents.put(kept.RULE, id_, body, actor=question.actor, version=question.body.version)
    return {"id": id_, "version": put.version}


def removed(question: Question) -> Done:
    document, rule = found(question)
    question.means.record(question.actor, "alert.remove", document.id, {"name": rule.name})
    question.means.documents.remove(kept.SNOOZE, document.id)
    return {"done": question.means.documents.remove(kept.RULE, document.id)}


def snoozed(question: Question) -> Done:
    document, rule = found(question)
    until, note = question.body.until, " ".join(question.body.note.split())
    if not question.now < until <= question.now + LONGEST_SNOOZE_MS:
        raise BadQuestion("until: must be a time within the next 90 days")
    question.means.record(question.actor, "alert.snooze", document.id, {"name": rule.name, "until": str(until)})
    question.means.documents.put(kept.SNOOZE, document.id, {"until": until, "note": note}, actor=question.actor)
    _happened(question, document, rule, "snoozed", f"until {until}{f': {note}' if note else ''}")
    return {"done": True}


def woken(question: Question) -> Done:
    document, rule = found(question)
    question.means.record(question.actor, "alert.wake", document.id, {"name": rule.name})
    gone = question.means.documents.remove(kept.SNOOZE, document.id)
    if gone:
        _happened(question, document, rule, "woken", "")
    return {"done": gone}


def tested(question: Question) -> Tested:
    """To every channel of the rule, at once and without the outbox: whoever asks wants to see what comes of it."""
    document, rule = found(question)
    if not rule.channels:
        raise BadQuestion("this rule tells nobody: choose a channel first")
    question.means.record(question.actor, "alert.test", document.id, {"name": rule.name})
    return {"sent": send_test(question, rule, document.id)}


def send_test(question: Question, rule: Rule, id_: str) -> list[Sent]:
    event = {
        "id": f"test-{secrets.token_hex(8)}", "at": question.now, "rule": id_, "event": "test", "value": None,
        "names": ["" for _ in rule.by], "detail": "",
    }  # fmt: skip
    told = compose(rule, event, address(question))

    def attempt(channel: str) -> Sent:
        document = question.means.documents.get(kept.CHANNEL, channel)
        if document is None:
            return {"channel": channel, "name": channel, "delivered": False, "why": "the channel was removed"}
        why = ""
        try:
            send(channel_of(document.body), told, question.now)
        except Refused as no:
            why = no.why
        return {"channel": channel, "name": str(document.body["name"]), "delivered": not why, "why": why}

    with ThreadPoolExecutor(max(1, len(rule.channels))) as threads:
        return list(threads.map(attempt, rule.channels))


def history(question: Question) -> History:
    size = question.whole("limit", 50, most=MOST_EVENTS)
    events = happened.history(
        question.means.ask, rule=question.get("rule"), before=_before(question.get("cursor")), size=size
    )
    names = {channel.id: str(channel.body["name"]) for channel in question.means.documents.all(kept.CHANNEL)}
    for event in events:
        event["channel"] = names.get(event["channel"], event["channel"])
    last = events[-1] if len(events) == size else None
    return {"events": events, "next": f"{last['at']}-{last['id']}" if last else None}


def prometheus(question: Question) -> dict[str, Any]:
    documents = question.means.documents.all(kept.RULE)
    rules = [(document.id, rule) for document in documents if (rule := kept.rule_of(document))]
    return rules_file(rules, address(question))


def found(question: Question) -> tuple[Document, Rule]:
    """The rule in the path. Raises `NotThere`."""
    document = question.means.documents.get(kept.RULE, question.id("rule"))
    rule = kept.rule_of(document) if document else None
    if document is None or rule is None:
        raise NotThere("no such rule: it was removed")
    return document, rule


def address(question: Question) -> str:
    """Where links of notifications lead: what was set, else where the request came to."""
    told = str(kept.settings_of(question.means.documents).get("address", ""))
    return told or str(question.request.base_url).rstrip("/")


def _asked(question: Question, id_: str, rule: Rule) -> Any:
    return kept.asked_of(question.means.documents, id_, rule)


def _happened(question: Question, document: Document, rule: Rule, event: str, detail: str) -> None:
    row = {
        "id": secrets.token_hex(16), "at": question.now, "rule": document.id, "name": rule.name, "event": event,
        "actor": question.actor, "detail": detail,
    }  # fmt: skip
    question.means.insert(happened.TABLE, [happened.row(row)])


def _before(cursor: str) -> tuple[int, str] | None:
    if not cursor:
        return None
    at, dash, id_ = cursor.partition("-")
    if not dash or not at.isdecimal() or len(at) > 15:
        raise BadQuestion("cursor: give `next` of the page before")
    return int(at), id_
