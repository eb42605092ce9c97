"""Models without a known price: their calls are missing in every cost, never 0."""

import json
from typing import Any

from typing_extensions import TypedDict

from ..ask import Ask
from ..view import View
from .measures import measured, summed

MOST = 100


class Unpriced(TypedDict):
    """`tokens`: input and output of the calls without a price."""

    provider: str
    model: str
    calls: int
    tokens: int


class UnpricedModels(TypedDict):
    """`snippet`: lines for the file that `prices:` of the sidecar's configuration names, numbers to be filled in."""

    models: list[Unpriced]
    snippet: str


def unpriced(ask: Ask, view: View) -> UnpricedModels:
    of = ("unpriced", "priced_tokens", "input_tokens", "output_tokens")
    source = measured(view, ["provider", "model"], of)
    sql = f"""SELECT provider, model, unpriced AS calls, input_tokens + output_tokens - priced_tokens AS tokens FROM (
  SELECT m.dim_provider AS provider, m.dim_model AS model, {summed(of)} FROM ({source.sql}) AS m
  GROUP BY provider, model
) WHERE unpriced > 0 ORDER BY calls DESC, provider, model LIMIT {MOST}"""
    rows: Any = ask(sql, source.parameters).records()
    models: list[Unpriced] = list(rows)
    return {"models": models, "snippet": snippet(models)}


def snippet(models: list[Unpriced]) -> str:
    """YAML whose prices are left empty: the sidecar refuses it until somebody has filled them in."""
    if not models:
        return ""
    lines = ["prices:  # US dollars a million tokens"]
    for model in models:
        lines += [
            f"  - provider: {json.dumps(model['provider'] or '*', ensure_ascii=False)}",
            f"    model: {json.dumps(model['model'], ensure_ascii=False)}",
            "    input:",
            "    output:",
        ]
    return "\n".join(lines) + "\n"
