"""Prices as rates a token: what a table of a call's cost, or SQL over many calls, can work with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_KINDS = {kind: f"{kind}_mtok" for kind in ("input", "cache_read", "cache_write", "output")}
_REQUESTS = "requests_kcount"


@dataclass(frozen=True, slots=True)
class Rate:
    """US dollars a million tokens, for calls of more than `above` input tokens; `request` in US dollars a call.

    None: tokens of this kind have no price of their own, they count as plain input.
    """

    above: int
    input: float
    cache_read: float | None
    cache_write: float | None
    output: float
    request: float = 0.0

    @property
    def free(self) -> bool:
        return not any((self.input, self.cache_read, self.cache_write, self.output, self.request))


@dataclass(frozen=True, slots=True)
class Rates:
    """`tiers` rise, the first is above -1. `forgiving`: cached tokens beyond the input do not make a call unpriceable.

    `others`: the price names things that are not counted here (hours, pages), so a sum of zero is no price.
    """

    tiers: tuple[Rate, ...]
    forgiving: bool = False
    others: bool = False

    def sql(self) -> str:
        """An expression on `llm_calls`: US dollars, NULL where counts contradict each other or nothing is priced."""
        one = [(rate.above, self._sum(rate)) for rate in reversed(self.tiers)]
        chosen = one[-1][1]
        if len(one) > 1:
            steps = ", ".join(f"input_tokens > {above}, {cost}" for above, cost in one[:-1])
            chosen = f"multiIf({steps}, {chosen})"
        priced = any(not rate.free for rate in self.tiers)
        return f"nullIf({chosen}, 0)" if (priced or self.others) and not self.forgiving else chosen

    def _sum(self, rate: Rate) -> str:
        own = [
            (column, price)
            for column, price in (("cached_tokens", rate.cache_read), ("cache_write_tokens", rate.cache_write))
            if price is not None
        ]
        fresh = "toInt64(input_tokens)" + "".join(f" - {column}" for column, _ in own)
        terms = [f"greatest(0, {fresh}) * {rate.input!r}", f"output_tokens * {rate.output!r}"]
        terms += [f"{column} * {price!r}" for column, price in own]
        total = f"({' + '.join(terms)}) / 1e6 + {rate.request!r}"
        return total if self.forgiving or not own else f"if({fresh} < 0, NULL, {total})"


def of_model(prices: Mapping[str, Any]) -> Rates:
    """From the fields of a genai-prices ModelPrice: `NAME_mtok` -> Decimal or TieredPrices."""
    told = {name: price for name, price in prices.items() if price is not None}
    starts = sorted({tier.start for price in told.values() for tier in getattr(price, "tiers", ())})
    tiers = tuple(_rate(told, above) for above in (-1, *starts))
    return Rates(tiers, others=bool(told.keys() - {*_KINDS.values(), _REQUESTS}))


def _rate(prices: Mapping[str, Any], above: int) -> Rate:
    mtok = {kind: _at(prices.get(name), above) for kind, name in _KINDS.items()}
    return Rate(
        above,
        mtok["input"] or 0.0,
        mtok["cache_read"],
        mtok["cache_write"],
        mtok["output"] or 0.0,
        (_at(prices.get(_REQUESTS), above) or 0.0) / 1000,
    )


def _at(price: Any, above: int) -> float | None:
    if price is None:
        return None
    reached = [tier.price for tier in getattr(price, "tiers", ()) if tier.start <= above]
    return float(reached[-1] if reached else getattr(price, "base", price))
