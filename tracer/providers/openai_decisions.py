"""Decisions: many questions about one input, answered by probabilities."""

from typing import Any

from ...guards.messages import Message
from ..adapter import Kwargs
from ..call import ModelCall
from . import openai_responses as responses
from .fields import as_json, beside, field, whole
from .openai_texts import readable


def request(call: ModelCall, kwargs: Kwargs) -> None:
    """The input has the shape of a response's; each question is one part."""
    responses.request(call, kwargs)
    asked = readable(kwargs, "questions")
    if isinstance(asked, list) and asked:
        parts = (whole(question, ("questions", i), name="question") for i, question in enumerate(asked))
        call.messages = (*call.messages, Message("user", tuple(parts)))
    call.beside = beside(kwargs, ("safety_identifier", "prompt_cache_key"))


def response(call: ModelCall, answer: Any) -> None:
    """Names and choices of the questions come back in the answers."""
    call.response_model = field(answer, "model", "")
    call.usage = responses.usage(field(answer, "usage"))
    answers = field(answer, "answers", [])
    parts = tuple(whole(as_json(said), ("answers", i), name="answer") for i, said in enumerate(answers))
    call.output = (Message("assistant", parts),) if parts else ()
