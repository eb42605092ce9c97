"""Overview, calls, facets and health as operations."""

from typing import Any

from starlette.responses import Response

from ..answers import CallList, CallPage, Facets, Health, Overview, Said
from ..call import call, read, said
from ..call_columns import COLUMNS
from ..calls import MOST, page
from ..export import FORMS, export
from ..facets import facets
from ..health import health
from ..overview import overview
from ..said import hide_attributes
from ..sorting import SORTS, order
from ..store_health import StoreHealth, store_health
from ..tail import tail
from .operation import NotThere, Operation, Parameter, Question

SORT = Parameter(
    "sort",
    "What to sort by, with - before it for the largest first",
    {"enum": [f"{s}{k}" for k in SORTS for s in ("", "-")]},
)


def _overview(question: Question) -> dict[str, Any]:
    return overview(question.means.ask, question.view(), question.now)


def _calls(question: Question) -> dict[str, Any]:
    size = question.whole("limit", 50, most=MOST)
    by = order(question.get("sort"))
    listed = page(question.means.ask, question.view(), by, size=size, cursor=question.get("cursor"))
    return listed | {"hidden": question.hide_said(listed["calls"])}


def _facets(question: Question) -> dict[str, Any]:
    return facets(question.means.ask, question.view())


def _call(question: Question) -> dict[str, Any]:
    by = order(question.get("sort"))
    found = call(question.means.ask, question.id("trace"), question.id("span"), question.view(), by)
    if found is None:
        raise NotThere("no such call: it was never stored, or its time to live is over")
    hidden = question.hide_said([found["call"]])
    if hidden:
        hide_attributes(found["spans"])
    return found | {"hidden": hidden} | ({"content": None} if hidden else {})


def _said(question: Question) -> dict[str, Any]:
    found = said(question.means.ask, question.id("trace"), question.id("span"))
    hidden = not question.allowed("see_content")
    return found | {"hidden": hidden} | ({"content": None} if hidden else {})


def _read(question: Question) -> dict[str, Any]:
    return read(question.means.ask, question.id("trace"))


def _export(question: Question) -> Response:
    return export(question, order(question.get("sort")))


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
    Operation(
        "GET", "/api/calls/tail", "New calls of a view as they are stored, as server-sent events", tail, str,
        view=True, media_types=("text/event-stream",),
    ),
    Operation(
        "GET", "/api/calls/export", "The calls of a view as a file; X-Spanward-Cut says whether all of them", _export,
        str, view=True, media_types=tuple(form.media_type for form in FORMS.values()),
        takes=(
            SORT, Parameter("format", "What kind of file", {"enum": [*FORMS]}),
            Parameter("columns", f"Some of {', '.join(COLUMNS)}, with commas between"),
        ),
    ),
    Operation("GET", "/api/facets", "The values to narrow a view by", _facets, Facets, view=True, takes=(SORT,)),
    Operation("GET", "/api/calls/{trace}/{span}", "One call, all about it", _call, CallPage, view=True, takes=(SORT,)),
    Operation("GET", "/api/spans/{trace}/{span}/said", "What went into and came out of a span", _said, Said),
    Operation("GET", "/api/traces/{trace}/said", "All that was said in a trace, in order", _read, needs="see_content"),
    Operation("GET", "/api/health", "Is the picture whole?", _health, Health),
    Operation("GET", "/api/health/store", "The store's size, who sends, and a week by the hour", _store, StoreHealth),
)  # fmt: skip
