"""Real OpenAI Agents over the real SDK: one tree, each token counted once, nothing personal in it, no upload."""

import asyncio
import inspect
from collections.abc import Coroutine
from typing import Any

import pytest

import spanward
from spanward.collector.demo.provider import Provider
from spanward.tracer import semconv

from ..inmemory import Spans, traced
from .conftest import MAIL, PLACEHOLDER, nothing_leaked, settle, tree

agents = pytest.importorskip("agents")

from openai import AsyncOpenAI  # noqa: E402  comes with it

Run = Any


@pytest.fixture(autouse=True)
def no_upload() -> None:
    agents.set_trace_processors([])


@agents.function_tool  # type: ignore[untyped-decorator]  # imported by name
def send(to: str) -> str:
    """Send a letter.

    Args:
        to: the address
    """
    return f"sent to {MAIL}"


@agents.function_tool  # type: ignore[untyped-decorator]  # as above
def fails(to: str) -> str:
    """Send a letter."""
    raise LookupError(f"no such person: {MAIL}")


def agent(provider: Provider, model: str, api: str, **more: Any) -> Any:
    client = AsyncOpenAI(
        base_url=f"{provider.address}/v1", api_key="demo", max_retries=0, default_headers={"connection": "close"}
    )
    kind = agents.OpenAIResponsesModel if api == "responses" else agents.OpenAIChatCompletionsModel
    return agents.Agent(name="helper", instructions="be kind", model=kind(model=model, openai_client=client), **more)


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_an_agent_with_a_tool(spans: Spans, provider: Provider, api: str) -> None:
    result = run(agents.Runner.run(agent(provider, "gpt-4o-mini-tool", api, tools=[send]), f"write to {MAIL}"))
    assert result.final_output
    assert tree(spans) == [
        ("invoke_workflow Agent workflow", ""),
        ("invoke_agent helper", "invoke_workflow Agent workflow"),
        ("chat gpt-4o-mini-tool", "invoke_agent helper"),
        ("execute_tool send", "invoke_agent helper"),
        ("chat gpt-4o-mini-tool", "invoke_agent helper"),
    ]
    (tool,) = [span for span in spans.all() if span.name == "execute_tool send"]
    attributes = dict(tool.attributes or {})
    assert attributes[semconv.TOOL_RESULT] == f"sent to {PLACEHOLDER}"
    assert semconv.TOOL_ARGUMENTS in attributes
    told = [(span.attributes or {}).get(semconv.INPUT_TOKENS) for span in spans.all()]
    assert len([count for count in told if count]) == 2
    nothing_leaked(spans)


def test_a_stream(spans: Spans, provider: Provider) -> None:
    async def main() -> str:
        streamed = agents.Runner.run_streamed(agent(provider, "gpt-4o-mini-echo", "responses"), f"I am {MAIL}")
        async for _ in streamed.stream_events():
            pass
        return str(streamed.final_output)

    assert run(main()) == f"I am {MAIL}"
    assert tree(spans) == [
        ("invoke_workflow Agent workflow", ""),
        ("invoke_agent helper", "invoke_workflow Agent workflow"),
        ("chat gpt-4o-mini-echo", "invoke_agent helper"),
    ]
    nothing_leaked(spans)


def test_a_tool_that_fails_is_an_error_without_its_text(spans: Spans, provider: Provider) -> None:
    run(agents.Runner.run(agent(provider, "gpt-4o-mini-tool", "chat", tools=[fails]), "write"))
    settle()
    (tool,) = [span for span in spans.all() if span.name == "execute_tool fails"]
    assert (tool.status.is_ok, tool.status.description) == (False, "_OTHER")
    nothing_leaked(spans)


def test_agents_at_the_same_time_do_not_mix(spans: Spans, provider: Provider) -> None:
    async def one(n: int) -> None:
        with spanward.session(f"s{n}"):
            await agents.Runner.run(agent(provider, "gpt-4o-mini-echo", "chat"), f"n{n}")

    async def main() -> None:
        await asyncio.gather(*(one(n) for n in range(5)))

    run(main())
    settle()
    calls = spans.calls()
    helpers = {span.context.span_id: span for span in spans.all() if span.name == "invoke_agent helper"}
    assert len(calls) == len(helpers) == 5
    for call in calls:
        assert call.parent is not None
        helper = helpers.pop(call.parent.span_id)
        assert call.context.trace_id == helper.context.trace_id
        assert (call.attributes or {})[semconv.CONVERSATION] == (helper.attributes or {})[semconv.CONVERSATION]


def test_it_runs_within_what_the_application_traces(spans: Spans, provider: Provider) -> None:
    with spanward.trace("desk"):
        run(agents.Runner.run(agent(provider, "gpt-4o-mini-echo", "chat"), "hi"))
    assert tree(spans)[:2] == [("invoke_workflow desk", ""), ("invoke_workflow Agent workflow", "invoke_workflow desk")]


def test_a_tool_with_a_span_of_its_own(spans: Spans, provider: Provider) -> None:
    @agents.function_tool  # type: ignore[untyped-decorator]  # as above
    @spanward.trace("lookup", kind="tool")
    def look(to: str) -> str:
        """Look it up."""
        return "found"

    run(agents.Runner.run(agent(provider, "gpt-4o-mini-tool", "chat", tools=[look]), "look"))
    assert ("execute_tool lookup", "execute_tool look") in tree(spans)


def test_undone_and_no_provider_of_theirs_is_made(spans: Spans, provider: Provider, tmp_path: Any) -> None:
    from agents.tracing import setup
    from agents.tracing.provider import SynchronousMultiTracingProcessor as Processors

    spanward.uninstrument()
    before = [vars(Processors)[name] for name in ("on_trace_start", "on_trace_end", "on_span_start", "on_span_end")]
    theirs = setup.GLOBAL_TRACE_PROVIDER
    if "if provider is not None" in inspect.getsource(setup.get_trace_provider):  # older ones make it when imported
        setup.GLOBAL_TRACE_PROVIDER = None
    before_us = setup.GLOBAL_TRACE_PROVIDER
    try:
        with traced(tmp_path / "one", guards="off") as first:
            assert setup.GLOBAL_TRACE_PROVIDER is before_us
            agents.set_trace_processors([])
            run(agents.Runner.run(agent(provider, "gpt-4o-mini-echo", "chat"), "hi"))
            assert len(tree(first)) == 3
        run(agents.Runner.run(agent(provider, "gpt-4o-mini-echo", "chat"), "hi"))
        assert len(first.all()) > 2
        assert len([span for span in first.all() if span.name.startswith("invoke_agent")]) == 1
    finally:
        setup.GLOBAL_TRACE_PROVIDER = theirs
    after = [vars(Processors)[name] for name in ("on_trace_start", "on_trace_end", "on_span_start", "on_span_end")]
    assert all(one is other for one, other in zip(before, after, strict=True))
