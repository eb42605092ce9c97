"""The schema for editors: what loads is valid, and what does not load because of its form is not."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from spanward.guards import policy
from spanward.guards.detectors import registry
from spanward.guards.policy import SHIPPED, PolicyError

Plain = dict[str, Any]
SCHEMA = policy.schema()
WHOLE: Plain = {
    "version": 1,
    "name": "whole",
    "extends": "default",
    "defaults": {"on_error": "flag", "on_timeout": "allow", "timeout_ms": 50, "latency_budget_ms": 20},
    "detectors": {
        "pii": None,
        "secrets": {},
        "tickets": {"kind": "regex", "patterns": {"TICKET": r"ACME-\d{6}", "OTHER": [{"pattern": "x+", "score": 0.5}]}},
        "names": {"kind": "keywords", "words": {"NAME": ["Blue Heron"]}},
    },
    "rules": [
        {
            "name": "a",
            "when": {"stage": ["input", "retrieval"], "app": "shop-*", "tags": ["a", "b"]},
            "detect": {
                "pii": {"entities": {"EMAIL_ADDRESS": 0.4, "US_SSN": {"action": "block"}, "PHONE_NUMBER": None}},
                "secrets": None,
                "tickets": {"labels": ["TICKET"]},
            },
            "action": "pseudonymise",
            "restore": True,
            "reply": "No.",
            "mode": "shadow",
            "on_error": "block",
            "latency_budget_ms": 5,
            "stream": {"mode": "window", "window": 400},
        }
    ],
}


def errors(data: Plain) -> list[str]:
    checker = jsonschema.Draft202012Validator(SCHEMA)
    return [error.message for error in checker.iter_errors(data)]


def loads(tmp_path: Path, data: Plain) -> bool:
    path = tmp_path / "p.yaml"
    path.write_text(yaml.safe_dump(data))
    try:
        policy.load(path)
    except PolicyError:
        return False
    return True


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_policy_is_valid(path: Path) -> None:
    assert errors(yaml.safe_load(path.read_text())) == []


def test_all_that_can_be_said_is_valid_and_loads(tmp_path: Path) -> None:
    assert errors(WHOLE) == []
    assert loads(tmp_path, WHOLE)


def put(*path: Any) -> Callable[[Plain], None]:
    """The last of `path` in the place that the others lead to."""
    *way, key, value = path

    def change(data: Plain) -> None:
        at: Any = data
        for step in way:
            at = at[step]
        at[key] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        put("version", 2),
        put("rule", []),
        put("rules", {}),
        put("defaults", "on_eror", "flag"),
        put("defaults", "on_error", "stop"),
        put("defaults", "timeout_ms", 0),
        put("defaults", "latency_budget_ms", "quick"),
        put("rules", 0, "action", "blok"),
        put("rules", 0, "actoin", "block"),
        put("rules", 0, "mode", "dry"),
        put("rules", 0, "detect", {}),
        put("rules", 0, "when", "stage", "inptu"),
        put("rules", 0, "when", "stage", ["input", "tool"]),
        put("rules", 0, "when", "stage", []),
        put("rules", 0, "when", "ap", "x"),
        put("rules", 0, "when", "app", 5),
        put("rules", 0, "stream", "window", 10),
        put("rules", 0, "stream", "mode", "none"),
        put("rules", 0, "detect", "pii", "labels", ["US_SSN"]),
        put("rules", 0, "detect", "pii", "entities", "US_SSN", 1.5),
        put("rules", 0, "detect", "pii", "entities", "US_SSN", True),
        put("rules", 0, "detect", "pii", "entities", "US_SSN", {"action": "blok"}),
        put("rules", 0, "detect", "pii", "entities", "US_SSN", {"treshold": 0.5}),
        put("rules", 0, "detect", "secrets", {"labels": ["AWS_KEY"]}),
        put("rules", 0, "detect", "secrets", "all"),
        put("detectors", "tickets", "kind", "regx"),
        put("detectors", "tickets", {"patterns": {"A": "a"}}),
        put("detectors", "tickets", "patern", "x"),
        put("detectors", "tickets", "patterns", {}),
        put("detectors", "tickets", "patterns", "OTHER", [{"pattern": "x", "score": 7}]),
        put("detectors", "tickets", "timeout_ms", 0),
        put("detectors", "secrets", {"colour": "red"}),
        put("detectors", "keywords", None),
        put("detectors", []),
    ],
)
def test_a_mistake_of_form_is_neither_valid_nor_loaded(tmp_path: Path, change: Callable[[Plain], None]) -> None:
    data = copy.deepcopy(WHOLE)
    change(data)
    assert errors(data) != []
    assert not loads(tmp_path, data)


@pytest.mark.parametrize(
    "change",
    [
        put("detectors", "pii", {"kind": "pii"}),
        put("rules", 0, "detect", "tickets", "labels", {"TICKET": 0.1}),
        put("rules", 0, "when", "stage", "tool_call"),
        put("detectors", "tickets", "patterns", "TICKET", {"pattern": "x"}),
    ],
)
def test_another_way_to_say_it_is_valid(tmp_path: Path, change: Callable[[Plain], None]) -> None:
    data = copy.deepcopy(WHOLE)
    change(data)
    assert errors(data) == []
    assert loads(tmp_path, data)


def test_it_knows_every_detector_with_its_options_and_labels() -> None:
    detect = SCHEMA["$defs"]["Rule"]["properties"]["detect"]["properties"]
    made = SCHEMA["properties"]["detectors"]["properties"]
    assert set(detect) == set(made) == set(registry.names())
    entities = detect["pii"]["properties"]["entities"]["anyOf"][0]["properties"]
    assert {"EMAIL_ADDRESS", "PERSON"} <= set(entities)
    for name in registry.names():
        model = registry.options_model(registry.detector_class(name))
        told = set(SCHEMA["$defs"][f"detector.{name}"]["properties"])
        fields = model.model_fields if model else {}
        assert told == {"kind", *(field.alias or key for key, field in fields.items())}
