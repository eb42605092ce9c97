"""The page of the policy language says what is so: its example loads, and its tables name all that there is."""

import re
from pathlib import Path
from typing import get_args

import jsonschema
import yaml

from spanward.guards import policy
from spanward.guards.detectors import registry
from spanward.guards.judgement import Stage
from spanward.guards.policy import SHIPPED
from spanward.guards.policy_lint import lint
from spanward.guards.rules import RuleAction, When

PAGE = (Path(__file__).parents[2] / "docs" / "guards" / "policy.md").read_text()
EXAMPLE = PAGE.partition("```yaml\n")[2].partition("```")[0]


def section(title: str) -> str:
    return re.split(r"\n##+ ", PAGE.partition(f"# {title}\n")[2])[0]


def test_the_example_loads_and_says_all_there_is_to_say(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(EXAMPLE)
    loaded = policy.loaded(path)
    assert [rule.name for rule in loaded.policy.rules] == [
        "pii-out", "no-secrets", "rude", "people", "tickets-stay-here", "drafts-too",
    ]  # fmt: skip
    assert list(jsonschema.Draft202012Validator(policy.schema()).iter_errors(yaml.safe_load(EXAMPLE))) == []
    assert {remark.severity for remark in lint(loaded)} <= {"hint", "warning"}
    said = yaml.safe_load(EXAMPLE)
    assert set(policy.Policy.model_fields) == set(said)
    assert set(said["defaults"]) == set(policy.Policy.model_fields["defaults"].annotation.model_fields)  # type: ignore[union-attr]  # its model


def test_the_tables_name_every_key() -> None:
    rule = section("A rule") + section("When") + section("Actions")
    for word in (*policy.Rule.model_fields, *When.model_fields, *get_args(Stage), *get_args(RuleAction)):
        assert f"`{word}`" in rule, word


def test_every_detector_and_every_shipped_policy_is_named() -> None:
    for name in registry.OWN:
        assert f"`{name}`" in section("Detectors"), name
    for path in SHIPPED.glob("*.yaml"):
        assert f"| `{path.stem}` |" in section("Shipped"), path.stem
