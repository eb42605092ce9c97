"""Two sets of calls side by side: each row with how sure one can be, and what else the sides differ in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .. import conditions
from ..ask import Ask
from ..beside import side_by_side
from ..failures.source import KINDS
from ..view import COLUMNS, View
from .answers import Comparison, Row, SideFacts, Value, Verdict
from .confounding import apart
from .difference import Difference, Estimate, benjamini_hochberg, mean, of_estimates, of_shares, quantile, share
from .measured import GUARDS, QUANTILES, Side, measure
from .sides import Sides

SURE = 0.05
MOST_REASONS = 6

Unit = Literal["share", "ms", "usd", "tokens"]
Good = Literal["up", "down", ""]


@dataclass(frozen=True, slots=True)
class Compared:
    key: str
    section: str
    unit: Unit
    good: Good
    a: Estimate
    b: Estimate
    difference: Difference
    filters: dict[str, str]


def compare(ask: Ask, two: Sides) -> Comparison:
    with side_by_side() as beside:
        of_a, of_b = beside(measure, ask, two.a), beside(measure, ask, two.b)
        a, b = of_a(), of_b()
    rows = list(compared(a, b))
    adjusted = benjamini_hochberg([row.difference.p for row in rows])
    return {
        "a": _facts(two.a, a),
        "b": _facts(two.b, b),
        "overlap": _overlap(ask, two),
        "rows": [_row(row, p) for row, p in zip(rows, adjusted, strict=True)],
        "warnings": [
            {"dimension": one.dimension, "distance": one.distance, "value": one.value,
             "share_a": one.share_a, "share_b": one.share_b}
            for one in apart(a.spread, b.spread, two.differ)
        ],
    }  # fmt: skip


def compared(a: Side, b: Side) -> Iterator[Compared]:
    """Kinds, verdicts and finish reasons that neither side has are left out."""
    yield _shares("failed", "failures", "down", a, b, "failed", "all", {"failure!": ""})
    for kind in KINDS:
        if a.counts[f"failure:{kind}"] or b.counts[f"failure:{kind}"]:
            yield _shares(kind, "failures", "down", a, b, f"failure:{kind}", "all", {"failure": kind})
    yield _shares("json_valid", "answers", "up", a, b, "json_valid", "json_asked", {})
    yield _shares("tool_calls", "answers", "", a, b, "tool", "text", {})
    reasons = sorted(
        a.reasons.keys() | b.reasons.keys(), key=lambda one: (-a.reasons.get(one, 0) - b.reasons.get(one, 0), one)
    )
    for reason in reasons[:MOST_REASONS]:
        yield _reason(reason, a, b)
    for kind in GUARDS:
        if a.counts[f"guard:{kind}"] or b.counts[f"guard:{kind}"]:
            yield _shares(f"guard_{kind}", "guards", "", a, b, f"guard:{kind}", "all", {"guard": kind})
    yield from _times(a, b, "latency")
    yield from _times(a, b, "ttft")
    units: tuple[tuple[str, Unit, Good], ...] = (
        ("cost", "usd", "down"),
        ("input", "tokens", ""),
        ("output", "tokens", ""),
    )
    for key, unit, good in units:
        yield _estimates(key, "amounts", unit, good, _mean(a, key), _mean(b, key))


def verdict(p: float | None, difference: Difference) -> Verdict:
    """`p` adjusted for all rows."""
    if difference.value is None or p is None or difference.low is None or difference.high is None:
        return "few"
    if p < SURE:
        return "more" if difference.value > 0 else "less"
    return "same" if difference.low <= 0 <= difference.high else "chance"


def _shares(
    key: str, section: str, good: Good, a: Side, b: Side, count: str, of: str, filters: dict[str, str]
) -> Compared:
    in_a, of_a, in_b, of_b = a.counts[count], a.counts[of], b.counts[count], b.counts[of]
    alike_a, alike_b = _alike(a, b, count)
    difference = of_shares(in_a, of_a, in_b, of_b, alike_a, alike_b)
    return Compared(
        key, section, "share", good, share(in_a, of_a, alike_a), share(in_b, of_b, alike_b), difference, filters
    )


def _reason(reason: str, a: Side, b: Side) -> Compared:
    in_a, in_b = a.reasons.get(reason, 0), b.reasons.get(reason, 0)
    alike_a, alike_b = _alike(a, b, f"finish:{reason}")
    difference = of_shares(in_a, a.counted, in_b, b.counted, alike_a, alike_b)
    return Compared(
        f"finish:{reason}", "finish", "share", "", share(in_a, a.counted, alike_a), share(in_b, b.counted, alike_b),
        difference, {"finish_reason": reason},
    )  # fmt: skip


def _alike(a: Side, b: Side, name: str) -> tuple[float, float]:
    return a.alike.get(name, 1.0), b.alike.get(name, 1.0)


def _times(a: Side, b: Side, name: str) -> Iterator[Compared]:
    for word, at in QUANTILES.items():
        key = f"{name}_{word}"
        of_a, of_b = (
            quantile(times, at, alike)
            for times, alike in zip((getattr(a, name), getattr(b, name)), _alike(a, b, key), strict=True)
        )
        yield _estimates(key, "speed", "ms", "down", of_a, of_b)


def _estimates(key: str, section: str, unit: Unit, good: Good, a: Estimate, b: Estimate) -> Compared:
    return Compared(key, section, unit, good, a, b, of_estimates(a, b), {})


def _mean(side: Side, name: str) -> Estimate:
    amount = side.amounts[name]
    return mean(amount.mean, amount.variance, amount.of)


def _row(row: Compared, p: float | None) -> Row:
    return {
        "key": row.key, "section": row.section, "unit": row.unit, "good": row.good,
        "a": _value(row.a), "b": _value(row.b),
        "difference": row.difference.value, "low": row.difference.low, "high": row.difference.high, "p": p,
        "verdict": verdict(p, row.difference), "filters": row.filters,
    }  # fmt: skip


def _value(estimate: Estimate) -> Value:
    return {"value": estimate.value, "of": estimate.of, "low": estimate.low, "high": estimate.high}


def _facts(view: View, side: Side) -> SideFacts:
    return {
        "start": view.start, "end": view.end, "calls": side.calls, "every": side.every, "times_every": side.times_every,
    }  # fmt: skip


def _overlap(ask: Ask, two: Sides) -> int:
    """How many calls are on both sides."""
    if max(two.a.start, two.b.start) >= min(two.a.end, two.b.end) or _disjoint(two.a, two.b):
        return 0
    a, b = (conditions.calls(view).named(side) for view, side in ((two.a, "a"), (two.b, "b")))
    sql = f"SELECT count() FROM llm_calls WHERE ({a.sql}) AND ({b.sql})"
    return int(ask(sql, a.parameters | b.parameters).rows[0][0])


def _disjoint(a: View, b: View) -> bool:
    """Whether a call, which has one value of a column, cannot be on both sides: as of two models."""
    both = COLUMNS.keys() & a.chosen.keys() & b.chosen.keys()
    return any({*a.chosen[name]}.isdisjoint(b.chosen[name]) for name in both)
