"""Judges of the API for channels, and for what holds of all alerts."""

import secrets
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import TypedDict

from ..api.operation import BadQuestion, NotThere, Question
from ..documents import Document
from . import answers, kept
from .channel import Channel, Email, channel_of, masked
from .rule import Rule
from .rules_asked import Done, Saved, Tested, send_test


class ChannelDraft(BaseModel):
    """`version`: the one that was edited; 0 for a new channel."""

    model_config = ConfigDict(extra="forbid")

    channel: Channel
    version: int = Field(default=0, ge=0, le=2**53)


class ChannelTold(TypedDict):
    """`channel` as it was saved, its URL masked. `used` are names of rules."""

    id: str
    version: int
    changed: int
    actor: str
    channel: dict[str, Any]
    used: list[str]


class Channels(TypedDict):
    channels: list[ChannelTold]


class AlertSettings(BaseModel):
    """`address`: where people reach this page, for links; empty: where the sidecar listens."""

    model_config = ConfigDict(extra="forbid")

    address: str = Field(default="", max_length=500)
    every_s: int = Field(default=kept.DEFAULT_EVERY_S, ge=5, le=3600)

    @field_validator("address")
    @classmethod
    def _http(cls, address: str) -> str:
        if address and (urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname):
            raise ValueError("this is no http:// or https:// address")
        if not address.isprintable() or " " in address:
            raise ValueError("this is no http:// or https:// address")
        return address.rstrip("/")


class AlertSettingsTold(TypedDict):
    address: str
    every_s: int
    version: int


def channels(question: Question) -> Channels:
    documents = question.means.documents
    rules = [rule for document in documents.all(kept.RULE) if (rule := kept.rule_of(document))]
    return {"channels": [_told(document, rules) for document in documents.all(kept.CHANNEL)]}


def saved(question: Question) -> Saved:
    documents = question.means.documents
    id_ = question.request.path_params.get("channel")
    before = documents.get(kept.CHANNEL, id_) if id_ else None
    if id_ and before is None:
        raise NotThere("no such channel: it was removed")
    channel = question.body.channel
    body = channel.model_dump()
    if not isinstance(channel, Email) and not channel.url:
        if before is None or before.body["kind"] != channel.kind:
            raise BadQuestion("channel.url: say where to send")
        body["url"] = before.body["url"]
    id_ = id_ or secrets.token_hex(6)
    shown = masked(channel_of(body))
    question.means.record(question.actor, "alert.channel_save", id_, {name: str(v) for name, v in shown.items()})
    put = documents.put(kept.CHANNEL, id_, body, actor=question.actor, version=question.body.version)
    return {"id": id_, "version": put.version}


def removed(question: Question) -> Done:
    documents = question.means.documents
    document = _found(question)
    rules = [rule for one in documents.all(kept.RULE) if (rule := kept.rule_of(one))]
    if used := _used(document, rules):
        raise BadQuestion(f"the rule {used[0]!r} tells this channel: take it out there first")
    question.means.record(question.actor, "alert.channel_remove", document.id, {"name": str(document.body["name"])})
    return {"done": documents.remove(kept.CHANNEL, document.id)}


def tested(question: Question) -> Tested:
    document = _found(question)
    question.means.record(question.actor, "alert.channel_test", document.id, {"name": str(document.body["name"])})
    rule = Rule(name="Test of this channel", metric="failure_rate", severity="info", channels=[document.id])
    return {"sent": send_test(question, rule, "")}


def settings(question: Question) -> AlertSettingsTold:
    document = question.means.documents.get(kept.SETTINGS, kept.OF_ALERTS)
    told = kept.settings_of(question.means.documents)
    every_s = answers.engine(question.means.documents)["every_s"]
    return {
        "address": str(told.get("address", "")),
        "every_s": every_s,
        "version": document.version if document else 0,
    }


def set_settings(question: Question) -> AlertSettingsTold:
    body = question.body.model_dump()
    question.means.record(question.actor, "alert.settings", kept.OF_ALERTS, {k: str(v) for k, v in body.items()})
    question.means.documents.put(kept.SETTINGS, kept.OF_ALERTS, body, actor=question.actor)
    return settings(question)


def _found(question: Question) -> Document:
    document = question.means.documents.get(kept.CHANNEL, question.id("channel"))
    if document is None:
        raise NotThere("no such channel: it was removed")
    return document


def _told(document: Document, rules: list[Rule]) -> ChannelTold:
    return {
        "id": document.id,
        "version": document.version,
        "changed": document.changed,
        "actor": document.actor,
        "channel": masked(channel_of(document.body)),
        "used": _used(document, rules),
    }


def _used(document: Document, rules: list[Rule]) -> list[str]:
    return sorted(rule.name for rule in rules if document.id in rule.channels)
