"""A blocked call never leaves: it raises ModelCallBlocked, or answers in the library's type as if a model had."""

from collections.abc import Iterator
from typing import Any

import pytest

import spanward
from spanward.tracer import semconv

from ..inmemory import Spans, traced
from .driver import App, walk
from .subject import Ask
from .test_calls import told
from .test_endings import MAIL

REPLY = "That message held an address and was not sent."
POLICY = """
version: 1
name: test
rules:
  - name: no-addresses
    when: {{ stage: [input] }}
    detect: {{ pii: {{ entities: {{ EMAIL_ADDRESS: 0.4 }} }} }}
    action: block
    {reply}
"""
CANARY = f"Write to {MAIL} about the parcel."


@pytest.fixture(scope="module", params=["raises", "replies"])
def policy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def instrumented(tmp_path_factory: pytest.TempPathFactory, policy: str) -> Iterator[Spans]:
    folder = tmp_path_factory.mktemp("blocking")
    reply = f'reply: "{REPLY}"' if policy == "replies" else ""
    (folder / "policy.yaml").write_text(POLICY.format(reply=reply))
    with traced(folder / "spool", policy=folder / "policy.yaml") as spans:
        yield spans


async def stream(app: App, text: str, *words: str) -> tuple[Any, list[Any]]:
    """(the stream, its chunks)"""
    opened = await app.open(app.client(), Ask(app.model("echo", *words), text))
    heard: list[Any] = []
    await walk(opened, heard.append)
    return opened, heard


def check(app: App, spans: Spans) -> None:
    assert app.fake.received == []
    span = spans.one()
    assert told(span)[semconv.GUARD_ACTION] == "block"
    assert MAIL not in span.to_json()


def test_whole(app: App, spans: Spans, policy: str) -> None:
    if policy == "raises" or not app.subject.canned:
        with pytest.raises(spanward.ModelCallBlocked, match="no-addresses"):
            app.run(app.say("echo", text=CANARY))
        return check(app, spans)
    answer = app.run(app.say("echo", text=CANARY))
    assert app.subject.text(answer) == REPLY
    check(app, spans)
    assert type(answer) is type(app.run(app.say("echo", text="Hello.")))
    return None


def test_streamed(streaming: App, spans: Spans, policy: str) -> None:
    app = streaming
    if policy == "raises" or not app.subject.canned:
        with pytest.raises(spanward.ModelCallBlocked, match="no-addresses"):
            app.run(stream(app, CANARY))
        return check(app, spans)
    opened, heard = app.run(stream(app, CANARY))
    assert app.text_of(heard) == REPLY
    check(app, spans)
    assert told(spans.one())[semconv.STREAM_END] == "blocked"
    usual, chunks = app.run(stream(app, "Hello.", "chunks2"))
    assert isinstance(opened, type(getattr(usual, "__wrapped__", usual)))
    assert {type(chunk) for chunk in heard} <= {type(chunk) for chunk in chunks}
    return None
