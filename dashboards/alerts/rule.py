"""A rule: which figure of which calls is watched, when it is wrong, and who is told."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..view import COLUMNS, FILTERS, LONGEST_TEXT, MOST_VALUES
from .failure_kinds import FAILURE_KINDS, GUARD_KINDS
from .metrics import METRICS

WINDOWS = {
    60: 60, 300: 300, 600: 300, 900: 300, 1800: 300, 3600: 300, 10800: 900, 21600: 1800, 43200: 3600, 86400: 7200,
}  # fmt: skip
"""Length of a window -> how far apart its past values are reckoned, both in seconds."""
GROUPS = ("service", "env", "provider", "model")
"""What a rule can be split by: names of few values that hold nothing anybody said."""
GUARD_GROUPS = ("service", "env")
MOST_SCOPE = 8
By = Literal["service", "env", "provider", "model"]


class Rule(BaseModel):
    """Times in seconds. `threshold` and `clear` in the unit of the metric (`metrics.METRICS`).

    `scope` is filter -> values as in an address, `name!` turns one round. Without `clear` the threshold clears too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=120)
    metric: str
    kind: str = ""
    """Of failure or guard; empty: any."""
    scope: dict[str, list[str]] = Field(default_factory=dict, max_length=MOST_SCOPE)
    by: list[By] = Field(default_factory=list, max_length=2)
    condition: Literal["above", "below"] = "above"
    threshold: float = Field(default=0.0, allow_inf_nan=False, ge=0, le=1e15)
    clear: float | None = Field(default=None, allow_inf_nan=False, ge=0, le=1e15)
    window_s: int = 300
    for_s: int = Field(default=0, ge=0, le=86400)
    minimum_calls: int = Field(default=0, ge=0, le=10**9)
    target: float = Field(default=0.99, ge=0.5, le=0.99999)
    """Share of calls that shall not fail; for burn rates."""
    budget: str = Field(default="", max_length=200)
    severity: Literal["critical", "warning", "info"] = "warning"
    channels: list[str] = Field(default_factory=list, max_length=10)
    repeat_s: int = Field(default=14400, ge=0, le=30 * 86400)
    """How often to tell again while it lasts; 0: never."""
    enabled: bool = True

    @field_validator("name")
    @classmethod
    def _one_line(cls, name: str) -> str:
        if not name.strip() or any(not char.isprintable() for char in name):
            raise ValueError("give it a name of one line")
        return name.strip()

    @field_validator("scope")
    @classmethod
    def _known_filters(cls, scope: dict[str, list[str]]) -> dict[str, list[str]]:
        for key, values in scope.items():
            if key.removesuffix("!") not in FILTERS:
                raise ValueError(f"{key!r} is no filter; there are {', '.join(FILTERS)}")
            if not 1 <= len(values) <= MOST_VALUES or any(len(value) > LONGEST_TEXT for value in values):
                raise ValueError(f"{key!r} takes 1 to {MOST_VALUES} values of {LONGEST_TEXT} characters")
        return scope

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        metric = METRICS.get(self.metric)
        if metric is None:
            raise ValueError(f"there is no metric {self.metric!r}; there are {', '.join(METRICS)}")
        if self.window_s not in WINDOWS:
            raise ValueError(f"window_s is one of {', '.join(map(str, WINDOWS))}")
        kinds = {"failure": FAILURE_KINDS, "guard": GUARD_KINDS}.get(metric.kinds, ())
        if self.kind and self.kind not in kinds:
            raise ValueError(f"{self.metric} has no kind {self.kind!r}; there are {', '.join(kinds) or 'none'}")
        if wrong := [name for name in self.by if name not in groups_of(self.metric)]:
            raise ValueError(f"{self.metric} cannot be split by {', '.join(wrong)}")
        if metric.source == "sidecar" and self.scope:
            raise ValueError(f"{self.metric} is of the sidecar, not of calls: it takes no filters")
        if metric.source == "budget" and not self.budget:
            raise ValueError("say which budget")
        beyond = 0.0 if self.clear is None else self.clear - self.threshold
        if (beyond > 0 and self.condition == "above") or (beyond < 0 and self.condition == "below"):
            side = "below" if self.condition == "above" else "above"
            raise ValueError(f"what clears the alert must lie {side} what raises it")
        return self

    @property
    def level(self) -> float:
        """What the figure is held against."""
        fixed = METRICS[self.metric].fixed
        return self.threshold if fixed is None else fixed

    @property
    def clear_level(self) -> float:
        return self.level if self.clear is None or METRICS[self.metric].fixed is not None else self.clear

    @property
    def step_s(self) -> int:
        return WINDOWS[self.window_s]


def groups_of(metric: str) -> tuple[str, ...]:
    """What rules on this metric can be split by."""
    by_source = {"calls": GROUPS, "burn": GROUPS, "silence": GROUPS, "guards": GUARD_GROUPS}
    return by_source.get(METRICS[metric].source, ())


assert set(GROUPS) <= set(COLUMNS)
