"""What real providers answered, served again over loopback to the real SDKs: the span says what the body says."""

import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anthropic
import openai
import pytest
import yaml

from spanward.tracer import semconv

ROOT = Path(__file__).resolve().parents[3]
CASSETTES = ROOT.parent / "shared" / "cassettes"
GONE = {
    "/v1/complete": "the SDK has no text completions any more",
    "/v1/completions": "legacy text completions are not traced yet",
    "/v1/images/generations": "images are not traced yet",
    "/v1/assistants": "the assistants API is gone",
    "/v1/threads": "the assistants API is gone",
}
HTTP_ONLY = {"content-encoding", "content-length", "transfer-encoding", "connection"}


class Loader(yaml.SafeLoader):
    """Cassettes carry tags of Python objects, which are plain mappings, lists and words to us."""


def _plain(loader: Loader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else node.value


Loader.add_multi_constructor("tag:yaml.org,2002:python/", _plain)


@dataclass(frozen=True)
class Exchange:
    name: str
    path: str
    request: dict[str, Any]
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)
    beta: bool = False


def exchanges(folder: str) -> Iterator[Exchange]:
    """Every POST of every cassette, once, unpacked."""
    for file in sorted((CASSETTES / folder).glob("*.yaml")):
        for number, said in enumerate(yaml.load(file.read_text(), Loader)["interactions"]):
            asked, answered = said["request"], said["response"]
            body = answered["body"]["string"]
            body = body.encode() if isinstance(body, str) else body
            if body[:2] == b"\x1f\x8b":
                body = gzip.decompress(body)
            headers = {name.lower(): value[0] for name, value in answered["headers"].items()}
            if asked["method"] == "POST":
                yield Exchange(
                    f"{file.stem.split('__', 1)[1]}-{number}",
                    urlsplit(asked["uri"]).path,
                    json.loads(asked["body"]),
                    answered["status"]["code"],
                    {name: value for name, value in headers.items() if name not in HTTP_ONLY},
                    body,
                    beta="beta=true" in asked["uri"],
                )


ALL = [*exchanges("openai"), *exchanges("anthropic")] if CASSETTES.exists() else []


class Player:
    """A server that answers the next request with one recorded answer."""

    def __init__(self) -> None:
        self.next: Exchange | None = None
        player = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                said = player.next
                assert said is not None
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(said.body)))
                self.end_headers()
                self.wfile.write(said.body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def player() -> Iterator[Player]:
    playing = Player()
    thread = threading.Thread(target=playing.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield playing
    playing.server.shutdown()
    thread.join()
    playing.server.server_close()


def call(method: Any, body: dict[str, Any]) -> Any:
    """Call an SDK method with a recorded body: what it has no argument for goes along as it would for a person."""
    known = method.__wrapped__.__annotations__ if hasattr(method, "__wrapped__") else {}
    names = {name for name in body if not known or name in known}
    extra = {name: value for name, value in body.items() if name not in names}
    return method(**{name: body[name] for name in names}, **({"extra_body": extra} if extra else {}))


METHODS = {
    "/v1/chat/completions": lambda o, a: o.chat.completions.create,
    "/v1/responses": lambda o, a: o.responses.create,
    "/v1/embeddings": lambda o, a: o.embeddings.create,
    "/v1/messages": lambda o, a: a.messages.create,
}


# The oracle: what the recorded body itself says, read without any of our code.


def events(body: bytes) -> list[dict[str, Any]]:
    lines = body.decode().replace("\r\n", "\n").split("\n")
    data = [line[5:].strip() for line in lines if line.startswith("data:")]
    return [json.loads(line) for line in data if line != "[DONE]"]


def whole(said: Exchange) -> dict[str, Any]:
    """The answer as one object, put together from its events if it was streamed."""
    if not said.request.get("stream"):
        found: dict[str, Any] = json.loads(said.body)
        return found
    told = events(said.body)
    if said.path == "/v1/responses":
        return next(e["response"] for e in told if e["type"] in {"response.completed", "response.incomplete"})
    return _messages(told) if said.path == "/v1/messages" else _chunks(told)


def _messages(told: list[dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = told[0]["message"]
    blocks: dict[int, dict[str, Any]] = {}
    for event in told:
        if event["type"] == "content_block_start":
            blocks[event["index"]] = {**event["content_block"], "json": ""}
        elif event["type"] == "content_block_delta":
            delta, block = event["delta"], blocks[event["index"]]
            for source, target in (("text", "text"), ("thinking", "thinking"), ("partial_json", "json")):
                if source in delta:
                    block[target] = block.get(target, "") + delta[source]
        elif event["type"] == "message_delta":
            message["stop_reason"] = event["delta"]["stop_reason"]
            message["usage"] |= {k: v for k, v in event["usage"].items() if v is not None}
    for block in blocks.values():
        if block["type"] == "tool_use":
            block["input"] = json.loads(block["json"] or "{}")
    return {**message, "content": [blocks[i] for i in sorted(blocks)]}


def _chunks(told: list[dict[str, Any]]) -> dict[str, Any]:
    choices: dict[int, dict[str, Any]] = {}
    answer: dict[str, Any] = {"id": told[-1]["id"], "model": told[-1]["model"], "usage": None}
    for chunk in told:
        answer["usage"] = chunk.get("usage") or answer["usage"]
        for choice in chunk["choices"]:
            found = choices.setdefault(choice["index"], {"message": {"content": ""}, "finish_reason": None})
            found["message"]["content"] += choice["delta"].get("content") or ""
            found["finish_reason"] = choice["finish_reason"] or found["finish_reason"]
    return {**answer, "choices": [choices[i] for i in sorted(choices)]}


def _get(value: Any, *path: Any) -> int:
    for step in path:
        value = (value or {}).get(step)
    return value or 0


def tokens(path: str, usage: Any) -> dict[str, int]:
    """Counts as the conventions have them: the input with everything cached, the output with all reasoning."""
    if path == "/v1/messages":
        read, written = _get(usage, "cache_read_input_tokens"), _get(usage, "cache_creation_input_tokens")
        return {
            semconv.INPUT_TOKENS: _get(usage, "input_tokens") + read + written,
            semconv.OUTPUT_TOKENS: _get(usage, "output_tokens"),
            semconv.CACHE_READ_TOKENS: read,
            semconv.CACHE_WRITE_TOKENS: written,
        }
    new = path == "/v1/responses"
    sent, said = ("input_tokens", "output_tokens") if new else ("prompt_tokens", "completion_tokens")
    return {
        semconv.INPUT_TOKENS: _get(usage, sent),
        semconv.OUTPUT_TOKENS: _get(usage, said),
        semconv.CACHE_READ_TOKENS: _get(usage, f"{sent}_details", "cached_tokens"),
        semconv.REASONING_TOKENS: _get(usage, f"{said}_details", "reasoning_tokens"),
    }


def parts(path: str, answer: dict[str, Any]) -> list[tuple[str, Any]]:
    """(kind, text or (name, arguments)) of everything the model said."""
    if path == "/v1/messages":
        return [found for block in answer["content"] for found in _block(block)]
    if path == "/v1/responses":
        return [found for item in answer["output"] for found in _item(item)]
    found = []
    for choice in answer.get("choices", []):
        message = choice["message"]
        found += [("text", message[name]) for name in ("content", "refusal") if message.get(name)]
        for tool in message.get("tool_calls") or []:
            found.append(("tool_call", (tool["function"]["name"], json.loads(tool["function"]["arguments"]))))
    return found


def _block(block: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if block["type"] == "tool_use":
        yield "tool_call", (block["name"], block["input"])
    elif block["type"] == "thinking":
        yield "reasoning", block["thinking"]
    elif block.get("text"):
        yield "text", block["text"]


def _item(item: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if item["type"] == "function_call":
        yield "tool_call", (item["name"], json.loads(item["arguments"]))
    elif item["type"] == "reasoning":
        yield from (("reasoning", part["text"]) for part in item["summary"])
    elif item["type"] == "message":
        yield from (("text", part.get("text") or part.get("refusal")) for part in item["content"])


def reasons(path: str, answer: dict[str, Any]) -> tuple[str, ...]:
    if path == "/v1/messages":
        return (answer["stop_reason"],)
    if path == "/v1/responses":
        return ((answer.get("incomplete_details") or {}).get("reason") or answer["status"],)
    return tuple(choice["finish_reason"] for choice in answer.get("choices", []))


@pytest.mark.skipif(not ALL, reason=f"no recorded traffic at {CASSETTES}")
def test_there_is_traffic() -> None:
    assert len([said for said in ALL if said.path in METHODS]) > 40


@pytest.mark.filterwarnings("ignore:.*is deprecated and will reach end-of-life:DeprecationWarning")  # so old they are
@pytest.mark.filterwarnings("ignore:The 'output_format' parameter is deprecated:DeprecationWarning")
@pytest.mark.parametrize("said", ALL, ids=lambda said: said.name)
def test_the_span_says_what_the_body_says(said: Exchange, player: Player, spans: Any) -> None:
    gone = next((why for path, why in GONE.items() if said.path == path or said.path.startswith(f"{path}/")), "")
    if gone:
        pytest.skip(f"{said.path}: {gone}")
    player.next = said
    one = openai.OpenAI(base_url=f"{player.address}/v1", api_key="k", max_retries=0)
    two = anthropic.Anthropic(base_url=player.address, api_key="k", max_retries=0)
    with one, two:
        method = METHODS[said.path](one, two.beta if said.beta else two)
        if said.status >= 400:
            with pytest.raises(openai.APIStatusError) as failed:
                call(method, said.request)
            assert failed.value.status_code == said.status
            _check_error(spans.one(), said)
            return
        result = call(method, said.request)
        if said.request.get("stream"):
            assert len(list(result)) > 0
    _check(spans.one(), said, whole(said))


def _check_error(span: Any, said: Exchange) -> None:
    assert span.attributes[semconv.ERROR_TYPE] == {400: "BadRequestError"}[said.status]
    assert str(said.status) in span.status.description
    assert json.loads(said.body)["error"]["message"] not in span.to_json()


def _check(span: Any, said: Exchange, answer: dict[str, Any]) -> None:
    told = span.attributes
    assert told[semconv.REQUEST_MODEL] == said.request["model"]
    assert told[semconv.RESPONSE_MODEL] == answer["model"]
    assert told.get(semconv.RESPONSE_ID, "") == answer.get("id", "")
    assert told.get(semconv.FINISH_REASONS, ()) == reasons(said.path, answer)
    assert told.get(semconv.USAGE_SOURCE) == ("provider" if answer.get("usage") else None)
    for name, count in tokens(said.path, answer.get("usage")).items():
        assert told.get(name, 0) == count, name
    messages = json.loads(told.get(semconv.OUTPUT_MESSAGES, "[]"))
    recorded = [
        (part["type"], (part["name"], part["arguments"]) if part["type"] == "tool_call" else part["content"])
        for message in messages
        for part in message["parts"]
    ]
    assert recorded == parts(said.path, answer)
