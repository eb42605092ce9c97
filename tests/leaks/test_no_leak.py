"""Canaries in every place that a prompt can hold text, and the question where each of them is seen: only in the app.

Everything is real: SDKs, sidecar process, embedded ClickHouse, provider on loopback. A gate between the tracer and the
sidecar holds the traces back until the spool was read; the sidecar is then killed in the middle of its work, so that
its write-ahead log can be read too.
"""

import asyncio
import http.client
import inspect
import io
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import urlsplit

import anthropic
import openai
import pytest

import spanward
from spanward.collector.data_directory import DataDirectory
from spanward.collector.demo.provider import Provider, serve_in_thread
from spanward.collector.schema import KEPT, OF_NO_CALL

Api = Literal["chat", "responses", "embeddings", "messages", "beta"]
Outcome = Literal["success", "error", "blocked"]
APIS: tuple[Api, ...] = ("chat", "responses", "embeddings", "messages", "beta")
MODELS = {"chat": "gpt-4o", "responses": "gpt-4o", "embeddings": "text-embedding-3-small"}
STEERING = {"success": "-echo", "error": "-err-400-echo", "blocked": ""}
TABLES = tuple(table for table in KEPT if table not in OF_NO_CALL)


@dataclass(frozen=True)
class Case:
    api: Api
    asynchronous: bool
    stream: bool
    outcome: Outcome

    def __str__(self) -> str:
        ways = "async" if self.asynchronous else "sync", "stream" if self.stream else "whole"
        return "-".join((self.api, *ways, self.outcome))


OUTCOMES: tuple[Outcome, ...] = ("success", "error", "blocked")
CASES = [
    Case(api, asynchronous, stream, outcome)
    for api, asynchronous, stream, outcome in itertools.product(APIS, (False, True), (False, True), OUTCOMES)
    if not (api == "embeddings" and stream)
]
assert len(CASES) == 54


@dataclass
class Canaries:
    """A fresh e-mail address, card number and secret for each place of one case."""

    number: int
    secrets: bool
    planted: dict[str, str] = field(default_factory=dict)

    def text(self, place: str) -> str:
        index = len(self.planted)
        email = f"canary{self.number}x{index}@birdcage.example.com"
        card = luhn(f"4{self.number:03}{index:03}77314655"[:15])
        self.planted[email] = f"e-mail in {place}"
        self.planted[card] = f"card in {place}"
        said = f"Write to {email} about card {card}."
        if self.secrets:
            secret = f"sk-proj-{self.number:03}{index:03}Zx8Kq2Vb7Nw4Tr9Ye3Uj6Hm5Pd1Ls0Gc8Fa2Bt7Rv4"
            self.planted[secret] = f"secret in {place}"
            said += f" The key is {secret}"
        return said

    def seen_in(self, data: bytes | str) -> list[str]:
        """Which canaries are in there, and in which place of the prompt each was planted."""
        text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
        return [place for canary, place in self.planted.items() if canary in text]


def luhn(digits: str) -> str:
    """The digits with the check digit that makes them a card number."""
    total = sum(
        sum(divmod(int(digit) * (2 if index % 2 == 0 else 1), 10)) for index, digit in enumerate(reversed(digits))
    )
    return f"{digits}{-total % 10}"


def chat(text: Callable[[str], str]) -> dict[str, Any]:
    arguments = json.dumps({"note": text("tool arguments"), "deep": [{"more": text("nested tool arguments")}]})
    call = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": arguments}}
    return {
        "messages": [
            {"role": "system", "content": text("system")},
            {"role": "developer", "content": [{"type": "text", "text": text("developer list part")}]},
            {"role": "user", "content": text("first turn")},
            {"role": "assistant", "content": text("assistant turn"), "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": text("tool result")},
            {"role": "user", "content": [{"type": "text", "text": text("list part")}]},
            {"role": "user", "content": text("last turn")},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "find", "description": text("tool definition"), "parameters": SCHEMA},
            }
        ],
    }


SCHEMA = {"type": "object", "properties": {"note": {"type": "string"}}}


def responses(text: Callable[[str], str]) -> dict[str, Any]:
    call = {"type": "function_call", "call_id": "call_1", "name": "find"}
    return {
        "instructions": text("instructions"),
        "input": [
            {"role": "user", "content": text("first turn")},
            {"role": "assistant", "content": text("assistant turn")},
            {**call, "arguments": json.dumps({"note": text("tool arguments")})},
            {"type": "function_call_output", "call_id": "call_1", "output": text("tool result")},
            {"role": "user", "content": [{"type": "input_text", "text": text("list part")}]},
        ],
        "tools": [
            {
                "type": "function",
                "name": "find",
                "description": text("tool definition"),
                "parameters": SCHEMA,
                "strict": False,
            }
        ],
    }


def embeddings(text: Callable[[str], str]) -> dict[str, Any]:
    return {"input": [text("first input"), text("second input")]}


def messages(text: Callable[[str], str]) -> dict[str, Any]:
    use = {"type": "tool_use", "id": "toolu_1", "name": "find", "input": {"note": text("tool arguments")}}
    result = [{"type": "text", "text": text("tool result block")}]
    return {
        "max_tokens": 400,
        "system": [{"type": "text", "text": text("system block")}],
        "messages": [
            {"role": "user", "content": text("first turn")},
            {"role": "assistant", "content": [{"type": "text", "text": text("assistant turn")}, use]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": result}]},
            {"role": "assistant", "content": "And now?"},
            {"role": "user", "content": [{"type": "text", "text": text("list part")}]},
        ],
        "tools": [{"name": "find", "description": text("tool definition"), "input_schema": SCHEMA}],
    }


PROMPTS = {"chat": chat, "responses": responses, "embeddings": embeddings, "messages": messages, "beta": messages}
LAST_PLACE = {"chat": "last turn", "responses": "list part", "messages": "list part", "beta": "list part"}


@dataclass
class Run:
    """What became of one case: what the app got, what the provider got, what was raised."""

    canaries: Canaries
    answer: str = ""
    raised: BaseException | None = None
    provider_saw: bytes = b""


def method(api: Api, client: Any) -> Callable[..., Any]:
    path = {"chat": "chat.completions", "beta": "beta.messages"}.get(api, api)
    found: Callable[..., Any] = attrgetter(f"{path}.create")(client)
    return found


def client_of(case: Case, address: str) -> Any:
    if case.api in {"messages", "beta"}:
        made = anthropic.AsyncAnthropic if case.asynchronous else anthropic.Anthropic
        return made(base_url=address, api_key="test", max_retries=0)
    made_openai = openai.AsyncOpenAI if case.asynchronous else openai.OpenAI
    return made_openai(base_url=f"{address}/v1", api_key="test", max_retries=0)


async def ask(case: Case, client: Any, kwargs: dict[str, Any]) -> str:
    """Call as the case says, read everything, give all of it as text."""
    answer = method(case.api, client)(**kwargs)
    answer = await answer if inspect.isawaitable(answer) else answer
    if not case.stream:
        return str(answer.model_dump_json())
    if case.asynchronous:
        return "".join([piece(chunk) async for chunk in answer])
    return "".join(piece(chunk) for chunk in answer)


def piece(chunk: Any) -> str:
    """The text that a chunk adds, in the form of any of the four protocols."""
    if getattr(chunk, "choices", None):
        return chunk.choices[0].delta.content or ""
    delta = getattr(chunk, "delta", None)
    return delta if isinstance(delta, str) else getattr(delta, "text", None) or ""


def perform(case: Case, number: int, provider: Provider) -> Run:
    canaries = Canaries(number, secrets=case.outcome == "blocked")
    model = MODELS.get(case.api, "claude-sonnet-4-6") + STEERING[case.outcome]
    kwargs = PROMPTS[case.api](canaries.text) | {"model": model} | ({"stream": True} if case.stream else {})
    run = Run(canaries)
    provider.clear()

    async def at_once() -> None:
        client = client_of(case, provider.address)
        try:
            run.answer = await ask(case, client, kwargs)
        except (openai.APIError, anthropic.APIError, spanward.ModelCallBlocked) as raised:
            run.raised = raised
        finally:
            closing = client.close()
            if inspect.isawaitable(closing):
                await closing

    asyncio.run(at_once())
    run.provider_saw = b"\n".join(request.body for request in provider.record)
    return run


@contextmanager
def sidecar(data: Path, log: BinaryIO, policy: str, spool: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    command = [sys.executable, "-m", "spanward.collector.cli", "serve", "--port", "0", "--data", str(data)]
    command += ["--policy", policy, "--spool", str(spool / "of others")]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 60
        while (found := DataDirectory(data).sidecar()) is None:
            assert process.poll() is None, "the sidecar ended early"
            assert time.monotonic() < until, "the sidecar was not ready in time"
            time.sleep(0.05)
        yield process, found.address
    finally:
        process.kill()
        process.wait()


@dataclass
class Gate:
    """Forwards to the sidecar; while shut, answers 503 to traces, so that what waits in the spool can be read."""

    upstream: str
    shut: bool = False
    traces: list[bytes] = field(default_factory=list)
    address: str = ""

    def forward(self, method: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, str, bytes]:
        if path == "/v1/traces":
            if self.shut:
                return 503, "application/json", b'{"message": "shut for the test"}'
            self.traces.append(body)
        connection = http.client.HTTPConnection(urlsplit(self.upstream).netloc, timeout=30)
        connection.request(method, path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.getheader("Content-Type", ""), content


@contextmanager
def standing(gate: Gate) -> Iterator[Gate]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, kind, content = gate.forward(self.command, self.path, body, self.headers.get("Content-Type", ""))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815  the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    gate.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield gate
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Witnesses:
    """Everything that could have seen a canary, by name."""

    runs: dict[Case, Run]
    seen: dict[str, bytes]

    def sightings(self, place: str) -> list[str]:
        return [f"{case}: {what}" for case, run in self.runs.items() for what in run.canaries.seen_in(self.seen[place])]


def witness(folder: Path, policy: str, cases: list[Case]) -> Witnesses:
    """Perform all cases against one sidecar and collect what everybody saw."""
    data, spool, log = folder / "data", folder / "spool", folder / "sidecar.log"
    records = io.StringIO()
    handler = logging.StreamHandler(records)
    root = logging.getLogger()
    level = root.level
    seen: dict[str, bytes] = {}
    with ExitStack() as stack:
        output = stack.enter_context(log.open("wb"))
        provider = stack.enter_context(serve_in_thread(keep=50))
        first = stack.enter_context(sidecar(data, output, policy, spool))
        gate = stack.enter_context(standing(Gate(first[1], shut=True)))
        root.addHandler(handler)
        stack.callback(root.removeHandler, handler)
        root.setLevel(logging.DEBUG)
        stack.callback(root.setLevel, level)
        spanward.instrument(endpoint=gate.address, spool=spool, guards="sidecar")
        stack.callback(spanward.uninstrument)
        runs = {case: perform(case, number, provider) for number, case in enumerate(cases, 1)}
        seen["spool"] = everything_in(spool)
        gate.shut = False
        wait_until(
            lambda: sum(map(len, gate.traces)) > 0 and not everything_in(spool).count(b"gen_ai"), "spool to empty"
        )
        first[0].send_signal(signal.SIGKILL)
        first[0].wait()
        seen["sidecar's directory after kill -9"] = everything_in(data)
        seen["OTLP bodies"] = b"\n".join(gate.traces)
        process, gate.upstream = stack.enter_context(sidecar(data, output, policy, spool))
        calls = len(cases)
        wait_until(lambda: query(gate, "SELECT count() FROM llm_calls")[0][0] == calls, f"{calls} calls to be stored")
        # a table may be filled after the calls are there
        wait_until(
            lambda: json.loads(gate.forward("GET", "/healthz")[2])["queue_bytes"] == 0, "every table to be filled"
        )
        for table in TABLES:
            seen[f"table {table}"] = json.dumps(query(gate, f"SELECT * FROM {table}"), ensure_ascii=False).encode()
        seen["/metrics"] = gate.forward("GET", "/metrics")[2]
        seen["/healthz"] = gate.forward("GET", "/healthz")[2]
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    seen["log records"] = records.getvalue().encode()
    seen["sidecar's output"] = log.read_bytes()
    return Witnesses(runs, seen)


def everything_in(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and readable(path))


def readable(path: Path) -> bool:
    """Files come and go while a shipper or a store works."""
    return path.exists() and os.access(path, os.R_OK)


def query(gate: Gate, sql: str) -> list[list[Any]]:
    status, _, content = gate.forward("POST", "/api/query", json.dumps({"sql": sql}).encode(), "application/json")
    assert status == 200, content
    rows: list[list[Any]] = json.loads(content)["rows"]
    return rows


def wait_until(condition: Callable[[], bool], what: str, patience: float = 60) -> None:
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until, f"waited {patience} s for {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Witnesses:
    return witness(tmp_path_factory.mktemp("guarded"), "default", CASES)


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Witnesses:
    """The control: a policy that only watches. If no canary is seen here either, the search is blind."""
    return witness(
        tmp_path_factory.mktemp("unguarded"), "observe-only", [case for case in CASES if case.outcome == "success"]
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_provider_never_sees_a_canary(guarded: Witnesses, case: Case) -> None:
    run = guarded.runs[case]
    assert run.canaries.seen_in(run.provider_saw) == []
    assert bool(run.provider_saw) == (case.outcome != "blocked")


@pytest.mark.parametrize("case", [case for case in CASES if case.outcome == "success"], ids=str)
def test_the_app_gets_its_own_words_back(guarded: Witnesses, case: Case) -> None:
    run = guarded.runs[case]
    assert run.raised is None
    if case.api != "embeddings":
        assert set(run.canaries.seen_in(run.answer)) == {
            f"e-mail in {LAST_PLACE[case.api]}",
            f"card in {LAST_PLACE[case.api]}",
        }


@pytest.mark.parametrize("case", [case for case in CASES if case.outcome != "success"], ids=str)
def test_no_exception_quotes_a_canary(guarded: Witnesses, case: Case) -> None:
    raised = guarded.runs[case].raised
    expected = (
        spanward.ModelCallBlocked if case.outcome == "blocked" else (openai.BadRequestError, anthropic.BadRequestError)
    )
    assert isinstance(raised, expected)
    assert guarded.runs[case].canaries.seen_in("".join(traceback.format_exception(raised))) == []


PLACES = (
    "spool", "OTLP bodies", "sidecar's directory after kill -9", *(f"table {table}" for table in TABLES),
    "/metrics", "/healthz", "log records", "sidecar's output",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_nothing_that_remains_holds_a_canary(guarded: Witnesses, place: str) -> None:
    assert guarded.sightings(place) == []


def test_every_call_is_recorded_with_what_was_done(guarded: Witnesses) -> None:
    """Absence proves nothing where nothing was recorded: content is there, with placeholders in place of canaries."""
    for place in ("spool", "OTLP bodies", "table content"):
        assert guarded.seen[place].count(b"EMAIL_ADDRESS_1>") >= len(
            [case for case in CASES if case.outcome != "blocked"]
        )


@pytest.mark.parametrize("place", ["spool", "OTLP bodies", "table content"])
def test_the_search_is_not_blind(unguarded: Witnesses, place: str) -> None:
    for case, run in unguarded.runs.items():
        assert len(run.canaries.seen_in(unguarded.seen[place])) == len(run.canaries.planted), case
        assert len(run.canaries.seen_in(run.provider_saw)) == len(run.canaries.planted), case
