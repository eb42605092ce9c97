# ruff: noqa: RUF001  digits of another script are part of the table
"""Our own recognizers and each country's pack: what is one, and what only looks like one."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.detectors import phones
from spanward.guards.detectors.addresses import joined
from spanward.guards.detectors.cards import luhn
from spanward.guards.detectors.detector import Hit
from spanward.guards.detectors.pii import Pii
from spanward.guards.detectors.pii_context import words_before
from spanward.guards.detectors.pii_packs import PACKS


@pytest.fixture(scope="module")
def everywhere() -> Pii:
    return Pii(Pii.Options(countries=tuple(PACKS), ner="off"))


def found(pii: Pii, label: str, text: str) -> list[str]:
    hits = pii.detect([text], frozenset({label}))[0]
    return [text[hit.start : hit.end] for hit in hits if hit.score >= pii._thresholds[label]]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("call (555) 123-4567", "(555) 123-4567"),
        ("555-123-4567 x123 is hers", "555-123-4567 x123"),
        ("ask 202.555.0123.", "202.555.0123"),
        ("or 001-202-555-0123", "001-202-555-0123"),
        ("+1-202-555-0123", "+1-202-555-0123"),
        ("from +46 (0)8 928 571 38 on", "+46 (0)8 928 571 38"),
        ("+447700 900 123", "+447700 900 123"),
        ("(+49) 30 123456", "(+49) 30 123456"),
        ("07700 900 123", "07700 900 123"),
        ("01.84.17.61.18", "01.84.17.61.18"),
        ("(08) 8747 6301", "(08) 8747 6301"),
        ("024 971 50 30", "024 971 50 30"),
        ("Phone: 60-56-85-91", "60-56-85-91"),
        ("tel. 467 3395", "467 3395"),
        ("Fax: 9498777106", "9498777106"),
        ("78 651 450 office", "78 651 450"),
        ("Mobile:\n432 03 163", "432 03 163"),
        ("text me at 2025550143", "2025550143"),
        ("order 12345 shipped, call 2025550143", "2025550143"),
        ("phone ٠٧٧٠٠ ٩٠٠ ١٢٣", "٠٧٧٠٠ ٩٠٠ ١٢٣"),
    ],
)
def test_phone_numbers(pii: Pii, text: str, number: str) -> None:
    assert found(pii, "PHONE_NUMBER", text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "order 2025550143",
        "order number 202 555 0143",
        "invoice 2024-0012345",
        "ticket 4471-2211-09",
        "version 10.15.7.1234",
        "ISBN 978-3-16-148410-0 and 0-306-40615-2",
        "1700000000 seconds, 1700000000123 ms",
        "at 2007-01-17 23:08:55 and 20070117230855",
        "2024/01/02 2024/01/03",
        "in 1999-2004 and 2004 2005 2006",
        "02.03.2004, 2-3-04, 12/24/1999",
        "from 207.194.55.89 and 10.0.0.1",
        "id 4815162342 or uid 1000000001",
        "0x7fffffff 2147483647 4294967295",
        "price 1,234,567.00, $1234567890, 12345678%",
        "pi is 3.14159265358979",
        "https://example.com/4471234567/x?id=2025550143",
        "call_2025550143 and a-2025550143",
        "the message was for the editor 207.194.55.89",
        "4111 1111 1111 1111 9999 8888",
        "DE89 3704 0044 0532 0130 00",
        "123-45-6789",
        "pages 1234-5678",
        "x = 1234567; y = 7654321",
    ],
)
def test_numbers_that_are_no_phone_numbers(pii: Pii, text: str) -> None:
    assert found(pii, "PHONE_NUMBER", text) == []


@given(st.text(alphabet="0123456789 ()+-./x\n", max_size=200))
def test_phone_numbers_lie_in_the_text_and_apart(text: str) -> None:
    spans = [(hit.start, hit.end) for hit in phones.find(text)]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("card 630427373398", "630427373398"),
        ("credit card 060426070011", "060426070011"),
        ("2623322164608847", "2623322164608847"),
        ("2623 3221 6460 8847", "2623 3221 6460 8847"),
        ("213176828496175", "213176828496175"),
        ("4131034282458809939", "4131034282458809939"),
        ("4131 0342 8245 8809 939", "4131 0342 8245 8809 939"),
        ("cc 4047737215142", "4047737215142"),
        ("347415977307943", "347415977307943"),
    ],
)
def test_cards(pii: Pii, text: str, number: str) -> None:
    assert found(pii, "CREDIT_CARD", text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "630427373398",  # twelve digits alone may be anything
        "card 630427373399",  # no valid check digit
        "2623322164608848",
        "4131034282458809938",
        "1700000000123456789",  # nanoseconds
        "9223372036854775807",  # the greatest 64-bit integer
        "4611686018427387904",
        "ISBN 9783161484100",
        "175928847299117063",  # a snowflake id
        "order 2024010112345678",
    ],
)
def test_numbers_that_are_no_cards(pii: Pii, text: str) -> None:
    assert found(pii, "CREDIT_CARD", text) == []


@given(st.integers(0, 10**18))
def test_luhn_takes_one_check_digit_of_ten(number: int) -> None:
    assert sum(luhn(f"{number}{digit}") for digit in range(10)) == 1


@pytest.mark.parametrize(
    ("label", "text", "expected"),
    [
        ("DATE_TIME", "born March 3, 1970 in", ["March 3, 1970"]),
        ("DATE_TIME", "on 3rd of May 2020", ["3rd of May 2020"]),
        ("DATE_TIME", "Tuesday, June 4th", ["Tuesday, June 4th"]),
        ("DATE_TIME", "since 1977, (2004)", ["1977", "2004"]),
        ("DATE_TIME", "see you on friday", ["friday"]),
        ("DATE_TIME", "2000-04-16 11:34:35", ["2000-04-16 11:34:35"]),
        ("DATE_TIME", "8/5/1989", ["8/5/1989"]),
        ("DATE_TIME", "May I? It may rain, march on", []),
        ("DATE_TIME", "port 2000, 1990px, x=1984, $2001, 2048 bytes", []),
        ("DATE_TIME", "the first Monday of each month", []),
        ("AGE", "a 38-year-old man", ["38"]),
        ("AGE", "i'm 31 y/o, aged 40, turned 60.", ["31", "40", "60"]),
        ("AGE", "a 5-year plan, 20 years ago, page 31, I'm 90% sure", []),
        ("TITLE", "Mr. Smith and Dr Jones", ["Mr.", "Dr"]),
        ("TITLE", "12 Main Dr., the MR scan, miss it", []),
        ("NRP", "a German and two Danes", ["German", "Danes"]),
        ("NRP", "studying English, she speaks German to a German", ["German"]),
        ("NRP", "Czech Republic, germane, a finnicky pole", []),
        ("ADDRESS", "Apt. 595, Suite 501", ["Apt. 595, Suite 501"]),
        ("ADDRESS", "12 Main Street", ["12 Main Street"]),
        ("ADDRESS", "P.O. Box 242;", ["P.O. Box 242"]),
        ("ADDRESS", "at PSC 0413, Box 8144\nAPO AA 42323.", ["PSC 0413, Box 8144\nAPO AA 42323"]),
        ("ADDRESS", "the corner of Elm and Third Avenue", ["the corner of Elm and Third Avenue"]),
        ("ADDRESS", "Unit 4, box 12; room 101; ID 12345 or IN 54321 cases", ["Unit 4"]),
        ("ADDRESS", "ZIP: 3520", ["3520"]),
        ("ADDRESS", "Springfield, IL 62704", ["IL 62704"]),
        ("ADDRESS", "unit tests, a suite of 5, in 3 ways, step 2 of way", []),
    ],
)  # fmt: skip
def test_what_closes_the_gap_to_a_model(everywhere: Pii, label: str, text: str, expected: list[str]) -> None:
    assert found(everywhere, label, text) == expected


@pytest.mark.parametrize(
    ("text", "pieces", "expected"),
    [
        ("at 3536 Hoog St, Rhenen 10252.", [("ADDRESS", "Hoog St"), ("LOCATION", "Rhenen")],
         ["3536 Hoog St, Rhenen 10252"]),
        ("in Rhenen 10252", [("LOCATION", "Rhenen")], ["Rhenen 10252"]),
        ("in Rhenen 1998", [("LOCATION", "Rhenen")], []),
        ("Rhenen and Hoog St", [("LOCATION", "Rhenen"), ("ADDRESS", "Hoog St")], ["Hoog St"]),
        ("version 3.12 Hoog St", [("ADDRESS", "Hoog St")], ["Hoog St"]),
        ("Rhenen, Utrecht", [("LOCATION", "Rhenen"), ("LOCATION", "Utrecht")], []),
    ],
)  # fmt: skip
def test_pieces_of_an_address_become_one(text: str, pieces: list[tuple[str, str]], expected: list[str]) -> None:
    hits = [Hit(label, text.index(piece), text.index(piece) + len(piece), 0.9) for label, piece in pieces]
    whole = joined(hits, text, {"ADDRESS": 0.5, "LOCATION": 0.5})
    assert [text[hit.start : hit.end] for hit in whole if hit.label == "ADDRESS"] == expected
    assert [hit for hit in whole if hit.label == "LOCATION"] == [hit for hit in hits if hit.label == "LOCATION"]


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("my social security number is 078051123", "078", ["my", "social", "security", "number", "is", "078051123"]),
        ("ssn: 078", "078", ["ssn", "078"]),
        ("a b c d e f (078", "(", ["a", "b", "c", "d", "e", "f"]),
        ("to be or", "or", ["to", "or"]),  # presidio leaves out "be"
        ("", "", []),
    ],
)
def test_words_before(text: str, at: str, words: list[str]) -> None:
    assert words_before(text, text.index(at)) == words


CASES = [
    ("us", "US_SSN", "ssn 078-05-1123", "ssn 078-05-1120"),
    ("us", "US_ITIN", "itin 912-70-1234", "itin 912-49-1234"),
    ("us", "US_NPI", "npi 1234567893", "npi 1234567890"),
    ("us", "ABA_ROUTING_NUMBER", "aba routing 121000358", "aba routing 121000359"),
    ("uk", "UK_NHS", "nhs 943 476 5919", "nhs 943 476 5918"),
    ("uk", "UK_NINO", "AB 12 34 56 C", "BG 12 34 56 C"),
    ("uk", "UK_POSTCODE", "postcode SW1A 1AA", "gate SW1A 1AA"),
    ("de", "DE_TAX_ID", "Steuer-ID 86095742719", "Steuer-ID 86095742718"),
    ("de", "DE_SOCIAL_SECURITY", "15070649C103", "15070649C104"),
    ("es", "ES_NIF", "55555555K", "55555555A"),
    ("es", "ES_NIE", "Z8078221M", "Z8078221X"),
    ("it", "IT_FISCAL_CODE", "RSSMRA85M01H501Q", "RSSMRA85M01H501B"),
    ("it", "IT_VAT_CODE", "01333550323", "01333550324"),
    ("in", "IN_AADHAAR", "312345678909", "312345678908"),
    ("in", "IN_PAN", "pan AAASA1111R", "order AAASA11R"),
    ("au", "AU_ABN", "51 824 753 556", "52 824 753 556"),
    ("au", "AU_TFN", "876 543 210", "876 543 211"),
    ("au", "AU_MEDICARE", "2123 45670 1", "2123 25870 1"),
    ("ca", "CA_SIN", "sin 130 692 544", "sin 130 692 545"),
    ("ca", "CA_POSTAL_CODE", "postal code K1A 0B1", "K1A 0B1"),
    ("sg", "SG_NRIC_FIN", "S2740116C", "X2740116C"),
    ("pl", "PL_PESEL", "44051401359", "44051401358"),
    ("fi", "FI_PERSONAL_IDENTITY_CODE", "010594Y9032", "010594Y9033"),
]  # fmt: skip


@pytest.mark.parametrize(("country", "label", "true", "near"), CASES)
def test_packs(everywhere: Pii, country: str, label: str, true: str, near: str) -> None:
    assert label in {entry.entity for entry in PACKS[country].values()}
    assert found(everywhere, label, f"so it is {true}.") != []
    assert found(everywhere, label, f"so it is {near}.") == []
