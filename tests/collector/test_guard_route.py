"""The guards over HTTP say what the same pipeline says in this process."""

import json
from pathlib import Path
from typing import Any

import pytest

from spanward.guards import policy as policies
from spanward.guards.judgement import Check, Context, Decision
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline
from spanward.guards.wire import check_to_json, decision_from_json, decision_to_json

from .sidecar_process import Running

KEY = "sk-" + "proj-" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2"


def question(*texts: str, side: Any = "input", session: str = "") -> Check:
    messages = (Message("user", tuple(Part("text", text) for text in texts)),)
    return Check(side, messages, Context(app="desk", provider="openai", model="gpt-4o-mini", session_id=session))


CHECKS = {
    "nothing to find": question("how do I reset my password?"),
    "mail is replaced": question("write to ada@example.com", "and to bob@example.org"),
    "a key is blocked": question(f"my key is {KEY}"),
    "an answer is not in the way": question("write to ada@example.com", side="output"),
    "no messages": Check("input", ()),
}


def comparable(decision: Decision) -> dict[str, Any]:
    """Without times, and without the numbers that two vaults give on their own."""
    plain: dict[str, Any] = json.loads(json.dumps(decision_to_json(decision)))
    plain.pop("latency_ms")
    for event in plain["events"]:
        event.pop("latency_ms")
    return plain


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_the_answer_is_the_pipelines(sidecar: Running, policy_file: Path, check: Check) -> None:
    answer = sidecar.http.post("/v1/guard/check", json=check_to_json(check))
    assert answer.status_code == 200
    here = Pipeline(policies.load(policy_file))
    assert comparable(decision_from_json(answer.json())) == comparable(here.check(check))
    here.close()


def test_what_it_decides(sidecar: Running) -> None:
    def decided(name: str) -> tuple[str, str, str | None]:
        decision = decision_from_json(sidecar.http.post("/v1/guard/check", json=check_to_json(CHECKS[name])).json())
        return decision.verdict, decision.action, decision.reply

    reply = "That message contained a credential and was not sent."
    assert decided("nothing to find") == ("allow", "allow", None)
    assert decided("mail is replaced") == ("modify", "modify", None)
    assert decided("a key is blocked") == ("deny", "block", reply)


def test_the_policy_in_force(sidecar: Running, policy_file: Path) -> None:
    expected = Pipeline(policies.load(policy_file))
    assert sidecar.http.get("/v1/guard/policy").json() == expected.summary
    expected.close()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"[]", "check"),
        (b'{"side": "input", "messages": [], "mesages": []}', "unknown key 'mesages'"),
        (b'{"side": "sideways", "messages": []}', "check.side"),
        (b"[" * 100_000, ""),
        (b"\xff", ""),
    ],
)
def test_what_is_no_check_is_refused(sidecar: Running, body: bytes, says: str) -> None:
    before = sidecar.metric('spanward_guard_check_failures_total{reason="malformed"}')
    answer = sidecar.http.post("/v1/guard/check", content=body)
    assert answer.status_code == 400
    assert says in answer.json()["message"]
    assert sidecar.metric('spanward_guard_check_failures_total{reason="malformed"}') == before + 1


def test_a_refused_check_quotes_nothing(sidecar: Running) -> None:
    part = {"kind": "text", "text": {"not": "ada@example.com"}}
    body = {"side": "input", "messages": [{"role": "user", "parts": [part]}]}
    answer = sidecar.http.post("/v1/guard/check", json=body)
    assert (answer.status_code, "ada@" in answer.text) == (400, False)


def test_checks_are_counted_by_what_came_of_them(sidecar: Running) -> None:
    series = 'spanward_guard_checks_total{action="block",side="input",verdict="deny"}'
    timed = "spanward_guard_check_seconds_count"
    before = sidecar.metric(series), sidecar.metric(timed)
    sidecar.http.post("/v1/guard/check", json=check_to_json(CHECKS["a key is blocked"]))
    assert (sidecar.metric(series), sidecar.metric(timed)) == (before[0] + 1, before[1] + 1)
