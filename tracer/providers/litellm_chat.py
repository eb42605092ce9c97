"""Chat completions of litellm: OpenAI's shape, with token counts of every provider in it."""

from collections.abc import Mapping
from typing import Any

from ..adapter import ChunkView
from ..call import ModelCall, Usage
from . import openai_chat as chat
from . import openai_chat_stream
from .fields import counts, field, number


def answered(call: ModelCall, answer: Any) -> None:
    """Fill the record from a `ModelResponse`."""
    chat.response(call, answer)
    call.usage = told_usage(field(answer, "usage"))


def told_usage(raw: Any) -> Usage:
    """Disjoint counts: litellm counts cached tokens into the prompt, those read and those written."""
    if raw is None:
        return Usage()
    usage = Usage(
        cache_read=number(raw, "prompt_tokens_details", "cached_tokens"),
        cache_write=number(raw, "prompt_tokens_details", "cache_creation_tokens")
        or number(raw, "cache_creation_input_tokens"),
        input_audio=number(raw, "prompt_tokens_details", "audio_tokens"),
        input_image=number(raw, "prompt_tokens_details", "image_tokens"),
        reasoning=number(raw, "completion_tokens_details", "reasoning_tokens"),
        output_audio=number(raw, "completion_tokens_details", "audio_tokens"),
        source="provider",
        raw=counts(raw),
    )
    return usage.of_totals(number(raw, "prompt_tokens"), number(raw, "completion_tokens"))


class Reader(openai_chat_stream.Reader):
    """The same chunks; usage that nobody asked for is beside the last of them."""

    def __init__(self, call: ModelCall) -> None:
        super().__init__(call)
        self._last: Any = None
        self._told: Any = None

    def read(self, chunk: Any) -> ChunkView:
        self._last = chunk
        told = field(chunk, "usage") or _beside(chunk)
        if told is not None and number(told, "prompt_tokens"):
            self._told = told
        return super().read(chunk)

    def adds(self, chunk: Any) -> bool:  # noqa: ARG002  the face of the other one
        """No short way: every chunk may be the last."""
        return False

    def filler(self, channel: Any, text: str) -> Any:
        """Their type makes objects of what it is given only when it is called."""
        made = super().filler(channel, text)
        return type(made)(**{name: value for name, value in vars(made).items() if value is not None})

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        super().finish(call, texts)
        if self._told is not None:
            call.usage = told_usage(self._told)
        elif number(counted := _beside(self._last), "completion_tokens"):
            call.usage = told_usage(counted)  # litellm's own tokenizer, after the end
            call.usage.source = "estimated"


def _beside(chunk: Any) -> Any:
    return field(field(chunk, "_hidden_params", {}), "usage")
