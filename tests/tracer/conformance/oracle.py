"""What a provider's answer says, read from the fake's JSON by the providers' own names and by none of our code."""

import json
from collections.abc import Iterator
from typing import Any

from .serving import Received
from .subject import Json, Subject

INPUT = ("prompt_tokens", "input_tokens", "inputTokens", "promptTokenCount", "prompt_eval_count")
OUTPUT = ("completion_tokens", "output_tokens", "outputTokens", "candidatesTokenCount", "eval_count")
BESIDE_INPUT = (
    "cache_read_input_tokens", "cache_creation_input_tokens", "cacheReadInputTokens", "cacheWriteInputTokens",
)  # fmt: skip
"""Counted beside the input tokens, not among them."""
BESIDE_OUTPUT = ("thoughtsTokenCount",)
REASONS = ("finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason")
MODEL = ("model", "modelVersion", "model_id")


def whole(received: Received) -> Json:
    answered = received.whole()
    told: Json = json.loads(answered) if isinstance(answered, bytes) else answered
    return told


def counted(subject: Subject, answer: Json) -> tuple[int, int]:
    """(input, output) tokens."""
    if subject.counted is not None:
        return subject.counted(answer)
    for found in _dicts(answer):
        if any(name in found for name in INPUT):
            sent = _sum(found, INPUT) + _sum(found, BESIDE_INPUT)
            return sent, _sum(found, OUTPUT) + _sum(found, BESIDE_OUTPUT)
    raise LookupError("the fake's answer tells no tokens: give `Subject.counted`, or leave the feature `usage` out")


def reasons(subject: Subject, answer: Json) -> tuple[str, ...]:
    if subject.reasons is not None:
        return subject.reasons(answer)
    return tuple(str(found[name]) for found in _dicts(answer) for name in REASONS if found.get(name))


def model(answer: Json) -> str:
    return next((str(answer[name]) for name in MODEL if answer.get(name)), "")


def _sum(found: Json, names: tuple[str, ...]) -> int:
    return sum(int(found.get(name) or 0) for name in names)


def _dicts(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _dicts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _dicts(item)
