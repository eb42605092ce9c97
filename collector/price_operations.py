"""Operations of the API that need the prices: what a model costs, and pricing stored calls again."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from ..dashboards.api.operation import BadQuestion, Operation, Parameter, Question
from ..dashboards.cost.split import Counts, Part, Tier, split
from ..dashboards.view import moment
from .pricing import Pricing, names_of
from .repricing import Repriced, Repricing

_MOST_TOKENS = 1 << 32
_NUMBER = {"type": "integer", "minimum": 0}


class Prices(TypedDict):
    """`tiers` are empty where no price is known, or only one by the time of day. `split`: of the counts given."""

    version: str
    tiers: list[Tier]
    split: list[Part]


class RepriceBody(BaseModel):
    """`apply` false is a preview."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    apply: bool = False


def operations(repricing: Repricing, pricing: Pricing) -> tuple[Operation, ...]:
    def prices(question: Question) -> Prices:
        when = datetime.fromtimestamp(moment(question.get("at", "now"), question.now, "at") / 1000, UTC)
        provider = question.get("provider")
        found = (
            pricing.rates(provider, name, when)
            for name in names_of(provider, question.get("model"), question.get("asked"))
        )
        rates = next((rates for rates in found if rates), None)
        fields: Any = [asdict(rate) for rate in rates.tiers] if rates else []
        tiers: list[Tier] = fields
        return {"version": pricing.version, "tiers": tiers, "split": split(tiers, _counts(question))}

    def reprice(question: Question) -> Repriced:
        view = question.view()
        try:
            told = repricing.preview(view)
            if not question.body.apply or not told["calls"]:
                return told
            detail = {
                "from": _iso(view.start), "to": _iso(view.end), "calls": str(told["calls"]),
                "old_usd": f"{told['old']:.6f}", "new_usd": f"{told['new']:.6f}",
                "selection": ", ".join(sorted(view.named)),
            }  # fmt: skip
            question.means.record(question.actor, "prices.reprice", told["version"], detail)
            return repricing.apply(view)
        except ValueError as problem:
            raise BadQuestion(str(problem)) from None

    return (
        Operation(
            "GET", "/api/cost/prices", "What a model costs by kind of token, and a call of so many", prices, Prices,
            takes=(
                Parameter("provider", "As calls name it"), Parameter("model", "The model that answered"),
                Parameter("asked", "The model that was asked for"),
                Parameter("at", "The day of the price; now unless given"),
                *(Parameter(name, "To be split; 0 unless given", _NUMBER) for name in Counts.__annotations__),
            ),
        ),
        Operation(
            "POST", "/api/cost/reprice", "Price the calls of a view again, by the prices of today", reprice, Repriced,
            body=RepriceBody, view=True, needs="configure",
        ),
    )  # fmt: skip


def _counts(question: Question) -> Counts:
    counts: Any = {name: question.whole(name, 0, most=_MOST_TOKENS, least=0) for name in Counts.__annotations__}
    told: Counts = counts
    return told


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
