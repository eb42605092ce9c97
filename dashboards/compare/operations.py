"""Operations of the API: two sets of calls side by side, and what they can be made of."""

from ..api.operation import Operation, Question
from .answers import Choices, Comparison
from .choices import choices
from .comparison import compare
from .sides import TAKES, sides


def _compare(question: Question) -> Comparison:
    two = sides(question.request.query_params.multi_items(), question.now)
    question.may_search(two.a, two.b)
    return compare(question.means.ask, two)


def _choices(question: Question) -> Choices:
    return choices(question.means.ask, question.view())


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET", "/api/compare", "Two sets of calls side by side, with how sure one can be", _compare,
        answers=Comparison, takes=TAKES, view=True,
    ),
    Operation("GET", "/api/compare/choices", "What sides can be made of", _choices, answers=Choices, view=True),
)  # fmt: skip
