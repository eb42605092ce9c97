"""Canned answers of Bedrock, in the objects that botocore gives."""

import functools
import io
from collections.abc import Iterable, Iterator
from typing import Any

from ..call import ModelCall
from . import anthropic_messages, bedrock_converse, openai_chat
from .bedrock_bodies import BedrockCall
from .bedrock_json import Json, encoded, sealed

_PROMPT: dict[str, tuple[Json, Json]] = {
    "anthropic": ({"completion": "{}", "stop_reason": "stop_sequence", "stop": None},) * 2,
    "titan": (
        {"inputTextTokenCount": 0, "results": [{"tokenCount": 0, "outputText": "{}", "completionReason": "FINISH"}]},
        {"outputText": "{}", "index": 0, "completionReason": "FINISH", "totalOutputTextTokenCount": 0},
    ),
    "llama": (
        {"generation": "{}", "prompt_token_count": 0, "generation_token_count": 0, "stop_reason": "stop"},
    ) * 2,
    "mistral": ({"outputs": [{"text": "{}", "stop_reason": "stop"}]},) * 2,
    "cohere": (
        {"id": "spanward", "generations": [{"id": "spanward", "text": "{}", "finish_reason": "COMPLETE"}]},
        {"text": "{}", "is_finished": True, "finish_reason": "COMPLETE"},
    ),
    "j2": (
        {"id": "spanward", "completions": [{"data": {"text": "{}"}, "finishReason": {"reason": "endoftext"}}]},
    ) * 2,
}  # fmt: skip
"""Word in a model's name -> its answer to one prompt, whole and as the only chunk; `{}` is where the text goes."""
_COHERE_CHAT = {"generation_id": "spanward", "text": "{}", "finish_reason": "COMPLETE", "chat_history": []}


def reply(call: ModelCall, text: str) -> Any:
    """The whole answer, None where the operation or the model's family has no place for words."""
    if not isinstance(call, BedrockCall) or (body := _body(call, text)) is None:
        return None
    head = {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}
    if call.asked == "Converse":
        return {**head, **body}
    return {**head, "contentType": "application/json", "body": read_body(encoded(body))}


def reply_stream(_: Any, call: ModelCall, text: str) -> Any:
    """The same for a stream."""
    if not isinstance(call, BedrockCall) or (chunks := _chunks(call, text)) is None:
        return None
    head = {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}
    if call.asked == "ConverseStream":
        return {**head, "stream": _stream_type()(iter(chunks))}
    return {**head, "contentType": "application/json", "body": _stream_type()(sealed(chunk) for chunk in chunks)}


def _body(call: BedrockCall, text: str) -> Json | None:
    match call.form:
        case "converse":
            return bedrock_converse.reply(text)
        case "anthropic":
            return anthropic_messages.reply(call, text)
        case "openai":
            return openai_chat.reply(call, text)
    whole = _COHERE_CHAT if call.form == "cohere" else (_prompt(call) or (None,))[0]
    filled: Json | None = _filled(whole, text)
    return filled


def _chunks(call: BedrockCall, text: str) -> Iterable[Json] | None:
    match call.form:
        case "converse":
            return bedrock_converse.reply_chunks(text)
        case "anthropic":
            return anthropic_messages.reply_chunks(call, text)
        case "openai":
            return openai_chat.reply_chunks(call, text)
        case "cohere":
            return [{"event_type": "text-generation", "text": text}, {"event_type": "stream-end"}]
    found = _prompt(call)
    return [_filled(found[1], text)] if found else None


def _prompt(call: BedrockCall) -> tuple[Json, Json] | None:
    if call.form != "prompt":
        return None
    return next((bodies for word, bodies in _PROMPT.items() if word in call.request_model.lower()), None)


def _filled(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item, text) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, text) for item in value]
    return text if value == "{}" else value


def read_body(said: bytes) -> Any:
    """A body that holds these bytes. They are in `said` too."""
    return _body_type()(said)


@functools.cache
def _body_type() -> Any:
    """A body of botocore's over bytes that were read: all of it works but the socket, which it no longer has."""
    from botocore.response import StreamingBody

    class ReadBody(StreamingBody):  # type: ignore[misc]  # botocore has no types
        def __init__(self, said: bytes) -> None:
            super().__init__(io.BytesIO(said), str(len(said)))
            self.said = said

        def set_socket_timeout(self, timeout: float) -> None:
            pass

    return ReadBody


@functools.cache
def _stream_type() -> Any:
    """A stream of botocore's over events that never crossed a network."""
    from botocore.eventstream import EventStream

    class CannedStream(EventStream):  # type: ignore[misc]  # as above
        def __init__(self, events: Iterator[Json]) -> None:
            self._events = events

        def __iter__(self) -> Iterator[Json]:
            return self._events

        def close(self) -> None:
            pass

    return CannedStream
