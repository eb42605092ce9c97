"""`spanward.model_call`: a client of the application's own is traced and guarded like any library."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import spanward
from spanward.guards.judgement import Check, Decision, StreamPlan
from spanward.tracer.spans import inside

from .conftest import SAID, Sidecar, Spooled

Trace = Callable[..., Any]
MAIL = "ada@example.com"
RAISED = ConnectionError("the prompt was: my secret is hunter2")
ASKED: Any = {"provider": "acme", "model": "m1"}


def pseudonymises(check: Check, stream: StreamPlan = StreamPlan()) -> Decision:  # noqa: B008  frozen
    """Mail addresses of a prompt become placeholders, which are put back into the answer."""
    messages = tuple(
        replace(
            message, parts=tuple(replace(part, text=part.text.replace(MAIL, "<EMAIL_1>")) for part in message.parts)
        )
        for message in check.messages
    )
    done: Any = "modify" if messages != check.messages else "allow"
    return Decision(
        messages, done, done, pseudonyms={"<EMAIL_1>": MAIL}, policy_name="p", policy_hash="h", stream=stream
    )


@pytest.fixture
def guarded(trace: Trace, sidecar: Sidecar) -> Sidecar:
    sidecar.decide = pseudonymises
    trace(guards="sidecar", endpoint=sidecar.url)
    return sidecar


def through(call: Any, is_async: bool, body: Callable[[Any], Any]) -> Any:
    """Run `body`, a generator function over the call, in a block of either kind: it yields what may be awaited."""

    async def main() -> Any:
        async with call as entered:
            running = body(entered)
            value = None
            while True:
                try:
                    value = await running.send(value)
                except StopIteration as end:
                    return end.value

    if is_async:
        return asyncio.run(main())
    with call as entered:
        running = body(entered)
        value = None
        while True:
            try:
                value = running.send(value)
            except StopIteration as end:
                return end.value


@pytest.mark.parametrize("is_async", [False, True])
def test_a_whole_call(guarded: Sidecar, spooled: Spooled, is_async: bool) -> None:
    seen: list[Any] = []

    def body(call: Any) -> Any:
        seen.extend(call.messages)
        call.response(id="r1", model="m1-2", finish_reason="stop")
        text = yield call.answer("I write to <EMAIL_1>")
        call.usage(input=10, cache_read=5, output=3, raw={"in": 15})
        return text

    with spanward.session("s1"):
        call = spanward.model_call(
            **ASKED, messages=SAID, params={"temperature": 0.5}, server_address="acme.example", server_port=443
        )
        assert through(call, is_async, body) == f"I write to {MAIL}"
    assert seen == [SAID[0], {"role": "user", "content": "mail <EMAIL_1>"}]
    assert inside.get() is None
    span = spooled.one()
    assert (span.name, span.kind, span.status) == ("chat m1", 3, 0)
    assert span.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "m1",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.conversation.id": "s1",
        "gen_ai.response.id": "r1",
        "gen_ai.response.model": "m1-2",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 15,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": 5,
        "spanward.usage.source": "provider",
        "spanward.usage.raw": '{"in":15}',
        "server.address": "acme.example",
        "server.port": 443,
        "spanward.guard.verdict": "modify",
        "spanward.guard.action": "modify",
        "spanward.guard.latency_ms": 0.0,
        "spanward.guard.policy.name": "p",
        "spanward.guard.policy.hash": "h",
        "gen_ai.system_instructions": '[{"type":"text","content":"be kind"}]',
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"mail <EMAIL_1>"}]}]',
        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"I write to <EMAIL_1>"}]}]',
    }


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"to": ["<EMAIL_1>"], "n": 1}, {"to": [MAIL], "n": 1}),
        (
            [{"role": "assistant", "content": "<EMAIL_1>"}, {"role": "assistant", "content": "x"}],
            [{"role": "assistant", "content": MAIL}, {"role": "assistant", "content": "x"}],
        ),
        ("", ""),
        (None, None),
        ([0.1, 0.2], [0.1, 0.2]),
    ],
)
def test_answers_of_every_shape(guarded: Sidecar, spooled: Spooled, said: Any, shown: Any) -> None:
    with spanward.model_call(**ASKED, messages=[f"mail {MAIL}"], operation="embeddings") as call:
        assert call.messages == ["mail <EMAIL_1>"]
        assert call.answer(said) == shown
    assert spooled.one().attributes["gen_ai.operation.name"] == "embeddings"
    assert MAIL.encode() not in spooled.bytes


WINDOW = StreamPlan("buffer")


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("plan", [StreamPlan(), WINDOW])
def test_a_stream(guarded: Sidecar, spooled: Spooled, is_async: bool, plan: StreamPlan) -> None:
    guarded.decide = lambda check: pseudonymises(check, plan)

    def body(call: Any) -> Any:
        shown = []
        for piece in ("I write to <EMA", "IL_1>", ", bye"):
            shown += [(yield call.chunk(piece))]
        shown.append((yield call.rest()))
        return shown

    call = spanward.model_call(**ASKED, messages=SAID, stream=True)
    shown = through(call, is_async, body)
    assert "".join(shown) == f"I write to {MAIL}, bye"
    assert not any("<EMA" in piece for piece in shown)
    attributes = spooled.one().attributes
    assert (attributes["spanward.stream.end"], attributes["spanward.stream.chunks"]) == ("complete", 3)
    assert "I write to <EMAIL_1>, bye" in attributes["gen_ai.output.messages"]
    assert MAIL.encode() not in spooled.bytes


def test_a_stream_that_is_left_is_told_as_far_as_it_went(guarded: Sidecar, spooled: Spooled) -> None:
    with spanward.model_call(**ASKED, messages=SAID, stream=True) as call:
        assert call.chunk("one ") == "one "
    attributes = spooled.one().attributes
    assert attributes["spanward.stream.end"] == "closed"
    assert '"one ' in attributes["gen_ai.output.messages"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("is_async", [False, True])
def test_the_error_is_the_applications_own(guarded: Sidecar, spooled: Spooled, stream: bool, is_async: bool) -> None:
    def body(call: Any) -> Any:
        if stream:
            yield call.chunk("one ")
        raise RAISED

    with pytest.raises(ConnectionError) as caught:
        through(spanward.model_call(**ASKED, messages=SAID, stream=stream), is_async, body)
    assert caught.value is RAISED
    span = spooled.one()
    assert (span.status, span.attributes["error.type"]) == (2, "ConnectionError")
    assert span.attributes.get("spanward.stream.end", "error") == "error"
    assert b"hunter2" not in spooled.bytes


def blocks(check: Check) -> Decision:
    return Decision(check.messages, "deny", "block", blocked_by="no-secrets", reply="no", policy_name="p")


@pytest.mark.parametrize("is_async", [False, True])
def test_a_prompt_that_is_blocked_is_not_sent(guarded: Sidecar, spooled: Spooled, is_async: bool) -> None:
    guarded.decide = blocks
    reached: list[Any] = []

    def body(call: Any) -> Any:
        reached.append(call)
        yield

    with pytest.raises(spanward.ModelCallBlocked) as caught:
        through(spanward.model_call(**ASKED, messages=SAID), is_async, body)
    assert (caught.value.rule, caught.value.side, reached) == ("no-secrets", "input", [])
    span = spooled.one()
    assert (span.attributes["error.type"], span.said) == ("ModelCallBlocked", "ModelCallBlocked rule no-secrets")


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_blocked_is_not_shown(guarded: Sidecar, spooled: Spooled, stream: bool) -> None:
    def decide(check: Check) -> Decision:
        if check.side == "input":
            return Decision(check.messages, stream=WINDOW)
        return Decision(check.messages, "deny", "block", blocked_by="rude", policy_name="p")

    guarded.decide = decide

    def body(call: Any) -> Any:
        if stream:
            yield call.chunk("you idiot")
            yield call.rest()
        else:
            yield call.answer("you idiot")

    with pytest.raises(spanward.ModelCallBlocked) as caught:
        through(spanward.model_call(**ASKED, messages=SAID, stream=stream), False, body)
    assert (caught.value.rule, caught.value.side) == ("rude", "output")
    assert spooled.one().attributes["error.type"] == "ModelCallBlocked"


def test_a_library_that_we_trace_is_told_once(trace: Trace, spooled: Spooled) -> None:
    tiny = trace()
    with spanward.model_call(**ASKED, messages=SAID) as call:
        assert call.answer(tiny.Chat().ask(model="m", messages=call.messages).text) == "Hello <EMAIL_ADDRESS_1>"
    tiny.Chat().ask(model="after", messages=SAID)
    assert [span.name for span in spooled.calls] == ["chat m1", "chat after"]


def test_nobody_traces_and_everything_goes_through(spooled: Spooled) -> None:
    with spanward.model_call(**ASKED, messages=SAID) as call:
        assert (call.messages, call.answer("x")) == (SAID, "x")
        call.usage(input=1)
    with spanward.model_call(**ASKED, messages="hi", stream=True) as call:
        assert (call.messages, call.chunk("x"), call.rest()) == (["hi"], "x", "")


def entered(body: Callable[[Any], Any], **more: Any) -> Callable[[], None]:
    def run() -> None:
        with spanward.model_call(**ASKED, messages=SAID, **more) as call:
            body(call)

    return run


def twice(call: Any) -> None:
    call.answer("x")
    call.answer("y")


def again(call: Any) -> None:
    with call:
        pass


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: spanward.model_call(**ASKED, operation="talk"), "there is chat, "),
        (lambda: spanward.model_call(**ASKED, messages=7), "list of dicts"),  # type: ignore[arg-type]  # wrong
        (lambda: spanward.model_call(**ASKED, messages=[7]), "list of dicts"),  # type: ignore[list-item]  # wrong
        (lambda: spanward.model_call(**ASKED).messages, "use it as a block"),
        (lambda: spanward.model_call(**ASKED).answer("x"), "use it as a block"),
        (entered(twice), "told already"),
        (entered(again), "make another one"),
        (entered(lambda call: call.chunk("x")), "stream=True"),
        (entered(lambda call: call.rest()), "stream=True"),
        (entered(lambda call: call.answer("x"), stream=True), "call.chunk"),
        (entered(lambda call: call.chunk(7), stream=True), "takes text, not a int"),
        (entered(lambda call: call.usage(tokens=7)), "not 'tokens'"),
        (entered(lambda call: call.usage(input="7")), "not 'input'"),
    ],
)
@pytest.mark.parametrize("on", [False, True])
def test_wrong_use_is_said_with_what_to_do(trace: Trace, on: bool, wrong: Callable[[], Any], says: str) -> None:
    if on:
        trace()
    with pytest.raises((TypeError, ValueError, RuntimeError), match=says):
        wrong()
