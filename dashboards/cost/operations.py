"""Operations of the API: cost, models without a price, the outlook, budgets."""

from typing import Any, get_args

from typing_extensions import TypedDict

from ..api.operation import BadQuestion, NotThere, Operation, Parameter, Question
from ..documents import Document
from .budgets import KIND, Budget, BudgetState, budget_state
from .cost import Cost, cost
from .measures import DIMENSIONS
from .outlook import Outlook, outlook
from .periods import Period
from .unpriced import UnpricedModels, unpriced

MOST_BUDGETS = 50
LONGEST_ID = 100


class BudgetBody(Budget):
    """`version`: only over this one (0: only if there is none), so that two people do not undo each other's work."""

    version: int | None = None


class KeptBudget(TypedDict):
    """`changed` in milliseconds."""

    id: str
    version: int
    changed: int
    actor: str
    name: str
    scope: dict[str, list[str]]
    amount_usd: float
    period: str
    state: BudgetState


class Budgets(TypedDict):
    budgets: list[KeptBudget]


class Removed(TypedDict):
    removed: bool


def _dimension(question: Question, name: str, default: str) -> str:
    value = question.get(name, default)
    if value not in (*DIMENSIONS, ""):
        raise BadQuestion(f"{name}={value!r} is unknown: take one of {', '.join(DIMENSIONS)}")
    return value


def _cost(question: Question) -> Cost:
    by, across = _dimension(question, "by", "model") or "model", _dimension(question, "across", "")
    return cost(question.means.ask, question.view(), question.now, by, "" if across == by else across)


def _unpriced(question: Question) -> UnpricedModels:
    return unpriced(question.means.ask, question.view())


def _outlook(question: Question) -> Outlook:
    kind = question.get("period", "month")
    for known in get_args(Period):
        if kind == known:
            return outlook(question.means.ask, question.view(), known, question.now)
    raise BadQuestion(f"period={kind!r} is unknown: take day, week or month")


def _budgets(question: Question) -> Budgets:
    kept = question.means.documents.all(KIND)[:MOST_BUDGETS]
    return {"budgets": [_shown(question, document) for document in kept]}


def _keep(question: Question) -> KeptBudget:
    id_ = _id(question)
    body: dict[str, Any] = question.body.model_dump(exclude={"version"})
    documents = question.means.documents
    if documents.get(KIND, id_) is None and len(documents.all(KIND)) >= MOST_BUDGETS:
        raise BadQuestion(f"there are {MOST_BUDGETS} budgets; remove one first")
    question.means.record(question.actor, "budget.put", id_, {"amount_usd": f"{body['amount_usd']:g}"})
    kept = documents.put(KIND, id_, body, actor=question.actor, version=question.body.version)
    return _shown(question, kept)


def _remove(question: Question) -> Removed:
    id_ = _id(question)
    if question.means.documents.get(KIND, id_) is None:
        raise NotThere(f"there is no budget {id_!r}")
    question.means.record(question.actor, "budget.remove", id_, {})
    return {"removed": question.means.documents.remove(KIND, id_)}


def _id(question: Question) -> str:
    id_ = question.id("budget")
    if len(id_) > LONGEST_ID:
        raise BadQuestion(f"the name of a budget has at most {LONGEST_ID} characters")
    return id_


def _shown(question: Question, document: Document) -> KeptBudget:
    budget = Budget.model_validate(dict(document.body))
    shown: Any = {
        "id": document.id,
        "version": document.version,
        "changed": document.changed,
        "actor": document.actor,
        **budget.model_dump(),
        "state": budget_state(question.means.ask, document.body, question.now),
    }
    kept: KeptBudget = shown
    return kept


_BY = {"enum": list(DIMENSIONS)}
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET", "/api/cost", "What the calls of a view cost, by whom, and why that changed", _cost, Cost, view=True,
        takes=(Parameter("by", "Rows", _BY), Parameter("across", "Columns; none unless given", _BY)),
    ),
    Operation("GET", "/api/cost/unpriced", "Models without a price", _unpriced, UnpricedModels, view=True),
    Operation(
        "GET", "/api/cost/outlook", "Cost of the running period, and at its end; the range is not used", _outlook,
        Outlook, view=True, takes=(Parameter("period", "In UTC", {"enum": list(get_args(Period))}),),
    ),
    Operation("GET", "/api/cost/budgets", "Every budget and how it stands", _budgets, Budgets),
    Operation(
        "PUT", "/api/cost/budgets/{budget}", "Make or change a budget", _keep, KeptBudget, body=BudgetBody,
        needs="configure",
    ),
    Operation("DELETE", "/api/cost/budgets/{budget}", "Remove a budget", _remove, Removed, needs="configure"),
)  # fmt: skip
