"""Text completions, the API before chats: one text goes on from another."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...guards.messages import Message, Part
from ..adapter import ChunkView, Delta, Kwargs
from ..call import ModelCall
from .fields import beside, dumps, field, given
from .openai_chat import usage
from .openai_texts import extra, readable, texts

PARAMS = (
    "temperature", "top_p", "top_k", "min_p", "max_tokens", "frequency_penalty", "presence_penalty",
    "repetition_penalty", "n", "best_of", "seed", "echo", "logprobs",
)  # fmt: skip


def request(call: ModelCall, kwargs: Kwargs) -> None:
    call.params = given(kwargs, PARAMS)
    parts = [*texts(readable(kwargs, "prompt"), ("prompt",)), *extra(kwargs)]
    parts += texts(kwargs.get("suffix"), ("suffix",), name="suffix")
    call.messages = (Message("user", tuple(parts)),) if parts else ()
    call.beside = beside(kwargs, ("user", "stop"))


def response(call: ModelCall, answer: Any) -> None:
    """Fill the record from a completion, an object or decoded JSON. With `echo` its text holds the prompt, too."""
    choices = field(answer, "choices", [])
    call.response_id = field(answer, "id", "")
    call.response_model = field(answer, "model", "")
    call.usage = usage(field(answer, "usage"))
    call.output = tuple(_choice(choice, i) for i, choice in enumerate(choices))
    call.finish_reasons = tuple(field(choice, "finish_reason", "") for choice in choices)


def _choice(choice: Any, index: int) -> Message:
    text = field(choice, "text", "")
    parts = (Part("text", text, where=("choices", index, "text")),) if text else ()
    return Message("assistant", parts, field(choice, "finish_reason", ""))


class Reader:
    """Follows chunks. A channel is the index of a choice."""

    def __init__(self, call: ModelCall) -> None:  # noqa: ARG002  the face of a reader
        self._chunk: Any = None
        self._usage: Any = None
        self._finish: dict[int, str] = {}
        self._seen: dict[int, None] = {}

    def read(self, chunk: Any) -> ChunkView:
        if field(chunk, "id"):
            self._chunk = chunk
        self._usage = field(chunk, "usage", self._usage)
        deltas: list[Delta] = []
        closes: list[int] = []
        for i, choice in enumerate(field(chunk, "choices", [])):
            index = field(choice, "index", 0)
            if found := _text(choice, i):
                self._seen[index] = None
                deltas.append(Delta(index, *found))
            if reason := field(choice, "finish_reason") or field(chunk, "finish_reason"):
                self._finish[index] = reason
                closes.append(index)
        return ChunkView(tuple(deltas), tuple(closes))

    def filler(self, channel: Any, text: str) -> Any:
        head = {key: value for key, value in vars(self._chunk).items() if key not in {"usage", "choices", "token"}}
        choice = {"index": channel, "text": text, "finish_reason": None, "logprobs": None}
        return type(self._chunk).construct(**head, choices=[choice])

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        call.response_id = field(self._chunk, "id", "")
        call.response_model = field(self._chunk, "model", "")
        call.usage = usage(self._usage)
        indices = sorted({*self._seen, *self._finish})
        call.output = tuple(_said(texts.get(index, ""), self._finish.get(index, "")) for index in indices)
        call.finish_reasons = tuple(self._finish[index] for index in indices if index in self._finish)


def _text(choice: Any, index: int) -> tuple[str, tuple[str | int, ...]] | None:
    """The text of a choice and its place; Together sends it as a delta, too."""
    if text := field(choice, "text"):
        return text, ("choices", index, "text")
    if text := field(field(choice, "delta"), "content"):
        return text, ("choices", index, "delta", "content")
    return None


def _said(text: str, reason: str) -> Message:
    return Message("assistant", (Part("text", text),) if text else (), reason)


def reply(call: ModelCall, text: str) -> dict[str, Any]:
    """The canned answer as the JSON of a completion."""
    return {
        "id": "cmpl-spanward",
        "object": "text_completion",
        "created": 0,
        "model": call.request_model,
        "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": "stop"}],
    }


def frames(call: ModelCall, text: str) -> Iterator[str]:
    """The canned answer as server-sent events."""
    whole = reply(call, text)
    parts: Iterable[dict[str, Any]] = ({"text": text, "finish_reason": None}, {"text": "", "finish_reason": "stop"})
    for part in parts:
        yield f"data: {dumps({**whole, 'choices': [{'index': 0, 'logprobs': None, **part}]})}\n\n"
    yield "data: [DONE]\n\n"
