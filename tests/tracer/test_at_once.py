"""Where a guard has nothing to look at it answers at once, and no async call waits for a thread; where it has, it does.

Real pipelines, by policies that differ in one word. What is noted is who was asked for a judgement that may block.
"""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

import spanward
from spanward.guards.judgement import Check, Decision, Side
from spanward.guards.pipeline import Pipeline
from spanward.tracer import guarding, instrument, stream, threads
from spanward.tracer.blocked import ModelCallBlocked

from .conftest import NOWHERE, SAID, Sidecar, Spooled
from .test_engine import full
from .test_stream_reading import GIVEN, WORDS, answer, said, word
from .test_stream_reading import asked as body

Trace = Callable[..., Any]
Asked = list[tuple[Side, bool]]
"""Sides that were judged, and whether by another thread than the one of the call."""
SECRET = "the key AKIAIOSFODNN7EXAMPLE"


def policy(folder: Path, *rules: str) -> Path:
    written = folder / "policy.yaml"
    lines = [f"  - {{name: r{n}, detect: {{secrets: {{}}}}, {rule}}}" for n, rule in enumerate(rules)]
    written.write_text("\n".join(["version: 1", "name: p", "rules:", *lines] if lines else ["version: 1", "name: p"]))
    return written


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    seen: Asked = []
    here, check = threading.get_ident(), Pipeline.check

    def noting(self: Pipeline, question: Check) -> Decision:
        seen.append((question.side, threading.get_ident() != here))
        return check(self, question)

    monkeypatch.setattr(Pipeline, "check", noting)
    return seen


def call(tiny: Any, *, is_async: bool, streamed: bool) -> None:
    if not is_async:
        whole = tiny.Chat().ask(model="m", messages=SAID, stream=streamed)
        if streamed:
            assert full(whole)
        return

    async def main() -> None:
        whole = await tiny.AsyncChat().ask(model="m", messages=SAID, stream=streamed)
        if streamed:
            assert [chunk async for chunk in whole]

    asyncio.run(main())


INPUT, OUTPUT = "action: block, when: {stage: [input]}", "action: block, when: {stage: [output]}"
LOOKS: dict[str, tuple[tuple[str, ...], list[Side], bool]] = {
    "no rules": ((), [], False),
    "in shadow": (("action: block, mode: shadow",), [], False),
    "flags": (("action: flag",), [], False),
    "another application": (("action: block, when: {app: other}",), [], False),
    "this application": (("action: block, when: {app: 'sho*'}",), ["input", "output"], True),
    "another model": (("action: block, when: {model: n}",), [], False),
    "this model": (("action: block, when: {model: m}",), ["input", "output"], True),
    "input": ((INPUT,), ["input"], False),
    "output": ((OUTPUT,), ["output"], True),
    "output, flags": (("action: flag, when: {stage: [output]}",), [], False),
    "output, one of three": ((INPUT.replace("block", "flag"), f"{OUTPUT}, mode: shadow", OUTPUT), ["output"], True),
    "retrieval": (("action: block, when: {stage: [retrieval]}",), [], False),
    "tool calls": (("action: block, when: {stage: [tool_call]}",), ["output"], False),
}
"""Rules, what is judged of a call (its answer has a text and a tool call), and whether a stream (of text) is."""


@pytest.mark.parametrize(("rules", "sides", "streams"), LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_only_what_a_rule_looks_at_is_asked_for(
    trace: Trace, spooled: Spooled, tmp_path: Path, asked: Asked, rules: tuple[str, ...], sides: list[Side],
    *, streams: bool, is_async: bool,
) -> None:  # fmt: skip
    tiny = trace(guards="local", policy=policy(tmp_path, *rules), service_name="shop")
    call(tiny, is_async=is_async, streamed=False)
    assert asked == [(side, is_async) for side in sides]
    asked.clear()
    call(tiny, is_async=is_async, streamed=True)
    assert {*asked} == {(side, is_async) for side in sides if side == "input" or streams}
    for span in spooled.calls:
        assert "ada@example.com" in span.attributes["gen_ai.input.messages"]
        assert "Hello" in span.attributes["gen_ai.output.messages"]
        assert span.attributes["spanward.guard.verdict"] == "allow"
        assert span.attributes["spanward.guard.policy.hash"]


def test_what_no_adapter_named_is_asked_for_too(spooled: Spooled, tmp_path: Path, asked: Asked) -> None:
    """The conversation is of a stage that no rule looks at; what is left of the arguments is not."""
    spanward.instrument(guards="local", policy=policy(tmp_path, INPUT), endpoint=NOWHERE, spool=spooled.folder)
    client = openai.AsyncOpenAI(api_key="none", base_url=NOWHERE, max_retries=0)
    told: Any = {"model": "m", "messages": [{"role": "tool", "tool_call_id": "t", "content": SECRET}]}

    async def ask(**more: Any) -> None:
        await client.chat.completions.create(**told, **more)

    with pytest.raises(openai.APIConnectionError):
        asyncio.run(ask(audio={"voice": "alloy", "format": "mp3"}))
    assert asked == []
    with pytest.raises(ModelCallBlocked):
        asyncio.run(ask(audio={"voice": SECRET, "format": "mp3"}))
    assert asked == [("input", True)]


@pytest.mark.parametrize(("rule", "few"), [("action: block, when: {stage: [tool_call]}", True), (OUTPUT, False)])
def test_a_text_that_no_rule_looks_at_waits_for_no_thread(
    spooled: Spooled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str, *, few: bool
) -> None:
    """A stream of text, with a rule for tool calls: only what is no plain text (its beginning, its end) is for a
    thread, in which a tool call would be judged.
    """
    hops: list[Any] = []

    async def noting(*work: Any) -> Any:
        hops.append(work)
        return await threads.off_loop(*work)

    monkeypatch.setattr(stream, "off_loop", noting)
    spanward.instrument(guards="local", policy=policy(tmp_path, rule), endpoint=NOWHERE, spool=spooled.folder)

    async def main() -> str:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
        async with openai.AsyncOpenAI(**GIVEN, http_client=http) as client:
            chunks = [chunk async for chunk in await client.chat.completions.create(**body("plain"))]
            return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)

    heard = asyncio.run(main())
    assert heard == said(spooled.one()) == "".join(map(word, range(WORDS)))
    assert (len(hops) < 6) if few else (len(hops) > WORDS)


class Quick:
    """A guard that may answer at once; `check` says where it ran."""

    def __init__(self, at_once: Callable[[Check], Decision | None]) -> None:
        self.at_once = at_once
        self.threads: list[int] = []

    def check(self, check: Check) -> Decision:
        self.threads.append(threading.get_ident())
        return Decision(check.messages)


def fails(_: Check) -> Decision | None:
    raise ZeroDivisionError


def quick(at_once: Callable[[Check], Decision | None]) -> Quick:
    running = instrument.running()
    assert running is not None
    guard = Quick(at_once)
    running.engine.judge = guarding.Judge(guard, guarding.Summary)
    return guard


@pytest.mark.parametrize("at_once", [lambda _: None, fails], ids=["not now", "fails"])
def test_one_that_does_not_answer_at_once_is_asked_in_a_thread(
    trace: Trace, spooled: Spooled, at_once: Callable[[Check], Decision | None]
) -> None:
    tiny = trace()
    guard = quick(at_once)
    call(tiny, is_async=True, streamed=False)
    assert len(guard.threads) == 1
    assert threading.get_ident() not in guard.threads
    assert "Hello" in spooled.one().attributes["gen_ai.output.messages"]


@pytest.mark.parametrize(("parts", "threads"), [(guarding.FEW_PARTS, 0), (guarding.FEW_PARTS + 1, 1)])
def test_what_is_long_to_walk_through_is_for_a_thread(trace: Trace, parts: int, threads: int) -> None:
    tiny = trace()
    guard = quick(lambda check: Decision(check.messages))
    messages = [{"role": "user", "content": "Hi"}] * parts
    asyncio.run(tiny.AsyncChat().ask(model="m", messages=messages))
    assert len(guard.threads) == threads


def test_a_block_at_once_is_a_block(trace: Trace, spooled: Spooled) -> None:
    tiny = trace()
    quick(lambda check: Decision(check.messages, "deny", "block", blocked_by="r", policy_name="p"))
    with pytest.raises(ModelCallBlocked):
        asyncio.run(tiny.AsyncChat().ask(model="m", messages=SAID))
    assert tiny.calls == []
    assert spooled.one().attributes["spanward.guard.action"] == "block"


def test_the_sidecar_is_asked_each_time(trace: Trace, sidecar: Sidecar) -> None:
    """Whatever its policy was a moment ago."""
    tiny = trace(guards="sidecar", endpoint=sidecar.url)
    for _ in range(3):
        call(tiny, is_async=True, streamed=False)
    assert [check.side for check in sidecar.checks] == ["input"] * 3
