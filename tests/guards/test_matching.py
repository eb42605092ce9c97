"""What a rule applies to: every field, one pattern or several, and what only nearly matches."""

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards import policy
from spanward.guards.judgement import Context, Side, Stage
from spanward.guards.matching import applies, stage_of
from spanward.guards.messages import PartKind
from spanward.guards.overlap import overlap, within
from spanward.guards.rules import Rule, When


def rule(when: str, tmp_path: Path) -> Rule:
    path = tmp_path / "p.yaml"
    path.write_text(f"version: 1\nrules:\n  - {{name: a, when: {when}, detect: {{secrets: {{}}}}, action: block}}\n")
    return policy.load(path).rules[0]


CONTEXT = Context(
    app="shop-web", environment="production", provider="openai", model="gpt-4o-mini", prompt_name="greet",
    user_group="staff", tags=("eu", "beta-2"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        ("{}", True),
        ("{app: shop-web}", True),
        ("{app: 'shop-*'}", True),
        ("{app: 'shop-we?'}", True),
        ("{app: 'shop-[vw]eb'}", True),
        ("{app: 'shop-[!v]eb'}", True),
        ("{app: [store, shop-web]}", True),
        ("{app: ''}", False),
        ("{app: shop}", False),
        ("{app: hop-web}", False),
        ("{app: Shop-web}", False),
        ("{app: 'shop-web '}", False),
        ("{app: 'shop-?'}", False),
        ("{app: 'shop-[!w]eb'}", False),
        ("{app: [store, shop]}", False),
        ("{app: []}", True),
        ("{environment: production}", True),
        ("{environment: prod}", False),
        ("{environment: 'prod*'}", True),
        ("{environment: [staging, Production]}", False),
        ("{provider: openai}", True),
        ("{provider: open*}", True),
        ("{provider: azure}", False),
        ("{model: 'gpt-4*'}", True),
        ("{model: gpt-4o}", False),
        ("{model: ['claude-*', 'gpt-*-mini']}", True),
        ("{model: 'GPT-4*'}", False),
        ("{prompt: greet}", True),
        ("{prompt: greeting}", False),
        ("{prompt: [ask, 'gr*t']}", True),
        ("{user_group: staff}", True),
        ("{user_group: [guests, staff]}", True),
        ("{user_group: Staff}", False),
        ("{user_group: 'staff-*'}", False),
        ("{tags: eu}", True),
        ("{tags: beta-2}", True),
        ("{tags: 'beta-*'}", True),
        ("{tags: [us, eu]}", True),
        ("{tags: [us, uk]}", False),
        ("{tags: EU}", False),
        ("{tags: 'eu,beta-2'}", False),
        ("{app: 'shop-*', tags: eu, model: 'gpt-*', user_group: staff}", True),
        ("{app: 'shop-*', tags: eu, model: 'gpt-*', user_group: guests}", False),
        ("{app: 'shop-*', tags: us}", False),
    ],
)
def test_every_field_that_is_named_must_match(tmp_path: Path, when: str, matches: bool) -> None:
    assert applies(rule(when, tmp_path), CONTEXT) is matches


@pytest.mark.parametrize("key", ["app", "environment", "provider", "model", "prompt", "user_group"])
@pytest.mark.parametrize(("pattern", "matches"), [("'*'", True), ("''", True), ("'?*'", False), ("x", False)])
def test_what_is_not_known_is_empty(tmp_path: Path, key: str, pattern: str, matches: bool) -> None:
    assert applies(rule(f"{{{key}: {pattern}}}", tmp_path), Context()) is matches


def test_a_call_without_tags_has_none_to_match(tmp_path: Path) -> None:
    assert not applies(rule("{tags: '*'}", tmp_path), Context())


@pytest.mark.parametrize(
    ("kind", "on_input", "on_output"),
    [
        ("text", "input", "output"),
        ("reasoning", "input", "output"),
        ("tool_definition", "input", "output"),
        ("media", "input", "output"),
        ("tool_call", "tool_call", "tool_call"),
        ("tool_result", "tool_result", "tool_result"),
        ("document", "retrieval", "retrieval"),
    ],
)
def test_stage_of_a_part(kind: PartKind, on_input: Stage, on_output: Stage) -> None:
    sides: tuple[Side, Side] = ("input", "output")
    assert tuple(stage_of(side, kind) for side in sides) == (on_input, on_output)


def test_every_kind_of_part_is_in_the_table_above() -> None:
    assert len(get_args(PartKind)) == 7


NAMES = st.text("ab-", max_size=3)
GLOBS = st.lists(st.text("ab-*?", max_size=3), max_size=2).map(tuple)
STAGES = st.lists(st.sampled_from(get_args(Stage)), min_size=1, max_size=2, unique=True).map(tuple)
WHENS = st.builds(When, stage=STAGES, app=GLOBS, tags=GLOBS)


@given(WHENS, WHENS, NAMES, st.lists(NAMES, max_size=2).map(tuple), st.sampled_from(get_args(Stage)))
def test_what_lint_says_of_two_rules_holds_for_every_call(
    one: When, other: When, app: str, tags: tuple[str, ...], stage: Stage
) -> None:
    """A rule within another applies only where that does; rules that do not overlap never apply together."""
    context = Context(app=app, tags=tags)
    first, second = (
        stage in when.stage and applies(Rule(name="a", when=when, detect={"pii": {}}, action="block"), context)
        for when in (one, other)
    )
    if within(one, other) and first:
        assert second
    if not overlap(one, other):
        assert not (first and second)
