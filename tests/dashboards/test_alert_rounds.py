"""Rules over real calls, told to real receivers; what waits survives receivers that are down and a sidecar's death."""

import hmac
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from spanward.collector import documents
from spanward.collector.alarms import UNMEASURED, report_of
from spanward.collector.documents import DocumentFile
from spanward.collector.store import Store
from spanward.dashboards.alerts import delivery, happened, hurried_smtp, kept, sending
from spanward.dashboards.alerts.answers import alerts
from spanward.dashboards.alerts.channel import channel_of
from spanward.dashboards.alerts.delivery import Delivery, undelivered
from spanward.dashboards.alerts.drift_alarms import of_drift
from spanward.dashboards.alerts.engine import Engine, post, rule_state
from spanward.dashboards.alerts.measuring import Asked, measure, of_sidecar, past
from spanward.dashboards.alerts.notification import Notification
from spanward.dashboards.alerts.pending import LARGEST, Lost, bounded
from spanward.dashboards.alerts.reading import end_of
from spanward.dashboards.alerts.refused import TIMEOUT_S, Refused
from spanward.dashboards.alerts.rule import Rule
from spanward.dashboards.alerts.sending import send
from spanward.dashboards.ask import QueryFailed
from spanward.tracer import semconv

from .conftest import NOW, Put
from .receivers import dripping, free_port, mail, web
from .traffic import Call

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SHOP = Rule(name="Shop fails", metric="failure_rate", threshold=0.2, clear=0.1, window_s=300, by=["service"])


def burst(begin: int, end: int, failing: Callable[[int], bool], step: int = 20_000, **how: Any) -> list[Call]:
    return [Call(at, error="Timeout" if failing(at) else "", **how) for at in range(begin, end, step)]


@dataclass
class Bench:
    """A sidecar's alerts with a clock of their own; `again` is the same after a restart."""

    store: Store
    path: Path
    now: int = NOW
    store_is_away: bool = False
    environment: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        self.again()

    def again(self) -> None:
        self.documents = DocumentFile(self.path, lambda: self.now / 1000)
        self.engine = Engine(
            self.store.ask, self.insert, self.documents, {"sidecar": of_sidecar(lambda: {"queue_bytes": 7})},
            lambda: "http://spanward.example",
        )  # fmt: skip
        self.delivery = Delivery(self.documents, self.insert, self.send)

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        if self.store_is_away:
            raise QueryFailed("no store")
        self.store.insert(table, rows)

    def send(self, channel: Any, told: Notification, now: int) -> None:
        send(channel, told, now, self.environment or {})

    def rule(self, id_: str, rule: Rule) -> None:
        self.documents.put(kept.RULE, id_, rule.model_dump())

    def channel(self, id_: str, **body: Any) -> None:
        self.documents.put(kept.CHANNEL, id_, {"name": id_} | body)

    def round(self, at: int) -> str:
        self.now = at
        problem = self.engine.round(at).problem
        return self.delivery.turn(at) or problem

    def history(self) -> list[tuple[str, str, str, int]]:
        rows = happened.history(self.store.ask)
        return [(row["event"], row["group"], row["channel"], row["attempts"]) for row in reversed(rows)]


@pytest.fixture
def bench(store: Store, tmp_path: Path) -> Bench:
    return Bench(store, tmp_path / "documents.db")


def test_a_burst_is_told_once_by_service_and_its_end_too(bench: Bench, stored: Put) -> None:
    secret: dict[str, Any] = {"said": "my secret prompt", "message": "secret"}
    stored([
        *burst(NOW - HOUR, NOW + HOUR, lambda at: NOW <= at < NOW + 10 * MINUTE, **secret),
        *burst(NOW - HOUR, NOW + HOUR, lambda _: False, service="other"),
    ])  # fmt: skip
    with web() as hook, web() as chat, mail() as mails:
        bench.environment = {"SPANWARD_ALERT_HOOK": "k3y"}
        bench.channel("hook", kind="webhook", url=hook.url + "/in", secret_env="SPANWARD_ALERT_HOOK")
        bench.channel("chat", kind="slack", url=chat.url + "/T/B/x")
        bench.channel(
            "mail", kind="email", host="127.0.0.1", port=mails.port, encryption="none", sender="a@b.c", to=["d@e.f"]
        )
        bench.rule("r1", SHOP.model_copy(update={"channels": ["hook", "chat", "mail"], "repeat_s": 0}))
        for minute in range(30):
            assert bench.round(NOW + minute * MINUTE + 20_000) == ""
        told = [json.loads(body) for _, _, body in hook.came]
        fired = NOW + 2 * MINUTE + 20_000
        assert [(one["status"], one["group"], one["link"].partition("&to=")[0]) for one in told] == [
            (status, {"service": "shop"}, "http://spanward.example/calls?" + urlencode({"from": stamp(at - HOUR)}))
            for status, at in (("firing", fired), ("resolved", fired + 13 * MINUTE))
        ]
        assert told[0]["link"].endswith(urlencode({"to": stamp(fired), "service": "shop", "status": "error"}))
        assert told[0]["title"] == "Warning: Shop fails (service shop)"
        assert told[0]["text"] == "Failure rate is 40 %, above 20 % alarms."
        path, headers, body = hook.came[0]
        second = headers["Spanward-Signature"].partition(",")[0].removeprefix("t=")
        expected = hmac.new(b"k3y", f"{second}.".encode() + body, sha256).hexdigest()
        assert (path, headers["Spanward-Signature"]) == ("/in", f"t={second},v1={expected}")
        assert headers["Spanward-Notification"] == told[0]["id"]
        assert json.loads(chat.came[0][2])["text"] == "Warning: Shop fails (service shop)"
        mailed = message_from_bytes(mails.came[0].content, policy=policy.default)
        assert (mails.came[0].rcpt_tos, mailed["Subject"]) == (["d@e.f"], "Warning: Shop fails (service shop)")
        everything = b"".join([body for *_, body in hook.came + chat.came] + [one.content for one in mails.came])
        assert b"secret" not in everything
    each = [("delivered", "shop", name, 1) for name in ("chat", "hook", "mail")]
    assert sorted(bench.history()) == sorted([("firing", "shop", "", 0), ("resolved", "shop", "", 0), *each, *each])


def stamp(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_what_a_receiver_that_is_down_missed_comes_when_it_is_up_again(bench: Bench, stored: Put) -> None:
    stored(burst(NOW - 10 * MINUTE, NOW, lambda _: True))
    port = free_port()
    bench.channel("hook", kind="webhook", url=f"http://127.0.0.1:{port}/")
    bench.rule("r1", SHOP.model_copy(update={"channels": ["hook"]}))
    bench.round(NOW + 20_000)
    (waiting,) = undelivered(bench.documents)
    assert (waiting["attempts"], waiting["next"], waiting["why"]) == (
        1, NOW + 50_000, "cannot be reached (ConnectError)",
    )  # fmt: skip
    bench.again()  # the sidecar is killed and comes back
    with web(port) as hook:
        bench.delivery.turn(NOW + 40_000)
        assert hook.came == []  # not before its time
        hook.status = 503
        bench.delivery.turn(NOW + 50_000)
        hook.status = 200
        bench.delivery.turn(NOW + 50_000 + 60_000)
        assert [json.loads(body)["status"] for *_, body in hook.came] == ["firing", "firing"]
        assert len({headers["Spanward-Notification"] for _, headers, _ in hook.came}) == 1
    assert undelivered(bench.documents) == []
    assert bench.history() == [("firing", "shop", "", 0), ("delivered", "shop", "hook", 3)]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (302, "it answered 302: redirects are not followed, give the address itself"),
        (404, "it answered 404"),
    ],
)
def test_what_will_never_be_taken_is_told_as_failed(bench: Bench, stored: Put, status: int, why: str) -> None:
    stored(burst(NOW - 10 * MINUTE, NOW, lambda _: True))
    with web() as hook, web() as inner:
        hook.status, hook.location = status, inner.url
        bench.channel("hook", kind="webhook", url=hook.url)
        bench.rule("r1", SHOP.model_copy(update={"channels": ["hook"]}))
        bench.round(NOW + 20_000)
        assert (len(hook.came), inner.came) == (1, [])
    event, *_ = happened.history(bench.store.ask)
    assert (event["event"], event["detail"]) == ("failed", why)


def test_it_gives_up_after_a_day_and_says_so(bench: Bench, stored: Put) -> None:
    stored(burst(NOW - 10 * MINUTE, NOW, lambda _: True))
    bench.channel("hook", kind="webhook", url=f"http://127.0.0.1:{free_port()}/")
    bench.rule("r1", SHOP.model_copy(update={"channels": ["hook"]}))
    bench.round(NOW + 20_000)
    while waiting := undelivered(bench.documents):
        bench.delivery.turn(waiting[0]["next"])
    event, *_ = happened.history(bench.store.ask)
    assert (event["event"], event["detail"]) == ("failed", "cannot be reached (ConnectError)")
    assert 23 * HOUR < event["at"] - NOW < 25 * HOUR


def test_nothing_is_lost_while_the_store_is_away(bench: Bench, stored: Put) -> None:
    stored(burst(NOW - 10 * MINUTE, NOW, lambda _: True))
    with web() as hook:
        bench.channel("hook", kind="webhook", url=hook.url)
        bench.rule("r1", SHOP.model_copy(update={"channels": ["hook"]}))
        bench.store_is_away = True
        assert "cannot be written" in bench.round(NOW + 20_000)
        assert "cannot be written" in bench.round(NOW + 50_000)
        assert len(hook.came) == 1  # people are told whether or not there is a store
        assert len(rule_state(bench.documents, "r1").pending) == 1
        bench.again()
        bench.store_is_away = False
        bench.round(NOW + 80_000)
        assert len(hook.came) == 1
    assert sorted(bench.history()) == [("delivered", "shop", "hook", 1), ("firing", "shop", "", 0)]


def test_a_rule_that_is_removed_while_it_fires_ends(bench: Bench, stored: Put) -> None:
    stored(burst(NOW - 10 * MINUTE, NOW, lambda _: True))
    bench.rule("r1", SHOP)
    bench.round(NOW + 20_000)
    bench.documents.remove(kept.RULE, "r1")
    bench.round(NOW + 50_000)
    assert bench.history() == [("firing", "shop", "", 0), ("resolved", "shop", "", 0)]
    assert bench.documents.all(kept.STATE) == []


def test_a_snoozed_rule_tells_nobody(bench: Bench, stored: Put) -> None:
    stored(burst(NOW - 10 * MINUTE, NOW + HOUR, lambda _: True))
    with web() as hook:
        bench.channel("hook", kind="webhook", url=hook.url)
        bench.rule("r1", SHOP.model_copy(update={"channels": ["hook"]}))
        bench.documents.put(kept.SNOOZE, "r1", {"until": NOW + 10 * MINUTE, "note": "known"}, actor="kim")
        bench.round(NOW + 20_000)
        assert hook.came == []
        bench.round(NOW + 11 * MINUTE)
        assert [json.loads(body)["status"] for *_, body in hook.came] == ["repeated"]


def values(bench: Bench, now: int, **rule: Any) -> dict[str, float | None]:
    asked = Asked("r", Rule(name="r", **rule))
    told = measure(bench.store.ask, [asked], now, {})["r"]
    assert told.problem == ""
    return {" ".join(one.group): one.value for one in told.readings}


def test_every_metric_says_what_was_planted(bench: Bench, stored: Put) -> None:
    """Ten minutes: a call a minute of each service, half of the shop's fail, one in ten by a rate limit."""
    calls = []
    for minute in range(10, 0, -1):
        at = NOW - minute * MINUTE
        error = "" if minute % 2 else "RateLimitError" if minute == 10 else "APITimeoutError"
        calls.append(Call(at, error=error, cost=0.6, latency_ms=256, ttft_ms=64, guards=[{}] if minute == 1 else []))
        calls.append(Call(at, service="other", cost=None, model="house", latency_ms=1024))
    open_ = {semconv.GUARDRAIL_VERDICT: "fail_open", semconv.GUARDRAIL_ACTION: "allow"}
    calls.append(
        Call(NOW - MINUTE, service="other", cost=None, attributes={semconv.GUARD_ACTION: "block"}, guards=[open_])
    )
    stored(calls)
    at = NOW + 20_000
    ten = {"window_s": 600, "threshold": 1}
    service = {"service": ["shop"]}
    for rule, expected in (
        ({"metric": "failure_rate", "by": ["service"]}, {"other": 0.0, "shop": 0.5}),
        ({"metric": "failure_rate", "scope": {"service!": ["shop"]}}, {"": 0.0}),
        ({"metric": "failure_rate", "kind": "rate_limit", "scope": service}, {"": 0.1}),
        ({"metric": "failure_rate", "kind": "timeout", "scope": service}, {"": 0.4}),
        ({"metric": "failure_rate", "minimum_calls": 11, "by": ["service"]}, {"other": 0.0, "shop": None}),
        ({"metric": "blocked_rate", "by": ["service"]}, {"other": 1 / 11, "shop": 0.0}),
        ({"metric": "calls_per_minute"}, {"": 2.1}),
        ({"metric": "cost_per_hour"}, {"": 36.0}),
        ({"metric": "unpriced", "by": ["service", "model"]}, {"other gpt-4o": 1, "other house": 10, "shop gpt-4o": 0}),
        ({"metric": "guard_rate", "kind": "modified", "by": ["service"]}, {"other": 0.0, "shop": 0.1}),
        ({"metric": "fail_open"}, {"": 1}),
    ):  # fmt: skip
        told = values(bench, at, **(ten | rule))
        assert told == pytest.approx(expected), rule
    late = values(bench, NOW + HOUR + 20_000, metric="no_data", threshold=5, by=["service"])
    assert late == {"other": 60.0, "shop": 60.0}
    for metric, low, high in (("latency_p50", 256, 280), ("ttft_p95", 64, 71)):
        assert low <= (values(bench, at, metric=metric, scope=service, **ten)[""] or 0) <= high
    # 5 of 10 failed, 1 % may: 50 times over any window; the level is that against the limits of the pairs
    assert values(bench, at, metric="burn_rate", scope=service) == pytest.approx({"": 50.0})


def test_what_was_seen_is_what_would_have_been_seen(bench: Bench, stored: Put) -> None:
    """The past of a rule is made of bins and sliding sums, the present of one window: they are the same figures."""
    stored(
        [
            Call(
                NOW - n * 37_000, error="E" if n % 7 == 0 else "", latency_ms=50 + n % 90, service="ab"[n % 2],
                guards=[{}] if n % 5 == 0 else [],
            )
            for n in range(300)
        ]
    )  # fmt: skip
    for rule in (
        Rule(name="r", metric="failure_rate", by=["service"], window_s=900),
        Rule(name="r", metric="failure_rate", kind="provider_error", window_s=1800),
        Rule(name="r", metric="latency_p95", window_s=600, minimum_calls=9),
        Rule(name="r", metric="guard_rate", by=["service"]),
        Rule(name="r", metric="no_data", by=["service"]),
        Rule(name="r", metric="burn_rate"),
        Rule(name="r", metric="cost_per_hour", window_s=3600),
    ):
        asked = Asked("r", rule)
        for at, readings in past(bench.store.ask, asked, NOW - 2 * HOUR, NOW):
            now = measure(bench.store.ask, [asked], at + 15_000, {})["r"].readings
            assert end_of(at + 15_000) == at
            there = {one.group: one.value for one in readings if one.value is not None}
            assert there == pytest.approx({one.group: one.value for one in now if one.value is not None}), (rule, at)


def test_a_budget_says_how_much_of_it_is_spent(bench: Bench, stored: Put) -> None:
    stored(
        [Call(NOW - n * HOUR, cost=1.0) for n in range(3)] + [Call(NOW - 2 * DAY, cost=50.0), Call(NOW, service="x")]
    )
    body = {"name": "Shop", "scope": {"service": ["shop"]}, "amount_usd": 10.0, "period": "day"}
    bench.documents.put("budget", "b1", body)
    rule = Rule(name="r", metric="budget_share", threshold=0.8, budget="b1")
    asked = kept.asked_of(bench.documents, "r", rule)
    (reading,) = measure(bench.store.ask, [asked], NOW + 80_000, {})["r"].readings
    today = sum(1 for n in range(3) if (NOW - n * HOUR) // DAY == NOW // DAY)
    assert (reading.value, reading.text) == (today / 10, f"${today:.2f} of $10.00 this day")


def test_what_the_sidecar_says_of_itself_and_a_question_that_fails(bench: Bench) -> None:
    bench.rule("q", Rule(name="Queue", metric="queue_bytes", threshold=5))
    bench.rule("d", Rule(name="Drift", metric="drift"))
    assert bench.round(NOW) == "Drift: nothing here tells of drift"
    assert rule_state(bench.documents, "q").groups[()].phase == "firing"

    def broken(sql: str, parameters: Mapping[str, Any] | None = None) -> Any:
        raise QueryFailed("timeout exceeded")

    told = measure(broken, [Asked("a", SHOP), Asked("b", SHOP)], NOW, {})
    assert {id_: one.problem for id_, one in told.items()} == {"a": "timeout exceeded", "b": "timeout exceeded"}


@dataclass
class Alarm:
    stream: str
    service: str
    effect: float
    text: str


def test_a_drift_alarm_fires_as_a_group_of_its_own_and_ends_with_it(bench: Bench) -> None:
    standing = [Alarm("language", "shop", -0.3, "more German"), Alarm("length", "other", 0.2, "longer")]
    source = of_drift(bench.store.ask, lambda _ask, _now: standing)
    bench.engine = Engine(bench.store.ask, bench.insert, bench.documents, {"drift": source}, str)
    bench.rule("d", Rule(name="Drift", metric="drift", scope={"service": ["shop"]}))
    bench.round(NOW)
    standing.clear()
    bench.round(NOW + 30_000)
    assert bench.history() == [("firing", "language · shop", "", 0), ("resolved", "language · shop", "", 0)]


def test_a_flood_of_groups_is_bounded(bench: Bench) -> None:
    alarms = [Alarm(f"s{n:03}", "shop", 1.0, "") for n in range(80)]
    source = of_drift(bench.store.ask, lambda _ask, _now: alarms)
    bench.engine = Engine(bench.store.ask, bench.insert, bench.documents, {"drift": source}, str)
    bench.rule("d", Rule(name="Drift", metric="drift"))
    bench.round(NOW)
    state = rule_state(bench.documents, "d")
    assert (len(state.groups), state.left_out) == (50, 30)


def told(bench: Bench) -> dict[str, Any]:
    return report_of(bench.documents, NOW, NOW)


def flood(bench: Bench, rounds: int) -> None:
    """Fifty groups that fire and end in turn, a round every half minute, while nothing can be written."""
    standing: list[Alarm] = []
    source = of_drift(bench.store.ask, lambda _ask, _now: standing)
    bench.engine = Engine(bench.store.ask, bench.insert, bench.documents, {"drift": source}, str)
    bench.store_is_away = True
    for n in range(rounds):
        standing[:] = [Alarm(f"s{one:03}", "shop", 1.0, "") for one in range(50)] if n % 2 == 0 else []
        bench.engine.round(NOW + n * 30_000)


def test_what_finds_no_room_while_the_store_is_away_is_counted_and_told(bench: Bench) -> None:
    bench.channel("hook", kind="webhook", url="http://127.0.0.1:9/")
    bench.rule("d", Rule(name="Drift", metric="drift", channels=["hook"]))
    flood(bench, 11)
    assert told(bench) == {"problem": UNMEASURED, "waiting": 500, "lost": 50}
    assert alerts(bench.documents, NOW)["engine"]["lost"] == 50
    assert len(bench.documents.all(kept.OUTBOX)) == 550  # people are told of all of them
    bench.again()  # the sidecar is killed and comes back, then the store does
    bench.store_is_away = False
    back = NOW + 11 * 30_000
    bench.engine.round(back)
    assert told(bench)["lost"] == 0
    rows_of_lost = [row for row in happened.history(bench.store.ask, size=200) if row["event"] == "lost"]
    span = stamp(NOW)[:16].replace("T", " ") + " UTC"
    assert [(row["name"], row["detail"]) for row in rows_of_lost] == [
        ("Drift", f"50 events from {span} to {span}: the store was away for too long"),
    ]
    rows = bench.store.ask("SELECT count() FROM (SELECT * FROM alert_events LIMIT 1 BY id)").rows
    assert rows == ((501,),)
    assert bench.store.ask("SELECT service, kind, reason, count FROM reports").rows == (
        ("spanward", "alert_events", "Drift", 50),
    )
    bench.engine.round(back + 30_000)
    assert bench.store.ask("SELECT count() FROM reports").rows == ((1,),)  # once


def test_what_fits_is_not_called_lost(bench: Bench) -> None:
    bench.rule("d", Rule(name="Drift", metric="drift"))
    flood(bench, 10)
    assert {name: told(bench)[name] for name in ("waiting", "lost")} == {"waiting": 500, "lost": 0}
    bench.store_is_away = False
    bench.engine.round(NOW + HOUR)
    assert bench.store.ask("SELECT countIf(event = 'lost') FROM alert_events").rows == ((0,),)
    assert bench.store.ask("SELECT count() FROM reports").rows == ((0,),)


def test_long_events_are_bounded_by_their_size_too() -> None:
    events = [{"at": n, "detail": "x" * 1024} for n in range(400)]
    waiting, lost = bounded(events, Lost(3, -9, -5))
    assert len(json.dumps(waiting)) <= LARGEST + 2 * len(waiting)  # and the commas between
    assert (waiting[-1]["at"], waiting[0]["at"]) == (399, lost.until + 1)
    assert lost == Lost(3 + 400 - len(waiting), -9, 399 - len(waiting))
    assert bounded(events[-100:], Lost()) == (events[-100:], Lost())


def test_an_outbox_that_is_full_says_what_it_dropped(bench: Bench) -> None:
    for n in range(1000):
        bench.documents.put(kept.OUTBOX, str(n), {"next": NOW + MINUTE, "since": n})  # not due yet
    bench.channel("hook", kind="webhook", url="http://127.0.0.1:9/")
    bench.rule("q", Rule(name="Queue", metric="queue_bytes", threshold=5, channels=["hook"]))
    bench.round(NOW)
    assert [event for event, *_ in sorted(bench.history())] == ["dropped", "firing"]


TOLD: Any = {
    "id": "n1", "status": "firing", "title": "Shop fails", "text": "It fails.", "link": "http://p/calls",
    "rule_link": "http://p/alerts/1", "rule": "r1", "name": "Shop fails", "group": {}, "value": 0.5, "threshold": 0.2,
}  # fmt: skip


@pytest.mark.parametrize("kind", ["webhook", "email", "email over TLS"])
def test_a_receiver_that_sends_a_byte_now_and_then_is_hung_up_on(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for waits in (sending, hurried_smtp):
        monkeypatch.setattr(waits, "LONGEST_S", 0.4)
    with dripping() as port:
        web_ = {"kind": "webhook", "name": "c", "url": f"http://127.0.0.1:{port}/"}
        mail_ = {"kind": "email", "name": "c", "host": "127.0.0.1", "port": port, "sender": "a@b.c", "to": ["d@e.f"]}
        channel = channel_of(web_ if kind == "webhook" else mail_ | {"encryption": "tls" if "TLS" in kind else "none"})
        begun = time.monotonic()
        with pytest.raises(Refused) as refused:
            send(channel, TOLD, NOW, {})
    assert refused.value.again
    assert time.monotonic() - begun < TIMEOUT_S  # it never was silent for so long


def test_a_channel_that_cannot_work_keeps_nobody_else_from_theirs(bench: Bench) -> None:
    bench.channel("broken", kind="email", host="no..host", port=25, sender="a@b.c", to=["d@e.f"])
    with web() as hook:
        bench.channel("hook", kind="webhook", url=hook.url)
        for n, channel in enumerate(("broken", "hook")):
            post(bench.documents, channel, TOLD | {"id": f"n{n}"}, NOW + n)
        assert bench.delivery.turn(NOW + 10) == ""
    assert len(hook.came) == 1
    (waits,) = undelivered(bench.documents)
    assert (waits["channel"], waits["why"]) == ("broken", "could not be sent (UnicodeError)")


def test_a_channel_that_hangs_is_waited_for_once_a_turn(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PATIENCE_S", -1.0)  # however quick it is, it counts as slow
    with web() as slow, web() as quick:
        for name, inbox in (("slow", slow), ("quick", quick)):
            bench.channel(name, kind="webhook", url=inbox.url)
        for n in range(3):
            post(bench.documents, "slow", TOLD | {"id": f"n{n}"}, NOW + n)
        post(bench.documents, "quick", TOLD | {"id": "last"}, NOW + 9)
        bench.delivery.turn(NOW + 10)
        assert (len(slow.came), len(quick.came)) == (1, 1)
        bench.delivery.turn(NOW + 10)
        assert len(slow.came) == 2


def test_what_was_put_off_by_a_clock_that_was_ahead_is_sent(bench: Bench) -> None:
    with web() as hook:
        bench.channel("hook", kind="webhook", url=hook.url)
        post(bench.documents, "hook", TOLD, NOW + 365 * DAY)
        bench.delivery.turn(NOW)
    assert len(hook.came) == 1


def test_names_of_any_length_fit_into_the_state_of_a_rule(bench: Bench, stored: Put) -> None:
    """An application that calls itself by a whole book must not blind a rule for the others."""
    names = [f"{'ä' * 9000}{n}"[-9000 + n :] for n in range(60)]
    stored([Call(NOW - n * 1000, service=name, error="Timeout") for n, name in enumerate(names)])
    bench.rule("r1", SHOP.model_copy(update={"by": ["service", "env"], "minimum_calls": 1}))
    bench.store_is_away = True  # so that what happened stays in the state as well
    for minute in range(1, 4):
        assert "its history cannot be written" in bench.round(NOW + minute * MINUTE + 20_000)
    state = rule_state(bench.documents, "r1")
    assert state.pending
    assert {len(group[0]) for group in state.groups} == {200}


def test_a_state_that_does_not_fit_costs_no_other_rule(
    bench: Bench, stored: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored([Call(NOW - 1000, service="shop", error="Timeout")])
    monkeypatch.setattr(documents, "LARGEST", 1500)
    bench.rule("a", SHOP.model_copy(update={"name": "wide " * 20, "minimum_calls": 1, "channels": ["c" * 1000]}))
    bench.rule("b", SHOP.model_copy(update={"minimum_calls": 1}))
    assert "a document may have 1500 characters" in bench.engine.round(NOW + MINUTE + 20_000).problem
    assert {one.phase for one in rule_state(bench.documents, "b").groups.values()} == {"firing"}
