"""The local provider, and the real SDKs pointed at it."""

from collections.abc import Iterator

import anthropic
import openai
import pytest

from spanward.collector.demo.provider import Provider

from ..inmemory import instrumented, spans, untraced

__all__ = ["instrumented", "spans", "untraced"]


@pytest.fixture
def openai_client(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{provider.address}/v1", api_key="demo", max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(provider: Provider) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=provider.address, api_key="demo", max_retries=0) as client:
        yield client
