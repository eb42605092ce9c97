"""An application with its own OpenTelemetry set-up keeps it: our spans join its traces, nothing of it is replaced."""

import json
import subprocess
import sys
from typing import Any

import pytest

from spanward.collector.demo.provider import Provider

from ..collector.sidecar_process import clean_environment
from .conftest import NOWHERE, Spooled

START = f"""
import json, os, sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
import spanward
address, spool, order, kind = sys.argv[1:]
opened = []
exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(BatchSpanProcessor(exporter))
def own_set_up():
    trace.set_tracer_provider(provider)
def ours(**also):
    spanward.instrument(endpoint={NOWHERE!r}, guards="off", spool=spool, model_hosts=["127.0.0.1=acme"], **also)
def ask(**also):
    import openai
    client = openai.OpenAI(base_url=address + "/v1", api_key="demo", max_retries=0)
    opened.append(client)
    return client.chat.completions.create(
        model="gpt-4o-mini", messages=[dict(role="user", content="question")], **also)
def tell(**facts):
    provider.force_flush()
    told = [dict(name=s.name, scope=s.instrumentation_scope.name, span=f"{{s.context.span_id:016x}}",
                 trace=f"{{s.context.trace_id:032x}}", parent=s.parent and f"{{s.parent.span_id:016x}}")
            for s in exporter.get_finished_spans()]
    print(json.dumps(dict(spans=told, **facts)))
"""


def run(provider: Provider, spooled: Spooled, code: str, order: str = "", kind: str = "") -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-c", START + code, provider.address, str(spooled.folder), order, kind],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return told | {"stderr": ended.stderr}


@pytest.mark.parametrize("order", ["theirs first", "ours first"])
def test_our_spans_join_the_traces_of_a_global_provider(provider: Provider, spooled: Spooled, order: str) -> None:
    code = """
own_set_up() if order == "theirs first" else ours()
ours() if order == "theirs first" else own_set_up()
processors = provider._active_span_processor._span_processors
with trace.get_tracer("shop").start_as_current_span("request"):
    ask()
    [*ask(stream=True)]
untouched = trace.get_tracer_provider() is provider and provider._active_span_processor._span_processors is processors
spanward.uninstrument()
tell(untouched=untouched)
"""
    told = run(provider, spooled, code, order)
    (request,) = told["spans"]
    calls = spooled.calls
    assert told["untouched"]
    assert (request["name"], request["scope"]) == ("request", "shop")
    assert [(call.parent_id, call.trace_id) for call in calls] == [(request["span"], request["trace"])] * 2
    attempts = [span for span in spooled.all if span.name == "POST"]
    assert {span.parent_id for span in attempts} == {call.span_id for call in calls}


def test_with_their_provider_ours_go_there_too_and_theirs_stay_theirs(provider: Provider, spooled: Spooled) -> None:
    code = """
own_set_up()
ours(tracer_provider=provider)
with trace.get_tracer("shop").start_as_current_span("request"):
    ask()
spanward.uninstrument()
with trace.get_tracer("shop").start_as_current_span("after"):
    ask()
tell(untouched=trace.get_tracer_provider() is provider)
"""
    told = run(provider, spooled, code)
    names = [(span["name"], span["scope"]) for span in told["spans"]]
    assert names == [("POST", "spanward"), ("chat gpt-4o-mini", "spanward"), ("request", "shop"), ("after", "shop")]
    assert told["untouched"]
    assert [span.name for span in spooled.all] == ["POST", "chat gpt-4o-mini"]


GENAI = {
    "openinference": ("openinference.instrumentation.openai", "OpenAIInstrumentor"),
    "genai": ("opentelemetry.instrumentation.genai.openai", "OpenAIInstrumentor"),
}


@pytest.mark.parametrize("order", ["theirs first", "ours first"])
@pytest.mark.parametrize("kind", GENAI)
def test_beside_another_instrumentation_of_the_same_method(
    provider: Provider, spooled: Spooled, kind: str, order: str
) -> None:
    pytest.importorskip(GENAI[kind][0])
    module, name = GENAI[kind]
    code = f"""
own_set_up()
plain = ask()
streamed = [c.model_dump() for c in ask(stream=True)]
def theirs():
    from {module} import {name}
    {name}().instrument(tracer_provider=provider)
theirs() if order == "theirs first" else ours()
ours() if order == "theirs first" else theirs()
answer = ask()
same = answer.model_dump(exclude=dict(id=1, created=1)) == plain.model_dump(exclude=dict(id=1, created=1))
again = [c.model_dump() for c in ask(stream=True)]
same_stream = [c["choices"] for c in streamed] == [c["choices"] for c in again]
from spanward.tracer import doctor
said = doctor.library("openai").detail
spanward.uninstrument()
ask()
tell(plain=plain.model_dump(), answer=answer.model_dump(), same=same, same_stream=same_stream, said=said)
"""
    told = run(provider, spooled, code, order, kind)
    assert told["answer"] | {"id": "", "created": 0} == told["plain"] | {"id": "", "created": 0}
    assert told["same_stream"]
    assert len(spooled.calls) == 2
    assert [call.attributes["spanward.usage.source"] for call in spooled.calls] == ["provider", "estimated"]
    theirs = [span for span in told["spans"] if span["scope"] != "spanward"]
    assert len(theirs) == 3, "one for each call since it was there, the last without us"
    if kind == "genai":  # the other one is around the client's own `request`
        assert "also patched by" in told["said"]


@pytest.mark.parametrize("order", ["theirs first", "ours first"])
def test_beside_an_instrumentation_of_httpx(provider: Provider, spooled: Spooled, order: str) -> None:
    """Of a client that nobody knows: their span of the request, ours of the call."""
    pytest.importorskip("opentelemetry.instrumentation.httpx")
    code = """
import httpx
own_set_up()
def theirs():
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
theirs() if order == "theirs first" else ours()
ours() if order == "theirs first" else theirs()
body = dict(model="gpt-4o-mini", messages=[dict(role="user", content="hi")])
status = httpx.post(address + "/v1/chat/completions", json=body, headers={"authorization": "Bearer x"}).status_code
spanward.uninstrument()
httpx.post(address + "/v1/chat/completions", json=body, headers={"authorization": "Bearer x"})
tell(status=status)
"""
    told = run(provider, spooled, code, order)
    assert told["status"] == 200
    assert [span["name"] for span in told["spans"]] == ["POST", "POST"]
    assert [span.name for span in spooled.calls] == ["chat gpt-4o-mini"]


def test_spans_of_ours_are_not_the_parents_of_theirs_in_a_stream(provider: Provider, spooled: Spooled) -> None:
    """Nothing is attached across a `yield`: what the application does while it reads is its own."""
    code = """
own_set_up()
ours()
with trace.get_tracer("shop").start_as_current_span("request"):
    for chunk in ask(stream=True):
        with trace.get_tracer("shop").start_as_current_span("chunk"):
            pass
        break
tell()
"""
    told = run(provider, spooled, code)
    chunk, request = told["spans"]
    assert (chunk["name"], chunk["parent"]) == ("chunk", request["span"])
