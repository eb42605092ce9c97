"""What is special to Ollama: module functions, Python functions as tools, images by path, generate, embeddings."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ollama
import pytest

from spanward.tracer import semconv

from ..loopback import Json, Server, repeating

MAIL = "ada.lovelace@example.org"
MASKED = "<EMAIL_ADDRESS_1>"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
PIECES = ["I wrote to <EMAIL", "_ADDRESS_1>", "."]
ANSWER = "".join(PIECES)
HEAD = {"model": "llama3.2", "created_at": "2026-01-01T00:00:00Z"}
COUNTS = {"prompt_eval_count": 12, "eval_count": 5, "total_duration": 9, "eval_duration": 7}
END = {"done": True, "done_reason": "stop", **COUNTS}
TURNS = [{"role": "user", "content": MAIL}]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with repeating() as server:
        yield server


def lines(*answers: Json) -> bytes:
    return "\n".join(map(json.dumps, answers)).encode()


@pytest.fixture
def client(server: Server) -> Iterator[ollama.Client]:
    client = ollama.Client(host=server.address)
    yield client
    client._client.close()  # older versions have no way of their own


def chatted(**message: Any) -> Json:
    return {**HEAD, "message": {"role": "assistant", "content": ANSWER, **message}, **END}


def find_person(address: str, depth: int = 1) -> str:
    """Find a person, such as ada.lovelace@example.org.

    Args:
        address: An address.
        depth: How far to look.

    Returns:
        str: The person.
    """
    return f"{address} {depth}"


def test_a_python_function_as_a_tool(server: Server, client: ollama.Client, spans: Any) -> None:
    called = {"function": {"name": "find_person", "arguments": {"address": MASKED, "depth": 2}}}
    server.says(chatted(content="", tool_calls=[called]))
    answer = client.chat("llama3.2", TURNS, tools=[find_person])
    (tool,) = server.got["tools"]
    assert tool["function"]["name"] == "find_person"
    assert tool["function"]["description"] == f"Find a person, such as {MASKED}."
    assert answer.message.tool_calls is not None
    assert find_person(**answer.message.tool_calls[0].function.arguments) == f"{MAIL} 2"
    told = dict(spans.one().attributes)
    assert "find_person" in told[semconv.TOOL_DEFINITIONS]
    assert MAIL not in spans.one().to_json()


def test_turns_of_every_kind(server: Server, client: ollama.Client, spans: Any) -> None:
    server.says(chatted(thinking=f"think of {MASKED}"))
    answer = client.chat(
        model="llama3.2",
        messages=[
            {"role": "system", "content": MAIL},
            ollama.Message(role="user", content=MAIL, images=[ollama.Image(value=PNG)]),
            {"role": "assistant", "content": "", "thinking": MAIL,
             "tool_calls": [{"function": {"name": "find", "arguments": {"who": MAIL}}}]},
            {"role": "tool", "tool_name": "find", "content": MAIL},
        ],
        options={"temperature": 0.5, "num_predict": 9, "num_ctx": 4096, "stop": [MAIL]},
        think=True,
    )  # fmt: skip
    assert (answer.message.content, answer.message.thinking) == (ANSWER.replace(MASKED, MAIL), f"think of {MAIL}")
    assert answer["message"]["content"] == ANSWER.replace(MASKED, MAIL)
    assert MAIL not in json.dumps(server.got)
    assert json.dumps(server.got).count(MASKED) == 6
    assert server.got["messages"][1]["images"] == [base64.b64encode(PNG).decode()]
    told = dict(spans.one().attributes)
    assert (told["gen_ai.request.max_tokens"], told["gen_ai.request.num_ctx"]) == (9, 4096)
    assert told["gen_ai.request.think"] is True
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (12, 5)
    assert json.loads(told[semconv.USAGE_RAW]) == COUNTS
    assert told[semconv.FINISH_REASONS] == ("stop",)
    kinds = [part["type"] for message in json.loads(told[semconv.INPUT_MESSAGES]) for part in message["parts"]]
    assert kinds == ["text", "uri", "reasoning", "tool_call", "tool_call_response"]
    assert base64.b64encode(PNG).decode()[:40] not in spans.one().to_json()


@pytest.mark.parametrize("kind", ["path", "bytes", "base64"])
def test_images(kind: str, server: Server, client: ollama.Client, spans: Any, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    image: Any = {"path": str(tmp_path / "a.png"), "bytes": PNG, "base64": base64.b64encode(PNG).decode()}[kind]
    server.says({**HEAD, "response": ANSWER, **END})
    client.generate("llava", f"who is {MAIL}?", images=[image])
    assert server.got["images"] == [base64.b64encode(PNG).decode()]
    (told,) = json.loads(spans.one().attributes[semconv.INPUT_MESSAGES])
    assert [part.get("mime_type") for part in told["parts"]] == [None, "image/png"]
    assert str(tmp_path) not in spans.one().to_json()


def test_generate(server: Server, client: ollama.Client, spans: Any) -> None:
    server.says({**HEAD, "response": ANSWER, "thinking": MASKED, "context": [1, 2], **END})
    answer = client.generate(
        "llama3.2", MAIL, suffix=MAIL, system=MAIL, template=MAIL, context=[7], options=ollama.Options(seed=7)
    )
    assert (answer.response, answer.thinking) == (ANSWER.replace(MASKED, MAIL), MAIL)
    got = server.got
    assert [got[name] for name in ("prompt", "suffix", "system", "template")] == [MASKED] * 4
    assert got["context"] == [7]
    span = spans.one()
    assert span.name == "text_completion llama3.2"
    assert span.attributes["gen_ai.request.seed"] == 7
    assert spans.said(span) == MASKED + ANSWER


LINES: dict[str, tuple[list[Json], Callable[[Any], str]]] = {
    "chat": (
        [{**HEAD, "message": {"role": "assistant", "content": piece}, "done": False} for piece in PIECES]
        + [{**HEAD, "message": {"role": "assistant", "content": ""}, **END}],
        lambda chunk: chunk.message.content or "",
    ),
    "generate": (
        [{**HEAD, "response": piece, "done": False} for piece in PIECES] + [{**HEAD, "response": "", **END}],
        lambda chunk: chunk.response or "",
    ),
}
ASKS: dict[str, Json] = {"chat": {"messages": TURNS}, "generate": {"prompt": MAIL}}


@pytest.mark.parametrize("method", LINES)
def test_streams(method: str, server: Server, client: ollama.Client, spans: Any) -> None:
    said, text = LINES[method]
    server.says(lines(*said))
    chunks = list(getattr(client, method)("llama3.2", stream=True, **ASKS[method]))
    check_stream(method, [text(chunk) for chunk in chunks], server, spans)


@pytest.mark.parametrize("method", LINES)
def test_async_streams(method: str, server: Server, spans: Any) -> None:
    said, text = LINES[method]
    server.says(lines(*said))

    async def main() -> list[str]:
        client = ollama.AsyncClient(host=server.address)
        stream = await getattr(client, method)("llama3.2", stream=True, **ASKS[method])
        heard = [text(chunk) async for chunk in stream]
        await client._client.aclose()
        return heard

    check_stream(method, asyncio.run(main()), server, spans)


def check_stream(method: str, heard: list[str], server: Server, spans: Any) -> None:
    assert "".join(heard) == ANSWER.replace(MASKED, MAIL)
    assert MAIL not in json.dumps(server.got)
    span = spans.one()
    assert spans.said(span) == ANSWER
    told = dict(span.attributes)
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (12, 5)
    assert told[semconv.STREAM_END] == "complete"
    assert told[semconv.FINISH_REASONS] == ("stop",)


def test_a_streamed_thought_and_tool_call(server: Server, client: ollama.Client, spans: Any) -> None:
    called = {"function": {"name": "send", "arguments": {"to": [MASKED]}}}
    said = lines(
        *({**HEAD, "message": {"role": "assistant", "content": "", "thinking": p}, "done": False} for p in PIECES),
        {**HEAD, "message": {"role": "assistant", "content": "", "tool_calls": [called]}, "done": False},
        {**HEAD, "message": {"role": "assistant", "content": ""}, **END},
    )
    server.says(said)
    chunks = list(client.chat("llama3.2", TURNS, stream=True))
    assert "".join(chunk.message.thinking or "" for chunk in chunks) == ANSWER.replace(MASKED, MAIL)
    (found,) = [call for chunk in chunks for call in chunk.message.tool_calls or ()]
    assert found.function.arguments == {"to": [MAIL]}
    (message,) = json.loads(spans.one().attributes[semconv.OUTPUT_MESSAGES])
    assert [part["type"] for part in message["parts"]] == ["reasoning", "tool_call"]
    assert message["parts"][1]["arguments"] == {"to": [MASKED]}


def test_an_error_in_the_middle_of_a_stream(server: Server, client: ollama.Client, spans: Any) -> None:
    server.says(lines(*LINES["chat"][0][:2], {"error": f"{MAIL} broke it"}))
    heard: list[Any] = []
    stream = client.chat("llama3.2", TURNS, stream=True)
    with pytest.raises(ollama.ResponseError):
        heard.extend(stream)
    assert len(heard) == 2
    span = spans.one()
    assert (span.attributes[semconv.STREAM_END], span.attributes[semconv.ERROR_TYPE]) == ("error", "ResponseError")
    assert "broke" not in span.to_json()


@pytest.mark.parametrize(
    ("method", "asked", "place", "answer"),
    [
        ("embed", {"input": ["a", MAIL]}, "input", {"model": "m", "embeddings": [[0.5]], "prompt_eval_count": 3}),
        ("embed", {"input": MAIL}, "input", {"model": "m", "embeddings": [[0.5]], "prompt_eval_count": 3}),
        ("embeddings", {"prompt": MAIL}, "prompt", {"embedding": [0.5]}),
    ],
)
def test_embeddings(
    method: str, asked: Json, place: str, answer: Json, server: Server, client: ollama.Client, spans: Any
) -> None:
    server.says(answer)
    result = getattr(client, method)("all-minilm", **asked)
    assert [0.5] in (result.get("embedding"), *(result.get("embeddings") or ()))
    assert server.got[place] == json.loads(json.dumps(asked[place]).replace(MAIL, MASKED))
    told = dict(spans.one().attributes)
    assert told[semconv.OPERATION] == "embeddings"
    counted = answer.get("prompt_eval_count")
    assert told[semconv.USAGE_SOURCE] == ("provider" if counted else "estimated")
    assert told[semconv.INPUT_TOKENS] == (counted or told[semconv.INPUT_TOKENS])


def test_functions_of_the_module(server: Server, spans: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are bound to a client that was made when the library was imported, whether we were there or not."""
    default = ollama.chat.__self__  # type: ignore[attr-defined]  # a bound method
    there = ollama.Client(host=server.address)
    monkeypatch.setattr(default, "_client", there._client)
    server.says(chatted())
    answer = ollama.chat(model="llama3.2", messages=TURNS)
    there._client.close()
    assert answer.message.content == ANSWER.replace(MASKED, MAIL)
    assert spans.said(spans.one()) == ANSWER


def test_a_format(server: Server, client: ollama.Client, spans: Any) -> None:
    schema = {"type": "object", "properties": {"to": {"type": "string", "description": MAIL}}}
    server.says(chatted(content=json.dumps({"to": MASKED})))
    answer = client.chat("llama3.2", TURNS, format=schema)
    assert json.loads(answer.message.content or "") == {"to": MAIL}
    assert server.got["format"]["properties"]["to"]["description"] == MASKED
    assert spans.one().attributes["gen_ai.request.response_format"] == "json_schema"


def test_other_requests_are_no_calls_to_a_model(server: Server, client: ollama.Client, spans: Any) -> None:
    server.says({"model_info": {}, "template": MAIL})
    client.show("llama3.2")
    assert spans.calls() == []


def test_of_a_refused_stream_nothing_is_estimated(server: Server, client: ollama.Client, spans: Any) -> None:
    """The library asks when the stream is read first, so it is the reading that fails."""
    server.says({"error": "model not found"}, 404)
    with pytest.raises(ollama.ResponseError):
        list(client.chat("llama3.2", TURNS, stream=True))
    told = spans.one().attributes
    assert (told[semconv.STREAM_END], told[semconv.ERROR_TYPE]) == ("error", "ResponseError")
    assert semconv.INPUT_TOKENS not in told
    assert semconv.OUTPUT_TOKENS not in told
