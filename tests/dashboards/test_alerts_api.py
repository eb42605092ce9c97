"""The operations of Alerts: what they answer, refuse, write down, and never show."""

import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from spanward.collector.alarms import Alarms
from spanward.collector.metrics import Metrics
from spanward.collector.store import Store
from spanward.dashboards.alerts import kept
from spanward.dashboards.alerts.channel import channel_of
from spanward.dashboards.alerts.sending import signature, slack
from spanward.dashboards.api.means import Means
from spanward.dashboards.api.routes import routes
from spanward.dashboards.ask import QueryFailed, Table
from spanward.dashboards.drift.rounds import KEPT_MS, round_at

from .conftest import NOW, Put
from .receivers import Inbox, web
from .serving import means_of, nobody_but
from .traffic import Call

MINUTE, HOUR = 60_000, 3_600_000
MAIL = {"kind": "email", "name": "c", "host": "h", "sender": "a@b", "to": ["x@y"]}
RULE = {"name": "Shop fails", "metric": "failure_rate", "threshold": 0.2, "minimum_calls": 3}


class Desk:
    """Means whose clock one sets, and the API over them."""

    def __init__(self, store: Store, **how: Any) -> None:
        self.now = NOW
        self.audit: list[tuple[str, str, str, dict[str, str]]] = []
        self.means: Means = means_of(store, clock=lambda: self.now / 1000, audit=self.audit, **how)
        self.api = TestClient(Starlette(routes=routes(self.means)))

    def saved(self, **changes: Any) -> str:
        answer = self.api.post("/api/alerts", json={"rule": RULE | changes})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


@pytest.fixture
def hook() -> Iterator[Inbox]:
    with web() as inbox:
        yield inbox


def test_a_rule_is_saved_read_changed_and_removed(desk: Desk) -> None:
    id_ = desk.saved()
    rule = {
        "name": "Shop fails", "metric": "failure_rate", "kind": "", "scope": {}, "by": [], "condition": "above",
        "threshold": 0.2, "clear": None, "window_s": 300, "for_s": 0, "minimum_calls": 3, "target": 0.99, "budget": "",
        "severity": "warning", "channels": [], "repeat_s": 14400, "enabled": True,
    }  # fmt: skip
    told = {
        "id": id_, "version": 1, "changed": NOW, "actor": "", "rule": rule, "metric": "Failure rate", "unit": "share",
        "phase": "ok", "groups": [], "left_out": 0, "problem": "", "snooze": None,
    }  # fmt: skip
    assert desk.api.get(f"/api/alerts/{id_}").json() == told
    assert desk.api.get("/api/alerts").json() == {
        "alerts": [told], "undelivered": [], "unreadable": 0,
        "engine": {"at": 0, "rules": 0, "problem": "", "waiting": 0, "lost": 0, "every_s": 30}, "channels": [],
    }  # fmt: skip
    again = {"rule": rule | {"threshold": 0.3}, "version": 1}
    assert desk.api.put(f"/api/alerts/{id_}", json=again).json() == {"id": id_, "version": 2}
    assert desk.api.put(f"/api/alerts/{id_}", json=again).status_code == 409
    assert desk.api.delete(f"/api/alerts/{id_}").json() == {"done": True}
    for answer in (desk.api.get(f"/api/alerts/{id_}"), desk.api.put(f"/api/alerts/{id_}", json=again)):
        assert (answer.status_code, answer.json()) == (404, {"message": "no such rule: it was removed"})
    assert [(action, subject) for _, action, subject, _ in desk.audit] == [
        ("alert.save", id_), ("alert.save", id_), ("alert.save", id_), ("alert.remove", id_),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"metric": "x"}, "rule: Value error, there is no metric 'x'"),
        ({"threshold": -1}, "rule.threshold: Input should be greater than or equal to 0"),
        ({"channels": ["no"]}, "rule.channels: there is no channel 'no'"),
        ({"metric": "budget_share", "budget": "no"}, "rule.budget: there is no budget 'no'"),
        ({"name": "\ud800"}, "rule.name: "),
        ({"x": 1}, "rule.x: Extra inputs are not permitted"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_words(desk: Desk, changes: dict[str, Any], says: str) -> None:
    answer = desk.api.post("/api/alerts", content=json.dumps({"rule": RULE | changes}))
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(says)
    assert desk.api.get("/api/alerts").json()["alerts"] == []


WRITES = [
    ("POST", "/api/alerts", {"rule": RULE}), ("PUT", "/api/alerts/x", {"rule": RULE}),
    ("DELETE", "/api/alerts/x", None),
    ("PUT", "/api/alerts/x/snooze", {"until": NOW + 1}), ("DELETE", "/api/alerts/x/snooze", None),
    ("POST", "/api/alerts/x/test", None), ("GET", "/api/alert-channels", None),
    ("POST", "/api/alert-channels", {"channel": {"kind": "slack", "name": "c", "url": "http://a"}}),
    ("PUT", "/api/alert-channels/x", {"channel": {"kind": "slack", "name": "c"}}),
    ("DELETE", "/api/alert-channels/x", None),
    ("POST", "/api/alert-channels/x/test", None), ("GET", "/api/alert-settings", None),
    ("PUT", "/api/alert-settings", {}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_only_who_may_configure_changes_or_sends_anything(store: Store, method: str, path: str, body: Any) -> None:
    desk = Desk(store, authorize=nobody_but("see_content", "review"))
    answer = desk.api.request(method, path, json=body)
    assert (answer.status_code, answer.json()) == (403, {"message": "configure needs another key"})
    assert desk.audit == []


def test_the_back_test_names_the_planted_burst(desk: Desk, stored: Put) -> None:
    """Ten minutes of failures, three hours ago, of one service; a near-miss of the other, one call below the share."""
    begin = NOW - 3 * HOUR
    calls = [Call(at, service="shop") for at in range(begin - HOUR, begin + HOUR, MINUTE)]
    calls += [Call(begin + n * MINUTE + 1000, service="shop", error="Boom") for n in range(10)]
    calls += [Call(at, service="other") for at in range(begin, begin + 5 * MINUTE, MINUTE)]
    calls += [Call(begin + n * MINUTE + 1000, service="other", error="Boom") for n in range(1)]
    stored(calls)
    answer = desk.api.post("/api/alert-try", json={"rule": RULE | {"by": ["service"]}}).json()
    assert answer["spells"] == [
        {"group": "shop", "start": begin + 5 * MINUTE, "end": begin + 15 * MINUTE, "peak": 0.5}
    ]  # fmt: skip
    assert (answer["known"], answer["step"], answer["notifications"]) == (True, 300_000, 2)
    assert [line["group"] for line in answer["lines"]] == ["other", "shop"]
    assert {len(line["values"]) for line in answer["lines"]} == {len(answer["t"])} == {2016}
    quiet = desk.api.post("/api/alert-try", json={"rule": RULE | {"by": ["service"], "threshold": 0.5}}).json()
    assert quiet["spells"] == []
    unknown = desk.api.post("/api/alert-try", json={"rule": RULE | {"metric": "queue_bytes"}}).json()
    assert (unknown["known"], unknown["t"]) == (False, [])


def test_what_fires_is_told_snoozed_and_in_the_history(desk: Desk, stored: Put, hook: Inbox) -> None:
    stored([Call(NOW - n * 10_000, error="Boom") for n in range(12)])
    body = {"kind": "webhook", "name": "Ops", "url": hook.url + "/secret-path"}
    channel = desk.api.post("/api/alert-channels", json={"channel": body}).json()["id"]
    id_ = desk.saved(channels=[channel])
    alarms = Alarms(desk.means, lambda: "http://page")
    desk.now = NOW + 20_000
    alarms.round()
    alarms.deliver()
    desk.now += 30_000
    snooze = {"until": desk.now + HOUR, "note": "known  \n outage"}
    assert desk.api.put(f"/api/alerts/{id_}/snooze", json=snooze).json() == {"done": True}
    told = desk.api.get(f"/api/alerts/{id_}").json()
    assert told["snooze"] == {"until": desk.now + HOUR, "since": desk.now, "actor": "", "note": "known outage"}
    (group,) = told["groups"]
    assert (told["phase"], group["value"], group["told"]) == ("firing", 1.0, NOW + 20_000)
    first = desk.api.get("/api/alert-history", params={"limit": 2}).json()
    rest = desk.api.get("/api/alert-history", params={"limit": 2, "cursor": first["next"]}).json()
    events = [*first["events"], *rest["events"]]
    assert sorted((one["event"], one["channel"], one["detail"]) for one in events) == [
        ("delivered", "Ops", "firing"), ("firing", "", ""), ("snoozed", "", f"until {desk.now + HOUR}: known outage"),
    ]  # fmt: skip
    assert rest["next"] is None
    assert desk.api.delete(f"/api/alerts/{id_}/snooze").json() == {"done": True}
    assert desk.api.delete(f"/api/alerts/{id_}/snooze").json() == {"done": False}
    wrong = desk.api.put(f"/api/alerts/{id_}/snooze", json={"until": NOW})
    assert wrong.json() == {"message": "until: must be a time within the next 90 days"}
    assert json.loads(hook.came[0][2])["rule_link"] == f"http://page/alerts/{id_}"


def test_metrics_and_the_rules_for_prometheus_name_the_same_series(desk: Desk, stored: Put) -> None:
    stored([Call(NOW - n * 10_000, error="Boom") for n in range(12)])
    id_, off = desk.saved(by=["service"], severity="critical"), desk.saved(enabled=False)
    alarms, metrics = Alarms(desk.means, str), Metrics()
    metrics.registry.register(alarms)
    desk.now = NOW + 20_000
    alarms.round()
    shown = bytes(metrics.route(None).body).decode()  # type: ignore[arg-type]  # it does not look at the request
    labels = f'group="shop",name="Shop fails",rule="{id_}",severity="critical"'
    assert f"spanward_alert_firing{{{labels}}} 1.0" in shown
    assert "spanward_alert_round_timestamp_seconds 1.79521922e+09" in shown
    answer = desk.api.get("/api/alert-rules").json()
    assert answer == {"groups": [{"name": "spanward", "rules": [
        {
            "alert": "Shop fails", "expr": f'spanward_alert_firing{{rule="{id_}"}} == 1',
            "labels": {"severity": "critical"},
            "annotations": {
                "summary": "Failure rate: {{ $labels.group }}", "dashboard": f"http://testserver/alerts/{id_}",
            },
        },
        {
            "alert": "SpanwardAlertsSilent",
            "expr": "absent(spanward_alert_round_timestamp_seconds) or "
            "time() - spanward_alert_round_timestamp_seconds > 300",
            "for": "5m", "labels": {"severity": "critical"},
            "annotations": {
                "summary": "Spanward does not evaluate its alert rules", "dashboard": "http://testserver/alerts",
            },
        },
    ]}]}  # fmt: skip
    assert off not in json.dumps(answer)


def test_a_channel_keeps_its_secret(desk: Desk, hook: Inbox) -> None:
    body = {"kind": "slack", "name": "Team", "url": hook.url + "/services/T0/B0/s3cret?x=s3cret"}
    id_ = desk.api.post("/api/alert-channels", json={"channel": body}).json()["id"]
    port = hook.url.rpartition(":")[2]
    told = {
        "id": id_, "version": 1, "changed": NOW, "actor": "", "used": [],
        "channel": {"name": "Team", "url": f"http://127.0.0.1:{port}/…", "kind": "slack"},
    }  # fmt: skip
    assert desk.api.get("/api/alert-channels").json() == {"channels": [told]}
    renamed = {"channel": {"kind": "slack", "name": "Ops", "url": ""}, "version": 1}
    assert desk.api.put(f"/api/alert-channels/{id_}", json=renamed).json() == {"id": id_, "version": 2}
    assert desk.api.post(f"/api/alert-channels/{id_}/test").json() == {
        "sent": [{"channel": id_, "name": "Ops", "delivered": True, "why": ""}]
    }
    assert hook.came[0][0] == "/services/T0/B0/s3cret?x=s3cret"
    rule = desk.saved(channels=[id_])
    answer = desk.api.delete(f"/api/alert-channels/{id_}")
    assert answer.json() == {"message": "the rule 'Shop fails' tells this channel: take it out there first"}
    hook.status = 500
    (sent,) = desk.api.post(f"/api/alerts/{rule}/test").json()["sent"]
    assert (sent["delivered"], sent["why"]) == (False, "it answered 500")
    assert "s3cret" not in json.dumps(desk.audit)
    everything = [desk.api.get(path).text for path in ("/api/alerts", f"/api/alerts/{rule}", "/api/alert-choices")]
    assert "s3cret" not in "".join(everything)


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        ({"kind": "webhook", "name": "c", "url": "ftp://a/b"}, "this is no http:// or https:// address"),
        ({"kind": "webhook", "name": "c", "url": "http://"}, "this is no http:// or https:// address"),
        ({"kind": "webhook", "name": "c", "url": "http://a b/"}, "this is no http:// or https:// address"),
        ({"kind": "webhook", "name": "c"}, "channel.url: say where to send"),
        ({**MAIL, "to": ["x@y\nBcc: z@z"]}, "is no e-mail address"),
        ({**MAIL, "encryption": "none", "username": "u"},
         "a password would be sent in the clear"),
        ({"kind": "webhook", "name": "c", "url": "http://a", "secret_env": "not so"}, "String should match pattern"),
        ({"kind": "webhook", "name": "c", "url": "http://a", "secret_env": "OPENAI_API_KEY"}, "String should match"),
        ({**MAIL, "username": "u", "password_env": "CLICKHOUSE_PASSWORD"}, "String should match pattern"),
    ],
)  # fmt: skip
def test_a_channel_that_cannot_be_is_refused(desk: Desk, channel: dict[str, Any], says: str) -> None:
    answer = desk.api.post("/api/alert-channels", json={"channel": channel})
    assert answer.status_code == 400
    assert says in answer.json()["message"]


def test_what_applications_report_stays_text_in_slack() -> None:
    told: Any = {
        "id": "1", "status": "firing", "title": "Warning: <!channel> *x* & y", "text": "<http://evil|click>",
        "link": "http://p/calls?model=a|b>c", "rule_link": "http://p/alerts/1",
    }  # fmt: skip
    text = json.dumps(slack(told))
    assert "<!channel>" not in text
    assert "<http://evil" not in text
    assert "a%7Cb&gt;c|Show the calls>" in text


def test_a_signature_is_what_the_docs_say() -> None:
    expected = hmac.new(b"key", b'7.{"a":1}', sha256).hexdigest()
    assert signature("key", b'{"a":1}', 7) == f"t=7,v1={expected}"


def test_settings_of_alerts(desk: Desk) -> None:
    assert desk.api.get("/api/alert-settings").json() == {"address": "", "every_s": 30, "version": 0}
    put = desk.api.put("/api/alert-settings", json={"address": "https://watch.example/", "every_s": 60})
    assert put.json() == {"address": "https://watch.example", "every_s": 60, "version": 1}
    assert desk.api.get("/api/alert-choices").json()["address"] == "https://watch.example"
    assert kept.every_s(desk.means.documents) == 60
    assert desk.api.put("/api/alert-settings", json={"address": "javascript:x"}).status_code == 400


def test_a_rule_of_another_version_is_told_and_breaks_nothing(desk: Desk) -> None:
    desk.means.documents.put(kept.RULE, "old", {"name": "?", "metric": "gone"})
    desk.saved()
    told = desk.api.get("/api/alerts").json()
    assert (len(told["alerts"]), told["unreadable"]) == (1, 1)


def test_the_file_of_documents_holds_no_password() -> None:
    """There is no field for one: only the name of a variable is taken."""
    with pytest.raises(ValueError, match="Extra inputs"):
        channel_of(MAIL | {"password": "p"})


def test_of_quiet_groups_the_one_nearest_to_firing_is_told_first(desk: Desk, stored: Put) -> None:
    failing = {"a": 0, "b": 3, "c": 1}
    stored([
        Call(NOW - 3 * MINUTE + n * 1000, service=name, error="E" if n < failing[name] else "")
        for name in failing for n in range(20)
    ])  # fmt: skip
    above = desk.saved(by=["service"])
    below = desk.saved(name="Few", metric="calls_per_minute", by=["service"], condition="below", threshold=0.5)
    Alarms(desk.means, str).round()
    told = {rule: desk.api.get(f"/api/alerts/{rule}").json()["groups"] for rule in (above, below)}
    assert {one["phase"] for groups in told.values() for one in groups} == {"ok"}
    assert [one["group"] for one in told[above]] == ["b", "c", "a"]
    assert [one["group"] for one in told[below]] == ["a", "b", "c"]


@pytest.mark.parametrize("model", [{}, {"scope": {"operation": ["chat"]}}])
def test_the_groups_with_the_most_calls_are_looked_at(desk: Desk, stored: Put, model: dict[str, Any]) -> None:
    """Not those that called in the most minutes."""
    stored([
        Call(NOW - HOUR - n * 7 * MINUTE - 3, service=f"often-{group}") for group in range(8) for n in range(3 + group)
    ] + [Call(NOW - 2 * HOUR - n, service="much") for n in range(4)])  # fmt: skip
    answer = desk.api.post("/api/alert-try", json={"rule": RULE | {"by": ["service"]} | model}).json()
    assert {line["group"] for line in answer["lines"]} == {"much", *(f"often-{group}" for group in range(1, 8))}


def test_the_past_of_drift_is_judged_before_anybody_asks(desk: Desk, stored: Put) -> None:
    stored([Call(NOW - n * 3_600_000 - 5000) for n in range(48)])
    asked: list[str] = []

    def ask(sql: str, parameters: Mapping[str, Any] | None = None) -> Table:
        asked.append(sql)
        return desk.means.ask(sql, parameters)

    means = replace(desk.means, ask=ask)
    Alarms(means, str).look_ahead()
    judged = len(asked)
    assert judged > 0
    assert round_at(ask, round(means.clock() * 1000), means.documents).judged
    assert len(asked) == judged
    later = replace(means, clock=lambda: means.clock() + KEPT_MS / 2000)
    Alarms(later, str).look_ahead()
    assert len(asked) == 2 * judged  # before it is too old for the page
    Alarms(replace(means, ask=_away), str).look_ahead()  # ends by itself


def _away(sql: str, parameters: Mapping[str, Any] | None = None) -> Table:
    raise QueryFailed("the store is away")
