"""Do shipped policies do what their names promise? Realistic texts, with what must become of them, and near-misses."""

from collections.abc import Callable

import pytest

from spanward.guards import policy
from spanward.guards.judgement import Check
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline

Say = Callable[[str, str, str], str]


@pytest.fixture(scope="module")
def say() -> Say:
    """What becomes of a text under a policy, on a side; a blocked one begins with `BLOCK`."""
    pipelines: dict[str, Pipeline] = {}

    def said(name: str, side: str, text: str) -> str:
        pipeline = pipelines.setdefault(name, Pipeline(policy.load(name)))
        asked = Check("input" if side == "input" else "output", (Message("user", (Part("text", text),)),))
        decision = pipeline.check(asked)
        return ("BLOCK " if decision.action == "block" else "") + decision.messages[0].parts[0].text

    return said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MRN 00482913 was seen", "MRN <MEDICAL_RECORD_NUMBER_1> was seen"),
        ("Medical record number 55-82-193.", "Medical record number <MEDICAL_RECORD_NUMBER_1>."),
        ("Hospital no. K123456 is his", "Hospital no. <MEDICAL_RECORD_NUMBER_1> is his"),
        ("Encounter #993821 is closed", "Encounter #<VISIT_NUMBER_1> is closed"),
        ("Claim number CLM-2024-889123 was denied", "Claim number <VISIT_NUMBER_1> was denied"),
        ("its serial number PM-88213-XK", "its serial number <DEVICE_NUMBER_1>"),
        ("VIN 1HGCM82633A004352", "VIN <VEHICLE_NUMBER_1>"),
        ("see https://portal.stmarys.example/p/88213.", "see <URL_1>."),
        ("Blood pressure 140/90, pulse 88, glucose 182 mg/dL", ""),
        ("In case 2 of the study visit 3 follows, group 2: placebo, lot of 1000 tablets", ""),
        ("patient no longer smokes; the number plate; specimen: 12ml; case: 2019-nCoV", ""),
    ],
)
def test_healthcare_hides_the_numbers_of_records(say: Say, text: str, expected: str) -> None:
    assert say("healthcare", "input", text) == (expected or text)


@pytest.mark.parametrize("side", ["input", "output"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cvv: 123", "BLOCK cvv: [CARD_CODE]"),
        ("security code 123", "BLOCK security code [CARD_CODE]"),
        ("The CVV on the back says 456", "BLOCK The CVV on the back says [CARD_CODE]"),
        ("three digits on the back: 456", "BLOCK three digits on the back: [CARD_CODE]"),
        ("my Discover card, cid 1234", "BLOCK my Discover card, cid [CARD_CODE]"),
        ("my pin is 4321", "BLOCK my pin is [CARD_PIN]"),
        ("PIN: 4321", "BLOCK PIN: [CARD_PIN]"),
        ("Card PIN code: 2288", "BLOCK Card PIN code: [CARD_PIN]"),
        ("our card service returns code 402", ""),
        ("PIN code 560001; connect pin 12; the Pinterest pin 2021 trends", ""),
        ("verification code 482913; What is a CVV? It has 3 digits", ""),
    ],
)
def test_payments_stops_what_must_never_be_kept(say: Say, side: str, text: str, expected: str) -> None:
    assert say("payments", side, text) == (expected or text)


def test_strict_masks_names_and_addresses_in_answers(say: Say) -> None:
    assert say("strict", "output", "Maria Gonzalez lives at 42 Maple Avenue, Springfield.") == (
        "[PERSON] lives at [ADDRESS]."
    )
    assert say("strict", "output", "Paris is the capital of France.") == "Paris is the capital of France."
