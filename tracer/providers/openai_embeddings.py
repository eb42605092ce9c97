"""OpenAI embeddings, and their like of compatible SDKs: texts in, tokens counted."""

from typing import Any

from ...guards.messages import Message, Part
from ..adapter import Kwargs
from ..call import ModelCall, Usage
from .fields import beside, counts, field, given, number, plain
from .openai_texts import extra, texts


def request(call: ModelCall, kwargs: Kwargs) -> None:
    """Token arrays are no text: only strings are judged."""
    call.params = given(kwargs, ("dimensions", "encoding_format"))
    call.beside = beside(kwargs, ("user",))
    kwargs["input"] = plain(kwargs.get("input"))
    parts: list[Part] = [*texts(kwargs["input"], ("input",)), *extra(kwargs)]
    call.messages = (Message("user", tuple(parts)),) if parts else ()


def response(call: ModelCall, answer: Any) -> None:
    call.response_model = field(answer, "model", "")
    if usage := field(answer, "usage"):
        call.usage = Usage(input=number(usage, "prompt_tokens"), source="provider", raw=counts(usage))
