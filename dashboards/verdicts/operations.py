"""Guards as operations of the API: what they did, what to label, and what people said."""

from typing import Any

from typing_extensions import TypedDict

from ..api.operation import Operation, Question
from ..call import said
from .queue import Queue, queue
from .reviews import Kept, Known, Missed, Review, known, put, put_missed
from .topics import Topics, topics
from .verdicts import Verdicts, verdicts


class KnownAnswer(TypedDict):
    found: list[Known]


def _verdicts(question: Question) -> Verdicts:
    degraded = question.means.sidecar().get("degraded") or []
    return verdicts(question.means.ask, question.view(), question.now, [str(each) for each in degraded])


def _queue(question: Question) -> Queue:
    return queue(question.means.ask, question.view())


def _said(question: Question) -> dict[str, Any]:
    return said(question.means.ask, question.id("trace"), question.id("span"))


def _known(question: Question) -> KnownAnswer:
    return {"found": known(question)}


OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", "/api/guards", "What the guards did in a view", _verdicts, answers=Verdicts, view=True),
    Operation(
        "GET", "/api/guards/review", "Findings to label next", _queue, answers=Queue, view=True, needs="review"
    ),
    Operation(
        "GET", "/api/guards/review/{trace}/{span}", "What was said where something was found", _said,
        needs="see_content",
    ),
    Operation("POST", "/api/guards/review", "Label a finding", put, answers=Kept, body=Review, needs="review"),
    Operation(
        "POST", "/api/guards/missed", "Say what guards missed in a call", put_missed, answers=Kept, body=Missed,
        needs="review",
    ),
    Operation("GET", "/api/guards/known", "Rules and labels that found something", _known, answers=KnownAnswer),
    Operation("GET", "/api/traits/topics", "What texts are about, by app", topics, answers=Topics),
)  # fmt: skip
