"""What calls cost, against genai-prices itself and against private prices."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from genai_prices import Usage, calc_price
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanward.collector.otlp_values import attributes_of
from spanward.collector.pricing import Pricing, Tokens, price
from spanward.tracer import call as typed
from spanward.tracer import semconv

from .otlp import call, request

AT = datetime(2026, 11, 1, tzinfo=UTC)
DISJOINT = typed.Usage(input=600, cache_read=300, cache_write=100, output=150, reasoning=50)
TOKENS = Tokens(DISJOINT.input_total, DISJOINT.cache_read, DISJOINT.cache_write, DISJOINT.output_total)
KNOWN = [
    ("openai", "gpt-4o", "openai"),
    ("openai", "gpt-4o-mini-2024-07-18", "openai"),
    ("anthropic", "claude-sonnet-4-5", "anthropic"),
    ("anthropic", "claude-3-5-haiku-20241022", "anthropic"),
    ("gcp.gemini", "gemini-2.5-pro", "google"),
    ("gcp.vertex_ai", "gemini-2.5-flash", "google"),
    ("mistral_ai", "mistral-large-latest", "mistral"),
    ("x_ai", "grok-3", "x-ai"),
    ("azure.ai.openai", "gpt-4o", "openai"),
    ("deepseek", "deepseek-chat", "deepseek"),
    ("aws.bedrock", "amazon.nova-lite-v1:0", "aws"),
    ("aws.bedrock", "us.anthropic.claude-3-5-sonnet-20241022-v2:0", "aws"),
    ("aws.bedrock", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
    ("aws.bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
    ("aws.bedrock", "us.meta.llama3-3-70b-instruct-v1:0", "aws"),
    ("aws.bedrock", "openai.gpt-oss-120b-1:0", "aws"),
    ("gcp.vertex_ai", "claude-sonnet-4-5@20250929", "google"),
    ("azure.ai.openai", "gpt-35-turbo", "openai"),
    ("azure.ai.openai", "text-embedding-3-large", "openai"),
    ("cohere", "command-r-08-2024", "cohere"),
    ("groq", "llama-3.3-70b-versatile", "groq"),
    ("groq", "openai/gpt-oss-20b", "groq"),
    ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", "together"),
    ("openrouter", "openai/gpt-4o", "openrouter"),
    ("fireworks", "accounts/fireworks/models/deepseek-v3-0324", "fireworks"),
    ("moonshot", "kimi-k2-0905-preview", "moonshotai"),
]
RESOURCES = [
    ("gcp.gemini", "models/gemini-2.5-pro", "gemini-2.5-pro"),
    ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-flash", "gemini-2.5-flash"),
    ("gcp.vertex_ai", "projects/p/locations/us-east1/publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
]


@pytest.mark.parametrize(("provider", "model", "theirs"), KNOWN)
def test_public_prices_are_those_of_genai_prices(provider: str, model: str, theirs: str) -> None:
    usage = Usage(input_tokens=1000, cache_read_tokens=300, cache_write_tokens=100, output_tokens=200)
    expected = calc_price(usage, model, provider_id=theirs, genai_request_timestamp=AT).total_price
    assert Pricing().cost(provider, model, TOKENS, AT) == pytest.approx(float(expected))


@pytest.mark.parametrize(("provider", "resource", "model"), RESOURCES)
def test_a_model_named_as_a_resource_costs_what_the_model_costs(provider: str, resource: str, model: str) -> None:
    cost = Pricing().cost(provider, model, TOKENS, AT)
    assert cost
    assert Pricing().cost(provider, resource, TOKENS, AT) == cost


def test_each_disjoint_count_has_its_own_price() -> None:
    """Fresh input 3 $, read from cache 0.30 $, written to it 3.75 $, output (reasoning too) 15 $ a million."""
    expected = (600 * 3 + 300 * 0.3 + 100 * 3.75 + 200 * 15) / 1e6
    assert Pricing().cost("anthropic", "claude-sonnet-4-5", TOKENS, AT) == pytest.approx(expected)


def test_an_embedding_costs_its_input() -> None:
    assert Pricing().cost("openai", "text-embedding-3-small", Tokens(input=1000), AT) == pytest.approx(0.00002)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-unheard-of"),
        ("nobody", "gpt-4o"),
        ("", "gpt-4o-mini"),
        ("openai", ""),
        ("anthropic", "gpt-4o"),
        ("ollama", "llama3.2"),
        ("azure.ai.openai", "our-deployment"),
        ("together", "mistralai/mistral-large"),
        ("openai", "whisper-1"),
        ("openai", "tts-1"),
        ("groq", "whisper-large-v3"),
        ("mistral_ai", "mistral-ocr-latest"),
    ],
)
def test_an_unknown_model_has_no_cost(provider: str, model: str) -> None:
    pricing = Pricing()
    assert [pricing.cost(provider, model, TOKENS, AT) for _ in range(2)] == [None, None]


def test_what_is_free_costs_nothing() -> None:
    assert Pricing().cost("openai", "omni-moderation-latest", TOKENS, AT) == 0.0


def test_counts_that_contradict_each_other_have_no_cost() -> None:
    assert Pricing().cost("openai", "gpt-4o", Tokens(input=10, cache_read=500, output=1), AT) is None


def test_no_socket_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("prices are to come from the package")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert Pricing().cost("openai", "gpt-4o", TOKENS, AT)


PRIVATE = """\
prices:
  - { provider: openai, model: "gpt-4o", input: 1, output: 2 }
  - { model: "house-*", input: 10, cache_read: 1, cache_write: 20, output: 100 }
"""


def test_private_prices_win_and_the_version_says_so(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(PRIVATE)
    pricing, public = Pricing(tmp_path / "prices.yaml"), Pricing()
    assert pricing.cost("openai", "gpt-4o", TOKENS, AT) == pytest.approx((1000 * 1 + 200 * 2) / 1e6)
    house = (600 * 10 + 300 * 1 + 100 * 20 + 200 * 100) / 1e6
    assert pricing.cost("ours", "house-7b", TOKENS, AT) == pytest.approx(house)
    assert pricing.cost("ours", "mansion-7b", TOKENS, AT) is None
    assert pricing.cost("openai", "gpt-4o-mini", TOKENS, AT) == public.cost("openai", "gpt-4o-mini", TOKENS, AT)
    version, _, digest = pricing.version.partition("+")
    assert version == public.version
    assert len(digest) == 12


WRONG = {
    "no YAML": ("prices: [", "not YAML"),
    "no list": ("prices: 3", "prices: Input should be a valid list"),
    "nothing": ("", "the file: Input should be"),
    "no model": ("prices: [{input: 1, output: 1}]", r"prices\.0\.model: Field required"),
    "below zero": ("prices: [{model: a, input: -1, output: 1}]", r"prices\.0\.input: .*greater than or equal to 0"),
    "misspelt": ("prices: [{model: a, inptu: 1, input: 1, output: 1}]", r"prices\.0\.inptu: Extra inputs"),
}


@pytest.mark.parametrize(("text", "why"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_is_refused_by_name_and_field(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "prices.yaml").write_text(text)
    with pytest.raises(ValueError, match=f"prices.yaml: .*{why}"):
        Pricing(tmp_path / "prices.yaml")


def priced(**attributes: object) -> tuple[int, dict[str, object]]:
    """How many calls `price` priced of one, and what that call says then."""
    asked: ExportTraceServiceRequest = request("svc", [call(1, **attributes)])
    count = price(asked, Pricing())
    return count, attributes_of(asked.resource_spans[0].scope_spans[0].spans[0].attributes)


def test_a_call_with_usage_is_priced_by_the_answering_model() -> None:
    count, told = priced(REQUEST_MODEL="gpt-4o", RESPONSE_MODEL="gpt-4o-mini")
    assert count == 1
    assert told[semconv.COST_USD] == Pricing().cost("openai", "gpt-4o-mini", Tokens(input=100, output=20), AT)


def test_bedrock_is_priced_by_the_region_that_was_asked() -> None:
    asked = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
    _, told = priced(PROVIDER="aws.bedrock", REQUEST_MODEL=asked, RESPONSE_MODEL="claude-sonnet-4-5-20250929")
    assert told[semconv.COST_USD] == Pricing().cost("aws.bedrock", asked, Tokens(input=100, output=20), AT)
    profile = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"
    _, told = priced(PROVIDER="aws.bedrock", REQUEST_MODEL=profile, RESPONSE_MODEL="claude-sonnet-4-5-20250929")
    assert told[semconv.COST_USD]


def test_an_unknown_answering_model_falls_back_on_the_requested() -> None:
    _, told = priced(REQUEST_MODEL="gpt-4o", RESPONSE_MODEL="unheard-of")
    _, plain = priced(REQUEST_MODEL="gpt-4o", RESPONSE_MODEL="gpt-4o")
    assert told[semconv.COST_USD] == plain[semconv.COST_USD]


@pytest.mark.parametrize(
    "attributes",
    [
        {"OPERATION": "invoke_agent"},
        {"OPERATION": "run_guardrail"},
        {"REQUEST_MODEL": "unheard-of", "RESPONSE_MODEL": "unheard-of"},
        {"PROVIDER": ""},
    ],
)
def test_other_spans_are_not_priced(attributes: dict[str, str]) -> None:
    count, told = priced(**attributes)
    assert count == 0
    assert semconv.COST_USD not in told
    assert semconv.PRICE_VERSION not in told


def test_a_cost_that_is_there_stays() -> None:
    count, told = priced(COST_USD=1.5)
    assert (count, told[semconv.COST_USD]) == (0, 1.5)
    assert semconv.PRICE_VERSION not in told


def test_a_call_without_usage_is_not_priced() -> None:
    asked = request("svc", [call(1)])
    span = asked.resource_spans[0].scope_spans[0].spans[0]
    kept = [a for a in span.attributes if a.key not in {semconv.INPUT_TOKENS, semconv.OUTPUT_TOKENS}]
    del span.attributes[:]
    span.attributes.extend(kept)
    assert price(asked, Pricing()) == 0


def test_a_span_of_the_far_future_is_priced_as_well() -> None:
    asked = request("svc", [call(1)])
    asked.resource_spans[0].scope_spans[0].spans[0].start_time_unix_nano = 2**64 - 1
    assert price(asked, Pricing()) == 1
