"""Hugging Face's text generation: a string, or an object with details; streamed in tokens of either kind."""

from collections.abc import Mapping
from typing import Any

from ...guards.messages import Message, Part
from ..adapter import ChunkView, Delta, Kwargs
from ..call import ModelCall, Usage
from .fields import beside, field, given, number, whole
from .huggingface_chat import given as generator
from .openai_chat import structured

_PARAMS = (
    "temperature", "top_p", "top_k", "seed", "frequency_penalty", "repetition_penalty", "do_sample", "best_of",
    "details", "truncate", "typical_p",
)  # fmt: skip
_CHANNEL = "text"


def request(call: ModelCall, kwargs: Kwargs) -> None:
    call.params = given(kwargs, _PARAMS)
    if isinstance(kwargs.get("max_new_tokens"), int):
        call.params["max_tokens"] = kwargs["max_new_tokens"]
    call.messages = (Message("user", (whole(kwargs.get("prompt") or "", ("prompt",)),)),)
    call.beside = beside(kwargs, ("stop", "stop_sequences"))
    grammar = kwargs.get("grammar")
    if isinstance(grammar, dict):
        call.params["response_format"] = str(grammar.get("type", ""))
        call.tools = (Message("system", (whole(grammar, ("grammar",), kind="tool_definition", name="grammar"),)),)


class Strings:
    """Strings cannot be changed: what is in one is opened as an object with one text."""

    def open(self, chunk: Any) -> Any:
        return {"generated_text": chunk} if isinstance(chunk, str) else chunk

    def put(self, chunk: Any, opened: Any) -> Any:
        return opened["generated_text"] if isinstance(chunk, str) else chunk


def response(call: ModelCall, answer: Any) -> None:
    text = field(answer, "generated_text", "")
    reason, call.usage = _told(field(answer, "details"))
    call.finish_reasons = (reason,) if reason else ()
    part = Part("text", text, json=structured(call, text), where=("generated_text",))
    call.output = (Message("assistant", (part,), reason),) if text else ()


def _told(details: Any) -> tuple[str, Usage]:
    """(finish reason, counts) of the details, which come only when asked."""
    if details is None:
        return "", Usage()
    prefill = field(details, "prefill", ())
    sent, got = number(details, "input_length") or len(prefill), number(details, "generated_tokens")
    raw = {"generated_tokens": got, **({"input_length": sent} if sent else {})}
    return field(details, "finish_reason", ""), Usage(input=sent, output=got, source="provider", raw=raw)


class Reader:
    """Follows tokens; the last one may repeat the whole text."""

    def __init__(self, call: ModelCall) -> None:
        self._json = str(call.params.get("response_format", "")).startswith("json")
        self._details: Any = None
        self._sample: Any = None

    def read(self, chunk: Any) -> ChunkView:
        if "token" not in chunk:
            return ChunkView((Delta(_CHANNEL, chunk["generated_text"], ("generated_text",), json=self._json),))
        self._sample = chunk
        deltas = []
        token = field(chunk, "token", {})
        if not field(token, "special") and field(token, "text"):
            deltas.append(Delta(_CHANNEL, token["text"], ("token", "text"), json=self._json))
        if (said := field(chunk, "generated_text")) is not None:
            deltas.append(Delta(_CHANNEL, said, ("generated_text",), json=self._json, whole=True))
        self._details = field(chunk, "details", self._details)
        return ChunkView(tuple(deltas), (_CHANNEL,) if self._details is not None else ())

    def filler(self, channel: Any, text: str) -> Any:  # noqa: ARG002  there is one channel
        if self._sample is None:
            return text
        token = {"id": 0, "logprob": 0.0, "special": False, "text": text}
        return type(self._sample).parse_obj_as_instance({"index": 0, "token": token})

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        reason, call.usage = _told(self._details)
        call.finish_reasons = (reason,) if reason else ()
        text = texts.get(_CHANNEL, "")
        call.output = (
            (Message("assistant", (Part("text", text, json=structured(call, text)),), reason),) if text else ()
        )


def reply(call: ModelCall, text: str) -> Any:
    if not call.params.get("details"):
        return text
    from huggingface_hub import TextGenerationOutput

    details = {"finish_reason": "eos_token", "generated_tokens": 0, "prefill": [], "tokens": []}
    return TextGenerationOutput.parse_obj_as_instance({"generated_text": text, "details": details})


def reply_stream(client: Any, call: ModelCall, text: str) -> Any:
    if not call.params.get("details"):
        return generator(client, [text])
    from huggingface_hub import TextGenerationStreamOutput

    token = {"id": 0, "logprob": 0.0, "special": False, "text": text}
    details = {"finish_reason": "eos_token", "generated_tokens": 0, "input_length": 0}
    said = {"index": 0, "token": token, "generated_text": text, "details": details}
    return generator(client, [TextGenerationStreamOutput.parse_obj_as_instance(said)])
