"""Events are found by what their calls are, whether they know their call or not: as if each call were looked up."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards import conditions, events
from spanward.dashboards.verdicts import source
from spanward.dashboards.view import View, read
from spanward.tracer import semconv

from .conftest import NOW, api_of
from .traffic import Call, put

MINUTE = 60_000
KINDS: tuple[dict[str, Any], ...] = (
    {},
    {semconv.GUARD_VERDICT: "modify", semconv.GUARD_ACTION: "modify"},
    {semconv.GUARD_VERDICT: "deny", semconv.GUARD_ACTION: "block"},
    {semconv.GUARD_VERDICT: "none", semconv.GUARD_ACTION: "none"},
    {semconv.GUARD_VERDICT: "fail_open"},
    {semconv.GUARD_VERDICT: "warn", semconv.GUARD_ACTION: "allow"},
)
SHADOW = {semconv.GUARDRAIL_MODE: "shadow", semconv.GUARDRAIL_RULE: "no-keys", semconv.GUARDRAIL_VERDICT: "deny"}
NOTHING = {semconv.GUARDRAIL_VERDICT: "allow", semconv.GUARDRAIL_ACTION: "allow"}
OF_NO_MODEL = {semconv.OPERATION: "execute_tool"}

GUARDS: tuple[list[dict[str, Any]], ...] = ([{}], [SHADOW], [{}, SHADOW], [NOTHING], [])


def calls() -> list[Call]:
    """In each every few differ; the newest are of the last minutes, the oldest lie before most views."""
    return [
        Call(
            NOW - n * 7 * MINUTE - n, model="abc"[n % 3], provider=("openai", "anthropic")[n % 2], env="pq"[n % 5 > 0],
            service="xy"[n % 4 > 0], error="Timeout" if n % 6 == 0 else "", trace=10_000 + n, span=20_000 + n,
            guards=GUARDS[n % 5],
            attributes={
                semconv.PROMPT_NAME: ("answer", "title")[n % 7 % 2], semconv.PROMPT_VERSION: str(n % 3),
                semconv.USER_ID: f"u{n % 8}", semconv.USER_GROUP: ("free", "pro", "")[n % 9 % 3],
                semconv.CONVERSATION: f"s{n % 11}", semconv.FINISH_REASONS: [("stop", "length")[n % 2]],
                semconv.TAGS: (["web"], ["web", "beta"], [])[n % 10 % 3],
            } | KINDS[n % 13 % 6] | (OF_NO_MODEL if n % 17 == 0 else {}),
        )
        for n in range(300)
    ]  # fmt: skip


STORED: dict[str, Callable[[int], bool]] = {
    "all know": lambda n: True,
    "some know": lambda n: n % 3 > 0,
    "old ones do not": lambda n: n < 100,
    "none knows": lambda n: False,
}


@pytest.fixture(scope="module", params=[*STORED])
def kept(engine: Store, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Any:
    store = engine.beside("events_" + request.param.replace(" ", "_"))
    store.migrate()
    knows = STORED[request.param]
    folder: Path = tmp_path_factory.mktemp("events")
    told = [(call, knows(n)) for n, call in enumerate(calls())]
    for know in (True, False):
        put(store, folder, [call for call, knowing in told if knowing is know], told=know)
    yield store
    store.drop()
    store.close()


VIEWS = [
    "model=a", "model!=a", "model=a&model=b", "provider=openai", "operation=chat", "operation=execute_tool",
    "operation!=embeddings", "status=error", "status=blocked", "status!=ok", "error_type=Timeout", "finish_reason=stop",
    "finish_reason=length", "prompt=answer", "prompt=answer&prompt_version=2", "prompt_version!=1", "user_group=pro",
    "user_group=", "user=u3", "user!=u3", "session=s5", "tag=beta", "tag=web", "tag!=beta", "tag=web&tag!=beta",
    "guard=blocked", "guard=modified", "guard=flagged", "guard=shadow", "guard=clean", "guard!=clean",
    "guard=unguarded", "guard=failed_open&guard=shadow", "guard_verdict=modify", "guard_action=block", "service=x",
    "service=x&model=b", "env=p&user_group=pro&model!=c", "rule=no-keys&model=a", "rule!=no-keys&model=a",
    f"trace={10_006:032x}", "min_latency=1&model=a", "q=hello&model=a", "priced=yes&status=ok", "failure=timeout",
]  # fmt: skip


@pytest.mark.parametrize("asked", VIEWS)
def test_an_event_is_there_if_its_call_is(kept: Store, asked: str) -> None:
    view = replace(read([tuple(pair.split("=", 1)) for pair in asked.split("&")], NOW), start=NOW - 20 * 60 * MINUTE)  # type: ignore[misc]
    plain = conditions.of_any_time(view)
    looked_up = f"(trace_id, span_id) IN (SELECT trace_id, span_id FROM llm_calls WHERE {plain.sql})"
    if view.named <= conditions.GUARD_ROLLED:
        looked_up = plain.sql
    expected = spans(kept, f"{conditions.IN_RANGE} AND {looked_up}", plain.parameters)
    for found in (events.of_calls(view), events.asked(kept.ask, view)):
        assert spans(kept, found.sql, found.parameters) == expected
    assert bool(expected) != (asked in NOBODYS)


NOBODYS = {"operation=execute_tool"}
"""Calls of tools are no calls to a model, and in no list."""


def spans(store: Store, where: str, parameters: dict[str, Any]) -> list[tuple[str, ...]]:
    return sorted(store.ask(f"SELECT guard_span_id, rule FROM guard_events WHERE {where}", parameters).rows)


@pytest.mark.parametrize("asked", ["", *VIEWS])
@pytest.mark.parametrize("hours", [3, 30])
def test_calls_are_counted_the_same_from_rollups_and_one_by_one(kept: Store, asked: str, hours: int) -> None:
    pairs = [tuple(pair.split("=", 1)) for pair in asked.split("&") if pair]
    view = replace(read(pairs, NOW), start=NOW - hours * 60 * MINUTE - 123)  # type: ignore[arg-type]
    assert counted(kept, view, source.HOUR_S) == counted(kept, view, 900)


def counted(store: Store, view: View, step: int) -> tuple[Any, ...]:
    told = source.calls(view, step)
    sums = ", ".join(f"sum(s.{name})" for name in source.SUMS)
    sql = f"SELECT service, env, {sums}, sumMap(s.lat_hist) FROM ({told.sql}) AS s GROUP BY service, env ORDER BY 1, 2"
    return store.ask(sql, told.parameters).rows


def test_pages_say_the_same_whether_events_know_their_calls(engine: Store, tmp_path: Path) -> None:
    """Also of a call that began before the view, and of events much later than their call."""
    answers = []
    for know in (True, False):
        store = engine.beside(f"pages_{know}".lower())
        store.migrate()
        put(store, tmp_path, calls(), told=know)
        api = api_of(store)
        answers.append([page(api, asked) for asked in PAGES])
        store.drop()
        store.close()
    assert answers[0] == answers[1]


PAGES = [
    f"/api/{path}{'&' if '?' in path else '?'}from={NOW - 9 * 60 * MINUTE}&to={NOW}"
    for path in (
        "overview?model=a", "overview?tag=beta", "overview?guard=shadow", "overview?user_group=pro&prompt=answer",
        "guards?model=a", "guards?model=b&rule=no-keys", "guards?tag=web", "guards?user=u3", "guards?min_latency=1",
        "guards/review?model=a", "users/u3",
    )
]  # fmt: skip


def page(api: TestClient, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_name_of_a_rule_comes_back_as_it_was(store: Store, tmp_path: Path) -> None:
    rules = ["it's", 'a "quoted" one', "back\\slash", "tab\tand\nline", "(1,'2')", "ünï", ""]
    guards = [{semconv.GUARDRAIL_RULE: rule, semconv.GUARDRAIL_CATEGORY: rule} for rule in rules]
    put(store, tmp_path, [Call(NOW - 5 * MINUTE, guards=guards)])
    told = page(api_of(store), f"/api/guards?from={NOW - 60 * MINUTE}&to={NOW}")
    assert sorted(rule["name"] for rule in told["rules"]) == sorted(rules)
    assert {rule["name"]: rule["labels"] for rule in told["rules"]} == {rule: [rule] if rule else [] for rule in rules}
