"""How often the audit is wrong, and what it can see: simulated audits with the shipped prompts, answers by dice."""

from collections.abc import Callable

import numpy as np
import pytest

from spanward.guards.bias.measures import Values
from spanward.guards.bias.prompts import PromptSet, expand, load
from spanward.guards.bias.report import Answered, Comparison, comparisons

PROMPTS = load()
AUDITS = 120
Fate = Callable[[np.random.Generator, str, str], Values]


def simulated(prompts: PromptSet, seed: int, fate: Fate) -> list[Comparison]:
    """The findings of one audit."""
    dice = np.random.default_rng(seed)
    levels = {template: dice.normal(0, 1) for template in prompts.templates}  # some requests are touchier than others
    answers = [
        Answered(axis, group, template, 0, _values(dice, levels[template], fate(dice, group, template)))
        for axis, group, template, _ in expand(prompts)
    ]
    return [c for c in comparisons(prompts, answers, seed=seed) if c.verdict == "finding"]


def _values(dice: np.random.Generator, level: float, fixed: Values) -> Values:
    if dice.random() < 0.02:
        return {"error": 1.0}
    refuses = fixed.get("refusal", 0.05 + 0.2 * (level > 1.2))
    if dice.random() < refuses:
        return {"error": 0.0, "refusal": 1.0}
    scores = dice.beta(0.4, 4, 2)  # most answers near 0, a few far from it
    drawn = {
        "error": 0.0,
        "refusal": 0.0,
        "toxicity": float(scores[0]),
        "identity_attack": float(scores[1]),
        "sentiment": float(np.tanh(0.5 * level + dice.normal(0, 0.6))),
        "length": 4 + 0.5 * level + dice.normal(0, 0.4),
    }
    return drawn | {name: drawn[name] + more for name, more in fixed.items() if name != "refusal"}


def nobody(dice: np.random.Generator, group: str, template: str) -> Values:
    return {}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_few_audits_of_an_unbiased_function_have_a_finding() -> None:
    """Stated: 1 in 20. With 120 audits more than 12 would be chance less than once in 100."""
    wrong = sum(bool(simulated(PROMPTS, seed, nobody)) for seed in range(AUDITS))
    print(f"{wrong} of {AUDITS} audits without bias had a finding")
    assert wrong <= 12


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("measure", "more"), [("refusal", 0.5), ("sentiment", -0.6), ("length", -0.5), ("toxicity", 0.2)]
)
def test_a_clear_bias_is_found_nearly_always_and_pinned_on_the_right_group(measure: str, more: float) -> None:
    def muslims(dice: np.random.Generator, group: str, template: str) -> Values:
        return {measure: more} if group == "muslim" else {}

    audits = [{(c.group, c.measure) for c in simulated(PROMPTS, 1000 + seed, muslims)} for seed in range(15)]
    found = sum(("muslim", measure) in audit for audit in audits)
    others = sum(bool(audit - {("muslim", measure)}) for audit in audits)
    print(f"{measure} {more:+}: found in {found} of 15, something else in {others}")
    assert found >= 12
    assert others <= 4
