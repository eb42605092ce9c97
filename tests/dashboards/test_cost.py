"""What it costs and why that changed, on calls whose answer is known."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards.cost import cost
from spanward.tracer import semconv

from .conftest import NOW, Put, api_of
from .traffic import Call, put

HOUR = 3_600_000
MINUTE = 60_000
MODELS = {"sonnet": "claude-sonnet-4-6", "mini": "gpt-4o-mini"}


def ask(api: TestClient, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def prompted(name: str, **more: str) -> dict[str, Any]:
    return {semconv.PROMPT_NAME: name, **more}


def calm() -> list[Call]:
    """Two days of the same: 48 hours of 4 calls each, of two apps, two models, three prompts."""
    calls = []
    for hour in range(48):
        at = NOW - hour * HOUR - 20 * MINUTE
        calls += [
            Call(at, MODELS["sonnet"], "anthropic", tokens=(800, 200), cost=0.01, attributes=prompted("answer")),
            Call(at + 1, MODELS["mini"], tokens=(800, 200), cost=0.002, attributes=prompted("answer")),
            Call(at + 2, MODELS["mini"], tokens=(400, 100), cost=0.001, attributes=prompted("title")),
            Call(at + 3, MODELS["mini"], tokens=(400, 100), cost=0.001, service="desk", attributes=prompted("triage")),
        ]
    return calls


def spike() -> list[Call]:
    """Six hours ago the prompt `answer` of the shop doubled its tokens on Sonnet."""
    at = [NOW - hour * HOUR - 20 * MINUTE for hour in range(6)]
    return [
        Call(t + n, MODELS["sonnet"], "anthropic", tokens=(1600, 400), cost=0.02, attributes=prompted("answer"))
        for t in at for n in range(10, 15)
    ]  # fmt: skip


def test_a_planted_spike_is_named_with_model_prompt_and_since_when(api: TestClient, stored: Put) -> None:
    stored([*calm(), *spike()])
    answer = ask(api, "/api/cost?from=now-24h")
    cause = answer["change"]["cause"]
    assert cause["values"] == {"model": MODELS["sonnet"], "prompt": "answer", "service": "shop"}
    assert cause["share"] == pytest.approx(1)
    assert (cause["since"], cause["until"]) == ((NOW - 6 * HOUR) // HOUR * HOUR, None)
    assert answer["change"]["cost"] == pytest.approx(0.6)
    assert sum(answer["change"]["effects"].values()) == pytest.approx(0.6)
    assert sum(cause["effects"].values()) == pytest.approx(cause["now"] - cause["before"])
    assert cause["factors"]["calls"] == pytest.approx(30 / 24)


def test_what_grows_everywhere_alike_has_no_cause(api: TestClient, stored: Put) -> None:
    stored([*calm(), *(call for call in calm() if call.at > NOW - 24 * HOUR)])
    change = ask(api, "/api/cost?from=now-24h")["change"]
    assert change["cause"] is None
    assert change["factors"]["calls"] == pytest.approx(1)
    assert change["effects"] == {
        "calls": pytest.approx(change["cost"]), "tokens": pytest.approx(0), "price": pytest.approx(0, abs=1e-9)
    }  # fmt: skip


def test_what_is_beyond_the_largest_segments_is_one_of_its_own(
    api: TestClient, stored: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored([*calm(), *spike()])
    every = ask(api, "/api/cost?from=now-24h")["change"]
    for most in (1, 2, 3):
        monkeypatch.setattr(cost, "MOST_SEGMENTS", most)
        change = ask(api, "/api/cost?from=now-24h")["change"]
        assert change["cause"]["values"]["model"] == MODELS["sonnet"]
        assert change["factors"] == every["factors"]
        assert sum(change["effects"].values()) == pytest.approx(every["cost"])


def test_nothing_before_is_nothing_to_explain(api: TestClient, stored: Put) -> None:
    stored([Call(NOW - HOUR, cost=5.0)])
    change = ask(api, "/api/cost?from=now-24h")["change"]
    assert (change["cost"], change["cause"]) == (5.0, None)


def test_the_pivot_by_any_dimension_sums_up_to_the_same(api: TestClient, stored: Put) -> None:
    stored(
        [
            Call(NOW - HOUR, cost=1.0, attributes={semconv.USER_ID: "u1", semconv.TAGS: '["a","b"]'}),
            Call(NOW - 3 * HOUR, cost=2.0, attributes={semconv.USER_ID: "u2"}),
            Call(NOW - 30 * HOUR, cost=4.0, attributes={semconv.USER_ID: "u1"}),
            Call(NOW - 2 * HOUR, model="house", cost=None, attributes={semconv.USER_ID: "u2"}),
        ]
    )
    for by in ("model", "service", "user", "user_group", "prompt", "prompt_version", "provider", "env"):
        for path in ("from=now-5h", "from=now-40h", "from=now-90d", "from=now-40h&status=ok"):
            answer = ask(api, f"/api/cost?{path}&by={by}")
            expected = 3.0 if path == "from=now-5h" else 7.0
            assert answer["totals"]["cost"] == pytest.approx(expected), (by, path)
            assert sum(row["cost"] or 0 for row in answer["rows"]) == pytest.approx(expected), (by, path)
            series = answer["series"]
            drawn = sum(sum(line["cost"]) for line in series["lines"]) + sum(series["rest"])
            assert drawn == pytest.approx(expected), (by, path)
    tags = ask(api, "/api/cost?from=now-5h&by=tag")
    assert {row["value"]: row["cost"] for row in tags["rows"]} == {"a": 1.0, "b": 1.0, "": 2.0}
    table = ask(api, "/api/cost?from=now-40h&by=user&across=model")
    assert table["columns"] == ["gpt-4o", "house"]
    assert {row["value"]: row["cells"] for row in table["rows"]} == {"u1": [5.0, 0.0], "u2": [2.0, None]}
    assert {row["value"]: row["share"] for row in table["rows"]} == {"u1": 5 / 7, "u2": 2 / 7}


def test_models_without_a_price_are_named_and_never_cost_nothing(api: TestClient, stored: Put) -> None:
    stored(
        [
            Call(NOW - HOUR, model='ho"use', provider="acme", cost=None, tokens=(100, 50)),
            Call(NOW - HOUR, model='ho"use', provider="acme", cost=None, tokens=(10, 5), error="Timeout"),
            Call(NOW - HOUR, cost=None, tokens=(0, 0), error="Timeout"),
            Call(NOW - HOUR, cost=0.0, tokens=(7, 1)),
        ]
    )
    answer = ask(api, "/api/cost/unpriced?from=now-24h")
    assert answer["models"] == [{"provider": "acme", "model": 'ho"use', "calls": 2, "tokens": 165}]
    assert answer["snippet"].splitlines() == [
        "prices:  # US dollars a million tokens", '  - provider: "acme"', '    model: "ho\\"use"', "    input:",
        "    output:",
    ]  # fmt: skip
    rows = {row["value"]: (row["cost"], row["unpriced"]) for row in ask(api, "/api/cost?from=now-24h")["rows"]}
    assert rows == {"gpt-4o": (0.0, 0), 'ho"use': (None, 2)}


def test_what_cannot_be_asked_is_told(api: TestClient) -> None:
    answer = api.get("/api/cost?by=moon")
    assert (answer.status_code, "take one of model, service" in answer.json()["message"]) == (400, True)
    assert api.get("/api/cost/outlook?period=year").status_code == 400


def test_rolled_up_and_one_by_one_are_the_same(store: Store, tmp_path: Any) -> None:
    put(store, tmp_path, [Call(NOW - n * 7 * MINUTE, cost=0.01 * n, tokens=(n, 2 * n)) for n in range(1, 400)])
    api = api_of(store)
    for length in ("5h", "13h", "40h"):
        rolled = ask(api, f"/api/cost?from=now-{length}")
        single = ask(api, f"/api/cost?from=now-{length}&operation=chat")
        assert rolled["totals"] == {k: pytest.approx(v) for k, v in single["totals"].items()}
        assert rolled["previous"] == {k: pytest.approx(v) for k, v in single["previous"].items()}
        assert rolled["change"]["cost"] == pytest.approx(single["change"]["cost"])
