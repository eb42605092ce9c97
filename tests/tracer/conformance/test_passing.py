"""Streams of which guards look at nothing, or at tool calls alone: what nobody looks at is recorded as it was heard."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..inmemory import Spans, traced
from .conftest import needs
from .driver import App
from .test_calls import TOOL
from .test_endings import MAIL

TEXT = f"Write to {MAIL} about the parcel, and say when it will come; and then once more, so that there is more to say."
RULE = "{name: r, when: {stage: [tool_call]}, detect: {pii: {entities: {EMAIL_ADDRESS: 0.4}}}, action: redact}"
POLICIES = {"nothing": "version: 1", "tool calls": f"version: 1\nrules:\n  - {RULE}"}


@pytest.fixture(scope="module", params=POLICIES)
def looked_at(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def instrumented(looked_at: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spans]:
    folder: Path = tmp_path_factory.mktemp("passing")
    policy = folder / "policy.yaml"
    policy.write_text(POLICIES[looked_at])
    with traced(folder / "spool", policy=policy) as spans:
        yield spans


@pytest.mark.parametrize("words", [("chunks40",), ("thinking", "chunks40"), ("chunks1",)], ids="-".join)
def test_a_text(streaming: App, spans: Spans, words: tuple[str, ...]) -> None:
    heard = streaming.run(streaming.hear("echo", *words, text=TEXT))
    assert streaming.text_of(heard) == TEXT
    assert spans.said(spans.one()).endswith(TEXT)


def test_a_tool_call(streaming: App, spans: Spans, looked_at: str) -> None:
    needs(streaming.subject, "tools")
    streaming.run(streaming.hear("echo", "tool", "chunks20", text=TEXT, tool=TOOL))
    said = spans.said(spans.one())
    assert (MAIL in said) is (looked_at == "nothing")
    assert ("[EMAIL_ADDRESS]" in said) is (looked_at == "tool calls")
