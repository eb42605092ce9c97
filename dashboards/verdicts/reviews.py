"""Labels that people give: on a finding, right or wrong, and on a call, what was missed."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from ..api.operation import NotThere, Question

Id = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
SpanId = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
Name = Annotated[str, Field(max_length=200)]
Note = Annotated[str, Field(max_length=2000)]


class Review(BaseModel):
    """A word on one finding; `none` takes one's own back."""

    model_config = ConfigDict(extra="forbid")

    trace_id: Id
    span_id: SpanId
    rule: Name
    detector: Name = ""
    label: Name
    stage: Name
    verdict: Literal["right", "wrong", "unsure", "none"]
    note: Note = ""


class Missed(BaseModel):
    """What guards should have found in a call and did not; `none` takes one's own back."""

    model_config = ConfigDict(extra="forbid")

    trace_id: Id
    span_id: SpanId
    rule: Name = ""
    label: Annotated[str, Field(min_length=1, max_length=200)]
    stage: Literal["", "input", "output", "tool_call", "tool_result", "retrieval"] = ""
    verdict: Literal["missed", "none"] = "missed"
    note: Note = ""


class Kept(TypedDict):
    """What is stored now. `us` in microseconds since 1970."""

    verdict: str
    actor: str
    us: int


_FINDING = """SELECT toString(tenant) AS tenant, ts AS call_ts, toString(service) AS service, toString(env) AS env,
       toFloat64(score) AS score
FROM guard_events WHERE trace_id = {trace:String} AND span_id = {span:String} AND rule = {rule:String}
  AND detector = {detector:String} AND label = {label:String} AND stage = {stage:String} LIMIT 1"""
_CALL = """SELECT toString(tenant) AS tenant, ts AS call_ts, toString(service) AS service, toString(env) AS env
FROM llm_calls WHERE trace_id = {trace:String} AND span_id = {span:String} LIMIT 1"""
_OWN = """SELECT toUnixTimestamp64Micro(max(ts)) FROM reviews
WHERE trace_id = {trace:String} AND span_id = {span:String} AND actor = {actor:String}"""


def put(question: Question) -> Kept:
    """Raises `NotThere` for a finding that no rule made."""
    review: Review = question.body
    key = review.model_dump(include={"rule", "detector", "label", "stage"})
    return _put(question, review, key, _FINDING, "no such finding: its time to live is over, or it never was")


def put_missed(question: Question) -> Kept:
    missed: Missed = question.body
    key = missed.model_dump(include={"rule", "label", "stage"}) | {"detector": ""}
    return _put(question, missed, key, _CALL, "no such call: it was never stored, or its time to live is over")


def _put(question: Question, said: Review | Missed, key: dict[str, Any], sql: str, absent: str) -> Kept:
    ask = question.means.ask
    ids = {"trace": said.trace_id, "span": said.span_id}
    about = ask(sql, ids | key).records()
    if not about:
        raise NotThere(absent)
    last = ask(_OWN, ids | {"actor": question.actor}).rows[0][0]
    us = max(question.now * 1000, last + 1)  # of two words in one tick, the later one counts
    row = {
        **about[0], **key, "score": about[0].get("score", 0.0), "actor": question.actor,
        "ts": datetime.fromtimestamp(us / 1e6, UTC), "trace_id": said.trace_id, "span_id": said.span_id,
        "verdict": said.verdict, "note": said.note,
    }  # fmt: skip
    question.means.insert("reviews", [row])
    return {"verdict": said.verdict, "actor": question.actor, "us": us}


class Known(TypedDict):
    rule: str
    label: str


_KNOWN = """SELECT toString(rule) AS rule, toString(label) AS label FROM guard_1h
WHERE t >= fromUnixTimestamp64Milli({since:Int64}) AND label != ''
GROUP BY rule, label ORDER BY rule, label LIMIT 500"""
_DAYS_90 = 90 * 86_400_000


def known(question: Question) -> list[Known]:
    """What rules found in the last 90 days: what can be said to have been missed, without writing names by hand."""
    return question.means.ask(_KNOWN, {"since": question.now - _DAYS_90}).records()  # type: ignore[return-value]
