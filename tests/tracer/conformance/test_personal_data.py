"""A canary in every place that a text can stand: the provider never sees it, the span never says it, the app has it."""

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from ..inmemory import Spans
from .conftest import needs
from .driver import App
from .test_calls import SCHEMA, TEXT, TOOL
from .test_endings import MAIL, MASKED

CANARY = f"Write to {MAIL} about the parcel."
PLACES: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "text": ((), {"text": CANARY}),
    "system": ((), {"text": TEXT, "system": CANARY}),
    "tool definition": (("tools",), {"text": TEXT, "tool": {**TOOL, "description": CANARY}}),
    "tool result": (("tools", "results"), {"text": TEXT, "tool": TOOL, "result": CANARY}),
    "tool result that is JSON": (("tools", "results"), {"text": TEXT, "tool": TOOL, "result": f'{{"to": "{MAIL}"}}'}),
    "schema": (
        ("schema",),
        {
            "text": TEXT,
            "schema": {
                **SCHEMA,
                "properties": {**SCHEMA["properties"], "to": {"type": "string", "description": CANARY}},
            },
        },
    ),
}


def clean(app: App, span: ReadableSpan) -> None:
    (asked,) = app.fake.received
    assert not asked.has(MAIL)
    assert asked.has(MASKED)
    assert MAIL not in span.to_json()


@pytest.mark.parametrize("place", PLACES)
def test_out(app: App, spans: Spans, place: str) -> None:
    features, asked = PLACES[place]
    needs(app.subject, *features)
    app.run(app.say(**asked))
    clean(app, spans.one())


@pytest.mark.parametrize("place", PLACES)
def test_out_streamed(streaming: App, spans: Spans, place: str) -> None:
    features, asked = PLACES[place]
    needs(streaming.subject, *features)
    streaming.run(streaming.hear(**asked))
    clean(streaming, spans.one())


def test_back(app: App, spans: Spans) -> None:
    answer = app.run(app.say("echo", text=CANARY))
    assert app.subject.text(answer) == CANARY
    clean(app, spans.one())
    assert spans.said(spans.one()) == CANARY.replace(MAIL, MASKED)


def test_back_streamed(streaming: App, spans: Spans) -> None:
    heard = streaming.run(streaming.hear("echo", "chunks30", text=CANARY))
    assert streaming.text_of(heard) == CANARY
    clean(streaming, spans.one())
    assert spans.said(spans.one()) == CANARY.replace(MAIL, MASKED)


def test_back_in_a_tool_call(app: App, spans: Spans) -> None:
    needs(app.subject, "tools")
    answer = app.run(app.say("echo", "tool", text=CANARY, tool=TOOL))
    if app.subject.tool_call is not None:
        assert app.subject.tool_call(answer) == (TOOL["name"], {"order": CANARY})
    clean(app, spans.one())


def test_back_in_a_streamed_tool_call(streaming: App, spans: Spans) -> None:
    needs(streaming.subject, "tools")
    heard = streaming.run(streaming.hear("echo", "tool", "chunks30", text=CANARY, tool=TOOL))
    told = "".join(str(chunk) for chunk in heard)
    assert MASKED not in told  # pieces of arguments differ by library; none may hold a placeholder
    clean(streaming, spans.one())


def test_back_in_a_structured_answer(app: App, spans: Spans) -> None:
    needs(app.subject, "schema")
    answer = app.run(app.say("echo", text=CANARY, schema=SCHEMA))
    assert CANARY in app.subject.text(answer)
    clean(app, spans.one())


def test_an_error_that_quotes_the_prompt(app: App, spans: Spans) -> None:
    with pytest.raises(Exception) as failed:  # noqa: PT011  each library has its own
        app.run(app.say("err-400", text=CANARY))
    assert MAIL not in str(failed.value)  # what the provider never had it cannot quote
    clean(app, spans.one())
