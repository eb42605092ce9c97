"""Token probabilities repeat the answer: what a rule takes out of that is not left in them, and no span tells them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from ..inmemory import Spans, traced
from ..loopback import Server, repeating

MAIL = "jane.roe@example.org"
POLICY = """
version: 1
rules:
  - {name: out, when: {stage: output}, detect: {pii: {entities: {EMAIL_ADDRESS: 0.4}}}, action: redact}
"""
PIECES = ["Write to ", "jane.roe", "@example.org", " soon."]
PROBABLE: Any = {
    "content": [{"token": piece, "logprob": -0.1, "bytes": None, "top_logprobs": []} for piece in PIECES],
    "refusal": None,
}
HEAD = {"id": "c1", "created": 0, "model": "gpt-4o"}


@pytest.fixture(scope="module")
def instrumented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spans]:
    folder: Path = tmp_path_factory.mktemp("logprobs")
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    with traced(folder / "spool", policy=str(policy)) as spans:
        yield spans


@pytest.fixture
def server() -> Iterator[Server]:
    with repeating() as serving:
        yield serving


def ask(server: Server, **more: Any) -> Any:
    client = openai.OpenAI(base_url=server.address, api_key="k", max_retries=0)
    return client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "To whom?"}], logprobs=True, **more
    )


def test_of_an_answer(server: Server, spans: Spans) -> None:
    message = {"role": "assistant", "content": "".join(PIECES)}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": PROBABLE}
    server.says({**HEAD, "object": "chat.completion", "choices": [choice]})
    told = ask(server).model_dump_json()
    assert "Write to" in told
    assert "jane.roe" not in told
    assert "jane.roe" not in spans.one().to_json()


def test_of_a_stream(server: Server, spans: Spans) -> None:
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": {"content": piece}, "finish_reason": None, "logprobs": {"content": [entry]}}
        for piece, entry in zip(PIECES, PROBABLE["content"], strict=True)
    ]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    lines = [{**HEAD, "object": "chat.completion.chunk", "choices": [choice]} for choice in choices]
    body = "".join(f"data: {json.dumps(line)}\n\n" for line in lines) + "data: [DONE]\n\n"
    server.says(body.encode(), headers={"content-type": "text/event-stream"})
    told = "".join(chunk.model_dump_json() for chunk in ask(server, stream=True))
    assert "Write to" in told
    assert "jane.roe" not in told
    assert "example.org" not in told
    assert "jane.roe" not in spans.one().to_json()
