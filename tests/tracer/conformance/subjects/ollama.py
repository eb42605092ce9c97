"""The `ollama` package: chat."""

import json
from collections.abc import Iterator
from typing import Any

from spanward.collector.demo import provider_answers as answers
from spanward.collector.demo.provider_answers import Behaviour

from ...versions import at_least
from ..subject import Ask, Json, Route, Subject


def client(address: str, retries: int, timeout_s: float) -> Any:
    import ollama

    return ollama.Client(host=address, timeout=timeout_s)


def async_client(address: str, retries: int, timeout_s: float) -> Any:
    import ollama

    return ollama.AsyncClient(host=address, timeout=timeout_s)


def error(status: int, said: str) -> Json:
    return {"error": said}


def chat(body: Json, how: Behaviour) -> Json:
    prompt = " ".join(str(turn.get("content") or "") for turn in body["messages"])
    last = str(body["messages"][-1].get("content") or "")
    said = answers.answer(how, prompt, last)
    message: Json = {"role": "assistant", "content": said}
    if isinstance(body.get("format"), dict):
        message["content"] = answers.structured(body["format"], how, prompt, last)
    if "tool" in how.words and body.get("tools"):
        tool = body["tools"][0]["function"]
        called = {"name": tool["name"], "arguments": answers.arguments(tool.get("parameters"), how, last)}
        message |= {"content": "", "tool_calls": [{"function": called}]}
    if "thinking" in how.words:
        message["thinking"] = answers.THOUGHT
    return {**_head(how), "message": message, **_end(prompt, message["content"])}


def _head(how: Behaviour) -> Json:
    return {"model": how.model, "created_at": "2026-01-01T00:00:00.123456789Z"}


def _end(prompt: str, said: str) -> Json:
    """What the last line has, beside the text."""
    return {
        "done_reason": "stop",
        "done": True,
        "total_duration": 5_191_566_416,
        "load_duration": 2_154_458,
        "prompt_eval_count": answers.tokens(prompt),
        "prompt_eval_duration": 383_809_000,
        "eval_count": answers.tokens(said),
        "eval_duration": 4_799_921_000,
    }


def chat_lines(body: Json, how: Behaviour) -> Iterator[str]:
    whole = chat(body, how)
    message = whole.pop("message")
    for name in ("thinking", "content"):
        for piece in answers.pieces(how, message.get(name) or ""):
            said = {"role": "assistant", "content": "", name: piece}
            yield line({**_head(how), "message": said, "done": False})
    if called := message.get("tool_calls"):
        said = {"role": "assistant", "content": "", "tool_calls": called}
        yield line({**_head(how), "message": said, "done": False})
    yield line({**whole, "message": {"role": "assistant", "content": ""}})


def line(said: Json) -> str:
    return json.dumps(said, ensure_ascii=False) + "\n"


def arguments(ask: Ask) -> Json:
    """What `chat` is given."""
    turns: list[Json] = [{"role": "user", "content": ask.text}]
    if ask.image:
        turns[0]["images"] = [ask.image]
    if ask.system:
        turns.insert(0, {"role": "system", "content": ask.system})
    given: Json = {"model": ask.model, "messages": turns, "options": {"temperature": 0.5, "num_predict": 99}}
    if ask.tool:
        given["tools"] = [{"type": "function", "function": ask.tool}]
    if ask.tool and ask.result:
        called = {"function": {"name": ask.tool["name"], "arguments": {}}}
        turns += [
            {"role": "assistant", "content": "", "tool_calls": [called]},
            {"role": "tool", "tool_name": ask.tool["name"], "content": ask.result},
        ]
    if ask.schema:
        given["format"] = ask.schema
    return given


def asked(client: Any, ask: Ask) -> Any:
    return client.chat(**arguments(ask))


def streamed(client: Any, ask: Ask) -> Any:
    return client.chat(**arguments(ask), stream=True)


def text(answer: Any) -> str:
    return answer.message.content or ""


def tool_call(answer: Any) -> tuple[str, Json]:
    called = answer.message.tool_calls[0].function
    return called.name, dict(called.arguments)


def close(client: Any) -> Any:
    """Older versions have no way of their own."""
    held = client._client
    return held.aclose() if hasattr(held, "aclose") else held.close()


SUBJECT = Subject(
    name="ollama",
    library="ollama",
    provider="ollama",
    model="llama3.2",
    routes=(
        Route("/api/chat", chat, chat_lines, media_type="application/x-ndjson", error=error),
    ),
    client=client,
    async_client=async_client,
    ask=asked,
    stream=streamed,
    text=text,
    chunk_text=text,
    tool_call=tool_call,
    features=frozenset({"tools", "images", "usage", "stream_usage", "results"})
    | ({"schema"} if at_least("ollama", "0.4.4") else set()),
    close=close,
)  # fmt: skip
