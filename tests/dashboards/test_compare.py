"""Two sides: a planted difference is found, none is found between equal halves, and what else differs is told."""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards.compare.alike import Amount
from spanward.dashboards.compare.comparison import compared, verdict
from spanward.dashboards.compare.confounding import Apart, apart
from spanward.dashboards.compare.difference import benjamini_hochberg
from spanward.dashboards.compare.measured import AMOUNTS, COUNTED, Side
from spanward.tracer import semconv

from .conftest import NOW, api_of
from .serving import app_of, nobody_but
from .traffic import Call, put

MINUTE = 60_000
EACH = 400
JSON = {"gen_ai.request.response_format": "json_schema"}


def calls(model: str, dice: random.Random, *, slow: float, failing: float, service: str = "shop") -> Iterator[Call]:
    """One every few minutes; the sides differ in what is given and in nothing else."""
    for n in range(EACH):
        failed = dice.random() < failing
        said: dict[str, Any] = JSON | {semconv.FINISH_REASONS: ["length" if n % 50 == 0 else "stop"]}
        said |= {semconv.USER_GROUP: dice.choice(("paid", "free"))}
        yield Call(
            NOW - 3 * MINUTE * (n + 1), model, "openai", slow * dice.lognormvariate(6, 0.3),
            80 * dice.lognormvariate(0, 0.3), (dice.randrange(100, 200), dice.randrange(20, 40)), 0.01 * dice.random(),
            service=service, answered='{"a": 1}',
            error="InternalServerError" if failed else "", message="HTTP 500" if failed else "", attributes=said,
        )  # fmt: skip


@pytest.fixture(scope="module")
def api(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    dice = random.Random(2)
    folder = tmp_path_factory.mktemp("sides")
    put(shelf, folder, calls("one", dice, slow=1, failing=0.02))
    put(shelf, folder, calls("two", dice, slow=1.5, failing=0.15))
    put(shelf, folder, calls("like-one", dice, slow=1, failing=0.02))
    put(shelf, folder, calls("elsewhere", dice, slow=1, failing=0.02, service="billing-bot"))
    return api_of(shelf)


def ask(api: TestClient, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows(answer: Any) -> dict[str, Any]:
    return {row["key"]: row for row in answer["rows"]}


def test_a_planted_difference_is_found_and_nothing_else(api: TestClient) -> None:
    answer = ask(api, "/api/compare?from=now-24h&a.model=one&b.model=two")
    assert (answer["a"]["calls"], answer["b"]["calls"], answer["overlap"], answer["warnings"]) == (EACH, EACH, 0, [])
    found = rows(answer)
    told = {key: row["verdict"] for key, row in found.items() if row["verdict"] not in ("same", "few")}
    assert told == {"failed": "more", "provider_error": "more", "latency_p50": "more", "latency_p95": "more"}
    middle = found["latency_p50"]
    assert middle["low"] < 0.5 * np.exp(6) < middle["high"]
    assert middle["difference"] == pytest.approx(middle["b"]["value"] - middle["a"]["value"])
    failed = found["failed"]
    counted = ask(api, "/api/calls?from=now-24h&model=two&failure!=")["total"]
    assert (failed["b"]["value"], failed["filters"]) == (counted / EACH, {"failure!": ""})
    assert found["json_valid"]["a"]["value"] == 1.0


def test_two_alike_show_no_difference(api: TestClient) -> None:
    found = rows(ask(api, "/api/compare?from=now-24h&a.model=one&b.model=like-one"))
    assert {key for key, row in found.items() if row["verdict"] in ("more", "less")} == set()


def test_another_application_is_told_where_models_were_chosen(api: TestClient) -> None:
    (warned,) = ask(api, "/api/compare?from=now-24h&a.model=one&b.model=elsewhere")["warnings"]
    assert (warned["dimension"], warned["distance"]) == ("service", 1.0)
    assert {warned["share_a"], warned["share_b"]} == {0.0, 1.0}
    by_service = ask(api, "/api/compare?from=now-24h&a.service=shop&b.service=billing-bot")["warnings"]
    assert [warning["dimension"] for warning in by_service] == ["model"]


def test_two_windows_and_what_is_said_for_both(api: TestClient) -> None:
    answer = ask(api, "/api/compare?model=one&a.from=now-10h&a.to=now-5h&b.from=now-5h")
    assert (answer["a"]["calls"], answer["b"]["calls"]) == (100, 100)
    assert answer["overlap"] == 0
    assert "day" not in {warning["dimension"] for warning in answer["warnings"]}


def test_calls_on_both_sides_are_counted(api: TestClient) -> None:
    assert ask(api, "/api/compare?from=now-24h&a.model=one&b.model=one&b.model=two")["overlap"] == EACH


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("a.modle=x", "side A: unknown filter 'modle'"),
        ("b.from=now&b.to=now-1h", "side B: the range is empty"),
        ("c.model=x", "unknown filter"),
    ],
)
def test_what_cannot_be_read_says_on_which_side(api: TestClient, query: str, message: str) -> None:
    answer = api.get(f"/api/compare?{query}")
    assert answer.status_code == 400
    assert message in answer.json()["message"]


def test_a_side_without_calls_says_nothing(api: TestClient) -> None:
    answer = ask(api, "/api/compare?from=now-24h&a.model=one&b.model=nobody")
    assert {row["verdict"] for row in answer["rows"]} == {"few"}


def test_choices_are_the_busiest(api: TestClient) -> None:
    found = ask(api, "/api/compare/choices?from=now-24h")
    assert {one["value"] for one in found["model"]} == {"one", "two", "like-one", "elsewhere"}
    assert found["service"][0] == {"value": "shop", "version": "", "calls": 3 * EACH}


@pytest.mark.parametrize("both", ["", "&env=prod", "&provider!=openai"])
def test_choices_are_the_same_call_by_call(api: TestClient, both: str) -> None:
    span = f"from={NOW - 17 * 60 * MINUTE - 5}&to={NOW - 61 * MINUTE}{both}"
    rolled, counted = (ask(api, f"/api/compare/choices?{span}{more}") for more in ("", "&min_latency=0"))
    for of in ("model", "service", "user_group", "tag"):
        assert rolled[of] == counted[of]
    assert bool(rolled["model"]) is (both != "&provider!=openai")


def half(pool: dict[str, np.ndarray], chosen: np.ndarray) -> Side:
    """A side as it would be measured of these calls."""
    of = int(chosen.sum())
    counts = dict.fromkeys(COUNTED, 0) | {"all": of, "text": of}
    for name in ("failed", "json_asked", "json_valid", "tool", "guard:blocked", "guard:modified"):
        counts[name] = int(pool[name][chosen].sum())
    counts["failure:timeout"] = counts["failed"]
    counts["failure:refusal"] = int(pool["refusal"][chosen].sum())
    amounts = {}
    for name in AMOUNTS:
        values = pool[name][chosen]
        amounts[name] = Amount(of, float(values.mean()), float(values.var(ddof=1)))
    reasons = {"stop": int(pool["stop"][chosen].sum()), "length": int((~pool["stop"][chosen]).sum())}
    latency, ttft = np.sort(pool["latency"][chosen]), np.sort(pool["ttft"][chosen])
    return Side(of, 1, counts, amounts, reasons, latency, ttft, 1, {})


def alarms(calls_of_both: int, splits: int) -> float:
    """Share of comparisons of two random halves of the same calls that show any difference."""
    dice = np.random.default_rng(calls_of_both)
    n, alarmed = calls_of_both, 0
    for _ in range(splits):
        asked = dice.random(n) < 0.5
        pool = {
            "failed": dice.random(n) < 0.03, "refusal": dice.random(n) < 0.01, "json_asked": asked,
            "json_valid": asked & (dice.random(n) < 0.95), "tool": dice.random(n) < 0.2, "stop": dice.random(n) < 0.97,
            "guard:blocked": dice.random(n) < 0.01, "guard:modified": dice.random(n) < 0.3,
            "latency": dice.lognormal(6, 0.7, n), "ttft": dice.lognormal(4, 0.5, n), "cost": dice.lognormal(-5, 1, n),
            "input": dice.lognormal(6, 0.8, n), "output": dice.lognormal(4, 0.8, n),
        }  # fmt: skip
        side = dice.random(n) < 0.5
        found = list(compared(half(pool, side), half(pool, ~side)))
        adjusted = benjamini_hochberg([row.difference.p for row in found])
        alarmed += any(verdict(p, row.difference) in ("more", "less") for p, row in zip(adjusted, found, strict=True))
    return alarmed / splits


@pytest.mark.parametrize("calls_of_both", [200, 1000, 8000])
def test_equal_halves_are_told_apart_in_at_most_one_of_twenty(calls_of_both: int) -> None:
    """Any row of about twenty counts. Measured: see docs/dashboards/compare.md."""
    share = alarms(calls_of_both, 400)
    assert share <= 0.07  # 0.05 and two standard errors of 400 splits


def test_what_was_chosen_or_follows_from_it_is_no_warning() -> None:
    a = {"service": {"x": 50, "y": 50}, "model": {"m": 100}, "prompt_version": {"1": 100}, "env": {"prod": 10}}
    b = {"service": {"x": 80, "y": 20}, "model": {"n": 100}, "prompt_version": {"2": 100}, "env": {"test": 10}}
    service = Apart("service", pytest.approx(0.3), "x", 0.5, 0.8)  # type: ignore[arg-type]
    model, version = Apart("model", 1.0, "m", 1.0, 0.0), Apart("prompt_version", 1.0, "1", 1.0, 0.0)
    assert apart(a, b, frozenset()) == [model, version, service]
    assert apart(a, b, frozenset({"provider", "prompt"})) == [service]
    assert apart(a, a, frozenset()) == []


@pytest.mark.parametrize("query", ["q=secret", "a.q=secret", "q=secret&b.model=x"])
def test_a_viewer_finds_out_nothing_by_comparing(store: Store, query: str) -> None:
    viewer = TestClient(app_of(store, clock=lambda: NOW / 1000, authorize=nobody_but("keep")))
    assert viewer.get("/api/compare?model=x").status_code == 200
    assert viewer.get(f"/api/compare?{query}").status_code == 403


def test_content_is_not_searched_to_compare(store: Store) -> None:
    answer = api_of(store).get("/api/compare?q=a&in=content")
    assert (answer.status_code, "does not search content" in answer.json()["message"]) == (400, True)
