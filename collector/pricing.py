"""What a call cost: public prices from genai-prices, private ones from a file. An unknown model has none, never 0."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..tracer import semconv
from . import rates
from .rates import Rate, Rates

_MEMO = 4096
_LONGEST_NAME = 500
"""Characters of provider and model; what is longer is no name, and must not be remembered."""
# Names of the conventions that genai-prices does not know by itself.
_PROVIDERS = {"x_ai": "x-ai", "azure.ai.inference": "azure", "gcp.gen_ai": "google", "zhipu": "zhipuai"}
# What stands before a model's own name: `models/NAME`, `projects/…/publishers/google/models/NAME`.
_RESOURCE = re.compile(r"(?:[^/]+/)*models/(?=[^/]+$)")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Counts as the conventions have them: input holds the cached ones, output holds the reasoning ones."""

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0


class PrivatePrice(BaseModel):
    """US dollars a million tokens. `provider` and `model` may hold `*`; cached tokens cost as input unless said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str = "*"
    model: str
    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_read: float | None = Field(default=None, ge=0)
    cache_write: float | None = Field(default=None, ge=0)

    def matches(self, provider: str, model: str) -> bool:
        return fnmatchcase(provider, self.provider) and fnmatchcase(model, self.model)

    def cost(self, tokens: Tokens, at: datetime) -> float:  # noqa: ARG002  private prices have no history
        fresh = max(0, tokens.input - tokens.cache_read - tokens.cache_write)
        read = self.input if self.cache_read is None else self.cache_read
        write = self.input if self.cache_write is None else self.cache_write
        total = fresh * self.input + tokens.cache_read * read + tokens.cache_write * write + tokens.output * self.output
        return total / 1e6

    def rates(self, at: datetime) -> Rates:  # noqa: ARG002  as above
        read = self.input if self.cache_read is None else self.cache_read
        write = self.input if self.cache_write is None else self.cache_write
        return Rates((Rate(-1, self.input, read, write, self.output),), forgiving=True)


class _PrivatePrices(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prices: list[PrivatePrice]


class _Price(Protocol):
    def cost(self, tokens: Tokens, at: datetime) -> float | None: ...

    def rates(self, at: datetime) -> Rates | None: ...


@dataclass(frozen=True, slots=True)
class _PublicPrice:
    provider: Any
    model: Any

    def cost(self, tokens: Tokens, at: datetime) -> float | None:
        from genai_prices import Usage

        # Zeros are left out: a model without a price for cached tokens need not have one if there are none.
        counts = {
            "input_tokens": tokens.input,
            "cache_read_tokens": tokens.cache_read,
            "cache_write_tokens": tokens.cache_write,
            "output_tokens": tokens.output,
        }
        usage = Usage(**{name: count for name, count in counts.items() if count})
        try:
            price = self.model.calc_price(usage, self.provider, genai_request_timestamp=at)
        except ValueError:
            return None  # counts that contradict each other
        total = float(price.total_price)
        if not total and any(vars(price.model_price).values()):
            return None  # priced by what we do not count: hours, letters, pages
        return total

    def rates(self, at: datetime) -> Rates | None:
        from genai_prices.types import ModelPrice, TimeOfDateConstraint

        prices = self.model.prices
        if not isinstance(prices, ModelPrice) and any(isinstance(p.constraint, TimeOfDateConstraint) for p in prices):
            return None
        return rates.of_model(vars(self.model.get_prices(at)))


class Pricing:
    """Prices by provider and model. `version` says by which prices, for rows that are priced again later.

    `overrides` is a YAML or JSON file, `prices: [{provider, model, input, output, cache_read, cache_write}]`, the first
    match wins over public prices. Raises ValueError, naming the file and the field, if it is wrong. Thread-safe.
    """

    def __init__(self, overrides: Path | None = None) -> None:
        self.version = version("genai-prices")
        self.private: list[PrivatePrice] = []
        if overrides:
            text = overrides.read_bytes()
            self.private = _parse(overrides, text)
            self.version += "+" + hashlib.sha256(text).hexdigest()[:12]
        self._memo = lru_cache(_MEMO)(self._find)

    def cost(self, provider: str, model: str, tokens: Tokens, at: datetime) -> float | None:
        """US dollars, by the prices of the day `at`; None for a model without a known price."""
        if len(provider) + len(model) > _LONGEST_NAME:
            return None
        price = self._memo(provider, model)
        return price.cost(tokens, at) if price else None

    def rates(self, provider: str, model: str, at: datetime) -> Rates | None:
        """What `cost` reckons with, the same all day (UTC); None without a price, or with one by the time of day."""
        if len(provider) + len(model) > _LONGEST_NAME:
            return None
        price = self._memo(provider, model)
        return price.rates(at) if price else None

    def _find(self, provider: str, model: str) -> _Price | None:
        for private in self.private:
            if private.matches(provider, model):
                return private
        from genai_prices.data_snapshot import get_snapshot

        # Fireworks' prices are by the whole name, Google's by the last part.
        for named in dict.fromkeys((model, _RESOURCE.sub("", model))):
            try:
                found = get_snapshot().find_provider_model(named, None, _PROVIDERS.get(provider, provider), None)
            except LookupError:
                continue
            return _PublicPrice(*found)
        return None


def price(request: ExportTraceServiceRequest, pricing: Pricing) -> int:
    """Set the cost of each model call in `request` that has usage and no cost yet; says how many."""
    spans = (s for r in request.resource_spans for scope in r.scope_spans for s in scope.spans)
    return sum(_price_span(span, pricing) for span in spans)


def _price_span(span: Span, pricing: Pricing) -> bool:
    attributes = {a.key: a.value for a in span.attributes}
    operation = attributes.get(semconv.OPERATION)
    if operation is None or operation.string_value not in semconv.MODEL_OPERATIONS or semconv.COST_USD in attributes:
        return False
    if semconv.INPUT_TOKENS not in attributes and semconv.OUTPUT_TOKENS not in attributes:
        return False
    tokens = Tokens(
        _count(attributes.get(semconv.INPUT_TOKENS)),
        _count(attributes.get(semconv.CACHE_READ_TOKENS)),
        _count(attributes.get(semconv.CACHE_WRITE_TOKENS)),
        _count(attributes.get(semconv.OUTPUT_TOKENS)),
    )
    provider = _text(attributes.get(semconv.PROVIDER)) or _text(attributes.get("gen_ai.system"))
    at = datetime.fromtimestamp(min(span.start_time_unix_nano // 10**9, 4_000_000_000), UTC)
    names = (semconv.RESPONSE_MODEL, semconv.REQUEST_MODEL)
    for model in names_of(provider, *(_text(attributes.get(name)) for name in names)):
        cost = pricing.cost(provider, model, tokens, at)
        if cost is not None:
            span.attributes.add(key=semconv.COST_USD).value.double_value = cost
            span.attributes.add(key=semconv.PRICE_VERSION).value.string_value = pricing.version
            return True
    return False


def names_of(provider: str, answered: str, asked: str) -> list[str]:
    """A call's names of its model, in the order in which they are looked up."""
    # Bedrock's price depends on the region, which only the name that was asked for says.
    names = (asked, answered) if provider == "aws.bedrock" else (answered, asked)
    return [name for name in dict.fromkeys(names) if name]


def _text(value: AnyValue | None) -> str:
    return value.string_value if value else ""


def _count(value: AnyValue | None) -> int:
    return max(0, value.int_value) if value else 0


def _parse(path: Path, text: bytes) -> list[PrivatePrice]:
    try:
        return _PrivatePrices.model_validate(yaml.safe_load(text)).prices
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not YAML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors())
        raise ValueError(f"{path}: {wrong}. It holds `prices:`, a list of provider, model, input, output.") from None
