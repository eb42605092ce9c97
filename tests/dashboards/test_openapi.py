"""The API keeps to its document: valid OpenAPI, every answer in the shape it names, every wrong question refused.

Operations of every page are covered as soon as they are in `routes.OPERATIONS`.
"""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import BaseSchema
from starlette.applications import Starlette
from starlette.testclient import TestClient

from spanward.collector.roles import EVERYTHING, ROLES
from spanward.collector.store import Store
from spanward.dashboards.api.document import PATH_PARTS, document, path
from spanward.dashboards.api.operation import Operation
from spanward.dashboards.api.routes import OPERATIONS
from spanward.dashboards.conditions import GUARD_ROLLED, HOURLY, ROLLED
from spanward.dashboards.failures.source import OF_FAILURE
from spanward.dashboards.failures.source import ROLLED as FAILURES_ROLLED
from spanward.dashboards.guard_columns import GUARD_COLUMNS
from spanward.dashboards.saved import kept as saved
from spanward.dashboards.verdicts import reviews
from spanward.dashboards.view import FILTERS, NUMBERS, SEARCHED_IN
from spanward.tracer import semconv

from .conftest import NOW
from .desk import POLICY, desk_app
from .serving import app_of, nobody_but
from .traffic import Call, put, report

EXAMPLES = {GenerationMode.POSITIVE: 20, GenerationMode.NEGATIVE: 10}
MINUTE = 60_000
EXCLUDED = (
    "positive_data_acceptance",  # a range may be well-formed and empty, a cursor of another list
    "unsupported_method", "missing_required_header", "ignored_auth", "use_after_free",
    "ensure_resource_availability", "object_level_authorization",
)  # fmt: skip

ENDLESS = "text/event-stream"
RETENTION = "/api/retention"
COMPARE = "/api/compare"
"""Does not search content, of which only the newest calls would be found: it says so."""
TABLES = (GUARD_ROLLED, ROLLED, HOURLY, frozenset(GUARD_COLUMNS), OF_FAILURE, FAILURES_ROLLED)
"""By which conditions it is told which tables answer."""

load_all_checks()
CHOSEN = [check for check in CHECKS.get_all() if check.__name__ not in EXCLUDED]
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")


def calls() -> list[Call]:
    guard = {semconv.GUARDRAIL_VERDICT: "deny", semconv.GUARDRAIL_ACTION: "block", semconv.GUARDRAIL_RULE: "no-keys"}
    blocked = {semconv.GUARD_VERDICT: "deny", semconv.GUARD_ACTION: "block", semconv.TAGS: ["a", "b"]}
    of_ann = {semconv.USER_ID: "ann", semconv.CONVERSATION: "s1", semconv.PROMPT_NAME: "p", semconv.PROMPT_VERSION: "2"}
    return [
        *(Call(NOW - n * 47 * MINUTE, trace=n, span=n, ttft_ms=5.0 * n, attributes=of_ann) for n in range(1, 40)),
        Call(NOW - MINUTE, trace=50, span=50, error="RateLimitError", message="slow", cost=None, tokens=(0, 0)),
        Call(NOW - 2 * MINUTE, trace=51, span=51, cost=None, attributes=blocked, guards=[guard, {}]),
    ]


@pytest.fixture(scope="module")
def app(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> Starlette:
    folder = tmp_path_factory.mktemp("spans")
    put(shelf, folder, calls())
    report(shelf, folder, NOW - MINUTE, "dropped", "full", 3)
    return app_of(shelf, clock=lambda: NOW / 1000)


@pytest.fixture(scope="module")
def schema(app: Starlette) -> BaseSchema:
    return schemathesis.openapi.from_asgi("/api/openapi.json", app)


def test_the_document_is_valid_openapi(app: Starlette) -> None:
    told = TestClient(app).get("/api/openapi.json").json()
    names = [operation["operationId"] for path in told["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)
    for name, one in told["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(one)
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
    for address, methods in told["paths"].items():
        for operation in methods.values():
            given_ = [(one["in"], one["name"]) for one in operation["parameters"]]
            assert len(set(given_)) == len(given_)
            assert {n for place, n in given_ if place == "path"} == set(re.findall(r"{(\w+)}", address))
    refs = set(re.findall(r"#/components/schemas/([^\"]+)", TestClient(app).get("/api/openapi.json").text))
    assert refs <= set(told["components"]["schemas"])


def left_out(operation: Operation, mode: GenerationMode) -> str:
    """Why an operation cannot be asked in this way; empty if it can."""
    if ENDLESS in operation.media_types:
        return "the answer has no end; test_tail reads it"
    bound = any(name in PATH_PARTS for name in re.findall(r"{(\w+)}", path(operation)))
    if mode is GenerationMode.NEGATIVE and not (operation.takes or operation.body or operation.view or bound):
        return "takes nothing that could be wrong: no query, no body, and any text is a name"
    return ""


def asked(operation: Operation, mode: GenerationMode) -> Any:
    why = left_out(operation, mode)
    marks = [pytest.mark.skip(reason=why)] if why else []
    return pytest.param(operation, mode, id=f"{operation.method} {operation.path} {mode.value}", marks=marks)


def keeps_to(schema: BaseSchema, operation: Operation, mode: GenerationMode) -> None:
    described = schema[path(operation)][operation.method]
    cases = described.as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES[mode], derandomize=True, deadline=None, database=None,
        phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases, stored=st.sampled_from([0, 1, 50, 51]))
    def ask(case: Any, stored: int) -> None:
        if stored and mode is GenerationMode.POSITIVE and {"trace", "span"} <= set(case.path_parameters or ()):
            case.path_parameters |= {"trace": f"{stored:032x}", "span": f"{stored:016x}"}
        case.call_and_validate(checks=CHOSEN)

    ask()


@pytest.mark.parametrize(("operation", "mode"), [asked(one, mode) for one in OPERATIONS for mode in GenerationMode])
def test_answers_are_as_the_document_says(schema: BaseSchema, operation: Operation, mode: GenerationMode) -> None:
    keeps_to(schema, operation, mode)


@pytest.mark.parametrize("mode", GenerationMode)
def test_what_the_sidecar_adds_keeps_to_the_document(shelf: Store, tmp_path: Path, mode: GenerationMode) -> None:
    """Retention is left alone: fewer days would take the rows of the other tests."""
    policy = tmp_path / "shop.yaml"
    policy.write_text(POLICY)
    with desk_app(shelf, tmp_path, policy, [], clock=lambda: NOW / 1000) as (app, _, also):
        schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)
        for operation in also:
            if not left_out(operation, mode) and (operation.method, operation.path) != ("PUT", RETENTION):
                keeps_to(schema, operation, mode)


def conditions(operation: Operation) -> list[list[tuple[str, str]]]:
    """All that a view can have; together those of which the same tables know."""
    kinds: dict[Any, list[tuple[str, str]]] = {}
    for name in FILTERS:
        kind = tuple(name in known for known in TABLES), name if name in ("tag", "guard", "priced") else ""
        kinds.setdefault(kind, []).extend([(name, "one"), (name, "another"), (f"{name}!", "third")])
    return [
        *kinds.values(),
        [(name, "1") for name in NUMBERS],
        *([("q", "text"), ("in", place)] for place in SEARCHED_IN if (operation.path, place) != (COMPARE, "content")),
    ]


@pytest.mark.parametrize("length", ["now-1h", "now-7d"])
@pytest.mark.parametrize(
    "operation",
    [one for one in OPERATIONS if one.view and ENDLESS not in one.media_types],
    ids=lambda one: f"{one.method} {one.path}",
)
def test_every_condition_of_a_view_is_answered(app: Starlette, operation: Operation, length: str) -> None:
    """Not only those that chance comes upon: a column that a table lacks is a failure of the store."""
    api = TestClient(app)
    address = re.sub(r"{(\w+)}", lambda name: {"trace": f"{1:032x}", "span": f"{1:016x}"}.get(name[1], "ann"),
                     path(operation))  # fmt: skip
    told = {
        str(condition): api.request(operation.method, address, params=[("from", length), *condition])
        for condition in conditions(operation)
    }
    assert {asked: answer.text for asked, answer in told.items() if answer.status_code not in (200, 404)} == {}


@each_operation
def test_what_needs_a_permission_is_refused_without_it(shelf: Store, operation: Operation) -> None:
    if ENDLESS in operation.media_types and not operation.needs:
        pytest.skip("the answer has no end; test_tail reads it")
    viewer = TestClient(app_of(shelf, clock=lambda: NOW / 1000, authorize=nobody_but(*ROLES["viewer"])))
    ids = {"trace": "0" * 32, "span": "0" * 16}
    address = re.sub(r"{(\w+)}", lambda name: ids.get(name[1], "x"), path(operation))
    answer = viewer.request(operation.method, address, content=b"{}")
    if operation.needs:
        assert operation.needs in EVERYTHING
        assert (answer.status_code, list(answer.json())) == (403, ["message"])
    else:
        assert answer.status_code != 403


@each_operation
def test_a_list_is_bounded(operation: Operation) -> None:
    """Whoever asks for a page of a list by `limit` is told its most, and pages go on by `cursor`."""
    taken = {one.name: one.schema for one in operation.takes}
    if "limit" in taken:
        assert taken["limit"].get("maximum", 10_000) <= 1000
    if "cursor" in taken:
        assert "limit" in taken


@each_operation
def test_every_operation_says_what_it_answers(operation: Operation) -> None:
    told = document([operation], "1")["paths"][path(operation)][operation.method.lower()]
    content = told["responses"]["200"]["content"]
    assert tuple(content) == operation.media_types
    for kind, one in content.items():
        shape = one["schema"]
        whole = any(shape.get(key) for key in ("properties", "items", "$ref", "additionalProperties"))
        assert whole if kind == "application/json" else shape == {"type": "string"}


def test_two_shapes_of_one_name_stay_apart() -> None:
    told = document(OPERATIONS, "1")
    schemas = told["components"]["schemas"]

    def answered(path_: str, method: str) -> set[str]:
        shape = told["paths"][path_][method]["responses"]["200"]["content"]["application/json"]["schema"]
        return set(schemas[shape["$ref"].rpartition("/")[2]]["properties"])

    assert answered("/api/saved/view/{id}", "put") == set(saved.Kept.__annotations__)
    assert answered("/api/guards/review", "post") == set(reviews.Kept.__annotations__)
    assert saved.Kept.__annotations__ != reviews.Kept.__annotations__
    assert document(reversed(OPERATIONS), "1")["components"] == told["components"]
