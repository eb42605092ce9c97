"""Hugging Face's chat completions: OpenAI's shapes, in types of its own that are objects and dictionaries at once."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from ..adapter import Kwargs
from ..call import ModelCall
from . import openai_chat, openai_chat_stream

Json = dict[str, Any]


def named(client: Any, kwargs: Kwargs) -> list[str]:
    """What the call and the client name as the model: names, or the address of a server."""
    found = (kwargs.get("model"), getattr(client, "model", None), getattr(client, "base_url", None))
    return [str(name) for name in found if name]


def url(names: list[str]) -> str:
    return next((name for name in names if name.startswith(("http://", "https://"))), "")


def request(call: ModelCall, kwargs: Kwargs) -> None:
    openai_chat.request(call, kwargs)


def response(call: ModelCall, answer: Any) -> None:
    openai_chat.response(call, answer)


class Reader(openai_chat_stream.Reader):
    """Follows chunks."""

    def adds(self, chunk: Any) -> bool:
        """The chunk that nearly every stream is made of, without a function call to spare."""
        (choice,) = chunk.choices
        delta = choice.delta
        text = delta.content
        if not text or choice.finish_reason or delta.tool_calls or delta.reasoning or chunk.usage:
            return False
        if choice.logprobs or len(delta) != _FIELDS:
            return False
        try:
            pieces = self._lanes[choice.index]
        except KeyError:
            pieces = self._begun(choice.index)
        pieces += (text,)
        return True

    def filler(self, channel: Any, text: str) -> Any:
        index, name, *rest = channel
        delta: Json = {"role": "assistant", name: text}
        if name == "tool":
            delta = {"role": "assistant", "tool_calls": [{"index": rest[0], "function": {"arguments": text}}]}
        head = {key: self._chunk.get(key) for key in ("id", "created", "model", "system_fingerprint")}
        choice = {"index": index, "delta": delta, "finish_reason": None}
        return type(self._chunk).parse_obj_as_instance({**head, "choices": [choice]})


_FIELDS = 5
"""Fields of a delta that the library knows; one with more says something else too."""


class Usage:
    """`stream_options.include_usage`, asked of Hugging Face's router and of servers that the user says take it."""

    def __init__(self, address: Callable[[str], tuple[str, int]], router: str) -> None:
        self._address = address
        self._router = router

    def ask(self, instance: Any, kwargs: Kwargs, hosts: tuple[str, ...]) -> Kwargs | None:
        options = kwargs.get("stream_options")
        beside = kwargs.get("extra_body") or {}
        if (options is not None and "include_usage" in options) or "stream_options" in beside:
            return None
        server = url(named(instance, kwargs))
        host, port = self._address(server) if server else (self._router, 443)
        known = not server or any(fnmatchcase(name, pattern) for name in (host, f"{host}:{port}") for pattern in hosts)
        return {**kwargs, "stream_options": {**(options or {}), "include_usage": True}} if known else None

    def hides(self, chunk: Any) -> bool:
        return chunk.usage is not None and not chunk.choices


def reply(call: ModelCall, text: str) -> Any:
    from huggingface_hub import ChatCompletionOutput

    return ChatCompletionOutput.parse_obj_as_instance(openai_chat.reply(call, text))


def reply_stream(client: Any, call: ModelCall, text: str) -> Any:
    """A generator, as the library gives."""
    from huggingface_hub import ChatCompletionStreamOutput

    chunks = map(ChatCompletionStreamOutput.parse_obj_as_instance, openai_chat.reply_chunks(call, text))
    return given(client, chunks)


def given(client: Any, chunks: Iterable[Any]) -> Any:
    """The chunks in a generator of the client's kind."""
    return _awaited(chunks) if type(client).__name__.startswith("Async") else _plain(chunks)


def _plain(chunks: Iterable[Any]) -> Iterator[Any]:
    yield from chunks


async def _awaited(chunks: Iterable[Any]) -> AsyncIterator[Any]:
    for chunk in chunks:
        yield chunk
