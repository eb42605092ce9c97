"""The real MCP client and a real server: in this process, over stdio, and over HTTP on loopback."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

import spanward
from spanward.tracer import semconv

from ..inmemory import Spans
from .conftest import MAIL, settle

mcp = pytest.importorskip("mcp")

from . import mcp_server  # noqa: E402  not before the library is known to be there

PROGRAM = Path(mcp_server.__file__)


def told(spans: Spans) -> list[ReadableSpan]:
    """The requests to the server, in the order they began. Nobody's personal data is in any span."""
    settle()
    every = spans.all()
    assert MAIL not in str([(span.name, span.attributes, span.status.description) for span in every])
    ours = [span for span in every if semconv.MCP_METHOD in (span.attributes or {})]
    return sorted(ours, key=lambda span: span.start_time or 0)


def said(span: ReadableSpan) -> dict[str, Any]:
    """The attributes without what differs from run to run."""
    varying = {semconv.GUARD_LATENCY_MS, semconv.GUARD_POLICY_HASH, semconv.GUARD_DEGRADED}
    return {name: value for name, value in (span.attributes or {}).items() if name not in varying}


def in_process(use: Callable[[Any], Awaitable[Any]], mode: str = "auto") -> Any:
    async def run() -> Any:
        async with mcp.Client(mcp_server.server, mode=mode) as client:
            return await use(client.session)

    return asyncio.run(run())


def calls(spans: Spans) -> list[ReadableSpan]:
    return [span for span in told(spans) if said(span)[semconv.MCP_METHOD] == "tools/call"]


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_tool(spans: Spans, mode: str) -> None:
    answer = in_process(lambda session: session.call_tool("letter", {"to": MAIL}), mode)
    assert type(answer).__name__ == "CallToolResult"
    assert answer.content[0].text == f"Dear {MAIL}"
    assert answer.structured_content == {"result": f"Dear {MAIL}"}
    (span,) = calls(spans)
    attributes = said(span)
    arguments, result = (json.loads(attributes.pop(name)) for name in (semconv.TOOL_ARGUMENTS, semconv.TOOL_RESULT))
    version = attributes.pop(semconv.MCP_PROTOCOL)
    assert attributes == {
        semconv.OPERATION: "execute_tool",
        semconv.TOOL_NAME: "letter",
        semconv.TOOL_TYPE: "extension",
        semconv.MCP_METHOD: "tools/call",
        semconv.MCP_SERVER: "tools 1.2",
        semconv.GUARD_VERDICT: "modify",
        semconv.GUARD_ACTION: "modify",
        semconv.GUARD_POLICY_NAME: "default",
    }
    assert (span.name, span.kind.name) == ("execute_tool letter", "CLIENT")
    assert version >= "2025"
    assert list(arguments) == ["to"]
    assert result[0]["result"].startswith("Dear ") if isinstance(result, list) else result


def test_checking_the_result_may_list_the_tools_beneath(spans: Spans) -> None:
    in_process(lambda session: session.call_tool("person", {"mail": MAIL}))
    names: dict[int | None, str] = {span.context.span_id: span.name for span in told(spans)}
    tree = [(span.name, names.get(parent(span))) for span in told(spans)]
    assert tree[-2:] == [("execute_tool person", None), ("tools/list", "execute_tool person")]


def test_a_picture_is_a_reference(spans: Spans) -> None:
    answer = in_process(lambda session: session.call_tool("picture"))
    assert answer.content[0].mime_type == "image/png"
    (span,) = calls(spans)
    assert answer.content[0].data not in str(span.attributes)


def test_a_tool_that_says_it_failed(spans: Spans) -> None:
    answer = in_process(lambda session: session.call_tool("fails", {"mail": MAIL}))
    assert answer.is_error
    assert MAIL in answer.content[0].text
    (span,) = calls(spans)
    assert (span.status.status_code.name, span.status.description) == ("ERROR", "tool_error")
    assert said(span)[semconv.ERROR_TYPE] == "tool_error"


def test_a_timeout(spans: Spans) -> None:
    async def use(session: Any) -> None:
        with pytest.raises(mcp.MCPError, match="timed out"):
            await session.call_tool("slow", read_timeout_seconds=0.05)

    in_process(use, "legacy")
    (span,) = calls(spans)
    assert said(span)[semconv.ERROR_TYPE] == "MCPError"


def test_a_cancelled_call(spans: Spans) -> None:
    async def use(session: Any) -> None:
        calling = asyncio.create_task(session.call_tool("slow"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling

    in_process(use)
    (span,) = calls(spans)
    assert said(span)[semconv.ERROR_TYPE] == "CancelledError"


def test_the_other_requests(spans: Spans) -> None:
    async def use(session: Any) -> tuple[Any, ...]:
        listed = await session.list_tools()
        read = await session.read_resource(f"letters://{MAIL}")
        prompted = await session.get_prompt("greet", {"name": MAIL})
        return listed, read, prompted, await session.list_resource_templates(), await session.list_prompts()

    listed, read, prompted, *_ = in_process(use, "legacy")
    assert len(listed.tools) == 5
    assert read.contents[0].text == f"A letter of {MAIL} to {MAIL}"
    assert prompted.messages[0].content.text == f"Greet {MAIL}, please"
    assert [(span.name, said(span)[semconv.MCP_METHOD]) for span in told(spans)] == [
        ("initialize", "initialize"),
        ("tools/list", "tools/list"),
        ("resources/read", "resources/read"),
        ("prompts/get greet", "prompts/get"),
        ("resources/templates/list", "resources/templates/list"),
        ("prompts/list", "prompts/list"),
    ]
    began, _, reading, prompting, *_ = told(spans)
    assert said(began)[semconv.MCP_SERVER] == "tools 1.2"
    assert semconv.OPERATION not in said(reading)
    (message,) = json.loads(said(reading)[semconv.OUTPUT_MESSAGES])
    assert message["parts"][0]["response"].startswith("A letter of ")
    assert said(prompting)[semconv.PROMPT_NAME] == "greet"
    (message,) = json.loads(said(prompting)[semconv.OUTPUT_MESSAGES])
    assert (message["role"], message["parts"][0]["response"][:6]) == ("user", "Greet ")


def test_at_once(spans: Spans) -> None:
    async def use(session: Any) -> list[Any]:
        return await asyncio.gather(*(session.call_tool("letter", {"to": f"number {n}"}) for n in range(20)))

    answers = in_process(use)
    assert [answer.content[0].text for answer in answers] == [f"Dear number {n}" for n in range(20)]
    arguments = [json.loads(said(span)[semconv.TOOL_ARGUMENTS])["to"] for span in calls(spans)]
    assert sorted(arguments) == sorted(f"number {n}" for n in range(20))


def test_the_server_is_not_told_of_our_spans(spans: Spans) -> None:
    """Beneath a span of ours, too, which is OpenTelemetry's current one."""
    mcp_server.asked.clear()

    async def use(session: Any) -> Any:
        with trace.use_span(ours):
            return await session.call_tool("letter", {"to": "x"})

    running = spanward.tracer.instrument.running()
    assert running is not None
    ours = running.engine.tracer.start_span("ours")
    in_process(use, "legacy")
    in_process(use)
    ours.end()
    assert all("traceparent" not in meta for meta in mcp_server.asked), mcp_server.asked
    assert len(mcp_server.asked) == 2
    (first, second) = calls(spans)
    assert {parent(first), parent(second)} == {ours.get_span_context().span_id}


def test_the_applications_own_trace_is_sent_as_without_us(spans: Spans) -> None:
    mcp_server.asked.clear()
    span = TracerProvider().get_tracer("theirs").start_span("theirs")

    async def use(session: Any) -> Any:
        with trace.use_span(span):
            return await session.call_tool("letter", {"to": "x"})

    in_process(use, "legacy")
    span.end()
    (meta,) = mcp_server.asked
    assert f"{span.get_span_context().span_id:016x}" in meta["traceparent"]
    (call,) = calls(spans)
    assert parent(call) == span.get_span_context().span_id


def test_stdio(spans: Spans) -> None:
    async def run() -> Any:
        parameters = mcp.StdioServerParameters(command=sys.executable, args=[str(PROGRAM)])
        async with mcp.Client(parameters) as client:
            return await client.call_tool("letter", {"to": MAIL})

    assert asyncio.run(run()).content[0].text == f"Dear {MAIL}"
    (span,) = calls(spans)
    assert said(span)[semconv.MCP_SERVER] == "tools 1.2"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path / "log").open("w") as log:
        command = [sys.executable, str(PROGRAM), str(port)]
        running = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, (tmp_path / "log").read_text()
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        running.terminate()
        running.wait(10)


def test_over_http(spans: Spans, address: str) -> None:
    async def run() -> list[Any]:
        async with mcp.Client(address) as client:
            return await asyncio.gather(*(client.call_tool("letter", {"to": MAIL}) for _ in range(3)))

    assert [answer.content[0].text for answer in asyncio.run(run())] == [f"Dear {MAIL}"] * 3
    assert len(calls(spans)) == 3
