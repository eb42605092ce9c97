"""Budgets: how much of one is spent, and where it will end."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..ask import Ask
from ..view import COLUMNS, LONGEST_TEXT, MOST_VALUES, View
from .outlook import Outlook, outlook
from .periods import Period

KIND = "budget"
SCOPES = (*COLUMNS, "tag")


class Budget(BaseModel):
    """`scope`: filter -> values, as in an address; empty is everything. `amount_usd` is for one period (UTC)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=200)
    scope: dict[str, list[str]] = Field(default_factory=dict)
    amount_usd: float = Field(gt=0, le=1e12, allow_inf_nan=False)
    period: Period

    @field_validator("scope")
    @classmethod
    def _known(cls, scope: dict[str, list[str]]) -> dict[str, list[str]]:
        for name, values in scope.items():
            if name not in SCOPES:
                raise ValueError(f"unknown filter {name!r}; known are {', '.join(SCOPES)}")
            if not 0 < len(values) <= MOST_VALUES or any(len(value) > LONGEST_TEXT for value in values):
                raise ValueError(f"{name} takes 1 to {MOST_VALUES} values of at most {LONGEST_TEXT} characters")
        return scope


class BudgetState(Outlook):
    """`share` of the amount that is spent: 1 is all of it."""

    share: float
    over: bool
    projected_over: bool


def budget_state(ask: Ask, budget: Mapping[str, Any], now: int) -> BudgetState:
    """`budget` is the body of a document (as `Budget`); `now` in milliseconds. Raises `QueryFailed`."""
    told = Budget.model_validate(dict(budget))
    chosen = {name: tuple(values) for name, values in told.scope.items()}
    ahead = outlook(ask, View(0, now, chosen=chosen), told.period, now)
    return {
        **ahead,
        "share": ahead["spent"] / told.amount_usd,
        "over": ahead["spent"] > told.amount_usd,
        "projected_over": (ahead["projected"] or 0.0) > told.amount_usd,
    }
