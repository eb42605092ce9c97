"""What each kind of token of one call cost. Pure."""

from collections.abc import Sequence

from typing_extensions import TypedDict


class Tier(TypedDict):
    """US dollars a million tokens for calls of more than `above` input tokens, `request` in US dollars a call.

    None: tokens of this kind have no price of their own and count as plain input.
    """

    above: int
    input: float
    cache_read: float | None
    cache_write: float | None
    output: float
    request: float


class Counts(TypedDict):
    """As stored: input holds the cached ones, output the reasoning ones."""

    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int


class Part(TypedDict):
    """`price` in US dollars a million tokens; the costs of all parts add up to the cost of the call."""

    kind: str
    tokens: int
    price: float
    cost: float


def split(tiers: Sequence[Tier], counts: Counts) -> list[Part]:
    """Kinds with tokens only, and `request` where a call costs by itself. Empty without a price."""
    tier = next((tier for tier in reversed(tiers) if counts["input_tokens"] > tier["above"]), None)
    if tier is None:
        return []
    read, write = counts["cached_tokens"], counts["cache_write_tokens"]
    fresh = max(0, counts["input_tokens"] - read - write)
    reasoning = min(counts["reasoning_tokens"], counts["output_tokens"])
    own = {kind: tier["input"] if tier[kind] is None else tier[kind] for kind in ("cache_read", "cache_write")}
    priced = (
        ("input", fresh, tier["input"]),
        ("cache_read", read, own["cache_read"] or 0.0),
        ("cache_write", write, own["cache_write"] or 0.0),
        ("output", counts["output_tokens"] - reasoning, tier["output"]),
        ("reasoning", reasoning, tier["output"]),
    )
    parts: list[Part] = [
        {"kind": kind, "tokens": tokens, "price": price, "cost": tokens * price / 1e6}
        for kind, tokens, price in priced
        if tokens
    ]
    if tier["request"]:
        parts.append({"kind": "request", "tokens": 0, "price": 0.0, "cost": tier["request"]})
    return parts
