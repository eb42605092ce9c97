"""Drift as operations: how streams stand, one alarm, and accepting a change as the new normal."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from ..api.operation import NotThere, Operation, Parameter, Question
from . import alarm, standing
from .rounds import ACCEPTED, HOUR_MS, accepted_id, round_at


class Accept(BaseModel):
    """Why, in words for whoever looks at the audit log."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=500)


class Accepted(TypedDict):
    """From when on the stream's traffic is its normal, in milliseconds."""

    service: str
    stream: str
    since: int


def _streams(question: Question) -> Any:
    now = round_at(question.means.ask, question.now, question.means.documents)
    return standing.page(now, question.get("service"))


def _alarm(question: Question) -> Any:
    now = round_at(question.means.ask, question.now, question.means.documents)
    found = alarm.find(now, question.id("alarm"))
    if found is None:
        raise NotThere("no such alarm: it is more than two weeks old, or was accepted as the new normal")
    return alarm.page(question.means.ask, now, found, content=question.allowed("see_content"))


def _accept(question: Question) -> Any:
    means = question.means
    now = round_at(means.ask, question.now, means.documents)
    found = alarm.find(now, question.id("alarm"))
    if found is None:
        raise NotThere("no such alarm: it is more than two weeks old, or was accepted as the new normal")
    (service, stream), _, episode = found
    means.record(question.actor, "accept_drift", f"{service} {stream}", {"reason": question.body.reason})
    body = {"service": service, "stream": stream, "hour": episode.since}
    means.documents.put(ACCEPTED, accepted_id(stream, service), body, actor=question.actor)
    return {"service": service, "stream": stream, "since": episode.since * HOUR_MS}


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET", "/api/drift", "Every watched stream: learning, steady or drifting, and the alarms", _streams,
        answers=standing.Page, takes=(Parameter("service", "Only the streams of this service"),),
    ),
    Operation("GET", "/api/drift/{alarm}", "One alarm with its cause", _alarm, answers=alarm.AlarmPage),
    Operation(
        "POST", "/api/drift/{alarm}/accept", "Take a change as the new normal; the stream learns anew", _accept,
        answers=Accepted, body=Accept, needs="configure",
    ),
)  # fmt: skip
