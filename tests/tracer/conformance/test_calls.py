"""Whole answers and whole streams: one span each, which says what the provider said."""

import base64
import json
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from spanward.tracer import semconv

from ..inmemory import Spans
from . import oracle
from .conftest import needs
from .driver import App
from .serving import Received
from .subject import Ask

TEXT = "Tell me where the parcel is, and when it will come, in two short sentences or so."
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)
TOOL: dict[str, Any] = {
    "name": "find_order",
    "description": "Finds an order by its number.",
    "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"where": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["where", "days"],
    "additionalProperties": False,
}


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def check(app: App, span: ReadableSpan, asked: Received, *, usage: str) -> None:
    """What every span of a call that went well says."""
    says, answer, subject = told(span), oracle.whole(asked), app.subject
    assert span.status.status_code == StatusCode.UNSET
    assert says[semconv.OPERATION] == subject.operation
    assert says[semconv.PROVIDER] == subject.provider
    assert f"{says[semconv.SERVER_ADDRESS]}:{says[semconv.SERVER_PORT]}" == app.fake.address.removeprefix("http://")
    assert semconv.ERROR_TYPE not in says
    if named := oracle.model(answer):
        assert says[semconv.RESPONSE_MODEL] == named
    assert tuple(says.get(semconv.FINISH_REASONS, ())) == oracle.reasons(subject, answer)
    if usage in subject.features:
        assert says[semconv.USAGE_SOURCE] == "provider"
        assert (says[semconv.INPUT_TOKENS], says[semconv.OUTPUT_TOKENS]) == oracle.counted(subject, answer)


def test_whole(app: App, spans: Spans) -> None:
    answer = app.run(app.say("echo", text=TEXT))
    assert app.subject.text(answer) == TEXT
    span = spans.one()
    check(app, span, app.fake.last(), usage="usage")
    assert told(span)[semconv.REQUEST_MODEL] == app.model("echo")
    assert spans.said(span) == TEXT
    assert TEXT in spans.said(span, semconv.INPUT_MESSAGES)
    assert semconv.STREAM_END not in told(span)


def test_stream(streaming: App, spans: Spans) -> None:
    heard = streaming.run(streaming.hear("echo", "chunks20", text=TEXT))
    assert streaming.text_of(heard) == TEXT
    span = spans.one()
    check(streaming, span, streaming.fake.last(), usage="stream_usage")
    says = told(span)
    assert spans.said(span) == TEXT
    assert says[semconv.REQUEST_STREAM] is True
    assert says[semconv.STREAM_END] == "complete"
    assert 0 < says[semconv.TIME_TO_FIRST_CHUNK] < 30
    assert says[semconv.STREAM_CHUNKS] == len(heard) or streaming.subject.managed
    assert says[semconv.STREAM_CHUNKS] >= 20


def test_system(app: App, spans: Spans) -> None:
    app.run(app.say(text=TEXT, system="Be brief."))
    assert app.fake.last().has("Be brief.")
    says = told(spans.one())
    assert "Be brief." in str(says.get(semconv.SYSTEM_INSTRUCTIONS, "")) + str(says[semconv.INPUT_MESSAGES])


def test_tool_call(app: App, spans: Spans) -> None:
    needs(app.subject, "tools")
    answer = app.run(app.say("echo", "tool", text=TEXT, tool=TOOL))
    called = {"order": TEXT}
    if app.subject.tool_call is not None:
        assert app.subject.tool_call(answer) == (TOOL["name"], called)
    span = spans.one()
    check(app, span, app.fake.last(), usage="usage")
    (tool,) = [part for part in parts(span) if part["type"] == "tool_call"]
    assert (tool["name"], tool["arguments"]) == (TOOL["name"], called)
    assert TOOL["name"] in str(told(span)[semconv.TOOL_DEFINITIONS])
    assert TOOL["description"] in str(told(span)[semconv.TOOL_DEFINITIONS])


def test_tool_call_streamed(streaming: App, spans: Spans) -> None:
    needs(streaming.subject, "tools")
    streaming.run(streaming.hear("echo", "tool", "chunks20", text=TEXT, tool=TOOL))
    span = spans.one()
    check(streaming, span, streaming.fake.last(), usage="stream_usage")
    (tool,) = [part for part in parts(span) if part["type"] == "tool_call"]
    assert (tool["name"], tool["arguments"]) == (TOOL["name"], {"order": TEXT})


def test_tool_result(app: App, spans: Spans) -> None:
    needs(app.subject, "tools", "results")
    app.run(app.say(text=TEXT, tool=TOOL, result="Order 7 is in Leeds."))
    found = [part for part in parts(spans.one(), semconv.INPUT_MESSAGES) if part["type"] == "tool_call_response"]
    assert "Order 7 is in Leeds." in json.dumps(found)


def test_schema(app: App, spans: Spans) -> None:
    needs(app.subject, "schema")
    answer = app.run(app.say("echo", text=TEXT, schema=SCHEMA))
    assert json.loads(app.subject.text(answer))["where"] == TEXT
    span = spans.one()
    check(app, span, app.fake.last(), usage="usage")
    assert json.loads(spans.said(span))["where"] == TEXT


def test_image(app: App, spans: Spans) -> None:
    needs(app.subject, "images")
    app.run(app.say(text=TEXT, image=PNG))
    assert app.fake.last().has(base64.b64encode(PNG).decode()) or PNG in app.fake.last().raw
    span = spans.one()
    (image,) = [part for part in parts(span, semconv.INPUT_MESSAGES) if part["type"] == "uri"]
    assert (image["modality"], image["mime_type"]) == ("image", "image/png")
    whole = span.to_json()
    assert base64.b64encode(PNG).decode()[:40] not in whole
    assert repr(PNG)[2:30] not in whole


def parts(span: ReadableSpan, name: str = semconv.OUTPUT_MESSAGES) -> list[dict[str, Any]]:
    return [part for message in json.loads(str(told(span).get(name, "[]"))) for part in message["parts"]]


@pytest.mark.parametrize("status", [400, 500])
def test_error(app: App, spans: Spans, status: int) -> None:
    with pytest.raises(Exception) as failed:  # noqa: PT011  each library has its own
        app.run(app.say(f"err-{status}", text=TEXT))
    failure(app, spans.one(), failed.value)
    assert len(app.fake.received) == 1


@pytest.mark.parametrize("status", [400, 500])
def test_error_of_a_stream(streaming: App, spans: Spans, status: int) -> None:
    with pytest.raises(Exception) as failed:  # noqa: PT011  each library has its own
        streaming.run(streaming.hear(f"err-{status}", text=TEXT))
    failure(streaming, spans.one(), failed.value)


def failure(app: App, span: ReadableSpan, error: BaseException) -> None:
    assert type(error).__module__.split(".")[0] not in {"spanward", "tests"}
    assert span.status.status_code == StatusCode.ERROR
    assert told(span)[semconv.ERROR_TYPE] == type(error).__qualname__
    assert TEXT in str(told(span)[semconv.INPUT_MESSAGES])
    assert TEXT[:30] not in str(span.status.description)  # the fake's error quotes the prompt
    assert not span.events


def test_timeout(app: App, spans: Spans) -> None:
    with pytest.raises(Exception) as failed:  # noqa: PT011  each library has its own
        app.run(app.say("slow", text=TEXT, timeout_s=0.3))
    failure(app, spans.one(), failed.value)


@pytest.mark.parametrize("status", [429, 500])
def test_retry(app: App, spans: Spans, status: int) -> None:
    needs(app.subject, "retry")
    answer = app.run(app.say("echo", f"err-{status}-once", text=TEXT, retries=2))
    assert app.subject.text(answer) == TEXT
    span = spans.one()
    check(app, span, app.fake.last(), usage="usage")
    assert len(app.fake.received) == 2
    if app.subject.http_spans:
        assert [told(s)[semconv.HTTP_STATUS] for s in attempts(spans, span)] == [status, 200]


def attempts(spans: Spans, call: ReadableSpan) -> list[ReadableSpan]:
    """The HTTP spans below a call, in order."""
    assert call.context is not None
    found = [s for s in spans.all() if s.parent and s.parent.span_id == call.context.span_id]
    return sorted((s for s in found if semconv.HTTP_STATUS in told(s)), key=lambda s: s.start_time or 0)


def test_two_calls_of_one_client(app: App, spans: Spans) -> None:
    async def main() -> list[str]:
        asks = [Ask(app.model("echo"), text) for text in ("One.", "Two.")]
        return [app.subject.text(await app.ask(app.client(), ask)) for ask in asks]

    assert app.run(main()) == ["One.", "Two."]
    assert [spans.said(span) for span in spans.calls()] == ["One.", "Two."]
