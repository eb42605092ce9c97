"""What an application does around its model calls: one span each, guarded, in one tree, and nobody notices."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider

import spanward
from spanward.guards.judgement import Check, Decision, GuardEvent
from spanward.tracer import instrument, operations, registry

from .conftest import Seen, Sidecar, Spooled

Trace = Callable[..., Any]
MAIL, SECRET = "ada@example.com", "hunter2"


@pytest.fixture
def work(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The made-up store and framework, known to the registry."""
    monkeypatch.setitem(registry.ADAPTERS, "tinywork", "tinywork_adapter:ADAPTER")
    import tinywork  # type: ignore[import-not-found]  # on the path because of `tiny`
    import tinywork_adapter  # type: ignore[import-not-found]  # as above

    tinywork_adapter.broken.clear()
    return tinywork


def masks(check: Check) -> Decision:
    """Personal data becomes a placeholder in everything that is no output of a model; a secret blocks."""
    told = [
        (part.kind if part.kind in {"tool_call", "tool_result"} else check.side, part.text)
        for message in check.messages
        for part in message.parts
    ]
    found = next((stage for stage, text in told if MAIL in text and stage != "output"), "")
    secret = any(SECRET in text for _, text in told)
    if not (found or secret):
        return Decision(check.messages, policy_name="p", policy_hash="h")

    def masked(text: str) -> str:
        return (text.replace(MAIL, "<EMAIL_1>") if found else text).replace(SECRET, "****")

    messages = tuple(
        replace(message, parts=tuple(replace(part, text=masked(part.text)) for part in message.parts))
        for message in check.messages
    )
    stage: Any = found or told[0][0]
    event = GuardEvent("no-secrets" if secret else "pii", stage, "pii", "EMAIL_ADDRESS", "modify", "modify", findings=1)
    verdict: Any = "deny" if secret else "modify"
    done: Any = "block" if secret else "modify"
    by = "no-secrets" if secret else ""
    return Decision(messages, verdict, done, (event,), blocked_by=by, policy_name="p", policy_hash="h")


@pytest.fixture
def guarded(trace: Trace, work: Any, sidecar: Sidecar) -> Any:
    sidecar.decide = masks
    trace(guards="sidecar", endpoint=sidecar.url)
    return work


def by_name(spooled: Spooled) -> dict[str, Seen]:
    spans = [span for span in spooled.all if span.name not in {"run_guardrail", "spanward.report"}]
    assert len({span.name for span in spans}) == len(spans), [span.name for span in spans]
    return {span.name: span for span in spans}


GUARDED = {
    "spanward.guard.verdict": "modify",
    "spanward.guard.action": "modify",
    "spanward.guard.latency_ms": 0.0,
    "spanward.guard.policy.name": "p",
    "spanward.guard.policy.hash": "h",
}
SEARCH = {
    "gen_ai.operation.name": "retrieval",
    "gen_ai.data_source.id": "tinystore",
    "gen_ai.request.top_k": 2,
    "server.address": "store.example",
    "server.port": 99,
}
FOUND = (
    '[{"content":"write to <EMAIL_1>","id":"d1","source":"notes"},'
    '{"content":"nothing personal","id":"d2","source":"notes"}]'
)


def searched(work: Any, query: str, *, is_async: bool) -> Any:
    return asyncio.run(work.AsyncStore().search(query)) if is_async else work.Store().search(query)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_search_is_one_span_with_what_may_be_recorded(guarded: Any, spooled: Spooled, is_async: bool) -> None:
    with spanward.session("s1"), spanward.user("ada", group="staff"), spanward.tags("a"):
        found = searched(guarded, "mail of ada@example.com", is_async=is_async)
    assert [document.text for document in found] == ["write to ada@example.com", "nothing personal"]
    (frame,) = spooled.frames
    span = frame[-1]
    assert (span.name, span.kind, span.status, span.parent_id) == ("retrieval tinystore", 3, 0, "")
    assert span.attributes == {
        **SEARCH,
        **GUARDED,
        "gen_ai.conversation.id": "s1",
        "user.id": "ada",
        "spanward.user.group": "staff",
        "spanward.tags": ["a"],
        "gen_ai.retrieval.query.text": "mail of <EMAIL_1>",
        "gen_ai.retrieval.documents": FOUND,
    }
    rules = [(s.name, s.parent_id, s.attributes["spanward.guardrail.stage"]) for s in frame[:-1]]
    assert rules == [("run_guardrail", span.span_id, "input"), ("run_guardrail", span.span_id, "tool_result")]
    assert b"ada@example.com" not in spooled.bytes


def test_a_rule_that_blocks_stops_nothing_and_is_told(guarded: Any, spooled: Spooled) -> None:
    assert guarded.Tool("login", lambda argument: f"as {argument}").run("hunter2") == "as hunter2"
    (span,) = by_name(spooled).values()
    assert span.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "login",
        "gen_ai.tool.type": "function",
        **GUARDED,
        "spanward.guard.verdict": "deny",
        "spanward.guard.action": "block",
        "gen_ai.tool.call.arguments": '"****"',
        "gen_ai.tool.call.result": "as ****",
    }
    assert (span.status, span.kind) == (0, 1)
    assert b"hunter2" not in spooled.bytes


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"guards": "off"}, "guards_off"),
        ({"guards": "sidecar"}, "guards_failed"),
        ({"guards": "sidecar", "content": "none"}, "content_none"),
    ],
)
def test_what_nobody_judged_is_not_recorded(
    trace: Trace, work: Any, spooled: Spooled, settings: dict[str, Any], why: str
) -> None:
    trace(**settings)
    work.Store().search("mail of ada@example.com")
    (span,) = by_name(spooled).values()
    assert span.attributes["spanward.content.withheld"] == why
    assert not {key for key in span.attributes if key.startswith(("gen_ai.retrieval", "gen_ai.tool"))}
    assert b"ada@example.com" not in spooled.bytes


def test_guards_that_answer_nonsense_withhold_the_content(guarded: Any, sidecar: Sidecar, spooled: Spooled) -> None:
    sidecar.decide = lambda check: Decision(())
    guarded.Store().search("mail of ada@example.com")
    (span,) = by_name(spooled).values()
    assert span.attributes["spanward.content.withheld"] == "unreadable"
    assert b"ada@example.com" not in spooled.bytes


@pytest.mark.parametrize("is_async", [False, True])
def test_the_error_is_the_applications_own(guarded: Any, spooled: Spooled, is_async: bool) -> None:
    with pytest.raises(LookupError) as caught:
        searched(guarded, "error", is_async=is_async)
    assert caught.value is guarded.RAISED
    spanward.uninstrument()  # an async one is judged after the error has reached the application
    (span,) = by_name(spooled).values()
    assert (span.status, span.said, span.attributes["error.type"]) == (2, "LookupError", "LookupError")
    assert span.attributes["gen_ai.retrieval.query.text"] == "error"
    assert b"hunter2" not in spooled.bytes


@pytest.mark.parametrize("is_async", [False, True])
def test_a_model_call_within_a_search_is_its_child(guarded: Any, spooled: Spooled, is_async: bool) -> None:
    before = otel_context.get_current()
    searched(guarded, "embeds", is_async=is_async)
    spans = by_name(spooled)
    assert spans["chat embed"].parent_id == spans["retrieval tinystore"].span_id
    assert spans["chat embed"].trace_id == spans["retrieval tinystore"].trace_id
    assert otel_context.get_current() == before


def nested(work: Any, tiny: Any) -> Any:
    """outer tool > inner tool > (model call, search > model call)."""

    def inner(argument: str) -> str:
        tiny.Chat().ask(model="told", messages=[])
        work.Store().search("embeds")
        return argument

    return work.Tool("outer", lambda argument: work.Tool("inner", inner).run(argument))


def parents(spooled: Spooled) -> dict[str, str]:
    """Each span's name, and that of its parent ('' for none)."""
    names = {span.span_id: name for name, span in by_name(spooled).items()}
    return {name: names.get(span.parent_id, "") for name, span in by_name(spooled).items()}


def test_a_framework_has_one_tree(guarded: Any, tiny: Any, spooled: Spooled) -> None:
    assert nested(guarded, tiny).run("x") == "x"
    assert parents(spooled) == {
        "execute_tool outer": "",
        "execute_tool inner": "execute_tool outer",
        "chat told": "execute_tool inner",
        "retrieval tinystore": "execute_tool inner",
        "chat embed": "retrieval tinystore",
    }
    assert len({span.trace_id for span in spooled.all}) == 1


@contextmanager
def theirs(name: str) -> Iterator[Any]:
    """A span of the application's own."""
    with otel.use_span(TracerProvider().get_tracer("app").start_span(name)) as span:
        yield span


def test_the_spans_of_the_application_stand_where_it_opened_them(guarded: Any, tiny: Any, spooled: Spooled) -> None:
    inside: list[Any] = []

    def function(argument: str) -> str:
        tiny.Chat().ask(model="before", messages=[])
        with theirs("step") as step:
            inside.append(step)
            tiny.Chat().ask(model="within", messages=[])
            guarded.Tool("deeper", str).run("x")
        tiny.Chat().ask(model="after", messages=[])
        return argument

    with theirs("request") as request:
        guarded.Tool("t", function).run("x")
    spans = by_name(spooled)
    step, around = (f"{span.get_span_context().span_id:016x}" for span in (inside[0], request))
    tool = spans["execute_tool t"].span_id
    assert {name: span.parent_id for name, span in spans.items()} == {
        "execute_tool t": around,
        "chat before": tool,
        "chat within": step,
        "execute_tool deeper": step,
        "chat after": tool,
    }


def test_threads_do_not_mix(guarded: Any, tiny: Any, spooled: Spooled) -> None:
    here = threading.Barrier(4)

    def run(n: int) -> None:
        def function(argument: str) -> str:
            here.wait(10)
            tiny.Chat().ask(model=f"m{n}", messages=[])
            return argument

        guarded.Tool(f"t{n}", function).run("x")

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: parent for name, parent in parents(spooled).items() if parent} == {
        f"chat m{n}": f"execute_tool t{n}" for n in range(4)
    }


def test_a_tool_that_ends_on_an_event_loop_is_judged_elsewhere(
    guarded: Any, sidecar: Sidecar, spooled: Spooled
) -> None:
    judging: list[bool] = []
    freed = threading.Event()

    def slowly(check: Check) -> Decision:
        judging.append(freed.wait(10))
        return masks(check)

    sidecar.decide = slowly

    async def main() -> str:
        said: str = guarded.Tool("t", str).run("ada@example.com")
        freed.set()  # before this, no guard can have answered
        return said

    assert asyncio.run(main()) == "ada@example.com"
    spanward.uninstrument()
    (span,) = by_name(spooled).values()
    assert span.attributes["gen_ai.tool.call.result"] == "<EMAIL_1>"
    assert judging == [True, True]


@pytest.mark.parametrize("broken", ["begin", "done"])
def test_our_own_failure_stays_ours(guarded: Any, spooled: Spooled, broken: str) -> None:
    import tinywork_adapter

    tinywork_adapter.broken.add(broken)
    assert len(guarded.Store().search("x")) == 2
    spanward.uninstrument()
    assert any(kind == "internal" and f"tinywork.{broken}" in reason for kind, reason in spooled.reports)
    assert b"hunter2" not in spooled.bytes


def test_undone(trace: Trace, work: Any, spooled: Spooled) -> None:
    before = work.Store.search, work.AsyncStore.search
    trace()
    assert work.Store.search is not before[0]
    assert len(work.listeners) == 1
    spanward.uninstrument()
    assert (work.Store.search, work.AsyncStore.search, work.listeners) == (*before, [])
    work.Store().search("x")
    work.Tool("t", str).run("x")
    assert spooled.all == []


def test_what_is_open_at_the_end_is_told_and_nothing_piles_up(
    trace: Trace, work: Any, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "MOST_OPEN", 3)
    trace()
    for n in range(5):
        work.listeners[0].began(f"k{n}", None, f"t{n}", "ada@example.com")
    running = instrument.running()
    assert running is not None
    assert len(running.engine.operations._open) == 3
    assert [span.name for span in spooled.all] == ["execute_tool t0", "execute_tool t1"]
    spanward.uninstrument()
    told = {s.name: s.attributes["spanward.operation.end"] for s in spooled.all if s.name != "spanward.report"}
    assert told == {f"execute_tool t{n}": "abandoned" for n in range(5)}
    assert spooled.reports == {("dropped", "an operation that never ended: too many are open"): 2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # of a process with threads, which is the point
def test_a_fork_does_not_tell_what_its_parent_began(
    trace: Trace, work: Any, tiny: Any, tmp_path: Path, spooled: Spooled
) -> None:
    trace()

    def function(argument: str) -> str:
        child = os.fork()
        if child == 0:
            tiny.Chat().ask(model="child", messages=[])
            spanward.uninstrument()
            os._exit(0)
        os.waitpid(child, 0)
        return argument

    work.Tool("t", function).run("x")
    assert parents(spooled) == {"execute_tool t": "", "chat child": "execute_tool t"}
