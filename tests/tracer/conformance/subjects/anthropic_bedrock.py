"""`AnthropicBedrock`: the model in the path, and streams in AWS's binary event stream."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from spanward.collector.demo import provider_anthropic as fake
from spanward.collector.demo.provider_answers import Behaviour

from .. import eventstream
from ..subject import Json, Route
from . import anthropic as plain

KEYS: dict[str, Any] = {"aws_access_key": "AKIDEXAMPLE", "aws_secret_key": "of no use", "aws_region": "eu-central-1"}


def client(address: str, retries: int, timeout_s: float) -> Any:
    import anthropic

    return anthropic.AnthropicBedrock(base_url=address, max_retries=retries, timeout=timeout_s, **KEYS)


def async_client(address: str, retries: int, timeout_s: float) -> Any:
    import anthropic

    return anthropic.AsyncAnthropicBedrock(base_url=address, max_retries=retries, timeout=timeout_s, **KEYS)


def frames(body: Json, how: Behaviour) -> Iterator[bytes]:
    for said in fake.message_events(body):
        yield from (eventstream.chunk(json.loads(line[5:])) for line in said.split("\n") if line.startswith("data:"))


def error(status: int, said: str) -> Json:
    return {"message": said}


ROUTES = (
    Route("/model/{model}/invoke", plain.message, error=error),
    Route(
        "/model/{model}/invoke-with-response-stream",
        plain.message,
        frames,
        streams=lambda body: True,
        media_type="application/vnd.amazon.eventstream",
        error=error,
    ),
)
CLOUD: dict[str, Any] = {
    "provider": "aws.bedrock",
    "model": "anthropic.claude-haiku-4-5-v1:0",
    "routes": ROUTES,
    "client": client,
    "async_client": async_client,
}

SUBJECTS = (
    replace(plain.MESSAGES, name="anthropic_bedrock", **CLOUD),
    replace(plain.HELPER, name="anthropic_bedrock_helper", **CLOUD),
)
