"""The local provider, and the real SDKs pointed at it."""

from collections.abc import Iterator

import anthropic
import openai
import pytest

from spanward.collector.demo.provider import Provider, serve_in_thread

from ..inmemory import Spans, traced


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    with serve_in_thread(keep=50) as serving:
        yield serving


@pytest.fixture
def openai_client(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{provider.address}/v1", api_key="demo", max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(provider: Provider) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=provider.address, api_key="demo", max_retries=0) as client:
        yield client


@pytest.fixture(autouse=True)
def untraced() -> None:
    """Here one `instrument()` serves a whole module: loading the guards takes longer than a test."""


@pytest.fixture(scope="module")
def instrumented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spans]:
    """`instrument()` with guards in this process and spans in memory, for the tests of one module."""
    with traced(tmp_path_factory.mktemp("spool")) as spans:
        yield spans


@pytest.fixture
def spans(instrumented: Spans) -> Spans:
    instrumented.clear()
    return instrumented
