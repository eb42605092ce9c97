"""`AzureOpenAI`: the deployment in the path, and verdicts of content filters in every answer."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from spanward.collector.demo import provider_openai as fake
from spanward.collector.demo.provider_answers import Behaviour

from ..subject import Json, Route
from . import openai as plain

SAFE = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}
PROMPT = [{"prompt_index": 0, "content_filter_results": SAFE}]


def client(address: str, retries: int, timeout_s: float) -> Any:
    import openai

    return openai.AzureOpenAI(
        azure_endpoint=address, api_version="2024-10-21", api_key="demo", max_retries=retries, timeout=timeout_s
    )


def async_client(address: str, retries: int, timeout_s: float) -> Any:
    import openai

    return openai.AsyncAzureOpenAI(
        azure_endpoint=address, api_version="2024-10-21", api_key="demo", max_retries=retries, timeout=timeout_s
    )


def chat(body: Json, how: Behaviour) -> Json:
    said = fake.chat(body)
    choices = [{**choice, "content_filter_results": SAFE} for choice in said["choices"]]
    return {**said, "choices": choices, "prompt_filter_results": PROMPT}


def frames(body: Json, how: Behaviour) -> Iterator[str]:
    """What is said of the prompt comes first, in a chunk without choices."""
    first = {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": PROMPT}
    yield f"data: {json.dumps(first)}\n\n"
    yield from fake.chat_events(body)


SUBJECT = replace(
    plain.CHAT,
    name="azure",
    provider="azure.ai.openai",
    routes=(
        Route(
            "/openai/deployments/{model}/chat/completions",
            chat,
            frames,
            error=fake.error,
            headers=lambda _: fake.headers("req_1"),
        ),
    ),
    client=client,
    async_client=async_client,
)
