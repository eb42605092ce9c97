"""Operations of the API: failures of a view, and one group of them."""

from ..api.operation import NotThere, Operation, Parameter, Question
from ..view import moment
from .answers import FailurePage, GroupPage
from .group import group
from .page import MOST, failures


def _failures(question: Question) -> FailurePage:
    most = question.whole("limit", 50, most=MOST)
    told = question.get("since")
    since = moment(told, question.now, "since") if told else None
    return failures(question.means.ask, question.view(), question.now, most=most, since=since)


def _group(question: Question) -> GroupPage:
    found = group(question.means.ask, question.view(), question.id("group"))
    if found is None:
        raise NotThere("no such group of failures: it was never seen, or its time to live is over")
    return found


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET", "/api/failures", "Failures of a view by kind and by group", _failures, answers=FailurePage, view=True,
        takes=(
            Parameter("limit", "Groups in the answer", {"type": "integer", "minimum": 1, "maximum": MOST}),
            Parameter("since", "Groups first seen from then on are new; as `from`, the range's start unless given"),
        ),
    ),
    Operation(
        "GET", "/api/failures/{group}", "One group of failures: where, since when, and what changed about then", _group,
        answers=GroupPage, view=True,
    ),
)  # fmt: skip
