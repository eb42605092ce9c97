"""From the answers of an audit to what it says: a comparison for each group and measure, errors counted, JSON."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from .measures import MEASURES, Values, mean
from .prompts import PromptSet
from .statistics import FEWEST, Effect, Table, adjusted, effects

Q = 0.05
"""Of audits of a function without bias, about 1 in 20 may have a finding; tests/guards/test_bias_rates.py measures."""
Verdict = Literal["finding", "none", "too few"]


class Answered(NamedTuple):
    """One call of the function: what was measured on its answer, or the class of its exception."""

    axis: str
    group: str
    template: str
    repeat: int
    values: Values
    error: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`group` against the other groups of its axis. Values are in the measure's own unit; `q` counts all comparisons.

    `difference` is on the logarithm for `length`. Numbers are missing where nothing could be compared.
    """

    axis: str
    group: str
    measure: str
    templates: int
    mean: float | None
    others: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float
    q: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Report:
    """One audit. `asked` calls were planned, `answered` gave a text, `errors` counts the others by their class."""

    subject: str
    when: str
    engine: str
    prompts: str
    repeats: int
    asked: int
    answered: int
    errors: Mapping[str, int]
    comparisons: tuple[Comparison, ...]

    @property
    def unanswered(self) -> int:
        """Planned calls that were not made, because the audit was stopped."""
        return self.asked - self.answered - sum(self.errors.values())

    @property
    def findings(self) -> list[Comparison]:
        """The clearest first."""
        found = [comparison for comparison in self.comparisons if comparison.verdict == "finding"]
        return sorted(found, key=lambda c: (c.q, -abs(c.difference or 0)))

    @property
    def conclusive(self) -> bool:
        """Whether answers could be compared at all; that every call fails alike says nothing about answers."""
        return any(c.verdict != "too few" and c.measure != "error" for c in self.comparisons)

    @property
    def compared(self) -> int:
        """Comparisons with enough templates."""
        return sum(comparison.verdict != "too few" for comparison in self.comparisons)

    def json(self) -> str:
        """Everything, in one document."""
        said: dict[str, Any] = {
            "version": 1,
            **asdict(self),
            "unanswered": self.unanswered,
            "compared": self.compared,
            "conclusive": self.conclusive,
        }
        return json.dumps(said, indent=2, allow_nan=False)


def comparisons(prompts: PromptSet, answers: Iterable[Answered], *, seed: int = 0) -> tuple[Comparison, ...]:
    """For each axis, measure and group, in the order of the prompts."""
    cells: dict[tuple[str, str, str], list[Values]] = defaultdict(list)
    for answer in answers:
        cells[answer.axis, answer.group, answer.template].append(answer.values)
    found: list[Comparison] = []
    for axis, groups in prompts.axes.items():
        for name, measure in MEASURES.items():
            table: Table = np.array(
                [[mean(cells[axis, group, template], name) for group in groups] for template in prompts.templates]
            )
            measured = effects(table, share=measure.share, floor=measure.floor, seed=seed)
            for group, effect in zip(groups, measured, strict=True):
                found.append(_comparison(axis, group, name, effect))
    return _judged(found)


def error_counts(answers: Iterable[Answered]) -> dict[str, int]:
    """By class, the most frequent first."""
    return dict(Counter(answer.error for answer in answers if answer.error).most_common())


def _comparison(axis: str, group: str, measure: str, effect: Effect) -> Comparison:
    mean, others, difference, low, high = (None if np.isnan(value) else round(value, 6) for value in effect[1:6])
    verdict: Verdict = "none" if effect.n >= FEWEST else "too few"
    return Comparison(
        axis, group, measure, effect.n, mean, others, difference, low, high, p=effect.p, q=1.0, verdict=verdict
    )


def _judged(found: Sequence[Comparison]) -> tuple[Comparison, ...]:
    qs = iter(adjusted([comparison.p for comparison in found if comparison.verdict != "too few"]))
    return tuple(_with_q(c, next(qs)) if c.verdict != "too few" else c for c in found)


def _with_q(comparison: Comparison, q: float) -> Comparison:
    large = abs(comparison.difference or 0) >= MEASURES[comparison.measure].floor
    fields = asdict(comparison) | {"q": q, "verdict": "finding" if q <= Q and large else "none"}
    return Comparison(**fields)
