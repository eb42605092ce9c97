"""The gate is for speed alone: with and without it, presidio says the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanward.guards.detectors.pii import Pii
from spanward.guards.detectors.pii_gate import NECESSARY, possible
from spanward.guards.detectors.presidio import build_analyzer

ROOT = Path(__file__).resolve().parents[2]
SYNTH = ROOT.parent / "shared" / "data" / "presidio_research" / "synth_dataset_v2.json"
LABELS = frozenset(NECESSARY)
LEAST = {label: max(0.2, Pii.labels[label] - 0.2) for label in LABELS}
"""Compared from well below the thresholds on; the noise floor under it (any number is a licence at 0.01) is not."""


def ungated(text: str) -> set[tuple[str, int, int, float]]:
    """The stock phone recognizer on the whole text, no gate, no stretches."""
    results = STOCK.analyze(text, "en", entities=sorted(LABELS))
    return {(r.entity_type, r.start, r.end, r.score) for r in results if r.score >= LEAST[r.entity_type]}


def gated(text: str) -> set[tuple[str, int, int, float]]:
    results = OURS.analyze(text, "en", entities=wanted) if (wanted := possible(text, LABELS)) else []
    return {(r.entity_type, r.start, r.end, r.score) for r in results if r.score >= LEAST[r.entity_type]}


def _stock() -> Any:
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer

    analyzer = build_analyzer()
    analyzer.registry.remove_recognizer("PhoneRecognizer")
    analyzer.registry.add_recognizer(PhoneRecognizer())
    return analyzer


OURS = build_analyzer()
STOCK = _stock()


def without_short_phones(found: set[tuple[str, int, int, float]], text: str) -> set[tuple[str, int, int, float]]:
    """Phone numbers of fewer than seven digits are left out on purpose: years and prices."""
    return {hit for hit in found if hit[0] != "PHONE_NUMBER" or sum(c.isdigit() for c in text[hit[1] : hit[2]]) >= 7}


@pytest.mark.skipif(not SYNTH.exists(), reason="shared data is not here")
def test_same_on_synthetic_texts() -> None:
    texts = [row["full_text"] for row in json.loads(SYNTH.read_text())][::5]
    different = [text for text in texts if gated(text) != without_short_phones(ungated(text), text)]
    assert different == []


PIECES = st.sampled_from(
    ["a@b.co", "http://x.io/y", "1.2.3.4", "::ffff:1.2.3.4", "fe80::1:2:3", "00:1a:2b:3c:4d:5e", "4111111111111111",
     "078-05-1123", "DE89370400440532013000", "+1 (202) 555-0123", "202.555.0123", "(202)5550123", "12/24/1999",
     "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "912803456", "BB1388568",
     "ssn", "phone", "passport", "license", "bank", "iban", "x", " ", ", ", "\n", "-", ":", ".", "0", "12", "345"]
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(PIECES, max_size=12).map("".join) | st.lists(PIECES, max_size=12).map(" ".join))
def test_same_on_whatever(text: str) -> None:
    """Windows may cut differently where numbers are glued together; what is hidden is the same."""
    assert hidden(gated(text)) >= hidden(without_short_phones(ungated(text), text))


def hidden(found: set[tuple[str, int, int, float]]) -> set[int]:
    return {at for label, start, end, score in found if score >= Pii.labels[label] for at in range(start, end)}
