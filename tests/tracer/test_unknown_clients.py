"""Clients that no adapter knows are seen by where they ask: named, counted, and nothing of what they say is kept."""

import asyncio
import http.server
import json
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import httpx2
import pytest
import requests
from opentelemetry.sdk.trace import TracerProvider

import spanward
from spanward.collector.demo.provider import Provider
from spanward.tracer import doctor, health, hosts, semconv, sidecar

from ..collector.sidecar_process import Running, serving, until
from .conftest import NOWHERE, Spooled

BESIDE = {"count_tokens", "batch", "conversation"}
"""What carries prompts and is no call to a model."""

SECRET = "4929 1234 ask nobody"
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": SECRET}]}
HEADERS = {"authorization": "Bearer sk-unsaid"}


@pytest.fixture
def watched(spooled: Spooled) -> Spooled:
    health.after_fork()
    spanward.instrument(
        endpoint=NOWHERE, guards="off", spool=spooled.folder, model_hosts=["127.0.0.1=acme", "localhost=local"]
    )
    return spooled


def by_httpx(url: str, **also: Any) -> int:
    return httpx.post(url, json=BODY, headers=HEADERS, **also).status_code


def by_httpx2(url: str) -> int:
    return int(httpx2.post(url, json=BODY, headers=HEADERS).status_code)


def by_requests(url: str) -> int:
    return requests.post(url, json=BODY, headers=HEADERS, timeout=10).status_code


def by_httpx_async(url: str) -> int:
    async def ask() -> int:
        async with httpx.AsyncClient() as client:
            return (await client.post(url, json=BODY, headers=HEADERS)).status_code

    return asyncio.run(ask())


def by_aiohttp(url: str) -> int:
    aiohttp = pytest.importorskip("aiohttp")

    async def ask() -> int:
        async with aiohttp.ClientSession() as session, session.post(url, json=BODY, headers=HEADERS) as response:
            await response.read()
            return int(response.status)

    return asyncio.run(ask())


def by_aiohttp_with_a_base(url: str) -> int:
    aiohttp = pytest.importorskip("aiohttp")
    base, _, path = url.rpartition("/v1/")

    async def ask() -> int:
        session = aiohttp.ClientSession(f"{base}/v1/", headers=HEADERS)
        async with session, session.post(path, data=json.dumps(BODY)) as response:
            return int(response.status)

    return asyncio.run(ask())


CLIENTS: dict[str, tuple[Callable[[str], int], str]] = {
    "httpx": (by_httpx, "httpx"),
    "httpx2": (by_httpx2, "httpx2"),
    "httpx async": (by_httpx_async, "httpx"),
    "requests": (by_requests, "requests"),
    "aiohttp": (by_aiohttp, "aiohttp"),
    "aiohttp base": (by_aiohttp_with_a_base, "aiohttp"),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_call_is_one_named_span_without_content(watched: Spooled, provider: Provider, name: str) -> None:
    ask, library = CLIENTS[name]
    assert ask(f"{provider.address}/v1/chat/completions") == 200
    spanward.uninstrument()
    call = watched.one()
    port = int(provider.address.rpartition(":")[2])
    assert (call.name, call.kind, call.status) == ("chat gpt-4o-mini", 3, 0)
    assert call.attributes == {
        semconv.OPERATION: "chat",
        semconv.PROVIDER: "acme",
        semconv.REQUEST_MODEL: "gpt-4o-mini",
        semconv.SERVER_ADDRESS: "127.0.0.1",
        semconv.SERVER_PORT: port,
        semconv.HTTP_STATUS: 200,
        semconv.ADAPTER: "none",
        semconv.GUARD_VERDICT: "none",
        semconv.GUARD_ACTION: "none",
        semconv.CONTENT_WITHHELD: "no_adapter",
    }
    assert call.times[1] > call.times[0]
    assert watched.reports == {("no_adapter", f"{library} to 127.0.0.1"): 1}
    assert b"4929" not in watched.bytes
    assert b"sk-unsaid" not in watched.bytes


@pytest.mark.parametrize(
    ("path", "headers", "status", "name"),
    [
        ("/v1/chat/completions", {}, 401, "chat gpt-4o-mini"),
        ("/v1/chat/completions", {**HEADERS, "x-behaviour": "err-529"}, 529, "chat gpt-4o-mini"),
        ("/v1/embeddings", HEADERS, 200, "embeddings gpt-4o-mini"),
        ("/openai/deployments/ours/chat/completions?api-version=1", HEADERS, 200, "chat ours"),
        ("/v1beta/models/gemini-3:streamGenerateContent?key=unsaid", HEADERS, 404, "generate_content gemini-3"),
    ],
)
def test_how_it_went(
    watched: Spooled, provider: Provider, path: str, headers: dict[str, str], status: int, name: str
) -> None:
    with httpx.Client() as client:
        assert client.post(provider.address + path, json={**BODY, "input": "x"}, headers=headers).status_code == status
    call = watched.one()
    assert (call.name, call.attributes[semconv.HTTP_STATUS]) == (name, status)
    assert call.attributes.get(semconv.ERROR_TYPE) == (str(status) if status >= 400 else None)
    assert b"unsaid" not in watched.bytes


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"not json", "chat 127.0.0.1"),
        (b'["model"]', "chat 127.0.0.1"),
        (b'{"model": {"a": 1}}', "chat 127.0.0.1"),
        (b'{"model": "my secret plan, in words"}', "chat 127.0.0.1"),
        (b'{"messages": [{"model": "nested"}]}', "chat 127.0.0.1"),
        (b'{"model": "m", "x": "' + b"y" * 200_000 + b'"}', "chat 127.0.0.1"),
        (b"[" * 60_000, "chat 127.0.0.1"),
        (iter([b'{"model": "m"}']), "chat 127.0.0.1"),
        (b'{"model": "org/name:free@2"}', "chat org/name:free@2"),
    ],
)
def test_a_model_is_told_only_where_it_is_one(watched: Spooled, provider: Provider, content: Any, name: str) -> None:
    httpx.post(f"{provider.address}/v1/chat/completions", content=content, headers=HEADERS)
    (call,) = [span for span in watched.all if semconv.OPERATION in span.attributes]
    assert call.name == name
    assert b"secret plan" not in watched.bytes
    assert health.totals("internal") == {}


def test_what_is_no_call_to_a_model_is_not_told(watched: Spooled, provider: Provider) -> None:
    httpx.get(f"{provider.address}/v1/chat/completions", headers=HEADERS)
    httpx.post(f"{provider.address}/v1/files", json={}, headers=HEADERS)
    assert watched.all == []


def test_calls_of_clients_that_we_know_are_told_once(watched: Spooled, provider: Provider) -> None:
    import openai

    with openai.OpenAI(base_url=f"{provider.address}/v1", api_key="demo", max_retries=0) as client:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}])
        with client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}], stream=True
        ) as stream:
            assert len(list(stream)) > 1
    assert [span.attributes.get(semconv.ADAPTER) for span in watched.calls] == [None, None]
    assert health.totals("no_adapter") == {}


def test_a_failure_is_the_application_s_own(watched: Spooled) -> None:
    with pytest.raises(httpx.ConnectError) as raised:
        httpx.post("http://127.0.0.1:9/v1/messages", json=BODY)
    call = watched.one()
    assert (call.status, call.attributes[semconv.ERROR_TYPE], call.said) == (2, "ConnectError", "ConnectError")
    assert raised.value.__context__ is not None


def test_it_joins_the_trace_of_the_application_and_says_for_whom(watched: Spooled, provider: Provider) -> None:
    theirs = TracerProvider().get_tracer("theirs")
    with theirs.start_as_current_span("request") as span, spanward.session("s-1"), spanward.tags("t"):
        by_httpx(f"{provider.address}/v1/messages")
    call = watched.one()
    assert int(call.parent_id, 16) == span.get_span_context().span_id
    assert (call.attributes[semconv.CONVERSATION], call.attributes[semconv.TAGS]) == ("s-1", ["t"])


def test_a_client_that_says_who_it_is_is_called_so(watched: Spooled, provider: Provider) -> None:
    for agent in ("Writer/Python 2.1", "\u00e9\u00e9 odd", "python-httpx/0.28.1"):
        told = [*HEADERS.items(), ("user-agent", agent)]
        headers = [(name.encode(), value.encode()) for name, value in told]
        httpx.post(f"{provider.address}/v1/chat/completions", json=BODY, headers=headers)
    assert health.totals("no_adapter") == {"Writer (httpx) to 127.0.0.1": 1, "httpx to 127.0.0.1": 2}
    said = [fact.detail for fact in doctor.facts() if fact.subject == "client"]
    assert said == [
        "seen, no adapter: httpx to 127.0.0.1, 2 calls",
        "seen, no adapter: Writer (httpx) to 127.0.0.1, 1 call",
    ]


def test_after_undoing_nothing_is_seen(watched: Spooled, provider: Provider) -> None:
    spanward.uninstrument()
    by_httpx(f"{provider.address}/v1/chat/completions")
    assert watched.all == []


@pytest.mark.parametrize(
    ("host", "port", "provider_"),
    [
        ("api.openai.com", 443, "openai"),
        ("API.OpenAI.com", 443, "openai"),
        ("eu.api.openai.com", 443, "openai"),
        ("evil-api.openai.com.example", 443, ""),
        ("xapi.openai.com", 443, ""),
        ("ours.openai.azure.com", 443, "azure.ai.openai"),
        ("bedrock-runtime.eu-central-1.amazonaws.com", 443, "aws.bedrock"),
        ("bedrock.eu-central-1.amazonaws.com", 443, ""),
        ("europe-west4-aiplatform.googleapis.com", 443, "gcp.vertex_ai"),
        ("storage.googleapis.com", 443, ""),
        ("localhost", 11434, "ollama"),
        ("localhost", 11435, ""),
        ("::1", 11434, "ollama"),
        ("gateway.example", 8080, "openai"),
        ("gateway.example", 443, ""),
        ("llm.corp.example", 443, "*.corp.example"),
        ("example.com", 443, ""),
        ("", 0, ""),
    ],
)
def test_which_server_is_whose(host: str, port: int, provider_: str) -> None:
    known = hosts.ModelHosts(("gateway.example:8080=openai", "*.corp.example"))
    assert known.provider(host, port) == provider_
    written = f"[{host}]" if ":" in host else host
    assert known.rules(f"user:pw@{written}:{port}") == known.rules(host)


@pytest.mark.parametrize(
    ("path", "operation", "model"),
    [
        ("/v1/chat/completions", "chat", ""),
        ("/v1/completions", "text_completion", ""),
        ("/v1/messages", "chat", ""),
        ("/v1/messages/count_tokens", "count_tokens", ""),
        ("/v1/messages/batches", "batch", ""),
        ("/v1/conversations/c1", "conversation", ""),
        ("/v1/responses", "chat", ""),
        ("/v1/responses/resp_1/cancel", "", ""),
        ("/v1/embeddings", "embeddings", ""),
        ("/v2/embed", "embeddings", ""),
        ("/v2/rerank", "rerank", ""),
        ("/v1/moderations", "moderation", ""),
        ("/v1/images/generations", "image_generation", ""),
        ("/v2beta/stable-image/generate/core", "image_generation", ""),
        ("/v1/audio/speech", "speech", ""),
        ("/v1/text-to-speech/voice", "speech", ""),
        ("/v1/audio/transcriptions", "transcription", ""),
        ("/v1beta/models/gemini-3-pro:generateContent", "generate_content", "gemini-3-pro"),
        ("/v1beta/models/text-embedding-004:batchEmbedContents", "embeddings", "text-embedding-004"),
        ("/v1/projects/p/locations/l/publishers/google/models/imagen-4:predict", "image_generation", "imagen-4"),
        ("/v1/projects/p/locations/l/publishers/anthropic/models/claude:streamRawPredict", "chat", "claude"),
        ("/v1/projects/p/locations/l/endpoints/123:predict", "", "123"),
        ("/model/anthropic.claude-v2/converse-stream", "chat", "anthropic.claude-v2"),
        ("/model/amazon.titan/invoke", "chat", "amazon.titan"),
        ("/openai/deployments/ours/embeddings", "embeddings", "ours"),
        ("/hf-inference/models/org/name", "generate_content", "org/name"),
        ("/api/chat", "chat", ""),
        ("/api/generate", "text_completion", ""),
        ("/v1/files", "", ""),
        ("/v1/chat/completions/", "", ""),
        ("", "", ""),
    ],
)
def test_what_a_path_asks(path: str, operation: str, model: str) -> None:
    assert (hosts.operation_of(path), hosts.model_in(path)) == (operation, model)
    assert operation in {"", *semconv.MODEL_OPERATIONS, *BESIDE}


def test_other_requests_cost_next_to_nothing(spooled: Spooled) -> None:
    """Function calls of ours for a request to anybody else, beyond those of the request itself."""

    class Quiet(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.3", 0), Quiet)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    url = f"http://127.0.0.3:{server.server_address[1]}/v1/chat/completions"

    def calls() -> int:
        counted = [0]
        with httpx.Client() as client:
            client.post(url, json=BODY)
            sys.setprofile(lambda frame, event, arg: counted.__setitem__(0, counted[0] + event.endswith("call")))
            client.post(url, json=BODY)
            sys.setprofile(None)
        return counted[0]

    try:
        before = min(calls() for _ in range(3))
        spanward.instrument(endpoint=NOWHERE, guards="off", spool=spooled.folder)
        after = min(calls() for _ in range(3))
    finally:
        server.shutdown()
        server.server_close()
    assert after - before <= 22, "our wrappers around the client and its transport, together"
    assert spooled.all == []


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("house") / "data", "--policy", "observe-only") as running:
        yield running


def test_the_doctor_asks_the_sidecar_who_has_no_adapter(house: Running, provider: Provider, spooled: Spooled) -> None:
    spanward.instrument(
        endpoint=house.address, guards="off", spool=spooled.folder, model_hosts=["127.0.0.1=acme"], service_name="shop"
    )
    by_httpx(f"{provider.address}/v1/chat/completions")
    by_httpx(f"{provider.address}/v1/chat/completions")
    spanward.uninstrument()
    rows = until(
        lambda: house.query("SELECT provider, model, status, usage_source, cost_usd, latency_ms > 0 FROM llm_calls"),
        lambda found: len(found) == 2,
    )
    assert rows == [["acme", "gpt-4o-mini", "ok", "", None, 1]] * 2
    until(lambda: house.count("reports", "shop"), lambda number: number > 0)
    asking = sidecar.Sidecar(house.address)
    (fact,) = doctor.unknown_clients(doctor._reported(asking))
    asking.close()
    assert (fact.subject, fact.detail) == ("client", "seen, no adapter: httpx to 127.0.0.1, 2 calls")
    assert "spanward.model_call()" in fact.advice
