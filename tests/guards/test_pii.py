"""Presidio as we run it: what is found, what is not taken for personal data, and that no text is too long."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from spanward.guards.conformance import check_detector
from spanward.guards.detectors.detector import Hit
from spanward.guards.detectors.pii import Pii, outside
from spanward.guards.detectors.pii_packs import NAMES, PACKS
from spanward.guards.detectors.stretches import stretches

ALL = frozenset(Pii.labels)
PATTERNS = ALL - Pii.opt_in


def found(pii: Pii, text: str, labels: frozenset[str] = PATTERNS) -> list[tuple[str, str]]:
    """What reaches its default threshold; by default of what is looked for by default."""
    hits = pii.detect([text], labels)[0]
    return [(hit.label, text[hit.start : hit.end]) for hit in hits if hit.score >= pii._thresholds[hit.label]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to bob.o'neil+tag@mail.example.co.uk today", [("EMAIL_ADDRESS", "bob.o'neil+tag@mail.example.co.uk")]),
        ("card 4111 1111 1111 1111", [("CREDIT_CARD", "4111 1111 1111 1111")]),
        ("IBAN DE89 3704 0044 0532 0130 00", [("IBAN_CODE", "DE89 3704 0044 0532 0130 00")]),
        ("iban gb42nawi04454264788619", [("IBAN_CODE", "gb42nawi04454264788619")]),
        ("from 203.0.113.7 and 2001:db8::8a2e:370:7334",
         [("IP_ADDRESS", "203.0.113.7"), ("IP_ADDRESS", "2001:db8::8a2e:370:7334")]),
        ("send to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", [("CRYPTO", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")]),
        ("my passport is 912803456", [("US_PASSPORT", "912803456")]),
        ("ask admin@db1.corp.internal", [("EMAIL_ADDRESS", "admin@db1.corp.internal")]),
        ("mac 00:1A:2B:3C:4D:5E", [("MAC_ADDRESS", "00:1A:2B:3C:4D:5E")]),
        ("ssn 078-05-1123", [("US_SSN", "078-05-1123")]),
        ("my social security number is 078051123", [("US_SSN", "078051123")]),
        ("my driver's license number is 6940579", [("US_DRIVER_LICENSE", "6940579")]),
        ("my driver's license number is 2270-66-1551", [("US_DRIVER_LICENSE", "2270-66-1551")]),
    ],
)  # fmt: skip
def test_found(pii: Pii, text: str, expected: list[tuple[str, str]]) -> None:
    assert [pair for pair in found(pii, text) if pair in expected] == expected


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
        "version 1.2.3.4, v10.0.0.1 and Foo.dll 4.9.0.1",
        "listening on 127.0.0.1 and 0.0.0.0, mask 255.255.255.255",
        "order 2025550143",
        "the Apache License 2004-01-01",
    ],
)
def test_near_misses(pii: Pii, text: str) -> None:
    assert found(pii, text) == []


def test_known_false_alarms_stay_what_they_are(pii: Pii) -> None:
    """Not good, but known: if presidio gets better here, the documentation has to say so."""
    assert found(pii, "section 1.2.3.4") == [("IP_ADDRESS", "1.2.3.4")]


def test_the_domain_of_an_address_is_no_url(pii: Pii) -> None:
    hits = pii.detect(["a@b.co.uk and https://b.co.uk/x"], frozenset({"EMAIL_ADDRESS", "URL"}))[0]
    assert [(hit.label, hit.start) for hit in hits] == [("EMAIL_ADDRESS", 0), ("URL", 14)]


def test_names_are_found_and_the_engine_says_by_whom(pii: Pii) -> None:
    text = "Barack Obama wrote to ann.miller@example.com from Chicago."
    assert found(pii, text, frozenset({"PERSON", "EMAIL_ADDRESS", "LOCATION"})) == [
        ("PERSON", "Barack Obama"),
        ("EMAIL_ADDRESS", "ann.miller@example.com"),
        ("LOCATION", "Chicago"),
    ]
    assert "ner: builtin-small" in pii.engine
    assert pii.degraded == ""


def test_without_an_engine_for_names_it_says_so() -> None:
    patterns = Pii(Pii.Options(ner="off"))
    assert patterns.detect(["Barack Obama lives in Paris"], frozenset({"PERSON", "LOCATION"})) == [[]]
    assert patterns.degraded == "no NER model: PERSON, LOCATION, ORGANIZATION are not detected"
    assert patterns.engine.endswith("+ ner: off")
    assert not {"PERSON", "LOCATION", "ORGANIZATION"} & Pii.labels_for(Pii.Options(ner="off")).keys()


@pytest.mark.parametrize(
    ("names", "patterns", "expected"),
    [
        ([(0, 9)], [(4, 9)], [(0, 3)]),  # "Ann ann@x": the name is what the address leaves
        ([(4, 9)], [(4, 20)], []),
        ([(0, 9)], [(20, 30)], [(0, 9)]),
        ([(0, 20)], [(8, 12)], [(0, 8)]),
        ([], [(0, 5)], []),
    ],
)
def test_patterns_win_over_names(
    names: list[tuple[int, int]], patterns: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    text = "Ann ann@x and so it goes on and on"
    kept = outside([Hit("PERSON", *at, 0.9) for at in names], [Hit("EMAIL_ADDRESS", *at, 1.0) for at in patterns], text)
    assert [(hit.start, hit.end) for hit in kept] == expected


def test_what_is_allowed_is_no_finding_nor_a_part_of_it() -> None:
    allowing = Pii(Pii.Options(ner="off", allow=("support@acme.com", "*@example.org", "+1 202-555-01??")))
    text = "Support@Acme.com, joe@example.org, joe@example.org.evil.com, +1 202-555-0123, +1 202-555-0223"
    assert found(allowing, text, frozenset({"EMAIL_ADDRESS", "PHONE_NUMBER", "URL"})) == [
        ("EMAIL_ADDRESS", "joe@example.org.evil.com"),
        ("PHONE_NUMBER", "+1 202-555-0223"),
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"countries": ["usa"]}, "no pack for the country 'usa'; did you mean 'us'"),
        ({"countries": ["fr"]}, "no pack for the country 'fr'; a `regex` detector takes .*packs: au, ca, de"),
        ({"ner": "bultin"}, "no engine for names is called 'bultin'; write one of builtin-small"),
        ({"ner": "spacy"}, "no engine for names is called 'spacy'"),
        ({"allow": [""]}, "at least 1 character"),
        ({"country": "us"}, "Extra inputs are not permitted"),
    ],
)
def test_options_that_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Pii.Options.model_validate(options)


def test_labels_follow_the_countries() -> None:
    of = {country: Pii.labels_for(Pii.Options(countries=(country,))).keys() for country in PACKS}
    assert all({entry.entity for entry in PACKS[country].values()} <= labels for country, labels in of.items())
    assert "US_SSN" not in of["uk"]
    assert dict(Pii.labels) == Pii.labels_for(Pii.Options())
    assert set(NAMES) <= Pii.labels.keys()


def test_no_text_is_too_long(pii: Pii) -> None:
    text = "so it goes on and on " * 6000 + "bob@example.com"
    assert len(text) > 102_400
    assert found(pii, text) == [("EMAIL_ADDRESS", "bob@example.com")]


def test_a_megabyte_is_read_to_its_end(pii: Pii) -> None:
    text = "lines of 2024 and x.y, 17 of 23: nothing \n" * 25_000 + "ssn 078-05-1123"
    assert len(text) > 1_000_000
    assert found(pii, text)[-1] == ("US_SSN", "078-05-1123")


def test_a_word_longer_than_a_stretch_is_taken_whole(pii: Pii) -> None:
    url = "https://example.com/" + "a1" * 3000
    hits = pii.detect([f"see {url} there"], frozenset({"URL"}))[0]
    assert [(hit.start, hit.end) for hit in hits if hit.score >= 0.6][:1] == [(4, 4 + len(url))]


@pytest.mark.parametrize("options", [{}, {"countries": tuple(PACKS), "ner": "off"}], ids=["default", "everywhere"])
def test_it_keeps_what_a_detector_promises(options: dict[str, object]) -> None:
    chosen = Pii.Options.model_validate(options)
    made = Pii(chosen)
    hits = [("ask a@b.example.com", "EMAIL_ADDRESS"), ("ssn 078-05-1123", "US_SSN"), ("P.O. Box 242", "ADDRESS")]
    check_detector(made, hits=hits, options=chosen)
    made.close()


def test_threads_see_what_one_sees(pii: Pii) -> None:
    texts = [f"Ann Smith, card 4111 1111 1111 1111, call 202-555-01{at:02} or a{at}@b.example" for at in range(40)]
    alone = pii.detect(texts, ALL)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: pii.detect([text], ALL)[0], texts)) == alone


def test_a_pattern_that_runs_out_of_time_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presidio logs it and goes on as if it had found nothing."""
    from presidio_analyzer import Pattern

    own = Pii(Pii.Options(ner="off"))
    email = next(each.recognizer for each in own._patterns.all if each.entity == "EMAIL_ADDRESS")
    usual = email.patterns
    monkeypatch.setattr("presidio_analyzer.pattern_recognizer.REGEX_TIMEOUT_SECONDS", 0.01)
    email.patterns = [Pattern("slow", r"(x+x+)+y", 0.5)]
    with pytest.raises(TimeoutError, match="the pattern slow ran out of time"):
        own.detect(["@" + "x" * 5000], frozenset({"EMAIL_ADDRESS"}))
    email.patterns = usual
    assert own.detect(["a@b.example.com"], frozenset({"EMAIL_ADDRESS"}))[0]


def test_what_is_closed_leaves_no_trace_in_the_logger() -> None:
    before = list(logging.getLogger("presidio-analyzer").handlers)
    own = Pii(Pii.Options(ner="off"))
    assert logging.getLogger("presidio-analyzer").handlers != before
    own.close()
    assert logging.getLogger("presidio-analyzer").handlers == before


@given(st.text(alphabet="ab \n", max_size=900), st.integers(20, 60))
def test_stretches_cover_everything_once(text: str, size: int) -> None:
    pieces = list(stretches(text, size, size // 2))
    assert [sum(piece.owns(at) for piece in pieces) for at in range(len(text) + 1)] == [1] * (len(text) + 1)
    assert all(piece.start <= piece.owned_from and piece.end - piece.start <= size for piece in pieces)
    assert all(piece.owned_to <= piece.end for piece in pieces[:-1])


def test_every_label_has_a_recognizer_or_is_named_by_a_model(pii: Pii) -> None:
    assert Pii.labels.keys() - pii._patterns.entities == {"LOCATION", "ORGANIZATION", "PERSON"}
    assert pii._patterns.entities <= Pii.labels.keys()


def test_an_explanation_quotes_nothing(pii: Pii) -> None:
    text = "Zebulon Quark, card 4111 1111 1111 1111, ssn 078-05-1123, call +44 20 7946 0958, zq@corp.example"
    said = " ".join(hit.explanation for hit in pii.detect([text], ALL)[0])
    assert not any(word in said for word in ("Zebulon", "4111", "078", "7946", "corp"))
