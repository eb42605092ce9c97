"""Rates say in SQL what pricing says of one call, for every model that has a public price."""

import random
from datetime import UTC, datetime

from genai_prices.data_snapshot import get_snapshot

from spanward.collector.pricing import Pricing, Tokens
from spanward.collector.store import Store

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
COUNTS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens")


def tokens(chance: random.Random) -> Tokens:
    whole = chance.choice([0, 7, 1000, 128_000, 200_000, 200_001, 1_000_000])
    read = chance.choice([0, 0, whole // 2, whole])
    return Tokens(whole, read, chance.choice([0, 0, whole // 4, whole]), chance.choice([0, 9, 5000]))


def test_every_public_model_costs_the_same_in_sql(store: Store) -> None:
    chance = random.Random(20261121)
    pricing = Pricing()
    asked, expected = [], []
    seen: set[str] = set()  # many models share their prices
    for provider in get_snapshot().providers:
        for model in provider.models:
            rates = pricing.rates(provider.id, model.id, AT)
            if rates is None or rates.sql() in seen:
                continue
            seen.add(rates.sql())
            for _ in range(2):
                used = tokens(chance)
                if used.input + used.output == 0:
                    continue
                counts = zip(COUNTS, (used.input, used.cache_read, used.cache_write, used.output), strict=True)
                named = ", ".join(f"toUInt32({count}) AS {name}" for name, count in counts)
                asked.append(f"SELECT toNullable(toFloat64({rates.sql()})) AS c FROM (SELECT {named})")
                expected.append((provider.id, model.id, used, pricing.cost(provider.id, model.id, used, AT)))
    assert len(expected) > 500
    answers: list[float | None] = []
    for first in range(0, len(asked), 50):
        some = (f"SELECT {n} AS n, * FROM ({one})" for n, one in enumerate(asked[first : first + 50]))
        answers += [cost for _, cost in store.ask(f"SELECT * FROM ({' UNION ALL '.join(some)}) ORDER BY n").rows]
    wrong = [
        (what, answer)
        for what, answer in zip(expected, answers, strict=True)
        if (what[3] is None) != (answer is None) or abs((what[3] or 0) - (answer or 0)) > 1e-9
    ]
    assert wrong == []
