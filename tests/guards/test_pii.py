"""Presidio as we run it: what is found, what is not taken for personal data, and that no text is too long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.detectors import pii as module
from spanward.guards.detectors.pii import Pii
from spanward.guards.detectors.stretches import stretches

ALL = frozenset(Pii.labels)


def found(pii: Pii, text: str) -> list[tuple[str, str]]:
    """What reaches its default threshold and is looked for by default."""
    usual = ALL - Pii.opt_in
    hits = pii.detect([text], usual)[0]
    return [(hit.label, text[hit.start : hit.end]) for hit in hits if hit.score >= Pii.labels[hit.label]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to bob.o'neil+tag@mail.example.co.uk today", [("EMAIL_ADDRESS", "bob.o'neil+tag@mail.example.co.uk")]),
        ("call 202-555-0123", [("PHONE_NUMBER", "202-555-0123")]),
        ("call +44 20 7946 0958 now", [("PHONE_NUMBER", "+44 20 7946 0958")]),
        ("card 4111 1111 1111 1111", [("CREDIT_CARD", "4111 1111 1111 1111")]),
        ("IBAN DE89 3704 0044 0532 0130 00", [("IBAN_CODE", "DE89 3704 0044 0532 0130 00")]),
        ("from 203.0.113.7 and 2001:db8::8a2e:370:7334",
         [("IP_ADDRESS", "203.0.113.7"), ("IP_ADDRESS", "2001:db8::8a2e:370:7334")]),
        ("send to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", [("CRYPTO", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")]),
        ("my passport is 912803456", [("US_PASSPORT", "912803456")]),
        ("ask admin@db1.corp.internal", [("EMAIL_ADDRESS", "admin@db1.corp.internal")]),
        ("mac 00:1A:2B:3C:4D:5E", [("MAC_ADDRESS", "00:1A:2B:3C:4D:5E")]),
    ],
)  # fmt: skip
def test_found(pii: Pii, text: str, expected: list[tuple[str, str]]) -> None:
    assert [pair for pair in found(pii, text) if pair in expected] == expected


@pytest.mark.parametrize("text", ["ssn 078-05-1123", "my social security number is 078051123"])
def test_social_security_numbers_beside_their_words(pii: Pii, text: str) -> None:
    assert "US_SSN" in {label for label, _ in found(pii, text)}


@pytest.mark.parametrize(
    "text",
    [
        "see example.py, then model.fit and os.path.join",
        "x[::2] and a[::-1], std::dec, a::b, ::1",
        "vitamin B52, flight LH400, room 101",
        "4111 1111 1111 1112",  # no valid checksum
        "DE89 3704 0044 0532 0130 01",  # no valid checksum
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "d41d8cd98f00b204e9800998ecf8427e",
        "not@an@address, a@b, @handle, foo@localhost",
        "in 2024, 12 of 1500 at 10:30",
        "<EMAIL_ADDRESS_1>, <PHONE_NUMBER_12> and [US_SSN]",
    ],
)
def test_near_misses(pii: Pii, text: str) -> None:
    assert found(pii, text) == []


def test_known_false_alarms_stay_what_they_are(pii: Pii) -> None:
    """Not good, but known: if presidio gets better here, the documentation has to say so."""
    assert found(pii, "version 1.2.3.4") == [("IP_ADDRESS", "1.2.3.4")]
    assert found(pii, "order 2025550143") == [("PHONE_NUMBER", "2025550143")]


def test_the_domain_of_an_address_is_no_url(pii: Pii) -> None:
    hits = pii.detect(["a@b.co.uk and https://b.co.uk/x"], frozenset({"EMAIL_ADDRESS", "URL"}))[0]
    assert [(hit.label, hit.start) for hit in hits] == [("EMAIL_ADDRESS", 0), ("URL", 14)]


def test_names_are_asked_for_in_vain_and_it_says_so(pii: Pii) -> None:
    assert pii.detect(["Barack Obama lives in Paris"], frozenset({"PERSON", "LOCATION"})) == [[]]
    assert pii.degraded == "no NER model: PERSON, LOCATION, ORGANIZATION are not detected"


def test_no_text_is_too_long(pii: Pii) -> None:
    text = "so it goes on and on " * 6000 + "bob@example.com"
    assert len(text) > 102_400
    assert found(pii, text) == [("EMAIL_ADDRESS", "bob@example.com")]


def test_a_word_longer_than_a_stretch_is_taken_whole(pii: Pii) -> None:
    url = "https://example.com/" + "a1" * 3000
    hits = pii.detect([f"see {url} there"], frozenset({"URL"}))[0]
    assert [(hit.start, hit.end) for hit in hits if hit.score >= 0.6][:1] == [(4, 4 + len(url))]


def test_a_pattern_that_runs_out_of_time_is_an_error(pii: Pii, monkeypatch: pytest.MonkeyPatch) -> None:
    """Presidio logs it and goes on as if it had found nothing."""
    from presidio_analyzer import Pattern, PatternRecognizer

    slow = PatternRecognizer("EMAIL_ADDRESS", patterns=[Pattern("slow", r"(x+x+)+y", 0.5)], name="slow")
    monkeypatch.setattr("presidio_analyzer.pattern_recognizer.REGEX_TIMEOUT_SECONDS", 0.01)
    pii._analyzer.registry.add_recognizer(slow)
    try:
        with pytest.raises(TimeoutError, match="the pattern slow ran out of time"):
            pii.detect(["@" + "x" * 5000], frozenset({"EMAIL_ADDRESS"}))
    finally:
        pii._analyzer.registry.remove_recognizer("slow")
    assert pii.detect(["a@b.example.com"], frozenset({"EMAIL_ADDRESS"}))[0]


@given(st.text(alphabet="ab \n", max_size=900), st.integers(20, 60))
def test_stretches_cover_everything_once(text: str, size: int) -> None:
    pieces = list(stretches(text, size, size // 2))
    assert [sum(piece.owns(at) for piece in pieces) for at in range(len(text) + 1)] == [1] * (len(text) + 1)
    assert all(piece.start <= piece.owned_from and piece.end - piece.start <= size for piece in pieces)
    assert all(piece.owned_to <= piece.end for piece in pieces[:-1])


def test_every_label_has_a_recognizer_or_is_named_by_a_model(pii: Pii) -> None:
    known = set(pii._analyzer.get_supported_entities("en"))
    assert set(module.THRESHOLDS) - set(module.NAMED_BY_A_MODEL) == known
