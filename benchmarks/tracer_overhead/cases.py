"""The calls that are measured: the real openai SDK over a transport that answers from memory, or over loopback."""

import asyncio
import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PROMPT, ANSWER, ARGUMENT = "marker-prompt", "marker-answer", "marker-argument"
"""Texts by which the capture matrix finds what a span holds."""
PROMPT_TOKENS, CACHED_TOKENS, ANSWER_TOKENS = 1013, 257, 23
USAGE = {
    "prompt_tokens": PROMPT_TOKENS,
    "completion_tokens": ANSWER_TOKENS,
    "total_tokens": PROMPT_TOKENS + ANSWER_TOKENS,
    "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
MODEL = "gpt-4o-mini"
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": json.dumps({"q": ARGUMENT})}}
TOOLS = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}]
HEAD = {"id": "chatcmpl-1", "created": 1, "model": MODEL + "-2024-07-18"}
CONCURRENT = 50


def completion(message: dict[str, Any], reason: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason, "logprobs": None}
    return json.dumps({**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE}).encode()


def streamed(chunks: int) -> bytes:
    """So many chunks of text between the first and the last, and one with the usage."""

    def event(choices: list[dict[str, Any]], **more: Any) -> str:
        return f"data: {json.dumps({**HEAD, 'object': 'chat.completion.chunk', 'choices': choices, **more})}\n\n"

    def text(said: str) -> str:
        return event([{"index": 0, "delta": {"content": said}, "finish_reason": None}])

    first = event([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
    last = event([{"index": 0, "delta": {}, "finish_reason": "stop"}]) + event([], usage=USAGE)
    return (first + text(f"{ANSWER} ") + text("word ") * (chunks - 1) + last + "data: [DONE]\n\n").encode()


WHOLE = completion({"content": f"{ANSWER} " * 20, "refusal": None}, "stop")
TOOL = completion({"content": None, "tool_calls": [TOOL_CALL]}, "tool_calls")
STREAMS = {chunks: streamed(chunks) for chunks in (200, 5000)}


def answer(body: bytes) -> tuple[str, bytes]:
    """(content type, body) for a request: chunks by the number that `user` says, a tool call if tools are given."""
    asked = json.loads(body)
    if asked.get("stream"):
        return "text/event-stream", STREAMS[int(asked.get("user") or 200)]
    return "application/json", TOOL if asked.get("tools") else WHOLE


def text(size: int) -> str:
    """About so many bytes of words."""
    return (f"{PROMPT} " + "some words of a prompt " * (size // 23 + 1))[:size]


def user(size: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": text(size)}]


TURNS = [{"role": ("user", "assistant")[i % 2], "content": text(200)} for i in range(19)]
TALK = [{"role": "system", "content": text(200)}, *TURNS]


@dataclass
class Clients:
    """Clients of openai, sync and async, that talk to `address` or, without one, to memory."""

    address: str = ""

    def __post_init__(self) -> None:
        import openai

        self.http = importlib.import_module("httpx" if int(openai.VERSION.split(".")[0]) < 3 else "httpx2")
        given: dict[str, Any] = {
            "api_key": "none",
            "max_retries": 0,
            "base_url": (self.address or "http://m.test") + "/v1",
        }
        self.openai, self.given = openai, given
        self.sync = openai.OpenAI(**given, http_client=self.http.Client(**self._transport()))

    def _transport(self) -> dict[str, Any]:
        return {} if self.address else {"transport": self.http.MockTransport(self._answered)}

    def _answered(self, request: Any) -> Any:
        kind, body = answer(request.content)
        return self.http.Response(200, headers={"content-type": kind}, content=body)

    def asynchronous(self) -> Any:
        """One for the event loop that runs now."""
        return self.openai.AsyncOpenAI(**self.given, http_client=self.http.AsyncClient(**self._transport()))


Call = Callable[[Clients], None]


def chat(messages: list[dict[str, str]], **more: Any) -> Call:
    def call(clients: Clients) -> None:
        clients.sync.chat.completions.create(model=MODEL, messages=messages, **more)

    return call


def stream(chunks: int) -> Call:
    messages = user(4096)

    def call(clients: Clients) -> None:
        options = {"include_usage": True}
        for _ in clients.sync.chat.completions.create(
            model=MODEL, messages=messages, stream=True, stream_options=options, user=str(chunks)
        ):
            pass

    return call


def concurrent(clients: Clients) -> None:
    messages = user(4096)

    async def together() -> None:
        async with clients.asynchronous() as client:
            asked = (client.chat.completions.create(model=MODEL, messages=messages) for _ in range(CONCURRENT))
            await asyncio.gather(*asked)

    asyncio.run(together())


@dataclass(frozen=True)
class Case:
    """`parts` is what one run of `call` is divided by: calls or chunks. `runs` are in one turn, of some 40 ms in every
    case: the longer turns last, the fewer are not disturbed, until the least of them is no measure.
    """

    call: Call
    parts: int = 1
    runs: int = 50
    loopback: bool = False
    unit: str = "call"


CASES = {
    "chat 4 KB": Case(chat(user(4096))),
    "chat 100 KB": Case(chat(user(102_400)), runs=30),
    "chat of 20 messages": Case(chat(TALK), runs=10),
    "stream of 200 chunks": Case(stream(200), 200, runs=2, unit="chunk"),
    "50 at once, async": Case(concurrent, CONCURRENT, runs=2),
    "chat 4 KB, loopback": Case(chat(user(4096)), runs=30, loopback=True),
    "stream of 200 chunks, loopback": Case(stream(200), 200, runs=2, loopback=True, unit="chunk"),
}
SHOWN = {"chat": chat(user(4096)), "stream": stream(200), "tool call": chat(user(4096), tools=TOOLS)}
"""What the capture matrix looks at."""
