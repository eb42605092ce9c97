"""Overview, calls, facets and health as operations."""

from typing import Any

from ..answers import CallList, CallPage, Facets, Health, Overview, Said
from ..call import call, said
from ..calls import MOST, SORTS, order, page
from ..facets import facets
from ..health import health
from ..overview import overview
from ..store_health import StoreHealth, store_health
from .operation import NotThere, Operation, Parameter, Question

SORT = Parameter(
    "sort",
    "What to sort by, with - before it for the largest first",
    {"enum": [f"{s}{k}" for k in SORTS for s in ("", "-")]},
)


def _overview(question: Question) -> dict[str, Any]:
    return overview(question.means.ask, question.view(), question.now)


def _calls(question: Question) -> dict[str, Any]:
    size = question.whole("limit", 100, most=MOST)
    by = order(question.get("sort"))
    return page(question.means.ask, question.view(), by, size=size, cursor=question.get("cursor"))


def _facets(question: Question) -> dict[str, Any]:
    return facets(question.means.ask, question.view())


def _call(question: Question) -> dict[str, Any]:
    by = order(question.get("sort"))
    found = call(question.means.ask, question.id("trace"), question.id("span"), question.view(), by)
    if found is None:
        raise NotThere("no such call: it was never stored, or its time to live is over")
    return found


def _said(question: Question) -> dict[str, Any]:
    return said(question.means.ask, question.id("trace"), question.id("span"))


def _health(question: Question) -> dict[str, Any]:
    return health(question.means.ask, question.means.sidecar, question.now)


def _store(question: Question) -> StoreHealth:
    return store_health(question.means.ask, question.now)


OPERATIONS = (
    Operation("GET", "/api/overview", "Totals, series, models and failures of a view", _overview, Overview, view=True),
    Operation(
        "GET", "/api/calls", "A page of the calls of a view", _calls, CallList, view=True,
        takes=(
            SORT, Parameter("cursor", "`next` of the page before"),
            Parameter("limit", "Calls on a page", {"type": "integer", "minimum": 1, "maximum": MOST}),
        ),
    ),
    Operation("GET", "/api/facets", "The values to narrow a view by", _facets, Facets, view=True, takes=(SORT,)),
    Operation("GET", "/api/calls/{trace}/{span}", "One call, all about it", _call, CallPage, view=True, takes=(SORT,)),
    Operation("GET", "/api/spans/{trace}/{span}/said", "What went into and came out of a span", _said, Said),
    Operation("GET", "/api/health", "Is the picture whole?", _health, Health),
    Operation("GET", "/api/health/store", "The store's size, who sends, and a week by the hour", _store, StoreHealth),
)  # fmt: skip
