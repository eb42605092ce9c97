"""The chunks of SDKs that speak OpenAI's chats with other fields: fewer in a delta, and a choice that says it twice."""

from typing import Any

from ..adapter import ChunkView, Delta
from . import openai_chat_stream
from .fields import field

_PLAIN = {"content", "role", "tool_calls", "token_id"}
"""Fields of a delta that holds text and nothing else."""


class Reader(openai_chat_stream.Reader):
    """Follows chunks. What a choice repeats as `text` is a channel (choice index, "copy"), and not recorded."""

    def read(self, chunk: Any) -> ChunkView:
        return self._copied(chunk, super().read(chunk))

    def adds(self, chunk: Any) -> bool:
        """As OpenAI's, where fields that these chunks do not have need not be asked for."""
        told = chunk.__dict__
        (choice,) = told["choices"]
        chosen = choice.__dict__
        delta = chosen["delta"]
        said = delta.__dict__
        text = said["content"]
        if (
            not text
            or chosen["finish_reason"]
            or chosen.get("logprobs")
            or said["tool_calls"]
            or told["usage"]
            or delta.__pydantic_extra__
            or not delta.__pydantic_fields_set__ <= _PLAIN
        ):
            return False
        try:
            pieces = self._lanes[chosen["index"]]
        except KeyError:
            pieces = self._begun(chosen["index"])
        pieces += (text,)
        return True

    def _copied(self, chunk: Any, view: ChunkView) -> ChunkView:
        deltas, closes = list(view.deltas), list(view.closes)
        for i, choice in enumerate(field(chunk, "choices", [])):
            channel = (field(choice, "index", 0), "copy")
            if text := field(choice, "text"):
                deltas.append(Delta(channel, text, ("choices", i, "text"), json=self._json))
                self._open[channel] = ("", "")
            if field(choice, "finish_reason") and self._open.pop(channel, None):
                closes.append(channel)
        return ChunkView(tuple(deltas), tuple(closes))

    def filler(self, channel: Any, text: str) -> Any:
        chunk = super().filler(channel, text)
        if channel[1] == "copy":
            head = {**vars(chunk), "choices": [{"index": channel[0], "delta": {}, "text": text, "finish_reason": None}]}
            return type(chunk).construct(**head)
        return chunk
