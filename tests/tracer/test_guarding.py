"""Guards stand in the call: what the provider gets, what the application gets, what is recorded, and nobody at home."""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import spanward
from spanward.guards.judgement import Check, Decision, Edit, GuardEvent, StreamPlan
from spanward.guards.messages import parts_of
from spanward.tracer import instrument
from spanward.tracer.guarding import NoGuards

from .conftest import NOWHERE, SAID, Sidecar, Spooled
from .test_engine import full

Trace = Callable[..., Any]
MAIL, STAND_IN = "ada@example.com", "<EMAIL_ADDRESS_1>"
EVENT = GuardEvent(
    "pii-out",
    "input",
    "pii",
    "EMAIL_ADDRESS",
    "modify",
    "modify",
    score=1.0,
    findings=1,
    latency_ms=2.0,
    engine="presidio",
)


def pseudonymise(check: Check, plan: StreamPlan | None = None) -> Decision:
    """What the default policy does, for one address; an answer is masked where it says `Hello`."""
    if check.side == "output":
        return mask(check)
    messages = tuple(
        replace(m, parts=tuple(replace(p, text=p.text.replace(MAIL, STAND_IN)) for p in m.parts))
        for m in check.messages
    )
    return Decision(
        messages,
        "modify",
        "modify",
        (EVENT,),
        {STAND_IN: MAIL},
        policy_name="p",
        policy_hash="abc",
        stream=plan or StreamPlan(),
        latency_ms=3.0,
    )


def mask(check: Check) -> Decision:
    edits = tuple(
        Edit(m, p, at, at + 5, "*****")
        for m, p, part in parts_of(check.messages)
        if (at := part.text.find("Hello")) >= 0
    )
    messages = tuple(
        replace(m, parts=tuple(replace(p, text=p.text.replace("Hello", "*****")) for p in m.parts))
        for m in check.messages
    )
    return Decision(messages, "modify" if edits else "allow", "modify" if edits else "allow", edits=edits)


def block(check: Check, *, side: str = "input", reply: str | None = None) -> Decision:
    if check.side != side:
        return Decision(check.messages, stream=StreamPlan("window", 8))
    hidden = tuple(replace(m, parts=tuple(replace(p, text="###") for p in m.parts)) for m in check.messages)
    return Decision(hidden, "deny", "block", blocked_by="no-secrets", policy_name="p", reply=reply)


def test_the_provider_gets_placeholders_and_the_application_the_originals(
    trace: Trace, spooled: Spooled, sidecar: Sidecar
) -> None:
    sidecar.decide = pseudonymise
    tiny = trace(guards="sidecar", endpoint=sidecar.url)
    said = [dict(message) for message in SAID]
    with spanward.session("s1"):
        answer = tiny.Chat().ask(model="m", messages=said)
    assert said == SAID
    assert tiny.calls[0]["messages"][1] == {"role": "user", "content": f"mail {STAND_IN}"}
    assert (answer.text, answer.args) == (f"Hello {MAIL}", {"to": MAIL, "n": 1})
    assert MAIL.encode() not in spooled.bytes
    ((rail, call),) = spooled.frames
    assert {key: call.attributes[key] for key in call.attributes if "messages" in key or "system" in key} == {
        "gen_ai.input.messages": json.dumps(
            [{"role": "user", "parts": [{"type": "text", "content": f"mail {STAND_IN}"}]}], separators=(",", ":")
        ),
        "gen_ai.system_instructions": '[{"type":"text","content":"be kind"}]',
        "gen_ai.output.messages": json.dumps(
            [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "text", "content": f"Hello {STAND_IN}"},
                        {"type": "tool_call", "id": "t1", "name": "send", "arguments": {"to": STAND_IN, "n": 1}},
                    ],
                    "finish_reason": "stop",
                }
            ],
            separators=(",", ":"),
        ),
    }
    assert (rail.name, rail.parent_id, rail.trace_id) == ("run_guardrail", call.span_id, call.trace_id)
    assert rail.attributes == {
        "gen_ai.operation.name": "run_guardrail",
        "gen_ai.guardrail.target.type": "input",
        "gen_ai.guardrail.verdict.type": "modify",
        "gen_ai.guardrail.action.type": "modify",
        "gen_ai.guardrail.policy.rule.id": "pii-out",
        "gen_ai.guardrail.security.policy.id": "p",
        "gen_ai.guardrail.component.name": "pii",
        "gen_ai.guardrail.risk.category": "EMAIL_ADDRESS",
        "gen_ai.guardrail.risk.score": 1.0,
        "spanward.guardrail.mode": "enforce",
        "spanward.guardrail.stage": "input",
        "spanward.guardrail.findings": 1,
        "spanward.guardrail.engine": "presidio",
        "spanward.guardrail.degraded": False,
        "spanward.guardrail.call.span_id": call.span_id,
        "spanward.guard.latency_ms": 2.0,
        "spanward.guard.policy.hash": "abc",
    }
    assert call.attributes["spanward.guard.verdict"] == "modify"
    assert sidecar.checks[0].context.session_id == "s1"


@pytest.mark.parametrize("plan", [StreamPlan(), StreamPlan("window", 8), StreamPlan("buffer"), StreamPlan("observe")])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_stream_is_restored_and_judged(
    trace: Trace, spooled: Spooled, sidecar: Sidecar, plan: StreamPlan, *, is_async: bool
) -> None:
    sidecar.decide = lambda check: pseudonymise(check, plan)
    tiny = trace(guards="sidecar", endpoint=sidecar.url)

    async def read() -> str:
        stream = await tiny.AsyncChat().ask(model="m", messages=SAID, stream=True)
        return "".join([chunk.piece async for chunk in stream])

    got = asyncio.run(read()) if is_async else full(tiny.Chat().ask(model="m", messages=SAID, stream=True))
    masks = plan.mode in {"window", "buffer"}
    assert got == f"{'*****' if masks else 'Hello'} {MAIL} and bye"
    call = spooled.one()
    said = f"{'Hello' if plan.mode == 'none' else '*****'} {STAND_IN} and bye"
    assert json.loads(call.attributes["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": said}]
    assert MAIL.encode() not in spooled.bytes


def test_a_stream_that_is_left_records_only_what_was_judged(trace: Trace, spooled: Spooled, sidecar: Sidecar) -> None:
    sidecar.decide = lambda check: pseudonymise(check, StreamPlan("observe"))
    tiny = trace(guards="sidecar", endpoint=sidecar.url)
    with tiny.Chat().ask(model="m", messages=SAID, stream=True) as stream:
        next(stream)
    assert b"Hel" not in spooled.bytes
    assert "gen_ai.input.messages" in spooled.one().attributes


def test_a_blocked_call_raises_and_is_never_sent(trace: Trace, spooled: Spooled, sidecar: Sidecar) -> None:
    sidecar.decide = block
    tiny = trace(guards="sidecar", endpoint=sidecar.url)
    asks: list[Callable[[], Any]] = [
        lambda: tiny.Chat().ask(model="m", messages=SAID),
        lambda: asyncio.run(tiny.AsyncChat().ask(model="m", messages=SAID, stream=True)),
    ]
    for ask in asks:
        with pytest.raises(spanward.ModelCallBlocked, match="no-secrets") as raised:
            ask()
        assert (raised.value.rule, raised.value.side) == ("no-secrets", "input")
        assert "ada" not in str(raised.value)
    assert tiny.calls == []
    for call in spooled.calls:
        assert (call.status, call.attributes["error.type"]) == (2, "ModelCallBlocked")
        assert (call.attributes["spanward.guard.verdict"], call.attributes["spanward.guard.action"]) == (
            "deny",
            "block",
        )
    assert b"ada@" not in spooled.bytes


def test_a_blocked_call_with_a_reply_answers_in_the_type_of_the_library(
    trace: Trace, spooled: Spooled, sidecar: Sidecar
) -> None:
    sidecar.decide = lambda check: block(check, reply="no")
    tiny = trace(guards="sidecar", endpoint=sidecar.url)
    answer = tiny.Chat().ask(model="m", messages=SAID)
    assert (answer.id, answer.text) == ("canned", "no")
    assert full(tiny.Chat().ask(model="m", messages=SAID, stream=True)) == "no"
    assert tiny.calls == []
    assert [call.attributes["spanward.guard.action"] for call in spooled.calls] == ["block", "block"]


@pytest.mark.parametrize("reply", [None, "sorry"])
def test_a_blocked_answer_is_withheld(trace: Trace, spooled: Spooled, sidecar: Sidecar, reply: str | None) -> None:
    sidecar.decide = lambda check: block(check, side="output", reply=reply)
    tiny = trace(guards="sidecar", endpoint=sidecar.url)
    if reply is None:
        with pytest.raises(spanward.ModelCallBlocked) as raised:
            tiny.Chat().ask(model="m", messages=SAID)
        assert raised.value.side == "output"
        stream = tiny.Chat().ask(model="m", messages=SAID, stream=True)
        with pytest.raises(spanward.ModelCallBlocked):
            full(stream)
        assert stream.response.closed
    else:
        answer = tiny.Chat().ask(model="m", messages=SAID)
        assert (answer.text, answer.args) == ("sorry", {})
        assert full(tiny.Chat().ask(model="m", messages=SAID, stream=True)) == "sorry"
    whole, streamed = spooled.calls
    assert streamed.attributes["spanward.stream.end"] == "blocked"
    assert [c.attributes["spanward.guard.action"] for c in (whole, streamed)] == ["block", "block"]
    assert b"Hello" not in spooled.bytes


def test_the_loop_is_never_the_thread_that_asks_a_guard(
    trace: Trace, monkeypatch: pytest.MonkeyPatch, sidecar: Sidecar
) -> None:
    from spanward.tracer.guarding import SidecarGuard

    threads = []
    check = SidecarGuard.check

    def noting(self: SidecarGuard, question: Check) -> Decision:
        threads.append(threading.get_ident())
        return check(self, question)

    monkeypatch.setattr(SidecarGuard, "check", noting)
    sidecar.decide = lambda question: pseudonymise(question, StreamPlan("window", 8))
    tiny = trace(guards="sidecar", endpoint=sidecar.url)

    async def main() -> None:
        await tiny.AsyncChat().ask(model="m", messages=SAID)
        async for _ in await tiny.AsyncChat().ask(model="m", messages=SAID, stream=True):
            pass

    asyncio.run(main())
    assert len(threads) > 4
    assert threading.get_ident() not in threads


def test_with_no_sidecar_ever_the_call_runs_unguarded_and_says_so_once(
    trace: Trace, spooled: Spooled, caplog: pytest.LogCaptureFixture
) -> None:
    tiny = trace(guards="sidecar")
    for _ in range(2):
        assert tiny.Chat().ask(model="m", messages=SAID).text.startswith("Hello")
    assert len([r for r in caplog.records if "GUARDS ARE OFF" in r.message and "spanward serve" in r.message]) == 1
    for call in spooled.calls:
        assert call.attributes["spanward.guard.verdict"] == "fail_open"
        assert call.attributes["spanward.content.withheld"] == "guards_failed"
    assert b"ada@" not in spooled.bytes


def test_without_any_guard_a_cautious_application_does_not_start(trace: Trace) -> None:
    with pytest.raises(NoGuards, match="spanward serve"):
        trace(guards="sidecar", require_guards=True)


@pytest.mark.parametrize(("on_error", "sent"), [("block", 0), ("flag", 1), ("allow", 1)])
def test_the_policy_rules_a_sidecar_that_fell_silent(
    trace: Trace, spooled: Spooled, sidecar: Sidecar, on_error: str, sent: int
) -> None:
    sidecar.policy["on_error"] = on_error
    trace(guards="sidecar", endpoint=sidecar.url, require_guards=True)
    spanward.uninstrument()
    sidecar.decide = lambda _: None
    tiny = trace(guards="sidecar", endpoint=sidecar.url)
    if sent:
        tiny.Chat().ask(model="m", messages=SAID)
    else:
        with pytest.raises(spanward.ModelCallBlocked, match="on_error"):
            tiny.Chat().ask(model="m", messages=SAID)
    assert len(tiny.calls) == sent
    call = spooled.one()
    assert call.attributes["spanward.guard.verdict"] == ("fail_open" if sent else "deny")
    assert call.attributes["spanward.guard.policy.hash"] == "h"
    assert b"ada@" not in spooled.bytes


def test_what_we_cannot_read_is_what_nobody_judged(trace: Trace, spooled: Spooled, sidecar: Sidecar) -> None:
    import tinylib_adapter  # type: ignore[import-not-found]  # the fixture put it on the path

    tiny = trace(guards="sidecar", endpoint=sidecar.url, require_guards=True)
    tinylib_adapter.broken.add("request")
    with pytest.raises(spanward.ModelCallBlocked, match="on_error"):
        tiny.Chat().ask(model="m", messages=SAID)
    assert tiny.calls == []


def test_content_none_captures_none(trace: Trace, spooled: Spooled, sidecar: Sidecar) -> None:
    sidecar.decide = pseudonymise
    tiny = trace(guards="sidecar", endpoint=sidecar.url, content="none")
    tiny.Chat().ask(model="m", messages=SAID)
    assert spooled.one().attributes["spanward.content.withheld"] == "content_none"
    assert b"be kind" not in spooled.bytes


def test_guards_in_this_process(trace: Trace, spooled: Spooled, tmp_path: Any) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "version: 1\nrules:\n  - name: no-secrets\n    when: { stage: input }\n    detect: { secrets: {} }\n"
        "    action: block\n    reply: 'not sent'\n"
    )
    tiny = trace(guards="local", policy=policy, endpoint=NOWHERE)
    running = instrument.running()
    assert running is not None
    running.after_fork()  # what a forked child does first
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    secret = [{"role": "user", "content": f"use aws key {key} please"}]
    assert tiny.Chat().ask(model="m", messages=secret).text == "not sent"
    assert tiny.Chat().ask(model="m", messages=SAID).text.startswith("Hello")
    assert [call.attributes["spanward.guard.action"] for call in spooled.calls] == ["block", "allow"]
    assert key.encode() not in spooled.bytes
