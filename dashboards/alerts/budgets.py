"""Budgets as rules see them: what a period is, and how much of the amount is spent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

KIND = "budget"


@dataclass(frozen=True, slots=True)
class Budget:
    """`scope` is filter -> values; `period` is day, week or month, of the calendar in UTC, weeks from Monday."""

    name: str
    scope: dict[str, list[str]]
    amount_usd: float
    period: str


def budget_of(body: Mapping[str, Any]) -> Budget | None:
    """None for a body that is no budget with an amount."""
    amount, period = body.get("amount_usd"), body.get("period")
    if not isinstance(amount, int | float) or amount <= 0 or period not in _STARTS:
        return None
    scope = {str(name): [str(value) for value in values] for name, values in (body.get("scope") or {}).items()}
    return Budget(str(body.get("name", "")), scope, amount, str(period))


def period_start(period: str, now: int) -> int:
    """Milliseconds since 1970, as `now`."""
    day = datetime.fromtimestamp(now / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return round(_STARTS[period](day).timestamp() * 1000)


_STARTS: Mapping[str, Callable[[datetime], datetime]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
}
