"""The numbers in docs/guards/pii.md hold: the benchmark's own functions, on the same data."""

import json
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from spanward.guards.detectors.pii import Pii

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "presidio_research" / "synth_dataset_v2.json"
FLOORS = {
    # F1 of entities that patterns find
    "CREDIT_CARD": 0.97,
    "DATE_TIME": 0.97,
    "EMAIL_ADDRESS": 0.97,
    "IBAN_CODE": 0.97,
    "IP_ADDRESS": 0.97,
    "PHONE_NUMBER": 0.97,
    "URL": 0.97,
    "US_DRIVER_LICENSE": 0.97,
    "US_SSN": 0.97,
}
needs_data = pytest.mark.skipif(not DATA.exists(), reason="shared data is not here")


@cache
def bench() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "benchmarks" / "guards" / "pii.py"))


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return list(json.loads(DATA.read_text()))


@needs_data
def test_patterns_are_as_accurate_as_the_documentation_says(rows: list[dict[str, Any]]) -> None:
    measured = bench()["accuracy"](rows, bench()["ours"](frozenset(FLOORS)))["entities"]
    assert {entity: measured[entity]["f1"] for entity, floor in FLOORS.items() if measured[entity]["f1"] < floor} == {}


@needs_data
@pytest.mark.slow
def test_hidden_and_masked_besides(rows: list[dict[str, Any]]) -> None:
    measured = bench()["accuracy"](rows, bench()["ours"](frozenset(Pii.labels)))
    assert measured["hidden"] >= 0.80
    assert measured["other_characters_masked"] <= 0.015


@needs_data
def test_false_alarms_are_a_third_of_what_presidio_raises() -> None:
    """On a part of the texts that the benchmark reads."""
    found = bench()
    size = 60
    texts = found["talk"](DATA.parents[1])[:1500] + found["pieces"]("\n".join(found["library"]()), 4000)[:size]
    ours, stock = found["ours"](frozenset(found["DEFAULT"])), found["stock"](0.0, found["DEFAULT"])
    raised = [sum(len(find(text)) for text in texts) for find in (ours, stock)]
    assert raised[1] > 20, "too few to compare"
    assert raised[0] * 3 <= raised[1]


def test_a_finding_counts_once() -> None:
    found = bench()
    row = {
        "full_text": "a@b.co and c@d.co!",
        "spans": [
            {"entity_type": "EMAIL_ADDRESS", "start_position": 0, "end_position": 6},
            {"entity_type": "EMAIL_ADDRESS", "start_position": 11, "end_position": 17},
        ],
    }
    span = found["Span"]
    measured = found["accuracy"](
        [row], lambda _: [span("EMAIL_ADDRESS", 0, 6), span("EMAIL_ADDRESS", 1, 6), span("URL", 10, 18)]
    )
    assert measured == {
        "entities": {"EMAIL_ADDRESS": {"gold": 2, "precision": 0.5, "recall": 0.5, "f1": 0.5, "hidden": 1.0}},
        "hidden": 1.0,
        "other_characters_masked": pytest.approx(2 / 6),
    }
