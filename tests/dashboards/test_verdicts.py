"""What the guards page says against planted findings, whole; what rollups and rows say must be the same."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards.api.routes import routes
from spanward.dashboards.verdicts.moved import moved
from spanward.dashboards.verdicts.precision import estimate, wilson
from spanward.tracer import semconv

from .conftest import NOW, Put, api_of
from .serving import app_of, means_of, nobody_but
from .traffic import Call, put, report

MINUTE = 60_000
HOUR = 60 * MINUTE


def ask(api: TestClient, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def event(rule: str = "pii-out", verdict: str = "modify", action: str = "modify", **more: Any) -> dict[str, Any]:
    names = {
        "mode": semconv.GUARDRAIL_MODE, "label": semconv.GUARDRAIL_CATEGORY, "detector": semconv.GUARDRAIL_COMPONENT,
        "stage": semconv.GUARDRAIL_STAGE, "score": semconv.GUARDRAIL_SCORE, "reason": semconv.GUARDRAIL_REASON,
        "engine": semconv.GUARDRAIL_ENGINE, "degraded": semconv.GUARDRAIL_DEGRADED,
        "findings": semconv.GUARDRAIL_FINDINGS, "policy": semconv.GUARDRAIL_POLICY,
    }  # fmt: skip
    told = {names[key]: value for key, value in ({"policy": "house"} | more).items()}
    return {
        semconv.GUARDRAIL_RULE: rule, semconv.GUARDRAIL_VERDICT: verdict, semconv.GUARDRAIL_ACTION: action, **told,
    }  # fmt: skip


def shadow(rule: str = "no-secrets", verdict: str = "deny", **more: Any) -> dict[str, Any]:
    return event(rule, verdict, "none", mode="shadow", detector="secrets", label="aws_key", **more)


MODIFIED = {semconv.GUARD_VERDICT: "modify", semconv.GUARD_ACTION: "modify", "spanward.guard.latency_ms": 4.0}
OPEN = {semconv.GUARD_VERDICT: "fail_open", semconv.GUARD_ACTION: "allow"}
BARE = {semconv.GUARD_VERDICT: "none", semconv.GUARD_ACTION: "none"}


def day() -> list[Call]:
    """3 h of calls, an hour and 10 minutes of it asked for; the period before has calls of its own."""
    late = event(
        verdict="fail_open", action="allow", label="", reason="pii gave no answer within 500 ms", findings=0, score=0
    )
    later = {**late, semconv.GUARDRAIL_REASON: "pii gave no answer within 250 ms"}
    skip = event(
        verdict="none",
        action="none",
        label="",
        reason="pii was skipped: about 12 ms expected, 3 of 40 ms left",
        findings=0,
    )
    person = event(label="PERSON", stage="output", degraded=True, engine="small")
    return [
        *(Call(NOW - n * MINUTE, attributes=MODIFIED, guards=[event(findings=2)]) for n in range(2, 32)),
        *(Call(NOW - n * MINUTE, guards=[shadow(score=0.8)]) for n in range(2, 39)),
        Call(NOW - 65 * MINUTE, attributes=MODIFIED, guards=[event(), person]),
        Call(NOW - 5 * MINUTE, attributes=OPEN, guards=[late]),
        Call(NOW - 6 * MINUTE, attributes=OPEN, guards=[later]),
        Call(NOW - 7 * MINUTE, attributes=OPEN, guards=[skip, late]),
        Call(NOW - 8 * MINUTE, attributes=BARE, service="backoffice"),
        *(Call(NOW - 80 * MINUTE - n * 1000, attributes=MODIFIED, guards=[event()]) for n in range(3)),
        *(Call(NOW - 81 * MINUTE - n * 1000) for n in range(97)),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def api(shelf: Store, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    folder = tmp_path_factory.mktemp("verdicts")
    put(shelf, folder, day())
    report(shelf, folder, NOW - 9 * MINUTE, "guards", "unavailable: refused", 4)
    return TestClient(app_of(shelf, lambda: {"degraded": ["pii: no NER model"]}, clock=lambda: NOW / 1000))


RANGE = "from=now-70m"


def test_the_totals(api: TestClient) -> None:
    told = ask(api, f"/api/guards?{RANGE}")
    latency = told["totals"].pop("latency")
    assert told["totals"] == {
        "calls": 72, "guarded": 68, "unguarded": 1, "failed_open": 3, "degraded": 0, "blocked": 0, "modified": 31,
    }  # fmt: skip
    assert latency == pytest.approx([4.0, 4.0, 4.0], rel=0.1)
    assert {k: v for k, v in told["previous"].items() if k != "latency"} == {
        "calls": 100, "guarded": 100, "unguarded": 0, "failed_open": 0, "degraded": 0, "blocked": 0, "modified": 3,
    }  # fmt: skip


def test_the_rules_with_their_rates_and_what_carries_their_growth(api: TestClient) -> None:
    shadowed, pii = ask(api, f"/api/guards?{RANGE}")["rules"]
    latency = pii.pop("latency")
    assert latency == pytest.approx([2.0, 2.1, 2.2], rel=0.1)
    assert pii == {
        "name": "pii-out", "events": 35, "findings": 62, "calls": 34, "before": 3,
        "rate": pytest.approx(1000 * 34 / 72),
        "moved": {"ratio": pytest.approx((34 / 72) / (3 / 100)), "sure": True},
        "kinds": {"blocked": 0, "modified": 31, "flagged": 0, "shadow": 0, "failed_open": 3},
        "policy": "house", "modes": ["enforce"], "detectors": ["pii"], "labels": ["EMAIL_ADDRESS", "PERSON"],
        "stages": ["input", "output"], "precision": None,
        "causes": [
            {"by": "stage", "value": "input", "share": pytest.approx(0.968, abs=0.01), "grown": 32},
            {"by": "label", "value": "EMAIL_ADDRESS", "share": pytest.approx(0.88, abs=0.01), "grown": 29},
        ],
    }  # fmt: skip
    assert (shadowed["name"], shadowed["calls"], shadowed["kinds"]["shadow"]) == ("no-secrets", 37, 37)


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("detectors", [("secrets", 37), ("pii", 34)]),
        ("labels", [("aws_key", 37), ("EMAIL_ADDRESS", 31), ("", 3), ("PERSON", 1)]),
        ("stages", [("input", 71), ("output", 1)]),
    ],
)
def test_findings_by(api: TestClient, by: str, names: list[tuple[str, int]]) -> None:
    assert [(group["name"], group["calls"]) for group in ask(api, f"/api/guards?{RANGE}")[by]] == names


def test_what_a_rule_in_shadow_would_have_done(api: TestClient) -> None:
    told = ask(api, f"/api/guards?{RANGE}")["shadow"]
    (rule,) = told["rules"]
    examples = rule.pop("examples")
    assert (told["blocked"], told["modified"]) == (37, 0)
    assert rule == {
        "rule": "no-secrets", "policy": "house", "verdict": "deny", "would": "blocked", "calls": 37,
        "labels": ["aws_key"],
    }  # fmt: skip
    assert [(each["us"], each["score"]) for each in examples] == [((NOW - n * MINUTE) * 1000, 0.8) for n in (2, 3, 4)]


def test_where_guards_did_less_than_they_should(api: TestClient) -> None:
    told = ask(api, f"/api/guards?{RANGE}")["trouble"]
    failure = {"rule": "pii-out", "detector": "pii", "mode": "enforce"}
    assert told == {
        "failures": [failure | {
            "verdict": "fail_open", "reason": "pii gave no answer within … ms", "calls": 3,
            "last_us": (NOW - 5 * MINUTE) * 1000,
        }],
        "skipped": [failure | {
            "verdict": "none", "reason": "pii was skipped: about … ms expected, … of … ms left", "calls": 1,
            "last_us": (NOW - 7 * MINUTE) * 1000,
        }],
        "reports": [{"service": "shop", "reason": "unavailable: refused", "count": 4}],
        "engines": [{"detector": "pii", "engine": "small", "calls": 1}],
        "now": ["pii: no NER model"],
        "unguarded": [{"service": "backoffice", "env": "prod", "calls": 1, "of": 1}],
    }  # fmt: skip


SAME = [
    "from=now-70m", "from=now-3h", "from=now-24h", "from=now-14d", "from=now-5m", "from=now-26h&to=now-63m",
    "from=now-14d&rule=pii-out", "from=now-14d&label=aws_key&service=shop", "from=now-14d&service!=shop",
]  # fmt: skip


@pytest.mark.parametrize("path", SAME)
def test_rollups_and_rows_say_the_same(api: TestClient, path: str) -> None:
    """A condition that every call meets, and that no rollup knows, sends every question to the rows."""
    rolled, one_by_one = (ask(api, f"/api/guards?{path}{more}") for more in ("", "&operation=chat"))
    assert rolled == one_by_one


@pytest.mark.parametrize(
    ("link", "calls"),
    [
        ("rule=no-secrets&event_mode=shadow&event_verdict=deny", 37),
        ("rule=pii-out&label=PERSON", 1),
        ("rule=no-secrets&label=PERSON", 0),
        ("detector=pii", 34),
        ("stage=output", 1),
        ("rule=pii-out&event_verdict=fail_open", 3),
        ("guard=unguarded&service=backoffice", 1),
    ],
)
def test_each_number_leads_to_its_calls(api: TestClient, link: str, calls: int) -> None:
    assert ask(api, f"/api/calls?{RANGE}&{link}")["total"] == calls


def test_the_series_add_up(api: TestClient) -> None:
    for path in (RANGE, "from=now-14d"):
        told = ask(api, f"/api/guards?{path}")["series"]
        assert {len(values) for values in told.values()} == {len(told["t"])}
        assert (sum(told["shadow"]), sum(told["failed_open"])) == (37, 3)


@pytest.mark.parametrize(
    ("numbers", "ratio", "sure"),
    [
        ((100, 1000, 100, 1000), 1.0, False),
        ((130, 1000, 100, 1000), 1.3, False),
        ((200, 1000, 100, 1000), 2.0, True),
        ((200, 2000, 100, 1000), 1.0, False),
        ((3, 1000, 0, 1000), None, False),
        ((30, 1000, 0, 1000), None, True),
        ((5, 100, 0, 0), None, False),
    ],
)
def test_a_rate_moved_or_wavered(numbers: tuple[int, int, int, int], ratio: float | None, sure: bool) -> None:
    told = moved(*numbers)
    assert (told["ratio"], told["sure"]) == (pytest.approx(ratio) if ratio else ratio, sure)


def test_precision_is_told_from_ten_labels_on_and_weighs_strata_by_what_they_hold() -> None:
    assert estimate([(100, 5, 4)])["precision"] is None
    plain = estimate([(100, 8, 2)])
    low, high = wilson(0.8, 10)
    assert (plain["precision"], plain["low"], plain["high"]) == pytest.approx((0.8, low, high))
    assert (low, high) == pytest.approx((0.490, 0.943), abs=0.001)
    # 9 of 10 findings score high and are right; people were asked about the doubtful ones as often
    weighed = estimate([(100, 0, 10), (900, 10, 0)])
    assert weighed["precision"] == pytest.approx(0.9)
    assert weighed["low"] is not None
    assert weighed["low"] < 0.7


def label(api: TestClient, call: Call, verdict: str, **more: Any) -> Any:
    body = {
        "trace_id": call.trace_id, "span_id": call.span_id, "rule": "pii-out", "detector": "pii",
        "label": "EMAIL_ADDRESS", "stage": "input", "verdict": verdict,
    }  # fmt: skip
    answer = api.post("/api/guards/review", json=body | more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_labels_become_a_precision_and_can_be_taken_back(store: Store, stored: Put) -> None:
    calls = [Call(NOW - n * MINUTE, guards=[event(score=0.85)]) for n in range(1, 13)]
    stored(calls)
    api = api_of(store)
    for n, call in enumerate(calls[:10]):
        label(api, call, "wrong" if n < 2 else "right")
    label(api, calls[10], "right")
    label(api, calls[10], "none")
    label(api, calls[11], "unsure")
    missed = {"trace_id": calls[0].trace_id, "span_id": calls[0].span_id, "rule": "pii-out", "label": "PERSON"}
    assert api.post("/api/guards/missed", json=missed).status_code == 200
    (rule,) = ask(api, "/api/guards?from=now-1h")["rules"]
    assert rule["precision"] == {
        "right": 8, "wrong": 2, "unsure": 1, "missed": 1, "precision": pytest.approx(0.8),
        "low": pytest.approx(0.490, abs=0.001), "high": pytest.approx(0.943, abs=0.001),
    }  # fmt: skip


def test_who_disagrees_cancels_out_and_is_asked_again(store: Store, stored: Put) -> None:
    calls = [Call(NOW - n * MINUTE, guards=[event(score=0.85)]) for n in (1, 2)]
    stored(calls)
    kim = TestClient(app_of(store, clock=lambda: NOW / 1000, authorize=nobody_but("review")))
    other = api_of(store)
    label(kim, calls[0], "right")
    (left,) = ask(other, "/api/guards/review?from=now-1h")["findings"]
    assert (left["trace_id"], left["why"], left["labels"]) == (calls[1].trace_id, "by chance", 1)
    label(other, calls[0], "wrong")
    told = ask(other, "/api/guards/review?from=now-1h")
    assert [(each["trace_id"], each["why"]) for each in told["findings"]] == [
        (calls[0].trace_id, "reviewers disagree"), (calls[1].trace_id, "by chance"),
    ]  # fmt: skip
    assert (told["left"], told["labelled"]) == (1, 1)


def test_the_queue_asks_about_new_rules_and_near_scores_first(store: Store, stored: Put) -> None:
    near = [Call(NOW - n * MINUTE, guards=[event(score=0.55)]) for n in (1, 2)]
    far = [Call(NOW - n * MINUTE, guards=[event(score=0.99)]) for n in range(3, 30)]
    fresh = Call(
        NOW - MINUTE, guards=[event("brand-new", "warn", "allow", label="INSULT", detector="toxicity", score=0.8)]
    )
    stored([*near, *far, fresh])
    api = api_of(store)
    label(api, far[0], "right")
    told = ask(api, "/api/guards/review?from=now-1h")
    assert [(each["rule"], each["score"], each["why"]) for each in told["findings"][:4]] == [
        ("brand-new", 0.8, "no label yet"),
        ("pii-out", 0.55, "score near the threshold"),
        ("pii-out", 0.99, "by chance"),
        ("pii-out", 0.55, "score near the threshold"),
    ]
    assert (told["left"], told["labelled"], len(told["findings"])) == (29, 1, 11)
    assert told == ask(api, "/api/guards/review?from=now-1h")


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"verdict": "right", "rule": "other"}, 404, "no such finding"),
        ({"verdict": "maybe"}, 400, "verdict"),
        ({"verdict": "right", "trace_id": "x"}, 400, "trace_id"),
        ({"verdict": "right", "extra": 1}, 400, "extra"),
    ],
)
def test_what_cannot_be_labelled(store: Store, stored: Put, body: dict[str, Any], status: int, says: str) -> None:
    call = Call(NOW - MINUTE, guards=[event()])
    stored([call])
    whole = {
        "trace_id": call.trace_id, "span_id": call.span_id, "rule": "pii-out", "detector": "pii",
        "label": "EMAIL_ADDRESS", "stage": "input",
    }  # fmt: skip
    answer = api_of(store).post("/api/guards/review", json=whole | body)
    assert (answer.status_code, says in answer.json()["message"]) == (status, True), answer.text


def test_labels_and_content_need_their_permissions(store: Store) -> None:
    api = TestClient(app_of(store, authorize=nobody_but("see_content")))
    assert api.get("/api/guards/review").status_code == 403
    assert api.post("/api/guards/review", json={}).status_code == 403
    reader = TestClient(app_of(store, authorize=nobody_but("review")))
    assert reader.get("/api/guards/review").status_code == 200
    assert reader.get(f"/api/guards/review/{1:032x}/{1:016x}").status_code == 403


@pytest.mark.parametrize(("may", "words"), [("see_content", ["refund", "money"]), ("review", [])])
def test_the_words_of_topics_are_content(store: Store, may: str, words: list[str]) -> None:
    means = means_of(store, authorize=nobody_but(may))
    means.documents.put("topics", "shop", {"service": "shop", "topics": [{"id": "t1", "words": ["refund", "money"]}]})
    api = TestClient(Starlette(routes=routes(means)))
    assert ask(api, "/api/traits/topics") == {
        "services": [{"service": "shop", "topics": [{"id": "t1", "words": words}]}]
    }
