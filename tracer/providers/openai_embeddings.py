"""OpenAI embeddings, and their like of compatible SDKs: texts in, tokens counted."""

from typing import Any

from ...guards.messages import Message
from ..adapter import Kwargs
from ..call import ModelCall, Usage
from .fields import beside, counts, field, given, number
from .openai_texts import extra, readable, texts


def request(call: ModelCall, kwargs: Kwargs) -> None:
    """Token arrays are no text: only strings are judged."""
    call.params = given(kwargs, ("dimensions", "encoding_format"))
    call.beside = beside(kwargs, ("user",))
    parts = [*texts(readable(kwargs, "input"), ("input",)), *extra(kwargs)]
    call.messages = (Message("user", tuple(parts)),) if parts else ()


def response(call: ModelCall, answer: Any) -> None:
    call.response_model = field(answer, "model", "")
    if usage := field(answer, "usage"):
        call.usage = Usage(input=number(usage, "prompt_tokens"), source="provider", raw=counts(usage))
