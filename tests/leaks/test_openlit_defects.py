"""Every defect that was measured in OpenLIT 1.45's guards (facts: peers, 0.1), as a test of ours.

Real SDK, local provider, guards in this process; what was recorded is read back from the spool.
"""

import asyncio
import re
import socket
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client import generate_latest

import spanward
from spanward.collector.demo.provider import Provider, serve_in_thread
from spanward.collector.guardroom import Guardroom
from spanward.collector.metrics import Metrics
from spanward.guards.judgement import Check, Context
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline
from spanward.guards.policy import load
from spanward.tracer.segment import bodies

EMAIL = "jane.doe@birdcage.example.com"
CLOSED_PORT = "http://127.0.0.1:9"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serve_in_thread(keep=20) as serving:
        yield serving


@pytest.fixture
def client(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{provider.address}/v1", api_key="test", max_retries=0) as made:
        yield made


class Traced:
    """Instruments with guards in this process, and reads back what the spool holds."""

    def __init__(self, spool: Path) -> None:
        self.spool = spool

    def start(self, policy: str | Path = "default") -> None:
        spanward.instrument(endpoint=CLOSED_PORT, guards="local", policy=str(policy), spool=str(self.spool))

    def spans(self) -> list[dict[str, Any]]:
        found = []
        for path in sorted(self.spool.rglob("*")):
            if path.suffix in {".open", ".seg"}:
                for body in bodies(path.read_bytes()):
                    found += spans_of(ExportTraceServiceRequest.FromString(body))
        return found

    def calls(self) -> list[dict[str, Any]]:
        return [span for span in self.spans() if span["name"].startswith(("chat", "embeddings"))]

    def guard_events(self) -> list[dict[str, Any]]:
        return [span for span in self.spans() if span["gen_ai.operation.name"] == "run_guardrail"]


def spans_of(request: ExportTraceServiceRequest) -> list[dict[str, Any]]:
    return [
        {"name": span.name, "status": span.status.code, "gen_ai.operation.name": ""}
        | {attribute.key: plain(attribute.value) for attribute in span.attributes}
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [plain(item) for item in value.array_value.values] if kind == "array_value" else getattr(value, kind)


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[Traced]:
    yield Traced(tmp_path / "spool")
    spanward.uninstrument()


def say(client: openai.OpenAI, *turns: Any, model: str = "gpt-4o", **more: Any) -> Any:
    said: Any = [{"role": "user", "content": turn} for turn in turns]
    return client.chat.completions.create(model=model, messages=said, **more)


def policy(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(f"version: 1\nname: test\n{text}")
    return path


REDACT_ANSWERS = """
rules:
  - name: pii-in
    when: {stage: output}
    detect: {pii: {entities: {EMAIL_ADDRESS: 0.4}}}
    action: redact
"""


def test_1_every_turn_is_guarded_and_none_is_joined_to_another(
    traced: Traced, client: openai.OpenAI, provider: Provider
) -> None:
    traced.start()
    say(client, f"first {EMAIL}", "second", f"third {EMAIL}")
    (request,) = provider.record
    assert EMAIL.encode() not in request.body
    assert b'"first <EMAIL_ADDRESS_1>"' in request.body
    assert b'"second"' in request.body
    assert b'"third <EMAIL_ADDRESS_1>"' in request.body


def test_2_content_as_a_list_of_parts_is_guarded(traced: Traced, client: openai.OpenAI, provider: Provider) -> None:
    traced.start()
    say(client, [{"type": "text", "text": f"mail {EMAIL}"}])
    assert EMAIL.encode() not in provider.record[0].body
    assert b"mail <EMAIL_ADDRESS_1>" in provider.record[0].body


def test_3_streamed_output_is_guarded(traced: Traced, client: openai.OpenAI, tmp_path: Path) -> None:
    traced.start(policy(tmp_path, REDACT_ANSWERS))
    stream = say(client, f"please repeat: {EMAIL} and thanks", model="gpt-4o-echo-chunks40", stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert text == "please repeat: [EMAIL_ADDRESS] and thanks"


def test_4_the_span_holds_what_the_guards_left_of_the_output(
    traced: Traced, client: openai.OpenAI, tmp_path: Path
) -> None:
    traced.start(policy(tmp_path, REDACT_ANSWERS))
    answer = say(client, f"repeat {EMAIL}", model="gpt-4o-echo")
    assert answer.choices[0].message.content == "repeat [EMAIL_ADDRESS]"
    (call,) = traced.calls()
    assert EMAIL not in call["gen_ai.output.messages"]
    assert "[EMAIL_ADDRESS]" in call["gen_ai.output.messages"]


@pytest.mark.parametrize("side", ["input", "output"])
def test_5_a_blocked_call_has_its_span_and_its_guard_event(
    traced: Traced, client: openai.OpenAI, tmp_path: Path, side: str
) -> None:
    traced.start(policy(tmp_path, REDACT_ANSWERS.replace("redact", "block").replace("stage: output", f"stage: {side}")))
    with pytest.raises(spanward.ModelCallBlocked):
        say(client, f"repeat {EMAIL}", model="gpt-4o-echo")
    (call,) = traced.calls()
    assert (call["spanward.guard.verdict"], call["spanward.guard.action"]) == ("deny", "block")
    assert EMAIL not in call[f"gen_ai.{side}.messages"]
    (event,) = traced.guard_events()
    assert (event["gen_ai.guardrail.policy.rule.id"], event["gen_ai.guardrail.action.type"]) == ("pii-in", "block")


def test_6_a_stream_closed_early_has_its_span(traced: Traced, client: openai.OpenAI) -> None:
    traced.start()
    stream = say(client, "hello", stream=True)
    next(iter(stream))
    stream.close()
    (call,) = traced.calls()
    assert call["spanward.stream.end"] == "closed"


def test_7_no_guard_runs_on_the_event_loop(traced: Traced, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    check = Pipeline.check

    def watched(self: Pipeline, asked: Check) -> Any:
        threads.append(threading.current_thread())
        return check(self, asked)

    monkeypatch.setattr(Pipeline, "check", watched)
    traced.start()

    async def ten() -> None:
        async with openai.AsyncOpenAI(base_url=f"{provider.address}/v1", api_key="test") as client:
            one: Any = [{"role": "user", "content": f"mail {EMAIL}"}]
            calls = [client.chat.completions.create(model="gpt-4o", messages=one) for _ in range(10)]
            await asyncio.gather(*calls)

    asyncio.run(ten())
    assert len(threads) >= 10
    assert threading.main_thread() not in threads


def test_8_a_guard_that_fails_is_never_an_allow(
    traced: Traced, client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced.start()

    def broken(*_: object) -> None:
        raise RuntimeError("the detector is broken")

    monkeypatch.setattr(Pipeline, "check", broken)
    assert say(client, f"mail {EMAIL}").choices
    (call,) = traced.calls()
    assert call["spanward.guard.verdict"] == "fail_open"
    assert "gen_ai.input.messages" not in call
    assert call["spanward.content.withheld"]


def test_9_long_text_is_guarded_to_its_end_and_never_cut(
    traced: Traced, client: openai.OpenAI, provider: Provider
) -> None:
    traced.start()
    prose = "The parcel has left the house and is on its way. " * 2200
    assert len(prose) > 102_400
    say(client, f"{prose}{EMAIL} is the last word")
    body = provider.record[0].body
    assert EMAIL.encode() not in body
    assert body.count(b"The parcel has left") == 2200
    assert b"<EMAIL_ADDRESS_1> is the last word" in body


def test_10_hashes_are_no_secrets_and_words_between_findings_stay() -> None:
    pipeline = Pipeline(load("default"))
    innocent = (
        "trace 4bf92f3577b34da6a3ce929d0e0e4736, md5 9e107d9d372bb6826bd81d3542a419d6, "
        "id 123e4567-e89b-12d3-a456-426614174000"
    )
    assert checked(pipeline, innocent) == innocent
    assert (
        checked(pipeline, f"from {EMAIL} between to {EMAIL}") == "from <EMAIL_ADDRESS_1> between to <EMAIL_ADDRESS_1>"
    )


def checked(pipeline: Pipeline, text: str) -> str:
    decision = pipeline.check(Check("input", (Message("user", (Part("text", text),)),), Context(app="test")))
    return decision.messages[0].parts[0].text


def test_11_each_choice_keeps_its_own_text(traced: Traced, client: openai.OpenAI, tmp_path: Path) -> None:
    traced.start(policy(tmp_path, REDACT_ANSWERS))
    answer = say(client, f"repeat {EMAIL}", model="gpt-4o-echo", n=2)
    assert [choice.message.content for choice in answer.choices] == ["repeat [EMAIL_ADDRESS]"] * len(answer.choices)


def test_12_no_score_and_no_content_becomes_a_metric_label() -> None:
    metrics = Metrics()
    room = Guardroom("default", metrics)
    for number in range(30):
        text = f"write to person{number}@birdcage.example.com, and again to {EMAIL}" + " or call" * number
        room.check(Check("input", (Message("user", (Part("text", text),)),), Context(app="test", model=f"m{number}")))
    shown = generate_latest(metrics.registry).decode()
    series = [line for line in shown.splitlines() if line.startswith("spanward_guard_checks_total")]
    assert series == ['spanward_guard_checks_total{action="modify",side="input",verdict="modify"} 30.0']
    assert "birdcage" not in shown


def test_13_no_provider_library_is_a_dependency() -> None:
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[<>=\[]", line)[0] for line in project["dependencies"]}
    otel = {"opentelemetry-sdk", "opentelemetry-proto", "opentelemetry-exporter-otlp-proto-common"}
    assert needed == otel | {"wrapt", "anyio"}


def test_13_nothing_but_the_sidecar_is_asked_at_the_start(traced: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    look_up = socket.getaddrinfo

    def noted(host: str, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", noted)
    traced.start()
    spanward.uninstrument()
    assert set(asked) <= {"127.0.0.1"}
