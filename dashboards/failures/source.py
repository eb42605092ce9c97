"""Which table answers how often calls failed: the rollup by the hour where it says all, else the calls themselves."""

from dataclasses import dataclass, replace
from typing import Any

from .. import conditions
from ..grid import Grid, lay
from ..view import View

KINDS = (
    "provider_error", "rate_limit", "timeout", "client_error", "refusal", "cut_by_length", "invalid_json", "empty",
    "guard_block", "cancelled", "other",
)  # fmt: skip
"""As `llm_calls.failure` has them, beside '' for a call that gave what was asked for."""

OF_FAILURE = frozenset({"failure", "failure_group"})
ROLLED = frozenset({"tenant", "service", "env", "provider", "model", "prompt", "prompt_version"}) | OF_FAILURE
HOUR_S = 3600
DAY_MS = 86_400_000

_COLUMNS = "service, provider, model, prompt_name, prompt_version, failure, failure_group"
# named llm_calls, so that the conditions of a view fit both
_HOURS = (
    f"SELECT toInt64(toUnixTimestamp(t)) AS second, {_COLUMNS}, calls FROM failures_1h AS llm_calls WHERE {{where}}"
)
_CALLS = (
    f"SELECT toInt64(toUnixTimestamp(ts)) AS second, {_COLUMNS}, toUInt64(1) AS calls FROM llm_calls WHERE {{where}}"
)


@dataclass(frozen=True, slots=True)
class Source:
    """`sql` selects second, service, provider, model, prompt_name, prompt_version, failure, failure_group, calls."""

    sql: str
    parameters: dict[str, Any]


def all_calls(view: View) -> View:
    """The view without its conditions on failures: what rates are of."""
    return view.without(*OF_FAILURE)


def by_hours(view: View) -> Grid:
    """As `lay`, by whole hours from a day on, so that the rollup can answer; `rolled` says whether it can."""
    grid = lay(view)
    if view.end - view.start >= DAY_MS and grid.step < HOUR_S:
        width = HOUR_S * 1000
        widened = replace(view, start=view.start // width * width, end=-(-view.end // width) * width)
        grid = Grid(widened, HOUR_S, rolled=False)
    return replace(grid, rolled=grid.step >= HOUR_S and view.named <= ROLLED)


def source(view: View, *, rolled: bool) -> Source:
    where = conditions.rollup(view) if rolled else conditions.calls(view)
    return Source((_HOURS if rolled else _CALLS).format(where=where.sql), where.parameters)
